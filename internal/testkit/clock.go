package testkit

import (
	"slices"
	"sync"
	"time"
)

// FakeClock is a clock that only a test moves. The zero value is not ready; use NewFakeClock.
type FakeClock struct {
	mu      sync.Mutex
	now     time.Time
	waiters []waiter
	changed chan struct{} // closed and replaced when somebody starts to wait
}

type waiter struct {
	at time.Time
	c  chan time.Time
}

// NewFakeClock starts at a time.
func NewFakeClock(start time.Time) *FakeClock {
	return &FakeClock{now: start, changed: make(chan struct{})}
}

// Now is the time that the test set last.
func (c *FakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// After sends the time once the clock was advanced by d; at once when d is not positive.
func (c *FakeClock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := waiter{c.now.Add(d), make(chan time.Time, 1)}
	if d <= 0 {
		w.c <- c.now
		return w.c
	}
	c.waiters = append(c.waiters, w)
	close(c.changed)
	c.changed = make(chan struct{})
	return w.c
}

// Advance moves the clock and wakes those whose time has come, the earliest first.
func (c *FakeClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	slices.SortStableFunc(c.waiters, func(a, b waiter) int { return a.at.Compare(b.at) })
	for len(c.waiters) > 0 && !c.waiters[0].at.After(c.now) {
		c.waiters[0].c <- c.now
		c.waiters = c.waiters[1:]
	}
}

// WaitForWaiters waits until n calls of After are pending, and tells whether that came true in time. A test uses it
// before Advance, so that it does not move the clock before the code under test listens.
func (c *FakeClock) WaitForWaiters(n int) bool {
	limit := time.NewTimer(waitLimit)
	defer limit.Stop()
	for {
		c.mu.Lock()
		count, changed := len(c.waiters), c.changed
		c.mu.Unlock()
		if count >= n {
			return true
		}
		select {
		case <-changed:
		case <-limit.C:
			return false
		}
	}
}
