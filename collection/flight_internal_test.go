package collection

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// waitingFor waits until n callers wait for the fetch of a key.
func waitingFor(t *testing.T, f *flights, key string, n int) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		f.mu.Lock()
		one := f.running[key]
		enough := one != nil && one.waiting == n
		f.mu.Unlock()
		if enough {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%d callers never waited", n)
}

func TestACallerThatLeavesDoesNotEndTheFetchOfOthers(t *testing.T) {
	var f flights
	release, fetches := make(chan struct{}), 0
	fetch := func(ctx context.Context) (any, error) {
		fetches++
		select {
		case <-release:
			return "answer", nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	first, leave := context.WithCancel(context.Background())
	left, stayed := make(chan error), make(chan any)
	go func() {
		_, err := f.do(first, "k", time.Minute, fetch)
		left <- err
	}()
	waitingFor(t, &f, "k", 1)
	go func() {
		v, _ := f.do(context.Background(), "k", time.Minute, fetch)
		stayed <- v
	}()
	waitingFor(t, &f, "k", 2)
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("who left got %v", err)
	}
	close(release)
	if v := <-stayed; v != "answer" || fetches != 1 {
		t.Errorf("who stayed got %v after %d fetches", v, fetches)
	}
}

func TestTheLastCallerToLeaveEndsTheFetch(t *testing.T) {
	var f flights
	ended := make(chan struct{})
	ctx, leave := context.WithCancel(context.Background())
	left := make(chan error)
	go func() {
		_, err := f.do(ctx, "k", time.Minute, func(ctx context.Context) (any, error) {
			<-ctx.Done()
			close(ended)
			return nil, ctx.Err()
		})
		left <- err
	}()
	waitingFor(t, &f, "k", 1)
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("who left got %v", err)
	}
	<-ended
	// Who comes now does not inherit the fetch that was given up.
	v, err := f.do(context.Background(), "k", time.Minute, func(context.Context) (any, error) { return "new", nil })
	if v != "new" || err != nil {
		t.Errorf("%v, %v", v, err)
	}
}

func TestAFetchHasABudget(t *testing.T) {
	var f flights
	_, err := f.do(context.Background(), "k", time.Millisecond, func(ctx context.Context) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestAPanicIsAnError(t *testing.T) {
	var f flights
	_, err := f.do(context.Background(), "k", time.Minute, func(context.Context) (any, error) { panic("oops") })
	if err == nil || !strings.Contains(err.Error(), "oops") {
		t.Error(err)
	}
	if len(f.running) != 0 || f.active != 0 {
		t.Error("the fetch is still noted")
	}
}

func TestIdle(t *testing.T) {
	var f flights
	calls := make(chan struct{}, 10)
	release := make(chan struct{})
	answered := make(chan struct{})
	go func() {
		_, _ = f.do(context.Background(), "k", time.Minute, func(context.Context) (any, error) { <-release; return nil, nil })
		close(answered)
	}()
	waitingFor(t, &f, "k", 1)
	f.whenIdle(func() { calls <- struct{}{} })
	if len(calls) != 0 {
		t.Error("idle while a fetch runs")
	}
	close(release)
	<-answered
	<-calls
	f.whenIdle(func() { calls <- struct{}{} })
	<-calls
}
