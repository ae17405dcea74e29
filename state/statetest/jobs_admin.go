package statetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse-server/gatehouse/jobs"
)

func jobCancelled(q *queue) {
	o := order("zip")
	o.Key = "one"
	waiting := o
	waiting.NotBefore = at(time.Hour)
	id := q.add(0, waiting).ID
	job, err := q.Cancel(q.Context(), at(time.Second), id)
	if err != nil || job.State != jobs.Cancelled || !job.Ended.Equal(at(time.Second)) {
		q.Errorf("%+v, %v", job, err)
	}
	_, err = q.Cancel(q.Context(), at(0), id)
	q.is(err, jobs.ErrState)
	_, err = q.Cancel(q.Context(), at(0), "no such job")
	q.is(err, jobs.ErrNotFound)
	if q.add(0, o).ID == id {
		q.Error("the key is that of the cancelled job")
	}
	q.take(2*time.Hour, "zip")
	q.none(2*time.Hour, "zip")
}

func workerCancelled(q *queue) {
	id := q.add(0, order("zip")).ID
	job := q.take(0, "zip")
	_, err := q.Cancel(q.Context(), at(0), id)
	q.fine(err)
	q.refusedFor(job.Lease(), jobs.ErrCancelled)
	q.stands(id, jobs.Cancelled)
	reclaimed, err := q.Reclaim(q.Context(), at(time.Hour), at(time.Hour))
	if err != nil || len(reclaimed) != 0 {
		q.Errorf("reclaimed: %v, %v", reclaimed, err)
	}
	q.none(time.Hour, "zip", "follower")
}

func jobRetried(q *queue) {
	o := order("zip")
	o.Key = "one"
	id := q.add(0, o).ID
	retry := func(want error) {
		q.Helper()
		_, err := q.Retry(q.Context(), at(time.Minute), id)
		q.is(err, want)
	}
	retry(jobs.ErrState)
	job := q.take(0, "zip")
	retry(jobs.ErrState)
	q.fine(q.Save(q.Context(), at(0), job.Lease(), jobs.Progress{Done: 3}, []byte("here")))
	_, err := q.Fail(q.Context(), at(0), job.Lease(), "no luck", time.Time{})
	q.fine(err)
	other := q.add(0, o).ID
	retry(jobs.ErrState)
	_, err = q.Cancel(q.Context(), at(0), other)
	q.fine(err)
	retry(nil)
	again := q.take(time.Minute, "zip")
	if again.ID != id || again.Attempts != 1 || again.Fence <= job.Fence || string(again.Checkpoint) != "here" || !again.Ended.IsZero() {
		q.Errorf("taken is %+v", again)
	}
	if q.add(0, o).ID != id {
		q.Error("the key is not that of the job that was retried")
	}
	// The worker of a cancelled job clears away what it made.
	_, err = q.Cancel(q.Context(), at(0), id)
	q.fine(err)
	retry(nil)
	if again = q.take(time.Minute, "zip"); len(again.Checkpoint) != 0 || again.Progress != (jobs.Progress{}) {
		q.Errorf("taken is %+v", again)
	}
	q.fine(q.Finish(q.Context(), at(0), again.Lease(), nil))
	retry(jobs.ErrState)
	_, err = q.Retry(q.Context(), at(0), "no such job")
	q.is(err, jobs.ErrNotFound)
}

func jobsPruned(q *queue) {
	o := order("zip")
	o.Limits = []jobs.Limit{{Name: "a", Most: 100, Within: time.Hour}}
	var ended []string
	for i := range 3 {
		ended = append(ended, q.add(0, o).ID)
		job := q.take(0, "zip")
		q.fine(q.Finish(q.Context(), at(time.Duration(i)*time.Hour), job.Lease(), nil))
	}
	q.add(0, o)
	q.take(0, "zip")
	q.add(0, o)
	forgotten, err := q.Prune(q.Context(), at(90*time.Minute))
	var ids []string
	for _, job := range forgotten {
		ids = append(ids, job.ID)
	}
	if err != nil || !slices.Equal(ids, ended[:2]) {
		q.Errorf("forgotten are %v of %v, %v", ids, ended, err)
	}
	_, err = q.Get(q.Context(), ended[0])
	q.is(err, jobs.ErrNotFound)
	q.stands(ended[2], jobs.Done)
	if forgotten, err = q.Prune(q.Context(), at(90*time.Minute)); err != nil || len(forgotten) != 0 {
		q.Errorf("forgotten twice: %v, %v", forgotten, err)
	}
	q.take(0, "zip")
}

func jobsListed(q *queue) {
	var ids []string
	for i := range 6 {
		o := order([]string{"zip", "mail"}[i%2])
		o.Owner = []string{"me", "you", "them"}[i%3]
		ids = append(ids, q.add(time.Duration(i)*time.Second, o).ID)
	}
	q.take(time.Minute, "zip")
	list := func(filter jobs.Filter, want ...int) {
		q.Helper()
		found, err := q.List(q.Context(), filter)
		q.fine(err)
		var got []int
		for _, job := range found {
			got = append(got, slices.Index(ids, job.ID))
		}
		if !slices.Equal(got, want) {
			q.Errorf("%+v gives %v, want %v", filter, got, want)
		}
	}
	list(jobs.Filter{}, 5, 4, 3, 2, 1, 0)
	list(jobs.Filter{Most: 2}, 5, 4)
	list(jobs.Filter{Kind: "mail"}, 5, 3, 1)
	list(jobs.Filter{State: jobs.Running}, 0)
	list(jobs.Filter{State: jobs.Queued, Kind: "zip"}, 4, 2)
	list(jobs.Filter{Owner: "me"}, 3, 0)
	list(jobs.Filter{Owner: "me", Most: 1, Kind: "zip"}, 0)
	list(jobs.Filter{Kind: "other"})
}

func jobsTallied(q *queue) {
	if tallies, err := q.Tally(q.Context()); err != nil || len(tallies) != 0 {
		q.Errorf("of nothing: %v, %v", tallies, err)
	}
	for i := range 4 {
		q.add(time.Duration(i)*time.Second, order("zip"))
	}
	late := order("mail")
	late.NotBefore = at(time.Hour)
	q.add(9*time.Second, late)
	q.take(time.Minute, "zip")
	tallies, err := q.Tally(q.Context())
	var got []string
	for _, t := range tallies {
		got = append(got, fmt.Sprint(t.Kind, t.State, t.Count, t.Oldest.Sub(at(0))))
	}
	slices.Sort(got)
	want := []string{fmt.Sprint("mail", jobs.Queued, 1, 9*time.Second), fmt.Sprint("zip", jobs.Queued, 3, time.Second), fmt.Sprint("zip", jobs.Running, 1, time.Duration(0))}
	if err != nil || !slices.Equal(got, want) {
		q.Errorf("got %v, want %v, %v", got, want, err)
	}
}

func sweepsDue(q *queue) {
	due := func(d time.Duration, name string, want bool) {
		q.Helper()
		if got, err := q.Due(q.Context(), at(d), name, time.Hour); err != nil || got != want {
			q.Errorf("%s after %s: %t, %v", name, d, got, err)
		}
	}
	due(0, "a", true)
	due(0, "a", false)
	due(0, "b", true)
	due(59*time.Minute, "a", false)
	q.reopen()
	due(59*time.Minute, "a", false)
	due(time.Hour, "a", true)
	due(61*time.Minute, "a", false)
	// A clock that was set back must not stop it.
	due(-time.Hour, "a", true)
}

func takersApart(q *queue) {
	const all = 60
	for range all {
		q.add(0, order("zip"))
	}
	var mu sync.Mutex
	taken := map[string]int{}
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			for {
				job, err := q.Take(q.Context(), at(0), "worker", "zip")
				if errors.Is(err, jobs.ErrNone) {
					return
				}
				if err == nil {
					err = q.Finish(q.Context(), at(0), job.Lease(), nil, order("mail"))
				}
				if err != nil {
					q.Error(err)
					return
				}
				mu.Lock()
				taken[job.ID]++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	for id, times := range taken {
		if times != 1 {
			q.Errorf("%s was taken %d times", id, times)
		}
	}
	mails, err := q.List(q.Context(), jobs.Filter{Kind: "mail", Most: 2 * all})
	if err != nil || len(taken) != all || len(mails) != all {
		q.Errorf("%d were taken of %d, and %d followed, %v", len(taken), all, len(mails), err)
	}
}

func jobsCopied(q *queue) {
	o := order("zip")
	o.Payload = []byte("payload")
	job := q.add(0, o)
	copy(o.Payload, "changed")
	copy(job.Payload, "changed")
	job = q.take(0, "zip")
	point := []byte("here")
	q.fine(q.Save(q.Context(), at(0), job.Lease(), jobs.Progress{}, point))
	copy(point, "gone")
	copy(job.Payload, "changed")
	if kept := q.get(job.ID); string(kept.Payload) != "payload" || string(kept.Checkpoint) != "here" {
		q.Errorf("kept is %+v", kept)
	}
}

func jobsEndedContext(q *queue) {
	id := q.add(0, order("zip")).ID
	ctx, cancel := context.WithCancel(q.Context())
	cancel()
	_, _, err := q.Enqueue(ctx, at(0), order("zip"))
	q.is(err, context.Canceled)
	_, err = q.Take(ctx, at(0), "worker", "zip")
	q.is(err, context.Canceled)
	_, err = q.Cancel(ctx, at(0), id)
	q.is(err, context.Canceled)
	_, err = q.Get(ctx, id)
	q.is(err, context.Canceled)
	_, err = q.List(ctx, jobs.Filter{})
	q.is(err, context.Canceled)
	_, err = q.Due(ctx, at(0), "a", time.Hour)
	q.is(err, context.Canceled)
	q.stands(id, jobs.Queued)
	q.take(0, "zip")
	q.none(0, "zip")
}
