package statetest

import (
	"errors"
	"time"

	"github.com/gatehouse-server/gatehouse/jobs"
)

func jobAccepted(q *queue) {
	o := jobs.Order{Kind: "zip", Key: "k", Owner: "me", Priority: 7, Payload: []byte("{\"a\":1}\x00\xff"), MostAttempts: 5}
	job := q.add(0, o)
	if len(job.ID) < 20 || job.State != jobs.Queued || job.Kind != o.Kind || job.Key != o.Key || job.Owner != o.Owner ||
		job.Priority != o.Priority || string(job.Payload) != string(o.Payload) || job.MostAttempts != 5 || !job.Created.Equal(at(0)) {
		q.Errorf("ordered %+v, got %+v", o, job)
	}
	if kept := q.get(job.ID); kept.ID != job.ID || string(kept.Payload) != string(o.Payload) || !kept.Created.Equal(at(0)) {
		q.Errorf("kept is %+v", kept)
	}
	if other := q.add(0, order("zip")); other.ID == job.ID {
		q.Error("two jobs have one id")
	}
	_, err := q.Get(q.Context(), "no such job")
	q.is(err, jobs.ErrNotFound)
}

func jobsInOrder(q *queue) {
	q.none(0, "zip")
	var ids []string
	for i := range 20 {
		// A clock that goes back changes no order.
		ids = append(ids, q.add(-time.Duration(i)*time.Second, order("zip")).ID)
	}
	for i, id := range ids {
		job := q.take(time.Minute, "zip")
		if job.ID != id {
			q.Fatalf("taken as number %d is another", i)
		}
		if job.State != jobs.Running || job.Attempts != 1 || job.Fence == 0 || job.Worker != "worker" || !job.Taken.Equal(at(time.Minute)) || !job.Heartbeat.Equal(at(time.Minute)) {
			q.Errorf("taken is %+v", job)
		}
	}
	q.none(time.Minute, "zip")
}

func jobsByPriority(q *queue) {
	for _, priority := range []int{0, -3, 5, 5, 1} {
		o := order("zip")
		o.Priority = priority
		q.add(0, o)
	}
	for _, want := range []int{5, 5, 1, 0, -3} {
		if job := q.take(0, "zip"); job.Priority != want {
			q.Errorf("taken is priority %d, want %d", job.Priority, want)
		}
	}
}

func jobsByKind(q *queue) {
	first := order("zi")
	q.add(0, order("zip"))
	q.add(0, first)
	high := order("mail")
	high.Priority = 1
	q.add(0, high)
	q.none(0)
	q.none(0, "z", "zipp", "")
	for _, want := range []string{"mail", "zip", "zi"} {
		if job := q.take(0, "zi", "mail", "zip", "zip"); job.Kind != want {
			q.Errorf("taken is %s, want %s", job.Kind, want)
		}
	}
	q.none(0, "zi", "mail", "zip")
}

func jobWaits(q *queue) {
	late, early := order("zip"), order("zip")
	late.NotBefore, early.NotBefore = at(time.Hour), at(time.Minute)
	lateID, earlyID := q.add(0, late).ID, q.add(0, early).ID
	q.none(59*time.Second, "zip")
	if job := q.take(time.Minute, "zip"); job.ID != earlyID {
		q.Error("the later one came first")
	}
	q.none(59*time.Minute, "zip")
	if job := q.take(2*time.Hour, "zip"); job.ID != lateID {
		q.Error("another one came")
	}
}

func jobKeys(q *queue) {
	o := order("zip")
	o.Key = "one"
	first := q.add(0, o)
	again, created, err := q.Enqueue(q.Context(), at(1), o)
	if err != nil || created[0] || again[0].ID != first.ID {
		q.Errorf("ordered again: %+v, %v, %v", again, created, err)
	}
	other := order("mail")
	other.Key = "one"
	if q.add(0, other).ID == first.ID {
		q.Error("another kind shares the key")
	}
	job := q.take(0, "zip")
	if q.add(0, o).ID != first.ID {
		q.Error("a running job has lost its key")
	}
	q.fine(q.Finish(q.Context(), at(0), job.Lease(), nil))
	if q.add(0, o).ID == first.ID {
		q.Error("a job that ended keeps its key")
	}
}

func ordersTogether(q *queue) {
	limited := order("mail")
	limited.Limits = []jobs.Limit{{Name: "a", Most: 1, Within: time.Hour}}
	_, _, err := q.Enqueue(q.Context(), at(0), order("zip"), limited, limited)
	if refused := new(jobs.LimitError); !errors.As(err, &refused) {
		q.Fatalf("got %v", err)
	}
	q.none(0, "zip", "mail")
	accepted, created, err := q.Enqueue(q.Context(), at(0), order("zip"), limited)
	if err != nil || len(accepted) != 2 || !created[0] || !created[1] {
		q.Errorf("got %v, %v, %v", accepted, created, err)
	}
}

func ordersRefused(q *queue) {
	for name, o := range map[string]jobs.Order{
		"no kind":          {MostAttempts: 1},
		"no attempts":      {Kind: "zip"},
		"a nameless limit": {Kind: "zip", MostAttempts: 1, Limits: []jobs.Limit{{Most: 1, Within: time.Hour}}},
		"a limit of none":  {Kind: "zip", MostAttempts: 1, Limits: []jobs.Limit{{Name: "a", Within: time.Hour}}},
		"a limit of no time": {Kind: "zip", MostAttempts: 1, Limits: []jobs.Limit{
			{Name: "a", Most: 1},
		}},
	} {
		if _, _, err := q.Enqueue(q.Context(), at(0), order("zip"), o); err == nil {
			q.Errorf("%s: accepted", name)
		}
	}
	q.none(0, "zip")
}

func limitsHold(q *queue) {
	o := order("mail")
	o.Limits = []jobs.Limit{{Name: "a", Most: 2, Within: time.Hour}, {Name: "b", Most: 100, Within: time.Hour}}
	refused := func(d, retry time.Duration) {
		q.Helper()
		limit := new(jobs.LimitError)
		if _, _, err := q.Enqueue(q.Context(), at(d), o); !errors.As(err, &limit) || limit.RetryAfter != retry || limit.Limit.Name != "a" {
			q.Errorf("after %s: %v, %+v, want a refusal for %s", d, err, limit, retry)
		}
	}
	q.add(0, o)
	q.add(20*time.Minute, o)
	refused(30*time.Minute, 30*time.Minute)
	refused(59*time.Minute, time.Minute)
	q.add(time.Hour, o)
	refused(time.Hour, 20*time.Minute)
	other := order("mail")
	other.Limits = []jobs.Limit{{Name: "c", Most: 1, Within: time.Hour}}
	q.add(time.Hour, other)
}

func limitsCount(q *queue) {
	o := order("mail")
	o.Key = "one"
	o.Limits = []jobs.Limit{{Name: "a", Most: 2, Within: time.Hour}}
	for range 5 {
		q.add(0, o)
	}
	both := o
	both.Key = ""
	both.Limits = append(both.Limits, jobs.Limit{Name: "b", Most: 1, Within: time.Hour})
	q.add(0, both)
	for range 3 {
		if _, _, err := q.Enqueue(q.Context(), at(0), both); err == nil {
			q.Error("accepted beyond its limits")
		}
	}
	// What was refused for one limit counts toward no other.
	free := order("mail")
	free.Limits = []jobs.Limit{{Name: "b", Most: 2, Within: time.Hour}}
	q.add(0, free)
}

func limitsReopened(q *queue) {
	o := order("mail")
	o.Limits = []jobs.Limit{{Name: "a", Most: 1, Within: time.Hour}}
	q.add(0, o)
	q.reopen()
	if _, _, err := q.Enqueue(q.Context(), at(time.Minute), o); err == nil {
		q.Error("accepted beyond its limits after a restart")
	}
}
