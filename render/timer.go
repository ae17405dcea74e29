package render

import (
	"context"
	"sync/atomic"
	"time"
)

// Timer adds up what renders cost one request, waiting in the queue not included. It is safe for concurrent use; the
// nil Timer counts nothing.
type Timer struct{ nanoseconds atomic.Int64 }

// Add counts d in.
func (t *Timer) Add(d time.Duration) {
	if t != nil {
		t.nanoseconds.Add(int64(d))
	}
}

// Elapsed is the sum so far.
func (t *Timer) Elapsed() time.Duration {
	if t == nil {
		return 0
	}
	return time.Duration(t.nanoseconds.Load())
}

type timerKey struct{}

// WithTimer gives a context whose renders are timed, and the Timer that adds them up.
func WithTimer(ctx context.Context) (context.Context, *Timer) {
	t := new(Timer)
	return context.WithValue(ctx, timerKey{}, t), t
}

// TimerFrom is the Timer of ctx, or nil.
func TimerFrom(ctx context.Context) *Timer {
	t, _ := ctx.Value(timerKey{}).(*Timer)
	return t
}
