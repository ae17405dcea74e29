package source

import (
	"context"
	"fmt"
	"time"
)

// errPatience is the cause of a context that ended because a place was too slow. It is a deadline to whoever sorts
// errors.
var errPatience = fmt.Errorf("the place was too slow: %w", context.DeadlineExceeded)

// patience bounds the time of a conversation with a place: first a budget for the answer, then, once a download has
// begun, a rate that must be kept and a bound on the whole. A server that sends a byte now and then does not get round
// it.
type patience struct {
	cancel context.CancelCauseFunc
	window time.Duration
	timer  *time.Timer
	whole  *time.Timer
	least  int64
	came   int64
}

func newPatience(ctx context.Context, budget time.Duration) (context.Context, *patience) {
	ctx, cancel := context.WithCancelCause(ctx)
	p := &patience{cancel: cancel, window: budget}
	p.timer = time.AfterFunc(budget, p.lose)
	return ctx, p
}

func (p *patience) lose() { p.cancel(errPatience) }

// download turns from the budget to the rate, in bytes a second. It may be called again.
func (p *patience) download(rate int64, whole time.Duration) {
	p.least = max(1, int64(float64(rate)*p.window.Seconds()))
	p.timer.Reset(p.window)
	if p.whole == nil {
		p.whole = time.AfterFunc(whole, p.lose)
	}
}

// progress tells of bytes that came during a download.
func (p *patience) progress(n int) {
	p.came += int64(n)
	if p.least > 0 && p.came >= p.least {
		p.came = 0
		p.timer.Reset(p.window)
	}
}

// end frees the timers and the context.
func (p *patience) end() {
	p.timer.Stop()
	if p.whole != nil {
		p.whole.Stop()
	}
	p.cancel(nil)
}
