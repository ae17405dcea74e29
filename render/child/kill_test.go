//go:build linux

package child

import (
	"context"
	"errors"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A crash costs its call a moment: another child does it.
func TestCrashIsTriedAgain(t *testing.T) {
	p := newPool(t, func(c *Config) { c.Children = 1 })
	for _, signal := range []syscall.Signal{syscall.SIGSEGV, syscall.SIGKILL, syscall.SIGABRT} {
		before := p.Stats().Replaced[ReasonCrash]
		done := make(chan error, 1)
		go func() {
			got, err := tell(context.Background(), p, Work, order{Do: "slow", Sleep: 300 * time.Millisecond}, nil)
			if got != "slept" && err == nil {
				err = errors.New("another answer: " + got)
			}
			done <- err
		}()
		_ = syscall.Kill(worker1(t, p), signal)
		if err := <-done; err != nil {
			t.Errorf("%v: %v", signal, err)
		}
		if after := p.Stats().Replaced[ReasonCrash]; after != before+1 {
			t.Errorf("%v: %d crashes, before it %d", signal, after, before)
		}
	}
}

// worker1 waits until a child works and gives its pid.
func worker1(t *testing.T, p *Pool) (pid int) {
	t.Helper()
	waitFor(t, "work", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, c := range p.lanes[Work].all {
			c.mu.Lock()
			if len(c.calls) > 0 {
				pid = c.pid
			}
			c.mu.Unlock()
		}
		return pid != 0
	})
	return pid
}

// What always crashes is refused, for a while without trying, and others do not notice.
func TestWhatAlwaysCrashes(t *testing.T) {
	for _, lane := range []Lane{Work, Head} {
		p := newPool(t, nil)
		if _, err := p.Hello(context.Background()); err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		ctx, cancel := context.WithCancel(context.Background())
		for i := range 4 {
			group.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					text := strconv.Itoa(i*1000 + n)
					if got, err := tell(context.Background(), p, lane, order{Do: "slow", Sleep: 2 * time.Millisecond}, nil); err != nil || got != "slept" {
						t.Errorf("%s: another call gets %q, %v", text, got, err)
						return
					}
				}
			})
		}
		call := callOf(lane, order{Do: "crash"}, nil)
		call.Key = "culprit"
		for range 3 {
			if _, err := p.Call(context.Background(), call); !errors.Is(err, ErrCrashed) {
				t.Errorf("%v", err)
			}
		}
		cancel()
		group.Wait()
		if n := p.Stats().Replaced[ReasonCrash]; n != 2 {
			t.Errorf("lane %d: %d crashes for one picture", lane, n)
		}
		_ = p.Close()
	}
}

func TestMemoryIsBounded(t *testing.T) {
	if raceDetector {
		// Its own memory would count.
		t.Log("the limit is the same; what the detector takes is not")
	}
	for _, lane := range []Lane{Work, Head} {
		p := newPool(t, func(c *Config) { c.Memory = 192 << 20 })
		done := make(chan error, 1)
		go func() {
			_, err := tell(context.Background(), p, lane, order{Do: "eat", N: 1 << 40, Sleep: time.Hour}, nil)
			done <- err
		}()
		for ended := false; !ended; {
			select {
			case err := <-done:
				ended = true
				if !errors.Is(err, ErrMemory) {
					t.Errorf("lane %d: %v", lane, err)
				}
			default:
				if got, err := tell(context.Background(), p, Work, order{Do: "echo", Text: "served"}, nil); err != nil || got != "served" {
					t.Errorf("another call gets %q, %v", got, err)
				}
			}
		}
		if p.Stats().Replaced[ReasonMemory] == 0 {
			t.Errorf("lane %d: %v", lane, p.Stats().Replaced)
		}
		_ = p.Close()
	}
}

// A child that has kept much memory is replaced.
func TestHeavyChildIsReplaced(t *testing.T) {
	p := newPool(t, func(c *Config) { c.Children, c.Memory = 1, 1<<30 })
	if _, err := tell(context.Background(), p, Work, order{Do: "eat", N: 400 << 20, Sleep: 200 * time.Millisecond}, nil); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "a fresh child", func() bool { return p.Stats().Replaced[ReasonRecycled] == 1 })
}

func TestProcessorTimeIsBounded(t *testing.T) {
	p := newPool(t, func(c *Config) { c.CPU = 200 * time.Millisecond })
	if _, err := tell(context.Background(), p, Work, order{Do: "spin", Sleep: time.Hour}, nil); !errors.Is(err, ErrCPU) {
		t.Errorf("%v", err)
	}
	if p.Stats().Replaced[ReasonCPU] != 1 {
		t.Errorf("%v", p.Stats().Replaced)
	}
}

// Who does not stop when told to is killed: at the deadline, and when the caller leaves.
func TestDeafChildIsKilled(t *testing.T) {
	for _, lane := range []Lane{Work, Head} {
		p := newPool(t, func(c *Config) { c.Grace = 20 * time.Millisecond })
		limited, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		if _, err := tell(limited, p, lane, order{Do: "deaf", Sleep: time.Hour}, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		cancel()
		leaving, leave := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			_, err := tell(leaving, p, lane, order{Do: "deaf", Sleep: time.Hour}, nil)
			done <- err
		}()
		waitFor(t, "work", func() bool { return p.Stats().Busy > 0 })
		leave()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		waitFor(t, "the end of both", func() bool { return p.Stats().Replaced[ReasonDeadline] >= 1 && p.Stats().Busy == 0 })
		if got, err := tell(context.Background(), p, lane, order{Do: "echo", Text: "again"}, nil); got != "again" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		_ = p.Close()
	}
}

// A child killed while others share it costs these nothing but time.
func TestSharedChildDies(t *testing.T) {
	p := newPool(t, nil)
	var group sync.WaitGroup
	for range headCapacity {
		group.Go(func() {
			if got, err := tell(context.Background(), p, Head, order{Do: "slow", Sleep: 100 * time.Millisecond}, nil); err != nil || got != "slept" {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	waitFor(t, "work", func() bool { return p.Stats().Busy > 0 })
	p.mu.Lock()
	pid := p.lanes[Head].all[0].pid
	p.mu.Unlock()
	_ = syscall.Kill(pid, syscall.SIGKILL)
	group.Wait()
}

// A child can write neither to an original nor anywhere else, and where the kernel can keep it from that, open nothing.
func TestChildIsConfined(t *testing.T) {
	p := newPool(t, nil)
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString("the original"); err != nil {
		t.Fatal(err)
	}
	got, err := tell(context.Background(), p, Work, order{Do: "write original"}, &stored{data: []byte("the original"), file: file})
	if err != nil || got != "refused" {
		t.Errorf("writing: %q, %v", got, err)
	}
	if content, _ := os.ReadFile(file.Name()); string(content) != "the original" {
		t.Errorf("the original is now %q", content)
	}
	if !p.Stats().Confined {
		t.Log("this kernel has no Landlock")
		return
	}
	for path, want := range map[string]string{file.Name(): "refused", "/etc/passwd": "refused", "/proc/self/environ": "refused", "/usr/lib": "opened"} {
		if got, err := tell(context.Background(), p, Work, order{Do: "open", Text: path}, nil); err != nil || got != want {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
}
