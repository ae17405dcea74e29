package child

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// startLimit is how long a child may take to come up.
const startLimit = 20 * time.Second

// process is one child, as the server has it.
type process struct {
	pool *Pool
	lane *lane
	conn *net.UnixConn
	cmd  *exec.Cmd
	pid  int
	// complaint is the beginning of what it wrote before it ended.
	complaint firstLine
	// hello is its first word, greeted that it came; only receive uses the latter.
	hello   chan said
	greeted bool

	mu    sync.Mutex
	calls map[uint64]*exchange
	// reason is why it was killed, empty while it was not.
	reason string
	// shared numbers the shared bytes that it has.
	shared      map[string]uint64
	sharedCount uint64
	// ended is closed once the process is gone and all its calls know.
	ended chan struct{}
	state *os.ProcessState
	// peak is the most that was seen resident, in bytes; heavy tells that it was much during the present call.
	peak  atomic.Int64
	heavy atomic.Bool
	// doomed tells that it is being killed, and takes no call any more.
	doomed atomic.Bool
	// watched is the number of the call that the watcher saw last, cpu what the child had used until then.
	watched int
	cpu     time.Duration

	// busy, done, old, gone and dead are the lane's, under the pool's mu: calls that it has, and has had; that another one is
	// to take its place; that it takes none any more; that it has ended.
	busy, done      int
	old, gone, dead bool
}

// launch starts a child and waits until it is ready. It must run on the thread that children start from.
func (p *Pool) launch(l *lane) (*process, error) {
	conn, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	c := &process{
		pool: p, lane: l, conn: conn, hello: make(chan said, 1), calls: map[uint64]*exchange{}, shared: map[string]uint64{}, ended: make(chan struct{}),
	}
	// The program that runs, whatever lies at its path by now.
	c.cmd = &exec.Cmd{
		Path: "/proc/self/exe", Args: p.conf.Args, Env: clean(p.conf.Env), Dir: "/", ExtraFiles: []*os.File{theirs}, Stderr: &c.complaint,
		SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
		// Nobody else holds the other end of its standard error.
		WaitDelay: time.Second,
	}
	if err := c.cmd.Start(); err != nil {
		_ = conn.Close()
		return nil, err
	}
	c.pid = c.cmd.Process.Pid
	// When memory runs out, rather a child than the server.
	_ = os.WriteFile("/proc/"+strconv.Itoa(c.pid)+"/oom_score_adj", []byte("500"), 0)
	return c, nil
}

// greet tells a child what it needs to know and waits for its word that it is ready.
func (c *process) greet() ([]byte, error) {
	c.pool.group.Go(c.receive)
	c.pool.group.Go(c.wait)
	setup := binary.LittleEndian.AppendUint64(head(nil, kindSetup, 0), uint64(c.pool.conf.Memory))
	if err := send(c.conn, append(setup, c.pool.conf.Setup...)); err != nil {
		c.kill(ReasonStart)
		<-c.ended
		return nil, fmt.Errorf("greet: %w", err)
	}
	timer := time.NewTimer(startLimit)
	defer timer.Stop()
	select {
	case m := <-c.hello:
		if m.kind == kindHello {
			return m.body, nil
		}
		c.kill(ReasonStart)
		<-c.ended
		return nil, &FailedError{Text: string(m.body)}
	case <-c.ended:
		return nil, fmt.Errorf("it ended at once: %s", c.epitaph())
	case <-timer.C:
		c.kill(ReasonStart)
		<-c.ended
		return nil, errors.New("it does not come up")
	}
}

// receive hands on what the child says.
func (c *process) receive() {
	buffer := make([]byte, maxPacket)
	for {
		// Without room for control messages the kernel passes no descriptor on.
		n, _, _, _, err := c.conn.ReadMsgUnix(buffer, nil)
		if err != nil || n == 0 {
			// It is ending, or has hung up, which no child does that means to go on.
			c.kill(ReasonCrash)
			return
		}
		if err := c.heard(buffer[:n]); err != nil {
			c.kill(ReasonProtocol)
			return
		}
	}
}

// heard takes one message. It keeps nothing of the packet.
func (c *process) heard(packet []byte) error {
	m, err := parse(packet)
	if err != nil {
		return err
	}
	m.body = append(make([]byte, 0, len(m.body)), m.body...)
	if m.id == 0 {
		if m.kind != kindHello && m.kind != kindFailed || c.greeted {
			return errMessage
		}
		c.greeted = true
		c.hello <- m
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	call := c.calls[m.id]
	if call == nil || m.kind == kindHello {
		return errMessage
	}
	select {
	case call.events <- m:
		return nil
	default:
		// It does not wait for what it asked for.
		return errMessage
	}
}

// wait sees the child's end.
func (c *process) wait() {
	_ = c.cmd.Wait()
	c.state = c.cmd.ProcessState
	_ = c.conn.Close()
	c.mu.Lock()
	if c.reason == "" {
		c.reason = ReasonCrash
	}
	if c.reason == ReasonCrash && c.starved() {
		c.reason = ReasonMemory
	}
	reason := c.reason
	c.mu.Unlock()
	// Nobody is given it any more when its calls hear of its end.
	c.pool.bury(c, reason)
	close(c.ended)
}

// starved tells of a child that crashed whether it probably did so for lack of memory: many libraries end the process
// when they get none.
func (c *process) starved() bool {
	usage, ok := c.state.SysUsage().(*syscall.Rusage)
	// The former has the program in it, too.
	return ok && max(usage.Maxrss<<10-programSize, c.peak.Load()) > c.pool.conf.Memory/10*9
}

// programSize is about what of the program and its libraries is ever resident.
const programSize = 128 << 20

// kill ends the child for a reason; the first one counts.
func (c *process) kill(reason string) {
	c.mu.Lock()
	if c.reason == "" {
		c.reason = reason
	}
	c.mu.Unlock()
	c.doomed.Store(true)
	_ = c.cmd.Process.Kill()
}

// dismiss lets the child end by itself, and sees to it that it does.
func (c *process) dismiss() {
	c.mu.Lock()
	if c.reason == "" {
		c.reason = ReasonRecycled
	}
	c.mu.Unlock()
	_ = c.conn.CloseWrite()
	time.AfterFunc(time.Second, func() { _ = c.cmd.Process.Kill() })
}

// cause is why the child ended, as an error of the calls that it had.
func (c *process) cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.reason {
	case ReasonMemory:
		return ErrMemory
	case ReasonCPU:
		return ErrCPU
	}
	return errDied
}

// epitaph tells how it ended.
func (c *process) epitaph() string {
	how := c.state.String()
	if line := c.complaint.String(); line != "" {
		how += ": " + line
	}
	return how
}

// usage reads what memory the process has to itself, in bytes, and what it has used of the processor.
func (c *process) usage() (resident int64, cpu time.Duration, ok bool) {
	dir := "/proc/" + strconv.Itoa(c.pid)
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return 0, 0, false
	}
	// The program and its libraries are everybody's.
	for _, name := range [...]string{"\nRssAnon:", "\nRssShmem:"} {
		_, after, _ := bytes.Cut(status, []byte(name))
		line, _, _ := bytes.Cut(after, []byte(" kB"))
		kilobytes, _ := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
		resident += kilobytes << 10
	}
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return resident, 0, true
	}
	// The name, in parentheses, may hold anything.
	_, after, _ := bytes.Cut(stat[max(0, bytes.LastIndexByte(stat, ')')):], []byte(" "))
	if fields := strings.Fields(string(after)); len(fields) > 12 {
		user, _ := strconv.ParseInt(fields[11], 10, 64)
		system, _ := strconv.ParseInt(fields[12], 10, 64)
		cpu = time.Duration(user+system) * (time.Second / clockTicks)
	}
	return resident, cpu, true
}

// clockTicks is Linux's unit of processor times for programs, on all that Go runs on.
const clockTicks = 100

// firstLine keeps the beginning of what is written to it: a crash's cause, and not its traces.
type firstLine struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (f *firstLine) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	const most = 512
	f.text = append(f.text, p[:min(len(p), most-len(f.text))]...)
	return len(p), nil
}

// String is the first line.
func (f *firstLine) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	line, _, _ := bytes.Cut(f.text, []byte("\n"))
	return strings.ToValidUTF8(string(line), "")
}

// errDied says that the child ended while it had the call.
var errDied = errors.New("the child ended")
