// Package clock lets tests move time.
package clock

import "time"

// Clock tells the time. Code that decides by the time takes a Clock, so that a test can let a token expire.
type Clock interface {
	// Now is the current time.
	Now() time.Time
	// After sends the time once d has passed.
	After(d time.Duration) <-chan time.Time
}

// System is the machine's clock.
type System struct{}

// Now implements Clock.
func (System) Now() time.Time { return time.Now() }

// After implements Clock.
func (System) After(d time.Duration) <-chan time.Time { return time.After(d) }

var _ Clock = System{}
