package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// Options are what stays the same for the life of a Pool.
type Options struct {
	Store Store
	// Worker names this process among those that share the store.
	Worker string
	Logger *slog.Logger
	// Beat is how often a worker says that it lives, 20 seconds by default; Silent is after how long without it its job is
	// somebody else's, by default 90; Poll is how often one looks for jobs that nobody told of, by default 5.
	Beat, Silent, Poll time.Duration
}

// Settings are what a configuration says.
type Settings struct {
	// Workers is how many jobs are done at once.
	Workers int
	// Handlers by kind. Jobs of other kinds stay where they are.
	Handlers map[string]Handler
}

// Pool does the jobs of a store. It outlives configurations: each gives it new settings, while jobs that run go on with
// what they began with.
type Pool struct {
	store              Store
	worker             string
	logger             *slog.Logger
	beat, silent, poll time.Duration

	ctx    context.Context //nolint:containedctx // It is the pool's life.
	cancel context.CancelCauseFunc
	group  sync.WaitGroup
	wake   chan struct{}

	mu       sync.Mutex // guards what follows
	settings Settings
	workers  int
	stopped  bool
}

// NewPool makes a pool without workers.
func NewPool(o Options) *Pool {
	p := &Pool{
		store: o.Store, worker: o.Worker, logger: o.Logger,
		beat: cmp.Or(o.Beat, 20*time.Second), silent: cmp.Or(o.Silent, 90*time.Second), poll: cmp.Or(o.Poll, 5*time.Second),
		wake: make(chan struct{}, 1),
	}
	if p.logger == nil {
		p.logger = slog.New(slog.DiscardHandler)
	}
	p.ctx, p.cancel = context.WithCancelCause(context.Background())
	p.group.Go(p.reclaim)
	return p
}

func (*Pool) now() time.Time { return time.Now() }

// Configure gives the pool new settings. Where there are fewer workers, those that are too many end after their jobs.
func (p *Pool) Configure(s Settings) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return
	}
	p.settings = s
	for ; p.workers < s.Workers; p.workers++ {
		p.group.Go(p.work)
	}
	p.Wake()
}

// Wake says that there may be something to do.
func (p *Pool) Wake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Stop ends all work and returns when nobody works any more. Jobs that run are given back.
func (p *Pool) Stop() {
	p.mu.Lock()
	p.stopped = true
	p.mu.Unlock()
	p.cancel(ErrStopping)
	p.group.Wait()
}

// handlers gives what a worker may do now; ok is false when it is one too many.
func (p *Pool) handlers() (handlers map[string]Handler, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped || p.workers > p.settings.Workers {
		p.workers--
		return nil, false
	}
	return p.settings.Handlers, true
}

// work is the life of a worker.
func (p *Pool) work() {
	// Who is awake wakes the next one, who may be one too many, too.
	defer p.Wake()
	for {
		handlers, ok := p.handlers()
		if !ok {
			return
		}
		job, err := p.store.Take(p.ctx, p.now(), p.worker, slices.Collect(maps.Keys(handlers))...)
		if err == nil {
			p.Wake()
			p.do(&job, handlers[job.Kind])
			continue
		}
		if !errors.Is(err, ErrNone) && p.ctx.Err() == nil {
			p.logger.Error("jobs cannot be taken", "error", err)
		}
		p.wait(p.poll)
	}
}

// wait returns when there may be something to do.
func (p *Pool) wait(most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-p.ctx.Done():
	case <-p.wake:
	case <-timer.C:
	}
}

// do does a job.
func (p *Pool) do(job *Job, handler Handler) {
	ctx, cancel := context.WithCancelCause(p.ctx)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		p.keepAlive(ctx, job.Lease(), cancel)
	}()
	result, then, err := call(ctx, handler, &Task{Job: *job, pool: p})
	cause := context.Cause(ctx)
	cancel(nil)
	<-beating
	if err := p.outcome(job, result, then, err, cause); err != nil && !errors.Is(err, ErrCancelled) {
		p.logger.Error("a job's end cannot be kept", "job", job.ID, "kind", job.Kind, "error", err)
	}
	if len(then) > 0 {
		p.Wake()
	}
}

// call calls a handler. A panic is its error.
func call(ctx context.Context, handler Handler, task *Task) (result []byte, then []Order, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			result, then, err = nil, nil, fmt.Errorf("panic: %v", fault)
		}
	}()
	return handler(ctx, task)
}

// keepAlive says that the job's worker lives until ctx ends, and ends ctx when the job is not the worker's any more: also
// when the store could not be told for so long that others must think so.
func (p *Pool) keepAlive(ctx context.Context, lease Lease, cancel context.CancelCauseFunc) {
	heard := time.Now()
	ticker := time.NewTicker(p.beat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := p.now()
		err := p.store.Beat(ctx, now, lease)
		switch {
		case err == nil:
			heard = now
		case errors.Is(err, ErrCancelled):
			cancel(ErrCancelled)
		case errors.Is(err, ErrLost), ctx.Err() == nil && time.Since(heard)+p.beat >= p.silent:
			cancel(ErrLost)
		case ctx.Err() == nil:
			p.logger.Warn("a job's worker cannot say that it lives", "job", lease.ID, "error", err)
		}
	}
}

// reclaim frees the jobs of workers that fell silent.
func (p *Pool) reclaim() {
	ticker := time.NewTicker(p.beat)
	defer ticker.Stop()
	for {
		now := p.now()
		reclaimed, err := p.store.Reclaim(p.ctx, now, now.Add(-p.silent))
		if err != nil && p.ctx.Err() == nil {
			p.logger.Error("jobs of silent workers cannot be taken over", "error", err)
		}
		for i := range reclaimed {
			job := &reclaimed[i]
			p.logger.Warn("a job's worker fell silent", "job", job.ID, "kind", job.Kind, "attempt", job.Attempts, "state", job.State)
		}
		if len(reclaimed) > 0 {
			p.Wake()
		}
		select {
		case <-p.ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
