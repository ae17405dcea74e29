package statetest

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/jobs"
)

// queue is a store under test, with what tests do to it.
type queue struct {
	*testing.T
	jobs.Store
	open func() jobs.Store
}

// Fail is the store's, and not the test's.
func (q *queue) Fail(ctx context.Context, now time.Time, lease jobs.Lease, cause string, again time.Time) (jobs.State, error) {
	return q.Store.Fail(ctx, now, lease, cause, again)
}

// reopen is a restart.
func (q *queue) reopen() { q.Store = q.open() }

// RunJobs tests a jobs.Store.
func RunJobs(t *testing.T, open func(t *testing.T) jobs.Store) {
	t.Helper()
	tests := map[string]func(*queue){
		"an order becomes a job":                     jobAccepted,
		"jobs are taken in their order":              jobsInOrder,
		"a higher priority goes first":               jobsByPriority,
		"a worker gets the kinds it asks for":        jobsByKind,
		"a job waits for its time":                   jobWaits,
		"a key has one job until that ends":          jobKeys,
		"orders are accepted together or not at all": ordersTogether,
		"bad orders are refused":                     ordersRefused,
		"limits hold and move on":                    limitsHold,
		"limits count what was accepted alone":       limitsCount,
		"limits survive a restart":                   limitsReopened,
		"a restart loses nothing":                    jobsReopened,
		"what a worker saves, the next one has":      progressSaved,
		"an old lease changes nothing":               leasesFenced,
		"what follows is accepted with the end":      jobFinished,
		"a follower may have the key":                keyHandedOver,
		"a job that fails is tried again":            jobTriedAgain,
		"a job that fails for good is over":          jobFails,
		"a job that is given back lost no attempt":   jobReleased,
		"silent workers lose their jobs":             jobsReclaimed,
		"a job that kills its workers fails":         jobReclaimedLast,
		"a waiting job is cancelled":                 jobCancelled,
		"a worker learns that its job was cancelled": workerCancelled,
		"a failed job is retried":                    jobRetried,
		"what ended long ago is forgotten":           jobsPruned,
		"jobs are listed":                            jobsListed,
		"jobs are counted":                           jobsTallied,
		"a sweep is due for one caller":              sweepsDue,
		"takers at the same time share nothing":      takersApart,
		"buffers are not shared by a queue":          jobsCopied,
		"an ended context keeps the queue":           jobsEndedContext,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var current jobs.Store
			q := &queue{T: t}
			q.open = func() jobs.Store {
				if closer, ok := current.(io.Closer); ok {
					if err := closer.Close(); err != nil {
						t.Fatalf("close before the restart: %v", err)
					}
				}
				current = open(t)
				return current
			}
			q.reopen()
			test(q)
		})
	}
}

// at is a time of the tests.
func at(d time.Duration) time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(d)
}

func order(kind string) jobs.Order { return jobs.Order{Kind: kind, MostAttempts: 3} }

// add orders one job.
func (q *queue) add(d time.Duration, o jobs.Order) jobs.Job {
	q.Helper()
	accepted, created, err := q.Enqueue(q.Context(), at(d), o)
	if err != nil || len(accepted) != 1 || len(created) != 1 {
		q.Fatalf("enqueue %+v: %v, %v, %v", o, accepted, created, err)
	}
	return accepted[0]
}

// take takes one.
func (q *queue) take(d time.Duration, kinds ...string) jobs.Job {
	q.Helper()
	job, err := q.Take(q.Context(), at(d), "worker", kinds...)
	if err != nil {
		q.Fatalf("take %v: %v", kinds, err)
	}
	return job
}

func (q *queue) none(d time.Duration, kinds ...string) {
	q.Helper()
	if job, err := q.Take(q.Context(), at(d), "worker", kinds...); !errors.Is(err, jobs.ErrNone) {
		q.Fatalf("take %v: %+v, %v, want ErrNone", kinds, job, err)
	}
}

func (q *queue) get(id string) jobs.Job {
	q.Helper()
	job, err := q.Get(q.Context(), id)
	if err != nil {
		q.Fatal(err)
	}
	return job
}

// stands checks a job's state.
func (q *queue) stands(id string, want jobs.State) jobs.Job {
	q.Helper()
	job := q.get(id)
	if job.State != want {
		q.Errorf("the job is %s, want %s", job.State, want)
	}
	return job
}

// is checks an error.
func (q *queue) is(err, want error) {
	q.Helper()
	if !errors.Is(err, want) {
		q.Errorf("got %v, want %v", err, want)
	}
}

func (q *queue) fine(err error) {
	q.Helper()
	if err != nil {
		q.Fatal(err)
	}
}
