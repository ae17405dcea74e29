package authn

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// The pace of fetching.
const (
	// refreshPeriod is the time between two fetches that work, give or take a tenth.
	refreshPeriod = 5 * time.Minute
	// filePeriod is how often a file is looked at for a change.
	filePeriod = 5 * time.Second
	// firstRetry doubles with each failure in a row, up to missingRetry while there are no keys or only such as were
	// kept over a restart, which end by themselves, and to staleRetry while fetched ones serve.
	firstRetry   = time.Second
	missingRetry = 5 * time.Second
	staleRetry   = 30 * time.Second
)

// lifetime is the span between start and stop of one goroutine. Its zero value has not begun.
type lifetime struct {
	mu     sync.Mutex
	cancel context.CancelFunc
	done   chan struct{}
}

// begin runs f in a goroutine until end, unless it already runs. It answers whether it started f.
func (l *lifetime) begin(ctx context.Context, f func(context.Context)) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cancel != nil {
		return false
	}
	ctx, l.cancel = context.WithCancel(ctx)
	done := make(chan struct{})
	l.done = done
	go func() {
		defer close(done)
		f(ctx)
	}()
	return true
}

// ended is closed when the goroutine is gone. Before begin it is nil, which is never ready.
func (l *lifetime) ended() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.done
}

// end stops the goroutine and waits for it.
func (l *lifetime) end() {
	l.mu.Lock()
	cancel, done := l.cancel, l.done
	l.mu.Unlock()
	if cancel != nil {
		cancel()
		<-done
	}
}

// start restores what was kept and begins to fetch. A file is read at once; an identity provider that is down delays
// nobody.
func (s *keySet) start(ctx context.Context) {
	if s.life.ended() != nil {
		return
	}
	s.restore(ctx)
	if s.source.local() {
		_ = s.refresh(ctx) // is retried and reported there
	}
	s.life.begin(ctx, s.run)
}

func (s *keySet) stop() { s.life.end() }

// run fetches by the clock and on demand until ctx ends.
func (s *keySet) run(ctx context.Context) {
	failures := 0
	fetch := func() {
		if s.refresh(ctx) == nil {
			failures = 0
		} else {
			failures++
		}
	}
	if !s.source.local() || s.current.Load() == nil {
		fetch()
	}
	due := s.clock.Now().Add(s.pause(failures))
	for {
		wait := due.Sub(s.clock.Now())
		if s.source.local() {
			wait = min(wait, filePeriod)
		}
		select {
		case <-ctx.Done():
			return
		case flight := <-s.wanted:
			fetch()
			if ctx.Err() != nil {
				return // what was not fetched says nothing; who waits sees the end
			}
			s.land(flight)
		case <-s.clock.After(wait):
			if s.clock.Now().Before(due) && !s.source.changed() {
				continue
			}
			fetch()
		}
		due = s.clock.Now().Add(s.pause(failures))
	}
}

// pause is the time until the next fetch after so many failures in a row. It varies, so that many servers do not ask at
// the same moment.
func (s *keySet) pause(failures int) time.Duration {
	d := refreshPeriod
	if failures > 0 {
		longest := missingRetry
		if state := s.current.Load(); state != nil && !state.kept {
			longest = staleRetry
		}
		d = min(firstRetry<<min(failures-1, 10), longest)
	}
	return time.Duration(float64(d) * (0.9 + 0.2*rand.Float64()))
}
