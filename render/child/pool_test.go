//go:build linux

package child

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

func TestCallAndAnswer(t *testing.T) {
	p := newPool(t, nil)
	ctx := context.Background()
	hello, err := p.Hello(ctx)
	if err != nil || string(hello) != "hello world" {
		t.Fatalf("hello %q, %v", hello, err)
	}
	for _, lane := range []Lane{Work, Head} {
		if got, err := tell(ctx, p, lane, order{Do: "echo", Text: "back"}, nil); err != nil || got != "back" {
			t.Errorf("%q, %v", got, err)
		}
	}
	var failed *FailedError
	if _, err := tell(ctx, p, Work, order{Do: "nonsense"}, nil); !errors.As(err, &failed) || !strings.Contains(failed.Text, "nonsense") {
		t.Errorf("%v", err)
	}
	// Whatever its length, an answer comes back as it was.
	for _, n := range []int64{0, 1, maxInline - 1, maxInline, maxInline + 1, 5 << 20} {
		got, err := tell(ctx, p, Work, order{Do: "bytes", N: n, Text: "abc"}, nil)
		if err != nil || int64(len(got)) != n || got != strings.Repeat("abc", int(n))[:n] {
			t.Errorf("%d bytes: %d, %v", n, len(got), err)
		}
	}
	if s := p.Stats(); s.Alive < 1 || s.Busy != 0 || len(s.PIDs) != s.Alive || s.Resident <= 0 {
		t.Errorf("%+v", s)
	}
}

// An original comes over whole, by its descriptor or by reads, as its kind and length want it.
func TestOriginals(t *testing.T) {
	p := newPool(t, nil)
	dir := t.TempDir()
	for _, size := range []int{0, 1, 1000, maxInline - 50, maxInline + 1, smallOriginal, smallOriginal + 1, 3*maxRead + 17 + smallOriginal} {
		data := pattern(size)
		sum := sha256.Sum256(data)
		want := string(append(sum[:], '{'))
		name := filepath.Join(dir, strconv.Itoa(size))
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		for kind, original := range map[string]*stored{"memory": {data: data}, "file": {data: data, file: file, fail: errors.New("not to be read")}} {
			for _, lane := range []Lane{Work, Head} {
				if got, err := tell(context.Background(), p, lane, order{Do: "sum"}, original); err != nil || got != want {
					t.Errorf("%s of %d bytes, lane %d: %v", kind, size, lane, err)
				}
			}
		}
		_ = file.Close()
	}
}

// A long ask, and one beside a long original.
func TestLongAsk(t *testing.T) {
	p := newPool(t, nil)
	for _, length := range []int{maxInline - 1000, maxInline + 1, MaxAsk} {
		data := pattern(maxInline / 2)
		call := callOf(Work, order{Do: "sum"}, &stored{data: data})
		call.Ask = append(call.Ask, make([]byte, length-len(call.Ask))...)
		sum := sha256.Sum256(data)
		if got, err := p.Call(context.Background(), call); err != nil || string(got.Data) != string(append(sum[:], '{')) {
			t.Errorf("%d bytes: %v", length, err)
		}
	}
	call := callOf(Work, order{Do: "echo"}, nil)
	call.Ask = make([]byte, MaxAsk+1)
	if _, err := p.Call(context.Background(), call); err == nil {
		t.Error("an ask that is too long is passed on")
	}
}

func TestErrorOfTheOriginalIsKept(t *testing.T) {
	p := newPool(t, nil)
	gone := problem.New(502, "source_failed", "The archive does not answer")
	for name, original := range map[string]*stored{
		"small":  {data: pattern(1000), fail: gone},
		"first":  {data: pattern(smallOriginal * 2), fail: gone},
		"midway": {data: pattern(smallOriginal * 2), fail: gone, failAt: smallOriginal},
	} {
		answer, err := p.Call(context.Background(), callOf(Work, order{Do: "sum"}, original))
		if err == nil || !errors.Is(answer.ReadError, gone) {
			t.Errorf("%s: %v, and of the original %v", name, err, answer.ReadError)
		}
	}
	if got, err := tell(context.Background(), p, Work, order{Do: "echo", Text: "well"}, nil); got != "well" || err != nil {
		t.Errorf("afterwards: %q, %v", got, err)
	}
	if s := p.Stats(); len(s.Replaced) > 0 {
		t.Errorf("children had to go: %v", s.Replaced)
	}
}

// An original that panics costs its call, not the server.
func TestPanicOfTheOriginal(t *testing.T) {
	p := newPool(t, nil)
	for _, size := range []int{1000, smallOriginal * 2} {
		answer, err := p.Call(context.Background(), callOf(Work, order{Do: "sum"}, panicking{&stored{data: pattern(size)}}))
		var known *problem.Error
		if err == nil || !errors.As(answer.ReadError, &known) || known.Status != 500 {
			t.Errorf("%v, %v", err, answer.ReadError)
		}
	}
}

type panicking struct{ *stored }

func (panicking) ReadAt(context.Context, []byte, int64) (int, error) { panic("fault") }

func TestSharedBytesCrossOnce(t *testing.T) {
	p := newPool(t, func(c *Config) { c.Children = 1 })
	for range 3 {
		for i := range 3 {
			data := pattern(100_000 + i)
			call := callOf(Work, order{Do: "shared"}, nil)
			call.Shared = &Shared{Key: strconv.Itoa(i), Bytes: data}
			sum := sha256.Sum256(data)
			if got, err := p.Call(context.Background(), call); err != nil || string(got.Data) != string(sum[:]) {
				t.Fatalf("%d: %v", i, err)
			}
		}
	}
	p.mu.Lock()
	count := p.lanes[Work].all[0].sharedCount
	p.mu.Unlock()
	if count != 3 {
		t.Errorf("handed over %d times", count)
	}
	// More than it may keep: another takes its place.
	for i := range 2 * maxShared {
		call := callOf(Work, order{Do: "shared"}, nil)
		call.Shared = &Shared{Key: "more" + strconv.Itoa(i), Bytes: []byte{byte(i), 1}}
		if _, err := p.Call(context.Background(), call); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, "another child", func() bool { return p.Stats().Replaced[ReasonRecycled] > 0 })
}

func TestManyCallsAtOnce(t *testing.T) {
	p := newPool(t, func(c *Config) { c.Recycle = 20 })
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for k := 0; k < 40 || p.Stats().Replaced[ReasonRecycled] < 4 && k < 20_000; k++ {
				text := strconv.Itoa(i*100_000 + k)
				if got, err := tell(context.Background(), p, Lane(k%2), order{Do: "echo", Text: text}, nil); err != nil || got != text {
					t.Errorf("%q instead of %q, %v", got, text, err)
				}
			}
		})
	}
	group.Wait()
	waitFor(t, "recycling", func() bool { return p.Stats().Replaced[ReasonRecycled] >= 4 })
	if s := p.Stats(); s.Replaced[ReasonCrash] > 0 {
		t.Errorf("%v", s.Replaced)
	}
}

// Calls of the lane Head do not wait for long ones.
func TestHeadsDoNotWaitForWork(t *testing.T) {
	p := newPool(t, func(c *Config) { c.Children = 1 })
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := tell(ctx, p, Work, order{Do: "slow", Sleep: time.Hour}, nil)
		done <- err
	}()
	waitFor(t, "work", func() bool { return p.Stats().Busy == 1 })
	if got, err := tell(context.Background(), p, Head, order{Do: "echo", Text: "now"}, nil); got != "now" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	// One that waits in vain goes away without a trace.
	waiting, stop := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer stop()
	if _, err := tell(waiting, p, Work, order{Do: "echo"}, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if got, err := tell(context.Background(), p, Work, order{Do: "echo", Text: "free"}, nil); got != "free" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if s := p.Stats(); len(s.Replaced) > 0 {
		t.Errorf("who stops when told to need not be killed: %v", s.Replaced)
	}
}

func TestChildThatDoesNotComeUp(t *testing.T) {
	for mode, text := range map[string]string{"refuse": "not today"} {
		p := newPool(t, func(c *Config) { c.Env = []string{asChild + "=" + mode} })
		for range 2 {
			_, err := p.Hello(context.Background())
			if !errors.Is(err, ErrNoChild) || !strings.Contains(err.Error(), text) {
				t.Errorf("%v", err)
			}
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	for name, c := range map[string]Config{
		"no args": {}, "children": {Args: []string{"x"}, Children: -1}, "memory": {Args: []string{"x"}, Memory: 1 << 20},
		"cpu": {Args: []string{"x"}, CPU: -1}, "recycle": {Args: []string{"x"}, Recycle: -1},
	} {
		if p, err := New(c); err == nil {
			_ = p.Close()
			t.Errorf("%s is taken", name)
		}
	}
}

func TestClosedPool(t *testing.T) {
	p := newPool(t, func(c *Config) { c.Children = 1 })
	done := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := tell(context.Background(), p, Work, order{Do: "deaf", Sleep: time.Hour}, nil)
			done <- err
		}()
	}
	waitFor(t, "work", func() bool { return p.Stats().Busy == 1 })
	pids := p.Stats().PIDs
	if err := errors.Join(p.Close(), p.Close()); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := <-done; !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d: %v", pid, err)
		}
	}
	if _, err := tell(context.Background(), p, Work, order{Do: "echo"}, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}

// What is opened for calls is closed after them, on both sides.
func TestDescriptorsAreGivenBack(t *testing.T) {
	p := newPool(t, func(c *Config) { c.Children = 1 })
	name := filepath.Join(t.TempDir(), "file")
	data := pattern(10_000)
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	round := func() {
		for _, o := range []*stored{{data: data, file: file}, {data: pattern(smallOriginal)}, {data: pattern(smallOriginal + 1)}} {
			if _, err := tell(context.Background(), p, Work, order{Do: "sum"}, o); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := tell(context.Background(), p, Work, order{Do: "bytes", N: 1 << 20, Text: "x"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	round()
	waitFor(t, "both children", func() bool { return p.Stats().Alive == 2 })
	before := map[int]int{os.Getpid(): descriptors(t, os.Getpid())}
	for _, pid := range p.Stats().PIDs {
		before[pid] = descriptors(t, pid)
	}
	// More than a child may have open.
	for range openFiles {
		round()
	}
	for pid, n := range before {
		if now := descriptors(t, pid); now > n {
			t.Errorf("process %d (the server's is %d) has %d descriptors, and had %d", pid, os.Getpid(), now, n)
		}
	}
	if len(p.Stats().Replaced) > 0 {
		t.Errorf("%v", p.Stats().Replaced)
	}
}

// descriptors counts what a process has open, but for what runtimes have for themselves.
func descriptors(t *testing.T, pid int) (n int) {
	t.Helper()
	dir := "/proc/" + strconv.Itoa(pid) + "/fd/"
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if target, err := os.Readlink(dir + entry.Name()); err == nil && !strings.HasPrefix(target, "anon_inode:") {
			n++
		}
	}
	return n
}

// A child finds no secret in its environment, and neither descriptors but its own.
func TestCleanEnvironment(t *testing.T) {
	t.Setenv("GATEHOUSE_SECRET", "do not tell")
	p := newPool(t, nil)
	got, err := tell(context.Background(), p, Work, order{Do: "environment"}, nil)
	if err != nil || strings.Contains(got, "SECRET") || !slices.Contains(strings.Split(got, "\n"), "MALLOC_ARENA_MAX=2") {
		t.Errorf("%q, %v", got, err)
	}
}
