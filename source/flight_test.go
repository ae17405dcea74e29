package source

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestFlightRunsOncePerKey(t *testing.T) {
	var f flights[int]
	var runs atomic.Int32
	release := make(chan struct{})
	work := func(context.Context) (int, error) {
		<-release
		return int(runs.Add(1)), nil
	}
	var waiters sync.WaitGroup
	for range 10 {
		waiters.Go(func() {
			if v, err := f.do(t.Context(), t.Context(), "a", work); v != 1 || err != nil {
				t.Errorf("%d, %v", v, err)
			}
		})
	}
	awaitWaiters(t, &f, "a", 10)
	close(release)
	waiters.Wait()
	if v, err := f.do(t.Context(), t.Context(), "a", work); v != 2 || err != nil {
		t.Errorf("a later one got %d, %v", v, err)
	}
	if len(f.running) != 0 {
		t.Error("a flight is remembered after its end")
	}
}

// awaitWaiters returns once n wait for a key.
func awaitWaiters[V any](t *testing.T, f *flights[V], key string, n int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		f.mu.Lock()
		running := f.running[key]
		arrived := running != nil && running.waiters == n
		f.mu.Unlock()
		if arrived {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d do not wait for %s", n, key)
		}
	}
}

func TestFlightEndsWhenNobodyWaits(t *testing.T) {
	var f flights[int]
	ended := make(chan struct{})
	work := func(ctx context.Context) (int, error) {
		<-ctx.Done()
		close(ended)
		return 0, ctx.Err()
	}
	first, leaveFirst := context.WithCancel(t.Context())
	second, leaveSecond := context.WithCancel(t.Context())
	var waiters sync.WaitGroup
	for _, ctx := range []context.Context{first, second} {
		waiters.Go(func() {
			if _, err := f.do(ctx, t.Context(), "a", work); !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		})
	}
	awaitWaiters(t, &f, "a", 2)
	leaveFirst()
	awaitWaiters(t, &f, "a", 1)
	select {
	case <-ended:
		t.Fatal("the work ended while somebody waited")
	default:
	}
	leaveSecond()
	waiters.Wait()
	<-ended
	if v, err := f.do(t.Context(), t.Context(), "a", func(context.Context) (int, error) { return 7, nil }); v != 7 || err != nil {
		t.Errorf("the next one got %d, %v of the cancelled work", v, err)
	}
}

func TestFlightEndsWithTheLifeItBelongsTo(t *testing.T) {
	var f flights[int]
	life, end := context.WithCancel(t.Context())
	end()
	_, err := f.do(t.Context(), life, "a", func(ctx context.Context) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestPatienceIsLostAfterTheBudget(t *testing.T) {
	ctx, p := newPatience(t.Context(), 20*time.Millisecond)
	defer p.end()
	p.progress(1 << 30) // Before a download bytes buy no time.
	<-ctx.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, context.DeadlineExceeded) {
		t.Errorf("cause %v", cause)
	}
}

func TestPatienceLastsWhileTheRateIsKept(t *testing.T) {
	ctx, p := newPatience(t.Context(), 500*time.Millisecond)
	defer p.end()
	p.download(1000, time.Hour)
	for range 20 {
		time.Sleep(50 * time.Millisecond)
		p.progress(500)
	}
	if ctx.Err() != nil {
		t.Errorf("lost although the rate was kept: %v", context.Cause(ctx))
	}
	for ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
		p.progress(1)
	}
	if cause := context.Cause(ctx); !errors.Is(cause, errPatience) {
		t.Errorf("cause %v", cause)
	}
}

func TestPatienceWithTheWholeDownloadEnds(t *testing.T) {
	ctx, p := newPatience(t.Context(), time.Hour)
	defer p.end()
	p.download(1, 20*time.Millisecond)
	p.download(1, time.Hour) // A second transfer of the same original gets no new bound.
	<-ctx.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, errPatience) {
		t.Errorf("cause %v", cause)
	}
}

func TestPatienceThatEndedIsNotLost(t *testing.T) {
	ctx, p := newPatience(t.Context(), time.Hour)
	p.download(1, time.Hour)
	p.end()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		t.Errorf("cause %v", cause)
	}
}
