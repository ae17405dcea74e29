//go:build linux

package child

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gatehouse-server/gatehouse/source"
)

// asChild makes the test's own program a child.
const asChild = "CHILD_OF_TEST"

func TestMain(m *testing.M) {
	if mode := os.Getenv(asChild); mode != "" {
		handler := handlers[mode]
		if handler == nil {
			handler = &worker{mode: mode}
		}
		if err := Serve(handler); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if os.Getenv(asParent) != "" {
		parent()
	}
	goleak.VerifyTestMain(m)
}

// handlers are those of other kinds of children than worker.
var handlers = map[string]Handler{}

// worker is a Handler that does what it is told, bad things as well.
type worker struct {
	mode  string
	setup string
	calls atomic.Int64
}

// order is what the worker is told.
type order struct {
	Do string
	// N is a number of bytes, where that has a meaning.
	N int64
	// Off is where the original is read.
	Off int64
	// Sleep is how long to take.
	Sleep time.Duration
	Text  string
}

func (w *worker) Start(setup []byte) ([]byte, error) {
	w.setup = string(setup)
	if w.mode == "refuse" {
		return nil, errors.New("not today")
	}
	return append([]byte("hello "), setup...), nil
}

func (w *worker) Handle(ctx context.Context, task *Task, reply Reply) error {
	var o order
	// What the test has put behind the JSON is there for its length.
	if err := json.NewDecoder(bytes.NewReader(task.Ask)).Decode(&o); err != nil {
		return err
	}
	n := w.calls.Add(1)
	switch o.Do {
	case "echo":
		return reply([]byte(o.Text))
	case "count":
		return reply(fmt.Append(nil, n))
	case "pid":
		return reply(fmt.Append(nil, os.Getpid()))
	case "environment":
		return reply([]byte(strings.Join(os.Environ(), "\n")))
	case "open":
		file, err := os.Open(o.Text)
		if err != nil {
			return reply([]byte("refused"))
		}
		_ = file.Close()
		return reply([]byte("opened"))
	case "write original":
		conn, err := task.Original.File().SyscallConn()
		if err != nil {
			return err
		}
		_ = conn.Control(func(fd uintptr) { _, err = syscall.Pwrite(int(fd), []byte("changed"), 0) })
		if err == nil {
			return reply([]byte("written"))
		}
		again, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", task.Original.File().Fd()), os.O_RDWR, 0)
		if err == nil {
			_, err = again.WriteAt([]byte("changed"), 0)
			_ = again.Close()
		}
		if err == nil {
			return reply([]byte("written after all"))
		}
		return reply([]byte("refused"))
	case "sum":
		sum := sha256.New()
		if _, err := io.Copy(sum, io.NewSectionReader(source.ReaderAt(ctx, task.Original), 0, task.Original.Info().Size)); err != nil {
			return err
		}
		return reply(sum.Sum(nil), task.Ask[:1])
	case "shared":
		sum := sha256.Sum256(task.Shared)
		return reply(sum[:])
	case "bytes":
		out := bytes.Repeat([]byte(o.Text), int(o.N))
		return reply(out[:o.N/2], out[o.N/2:o.N])
	case "write":
		out := bytes.Repeat([]byte(o.Text), int(o.N))[:o.N]
		// In pieces of any length, and reads in between.
		for step := 1; len(out) > 0; step *= 3 {
			n := min(step, len(out))
			if _, err := task.Write(out[:n]); err != nil {
				return err
			}
			if _, err := task.Original.ReadAt(ctx, make([]byte, 1), 0); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			out = out[n:]
		}
		if o.Sleep > 0 {
			crash(syscall.SIGSEGV)
		}
		return reply([]byte("written"))
	case "nice":
		priority, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
		if err != nil {
			return err
		}
		return reply(fmt.Append(nil, priority))
	case "slow":
		select {
		case <-time.After(o.Sleep):
			return reply([]byte("slept"))
		case <-ctx.Done():
			return ctx.Err()
		}
	case "deaf":
		time.Sleep(o.Sleep)
		return reply([]byte("woke"))
	case "spin":
		for start := time.Now(); time.Since(start) < o.Sleep; {
			runtime.Gosched()
		}
		return reply([]byte("spun"))
	case "crash":
		crash(syscall.SIGSEGV)
	case "eat":
		var held [][]byte
		for eaten := int64(0); eaten < o.N; eaten += 16 << 20 {
			block := make([]byte, 16<<20)
			for i := 0; i < len(block); i += 4096 {
				block[i] = 1
			}
			held = append(held, block)
			time.Sleep(2 * time.Millisecond)
		}
		time.Sleep(o.Sleep)
		return reply(fmt.Append(nil, len(held)))
	}
	return fmt.Errorf("told to %q", o.Do)
}

// crash ends the process as a fault in C does.
func crash(signal syscall.Signal) {
	_ = syscall.Kill(os.Getpid(), signal)
	select {}
}

func testConfig() Config {
	return Config{Args: []string{"test-child"}, Env: []string{asChild + "=work"}, Setup: []byte("world"), Children: 2}
}

// newPool starts a Pool whose children do what they are told.
func newPool(t testing.TB, change func(*Config)) *Pool {
	t.Helper()
	c := testConfig()
	if change != nil {
		change(&c)
	}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// tell has the pool do an order on an original.
func tell(ctx context.Context, p *Pool, lane Lane, o order, original source.Original) (string, error) {
	answer, err := p.Call(ctx, callOf(lane, o, original))
	return string(answer.Data), err
}

func callOf(lane Lane, o order, original source.Original) *Call {
	ask, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	if original == nil {
		original = &stored{}
	}
	return &Call{Lane: lane, Ask: ask, Original: original, MaxAnswer: 8 << 20}
}

// stored is an original in memory, or with a file.
type stored struct {
	data []byte
	file *os.File
	// fail, when set, is what reads at and beyond failAt give.
	fail   error
	failAt int64
	// reads counts them.
	reads atomic.Int64
}

func (s *stored) Info() source.Info { return source.Info{Size: int64(len(s.data)), Version: "1"} }
func (s *stored) File() *os.File    { return s.file }
func (s *stored) Close() error      { return nil }
func (s *stored) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	s.reads.Add(1)
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if s.fail != nil && off+int64(len(p)) > s.failAt {
		return 0, s.fail
	}
	return bytes.NewReader(s.data).ReadAt(p, off)
}

func pattern(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(i * 7 >> (i % 5))
	}
	return out
}

func waitFor(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not come about: %s", what)
		}
	}
}
