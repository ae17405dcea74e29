//go:build linux

package child

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// rogue is a Handler that speaks for itself, past Serve: a child that somebody has taken over.
type rogue struct{}

func (rogue) Start([]byte) ([]byte, error) { return nil, nil }

func (rogue) Handle(_ context.Context, task *Task, reply Reply) error {
	id := uint64(0)
	if _, err := fmt.Sscan(string(task.Ask[1:]), &id); err != nil {
		return err
	}
	say := func(packet []byte) { _ = unix.Sendmsg(socketFD, packet, nil, nil, 0) }
	switch task.Ask[0] {
	case 'j': // junk
		say([]byte{1, 2, 3})
	case 'l': // more than was asked for
		say(append(head(nil, kindAnswer, id), make([]byte, 100_000)...))
	case 'n': // memory without end
		say(binary.LittleEndian.AppendUint64(head(nil, kindNeed, id), 1<<50))
	case 's': // an answer that was never stored
		say(head(nil, kindStored, id))
	case 'o': // for another call
		say(append(head(nil, kindAnswer, id+1000), "forged"...))
	case 'h': // another hello
		say(append(head(nil, kindHello, 0), "forged"...))
	case 'f': // more than anybody takes, and never an answer
		for {
			say(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(head(nil, kindRead, id), 0), 1))
		}
	case 'r': // beyond the original
		say(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(head(nil, kindRead, id), 1<<40), maxRead))
		time.Sleep(100 * time.Millisecond)
	case 'd': // a descriptor, which is to be dropped
		_ = unix.Sendmsg(socketFD, append(head(nil, kindAnswer, id), "with one"...), unix.UnixRights(0), nil, 0)
	}
	if task.Ask[0] != 'r' {
		select {}
	}
	return reply([]byte("went on"))
}

func init() { handlers["rogue"] = rogue{} }

func TestChildThatIsTakenOver(t *testing.T) {
	for _, what := range []string{"j", "l", "n", "s", "o", "h", "f"} {
		p := newPool(t, func(c *Config) { c.Children, c.Env = 1, []string{asChild + "=rogue"} })
		limited, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		call := &Call{Ask: []byte(what + strconv.FormatUint(p.ids.Load()+1, 10)), Original: &stored{data: pattern(smallOriginal * 2)}, MaxAnswer: 50_000}
		answer, err := p.Call(limited, call)
		if err == nil || limited.Err() != nil || len(answer.Data) > 0 {
			t.Errorf("%s: %d bytes, %v", what, len(answer.Data), err)
		}
		if p.Stats().Replaced[ReasonProtocol] == 0 {
			t.Errorf("%s: %v", what, p.Stats().Replaced)
		}
		cancel()
		_ = p.Close()
	}
	p := newPool(t, func(c *Config) { c.Children, c.Env = 1, []string{asChild + "=rogue"} })
	if _, err := p.Hello(context.Background()); err != nil {
		t.Fatal(err)
	}
	before := descriptors(t, os.Getpid())
	call := &Call{Ask: []byte("d1"), Original: &stored{}, MaxAnswer: 1000}
	if answer, err := p.Call(context.Background(), call); err != nil || string(answer.Data) != "with one" {
		t.Errorf("%q, %v", answer.Data, err)
	}
	if now := descriptors(t, os.Getpid()); now > before {
		t.Errorf("the server has taken a descriptor: %d, before it %d", now, before)
	}
}

// An original is read nowhere but within its size.
func TestReadsBeyondTheOriginal(t *testing.T) {
	p := newPool(t, func(c *Config) { c.Children, c.Env = 1, []string{asChild + "=rogue"} })
	original := &stored{data: pattern(smallOriginal * 2), fail: problem.New(502, "x", "x")}
	answer, err := p.Call(context.Background(), &Call{Ask: []byte("r1"), Original: original, MaxAnswer: 1000})
	if err != nil || string(answer.Data) != "went on" || original.reads.Load() > 0 {
		t.Errorf("%q, %v, %d reads", answer.Data, err, original.reads.Load())
	}
}

// asParent makes the test's own program a server that can be killed.
const asParent = "PARENT_OF_TEST"

// parent starts a Pool, tells of its children, works them and waits to be killed.
func parent() {
	p, err := New(testConfig())
	if err != nil {
		panic(err)
	}
	for range 2 {
		go func() { _, _ = tell(context.Background(), p, Work, order{Do: "deaf", Sleep: time.Hour}, nil) }()
	}
	for p.Stats().Alive < 3 || p.Stats().Busy < 2 {
		time.Sleep(5 * time.Millisecond)
	}
	for _, pid := range p.Stats().PIDs {
		fmt.Println(pid)
	}
	fmt.Println("ready")
	select {}
}

// Children die with their server, however it dies and whatever they do.
func TestNoChildIsLeftBehind(t *testing.T) {
	server := exec.Command("/proc/self/exe")
	server.Env = append(os.Environ(), asParent+"=1")
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for {
		var word string
		if _, err := fmt.Fscan(out, &word); err != nil {
			t.Fatal(err)
		}
		if word == "ready" {
			break
		}
		pid, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	if len(pids) != 3 {
		t.Errorf("children %v", pids)
	}
	_ = server.Process.Kill()
	_ = server.Wait()
	for _, pid := range pids {
		waitFor(t, "the end of "+strconv.Itoa(pid), func() bool { return !runs(pid) })
	}
}

// runs tells whether a process runs; one that nobody has buried yet does not.
func runs(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, after, _ := strings.Cut(string(stat), ") ")
	return err == nil && !strings.HasPrefix(after, "Z")
}

// The command is of no use to people.
func TestServeIsForChildren(t *testing.T) {
	alone := exec.Command("/proc/self/exe")
	alone.Env = append(os.Environ(), asChild+"=work")
	out, err := alone.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "for the server itself") {
		t.Errorf("%v: %s", err, out)
	}
}
