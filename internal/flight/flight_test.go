package flight

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// await returns once n wait for a key.
func await[V any](t *testing.T, g *Group[V], key string, n int) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		g.mu.Lock()
		one := g.running[key]
		arrived := one != nil && one.waiting == n
		g.mu.Unlock()
		if arrived {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d never waited for %s", n, key)
		}
	}
}

// empty checks that nothing is left behind.
func empty[V any](t *testing.T, g *Group[V]) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.running) != 0 || g.active != 0 {
		t.Errorf("%d keys and %d pieces of work are remembered", len(g.running), g.active)
	}
}

func TestOneWorkForAllWhoWait(t *testing.T) {
	var g Group[int]
	var runs atomic.Int32
	release := make(chan struct{})
	work := func(context.Context) (int, error) {
		<-release
		return int(runs.Add(1)), nil
	}
	var callers sync.WaitGroup
	for range 10 {
		callers.Go(func() {
			if v, err := g.Do(t.Context(), t.Context(), "a", work); v != 1 || err != nil {
				t.Errorf("%d, %v", v, err)
			}
		})
	}
	await(t, &g, "a", 10)
	close(release)
	callers.Wait()
	if v, err := g.Do(t.Context(), t.Context(), "a", work); v != 2 || err != nil {
		t.Errorf("a later one got %d, %v", v, err)
	}
	empty(t, &g)
}

func TestKeysDoNotWaitForEachOther(t *testing.T) {
	var g Group[string]
	release := make(chan struct{})
	answer := make(chan string)
	go func() {
		v, _ := g.Do(context.Background(), context.Background(), "slow", func(context.Context) (string, error) { <-release; return "slow", nil })
		answer <- v
	}()
	await(t, &g, "slow", 1)
	v, err := g.Do(t.Context(), t.Context(), "quick", func(context.Context) (string, error) { return "quick", nil })
	if v != "quick" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
	close(release)
	if v := <-answer; v != "slow" {
		t.Errorf("%q", v)
	}
}

func TestErrorsAreShared(t *testing.T) {
	var g Group[int]
	failed := errors.New("failed")
	v, err := g.Do(t.Context(), t.Context(), "a", func(context.Context) (int, error) { return 3, failed })
	if v != 3 || !errors.Is(err, failed) {
		t.Errorf("%d, %v", v, err)
	}
}

func TestWhoLeavesDoesNotEndTheWorkOfOthers(t *testing.T) {
	var g Group[string]
	release := make(chan struct{})
	work := func(ctx context.Context) (string, error) {
		select {
		case <-release:
			return "answer", nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	first, leave := context.WithCancelCause(t.Context())
	left, stayed := make(chan error), make(chan string)
	go func() {
		_, err := g.Do(first, t.Context(), "a", work)
		left <- err
	}()
	await(t, &g, "a", 1)
	go func() {
		v, _ := g.Do(t.Context(), t.Context(), "a", work)
		stayed <- v
	}()
	await(t, &g, "a", 2)
	leave(errors.New("tab closed"))
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("who left got %v", err)
	}
	close(release)
	if v := <-stayed; v != "answer" {
		t.Errorf("who stayed got %q", v)
	}
}

func TestTheLastToLeaveEndsTheWork(t *testing.T) {
	var g Group[int]
	ended := make(chan struct{})
	work := func(ctx context.Context) (int, error) {
		<-ctx.Done()
		close(ended)
		return 0, ctx.Err()
	}
	first, leaveFirst := context.WithCancel(t.Context())
	second, leaveSecond := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	for _, ctx := range []context.Context{first, second} {
		callers.Go(func() {
			if _, err := g.Do(ctx, t.Context(), "a", work); !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		})
	}
	await(t, &g, "a", 2)
	leaveFirst()
	await(t, &g, "a", 1)
	select {
	case <-ended:
		t.Fatal("the work ended while somebody waited")
	default:
	}
	leaveSecond()
	callers.Wait()
	<-ended
	// Who comes now does not inherit work that was given up.
	if v, err := g.Do(t.Context(), t.Context(), "a", func(context.Context) (int, error) { return 7, nil }); v != 7 || err != nil {
		t.Errorf("the next one got %d, %v", v, err)
	}
}

func TestWorkThatWasGivenUpDoesNotForgetItsSuccessor(t *testing.T) {
	var g Group[string]
	release, given := make(chan struct{}), make(chan struct{})
	gone, leave := context.WithCancel(t.Context())
	go func() {
		_, _ = g.Do(gone, context.Background(), "a", func(context.Context) (string, error) {
			<-release // Deaf to being cancelled.
			return "old", nil
		})
		close(given)
	}()
	await(t, &g, "a", 1)
	leave()
	<-given
	free, answer := make(chan struct{}), make(chan string)
	go func() {
		v, _ := g.Do(context.Background(), context.Background(), "a", func(context.Context) (string, error) { <-free; return "new", nil })
		answer <- v
	}()
	await(t, &g, "a", 1)
	idle := make(chan struct{}, 1)
	close(release)
	await(t, &g, "a", 1)
	g.WhenIdle(func() { idle <- struct{}{} })
	close(free)
	if v := <-answer; v != "new" {
		t.Errorf("%q", v)
	}
	<-idle
	empty(t, &g)
}

func TestWorkEndsWithTheLifeItBelongsTo(t *testing.T) {
	var g Group[int]
	life, end := context.WithCancel(t.Context())
	end()
	_, err := g.Do(t.Context(), life, "a", func(ctx context.Context) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestPanicIsAnError(t *testing.T) {
	var g Group[int]
	_, err := g.Do(t.Context(), t.Context(), "a", func(context.Context) (int, error) { panic("oops") })
	var e *problem.Error
	if !errors.As(err, &e) || e.Status != http.StatusInternalServerError || !strings.Contains(err.Error(), "oops") || strings.Contains(e.Detail, "oops") {
		t.Errorf("%v", err)
	}
	empty(t, &g)
}

func TestIdle(t *testing.T) {
	var g Group[int]
	calls := make(chan struct{}, 10)
	release, answered := make(chan struct{}), make(chan struct{})
	go func() {
		_, _ = g.Do(context.Background(), context.Background(), "a", func(context.Context) (int, error) { <-release; return 0, nil })
		close(answered)
	}()
	await(t, &g, "a", 1)
	g.WhenIdle(func() { calls <- struct{}{} })
	if len(calls) != 0 {
		t.Error("idle while work runs")
	}
	close(release)
	<-answered
	<-calls
	g.WhenIdle(func() { calls <- struct{}{} })
	<-calls
}
