// Package timer adds up what one request spends on one kind of work.
package timer

import (
	"context"
	"sync/atomic"
	"time"
)

// Timer adds up time. It is safe for concurrent use: work at the same time counts each.
type Timer struct {
	nanoseconds atomic.Int64
}

// With gives ctx a Timer under key, which should have a type of its own, as for context.WithValue.
func With(ctx context.Context, key any) (context.Context, *Timer) {
	t := &Timer{}
	return context.WithValue(ctx, key, t), t
}

// Total is the time spent so far.
func (t *Timer) Total() time.Duration { return time.Duration(t.nanoseconds.Load()) }

// Start measures for the Timer under key in ctx, if any, until the function that it gives is called.
func Start(ctx context.Context, key any) (stop func()) {
	t, found := ctx.Value(key).(*Timer)
	if !found {
		return func() {}
	}
	start := time.Now()
	return func() { t.nanoseconds.Add(int64(time.Since(start))) }
}
