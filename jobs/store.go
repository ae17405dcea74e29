package jobs

import (
	"context"
	"time"
)

// Store keeps jobs. Each method is one transaction, durable when it returns nil. It is safe for concurrent use, also by
// several processes where the engine allows these. now is the caller's clock: processes agree on it to some seconds.
//
// Jobs that are handed out are copies.
type Store interface {
	// Enqueue accepts all orders or none: *LimitError when a limit is reached. An order whose key belongs to a job that
	// has not ended gives that job, is not accepted and counts toward no limit; created says which were.
	Enqueue(ctx context.Context, now time.Time, orders ...Order) (accepted []Job, created []bool, err error)
	// Take gives the next job of one of the kinds to a worker: of the highest priority, then the first in line. ErrNone when
	// nothing is ready.
	Take(ctx context.Context, now time.Time, worker string, kinds ...string) (Job, error)

	// Beat says that the holder of a lease lives.
	Beat(ctx context.Context, now time.Time, lease Lease) error
	// Save keeps how far the holder is, and says that it lives.
	Save(ctx context.Context, now time.Time, lease Lease, progress Progress, checkpoint []byte) error
	// Finish ends a job as done and accepts what follows from it, in one transaction. Limits of these orders count, and
	// refuse nothing: the work was accepted before.
	Finish(ctx context.Context, now time.Time, lease Lease, result []byte, then ...Order) error
	// Fail ends an attempt. The job is queued again, not before again, unless it was the last attempt or again is zero:
	// then it has failed.
	Fail(ctx context.Context, now time.Time, lease Lease, cause string, again time.Time) (State, error)
	// Release gives a job back as if it had not been taken, but for its progress and checkpoint.
	Release(ctx context.Context, now time.Time, lease Lease) error

	// Reclaim queues the jobs whose workers have not said since silent that they live; those without another attempt have
	// failed. It gives them.
	Reclaim(ctx context.Context, now, silent time.Time) ([]Job, error)
	// Cancel ends a job that has not ended; ErrState where it has.
	Cancel(ctx context.Context, now time.Time, id string) (Job, error)
	// Retry queues a failed or cancelled job anew, with all of its attempts; ErrState for any other, and where another job
	// has its key.
	Retry(ctx context.Context, now time.Time, id string) (Job, error)
	// Prune forgets jobs that ended before a time, and what limits of that time counted. It gives the forgotten jobs, at
	// most 1000 at once.
	Prune(ctx context.Context, ended time.Time) ([]Job, error)

	Get(ctx context.Context, id string) (Job, error)
	// List gives jobs, the newest first.
	List(ctx context.Context, filter Filter) ([]Job, error)
	// Tally counts the jobs of each kind and state.
	Tally(ctx context.Context) ([]Tally, error)

	// Due tells one caller of all, in all processes, that it is time for a sweep: every so often for each name.
	Due(ctx context.Context, now time.Time, sweep string, every time.Duration) (bool, error)
}

// Filter chooses jobs. What is empty chooses all.
type Filter struct {
	Kind  string
	State State
	Owner string
	// Most is how many, at most; 0 stands for 100.
	Most int
}

// Tally is how many jobs of one kind and state there are.
type Tally struct {
	Kind  string
	State State
	Count int
	// Oldest is when the oldest of them was ordered.
	Oldest time.Time
}
