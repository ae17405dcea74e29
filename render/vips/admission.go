package vips

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// admission lets so many renders run, and so many wait. It gives out workers and memory; both in the order of asking.
type admission struct {
	workers  *semaphore.Weighted
	memory   *semaphore.Weighted
	budget   int64
	queue    int64
	patience time.Duration

	queued, running atomic.Int64
}

func newAdmission(c Config) *admission {
	return &admission{
		workers: semaphore.NewWeighted(int64(c.Workers)), memory: semaphore.NewWeighted(c.Memory),
		budget: c.Memory, queue: int64(c.Queue), patience: c.TimeLimit,
	}
}

// errQueueFull refuses what cannot be served soon. The figure lets clients come back once the first in line are done.
func errQueueFull() error {
	e := problem.New(http.StatusServiceUnavailable, "queue_full", "Too many images are being made at the moment: try again in a few seconds")
	e.RetryAfter = 2 * time.Second
	return e
}

// enter waits for a worker and for bytes of memory; leave gives both back. It refuses at once when the queue is full,
// and after the time limit when it does not move. When ctx ends, its error comes back.
func (a *admission) enter(ctx context.Context, bytes int64) (leave func(), err error) {
	bytes = min(bytes, a.budget)
	if !a.workers.TryAcquire(1) {
		if err := a.wait(ctx, func(ctx context.Context) error { return a.workers.Acquire(ctx, 1) }); err != nil {
			return nil, err
		}
	}
	if !a.memory.TryAcquire(bytes) {
		if err := a.wait(ctx, func(ctx context.Context) error { return a.memory.Acquire(ctx, bytes) }); err != nil {
			a.workers.Release(1)
			return nil, err
		}
	}
	a.running.Add(1)
	return func() {
		a.running.Add(-1)
		a.memory.Release(bytes)
		a.workers.Release(1)
	}, nil
}

// wait counts as one in the queue while acquire waits.
func (a *admission) wait(ctx context.Context, acquire func(context.Context) error) error {
	if a.queued.Add(1) > a.queue {
		a.queued.Add(-1)
		return errQueueFull()
	}
	defer a.queued.Add(-1)
	limited, cancel := context.WithTimeout(ctx, a.patience)
	defer cancel()
	if err := acquire(limited); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return errQueueFull()
	}
	return nil
}
