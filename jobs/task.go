package jobs

import (
	"context"
	"errors"
	"time"
)

// Handler does jobs of one kind. Its context ends when the job is not its any more, or the pool stops; context.Cause tells
// which: [ErrLost], [ErrCancelled] or [ErrStopping]. It may be called with a job that was begun before, by itself or in
// another process, and finds in its checkpoint what it saved then.
//
// What it gives ends the job: a result and what follows from it, or an error. After an error the job is tried again later,
// unless Final says that this is of no use.
type Handler func(ctx context.Context, task *Task) (result []byte, then []Order, err error)

// ErrStopping is the cause of the end of a context when the pool stops. The job is given back.
var ErrStopping = errors.New("the workers stop")

// Task is a job in the hands of its worker.
type Task struct {
	Job
	pool *Pool
}

// Save keeps how far the job is. A handler that gets an error from it ends with that one.
func (t *Task) Save(ctx context.Context, progress Progress, checkpoint []byte) error {
	return t.pool.store.Save(ctx, t.pool.now(), t.Lease(), progress, checkpoint)
}

// Final marks an error that no other attempt would mend.
func Final(err error) error {
	if err == nil {
		return nil
	}
	return &finalError{err}
}

type finalError struct{ error }

func (e *finalError) Unwrap() error { return e.error }

// outcome ends the job in the store as its handler ended.
func (p *Pool) outcome(job *Job, result []byte, then []Order, err, cause error) error {
	// The pool's context has ended when it stops, and this must still be written.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), endingTime)
	defer cancel()
	now := p.now()
	switch {
	case err == nil:
		return p.store.Finish(ctx, now, job.Lease(), result, then...)
	case errors.Is(cause, ErrLost), errors.Is(cause, ErrCancelled):
		return nil
	case errors.Is(cause, ErrStopping):
		return p.store.Release(ctx, now, job.Lease())
	}
	again := now.Add(Pause(job.Attempts))
	if final := new(finalError); errors.As(err, &final) {
		again = time.Time{}
	}
	state, failure := p.store.Fail(ctx, now, job.Lease(), err.Error(), again)
	if failure == nil {
		p.logger.Warn("a job's attempt failed", "job", job.ID, "kind", job.Kind, "attempt", job.Attempts, "state", state, "error", err)
	}
	return failure
}

// endingTime is how long writing a job's end may take.
const endingTime = 30 * time.Second
