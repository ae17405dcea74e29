package source

import (
	"context"
	"sync/atomic"
	"time"
)

// Timer adds up how long one request waited for sources. Waits at the same time count each.
type Timer struct {
	nanoseconds atomic.Int64
}

type timerKey struct{}

// WithTimer gives ctx a Timer that every Open and ReadAt with that context adds to.
func WithTimer(ctx context.Context) (context.Context, *Timer) {
	t := &Timer{}
	return context.WithValue(ctx, timerKey{}, t), t
}

// Total is the time spent so far.
func (t *Timer) Total() time.Duration { return time.Duration(t.nanoseconds.Load()) }

// timed starts to measure for the Timer in ctx, if any, until the function that it gives is called.
func timed(ctx context.Context) func() {
	t, ok := ctx.Value(timerKey{}).(*Timer)
	if !ok {
		return func() {}
	}
	start := time.Now()
	return func() { t.nanoseconds.Add(int64(time.Since(start))) }
}
