package statetest

import (
	"time"

	"github.com/gatehouse-server/gatehouse/jobs"
)

func jobsReopened(q *queue) {
	waiting := order("zip")
	waiting.NotBefore = at(time.Hour)
	ids := map[string]jobs.State{q.add(0, waiting).ID: jobs.Queued}
	for _, kind := range []string{"run", "end", "ready"} {
		o := order(kind)
		o.Payload = []byte(kind)
		ids[q.add(0, o).ID] = map[string]jobs.State{"run": jobs.Running, "end": jobs.Done, "ready": jobs.Queued}[kind]
	}
	run, end := q.take(0, "run"), q.take(0, "end")
	q.fine(q.Save(q.Context(), at(time.Second), run.Lease(), jobs.Progress{Done: 1, Total: 2, Bytes: 3}, []byte("here")))
	q.fine(q.Finish(q.Context(), at(0), end.Lease(), []byte("made")))
	q.reopen()
	for id, want := range ids {
		q.stands(id, want)
	}
	if kept := q.get(run.ID); kept.Progress != (jobs.Progress{Done: 1, Total: 2, Bytes: 3}) || string(kept.Checkpoint) != "here" || kept.Fence != run.Fence || !kept.Heartbeat.Equal(at(time.Second)) {
		q.Errorf("kept is %+v", kept)
	}
	if kept := q.get(end.ID); string(kept.Result) != "made" || !kept.Ended.Equal(at(0)) {
		q.Errorf("kept is %+v", kept)
	}
	// A lease outlives a restart, as its worker may.
	q.fine(q.Beat(q.Context(), at(time.Minute), run.Lease()))
	if job := q.take(0, "zip", "ready"); string(job.Payload) != "ready" {
		q.Errorf("taken is %+v", job)
	}
	q.none(0, "zip", "ready")
}

func progressSaved(q *queue) {
	q.add(0, order("zip"))
	first := q.take(0, "zip")
	q.fine(q.Save(q.Context(), at(time.Second), first.Lease(), jobs.Progress{Done: 5, Total: 9, Bytes: 1 << 40}, []byte("part 5")))
	_, err := q.Fail(q.Context(), at(2*time.Second), first.Lease(), "the archive is down", at(2*time.Second))
	q.fine(err)
	second := q.take(3*time.Second, "zip")
	if second.Progress != (jobs.Progress{Done: 5, Total: 9, Bytes: 1 << 40}) || string(second.Checkpoint) != "part 5" || second.Cause != "the archive is down" {
		q.Errorf("taken is %+v", second)
	}
}

// refusedFor checks that a lease is good for nothing any more.
func (q *queue) refusedFor(lease jobs.Lease, want error) {
	q.Helper()
	q.is(q.Beat(q.Context(), at(0), lease), want)
	q.is(q.Save(q.Context(), at(0), lease, jobs.Progress{Done: 99}, []byte("late")), want)
	q.is(q.Finish(q.Context(), at(0), lease, []byte("late"), order("follower")), want)
	_, err := q.Fail(q.Context(), at(0), lease, "late", at(0))
	q.is(err, want)
	q.is(q.Release(q.Context(), at(0), lease), want)
}

func leasesFenced(q *queue) {
	q.add(0, order("zip"))
	first := q.take(0, "zip")
	_, err := q.Reclaim(q.Context(), at(time.Hour), at(time.Hour))
	q.fine(err)
	q.refusedFor(first.Lease(), jobs.ErrLost)
	second := q.take(time.Hour, "zip")
	if second.ID != first.ID || second.Fence <= first.Fence || second.Attempts != 2 {
		q.Errorf("first %+v, then %+v", first, second)
	}
	q.refusedFor(first.Lease(), jobs.ErrLost)
	q.refusedFor(jobs.Lease{ID: second.ID, Fence: second.Fence + 1}, jobs.ErrLost)
	q.refusedFor(jobs.Lease{ID: "no such job", Fence: 1}, jobs.ErrLost)
	if job := q.stands(second.ID, jobs.Running); job.Progress.Done != 0 || len(job.Checkpoint) != 0 || job.Fence != second.Fence {
		q.Errorf("the job is %+v", job)
	}
	q.fine(q.Finish(q.Context(), at(time.Hour), second.Lease(), nil))
	q.refusedFor(second.Lease(), jobs.ErrLost)
	q.none(time.Hour, "follower")
}

func jobFinished(q *queue) {
	q.add(0, order("zip"))
	job := q.take(0, "zip")
	mail := order("mail")
	mail.Payload = []byte("your zip")
	mail.Limits = []jobs.Limit{{Name: "a", Most: 1, Within: time.Hour}}
	if err := q.Finish(q.Context(), at(0), job.Lease(), nil, jobs.Order{Kind: "mail"}); err == nil {
		q.Error("a bad order was accepted")
	}
	q.stands(job.ID, jobs.Running)
	q.fine(q.Finish(q.Context(), at(time.Second), job.Lease(), []byte("made"), mail, mail))
	if done := q.stands(job.ID, jobs.Done); string(done.Result) != "made" || !done.Ended.Equal(at(time.Second)) {
		q.Errorf("the job is %+v", done)
	}
	for range 2 {
		if follower := q.take(time.Second, "mail"); string(follower.Payload) != "your zip" {
			q.Errorf("what follows is %+v", follower)
		}
	}
	q.none(time.Second, "mail")
}

func keyHandedOver(q *queue) {
	o := order("poll")
	o.Key = "one"
	first := q.add(0, o)
	job := q.take(0, "poll")
	q.fine(q.Finish(q.Context(), at(0), job.Lease(), nil, o))
	if next := q.add(0, o); next.ID == first.ID {
		q.Error("the key is that of the job that ended")
	}
	q.take(0, "poll")
	q.none(0, "poll")
}

func jobTriedAgain(q *queue) {
	id := q.add(0, order("zip")).ID
	for attempt := 1; attempt <= 3; attempt++ {
		d := time.Duration(attempt) * time.Hour
		job := q.take(d, "zip")
		if job.Attempts != attempt {
			q.Errorf("attempt %d is number %d", attempt, job.Attempts)
		}
		state, err := q.Fail(q.Context(), at(d), job.Lease(), "no luck", at(d+time.Minute))
		q.fine(err)
		want := jobs.Queued
		if attempt == 3 {
			want = jobs.Failed
		}
		if state != want {
			q.Errorf("after attempt %d it is %s, want %s", attempt, state, want)
		}
		q.none(d+59*time.Second, "zip")
	}
	if job := q.stands(id, jobs.Failed); job.Cause != "no luck" || !job.Ended.Equal(at(3*time.Hour)) {
		q.Errorf("the job is %+v", job)
	}
	q.none(100*time.Hour, "zip")
}

func jobFails(q *queue) {
	q.add(0, order("zip"))
	job := q.take(0, "zip")
	state, err := q.Fail(q.Context(), at(0), job.Lease(), "nobody can read that", time.Time{})
	if err != nil || state != jobs.Failed {
		q.Errorf("%s, %v", state, err)
	}
	q.none(time.Hour, "zip")
}

func jobReleased(q *queue) {
	q.add(0, order("zip"))
	q.add(0, order("zip"))
	job := q.take(0, "zip")
	q.fine(q.Save(q.Context(), at(0), job.Lease(), jobs.Progress{Done: 1}, []byte("here")))
	q.fine(q.Release(q.Context(), at(0), job.Lease()))
	if free := q.stands(job.ID, jobs.Queued); free.Attempts != 0 || string(free.Checkpoint) != "here" {
		q.Errorf("the job is %+v", free)
	}
	q.refusedFor(job.Lease(), jobs.ErrLost)
	q.take(0, "zip")
	q.take(0, "zip")
	q.none(0, "zip")
}

func jobsReclaimed(q *queue) {
	q.add(0, order("zip"))
	q.add(0, order("zip"))
	dead, alive := q.take(0, "zip"), q.take(0, "zip")
	q.fine(q.Beat(q.Context(), at(time.Minute), alive.Lease()))
	none, err := q.Reclaim(q.Context(), at(time.Minute), at(0))
	if err != nil || len(none) != 0 {
		q.Errorf("reclaimed at once: %v, %v", none, err)
	}
	got, err := q.Reclaim(q.Context(), at(2*time.Minute), at(30*time.Second))
	if err != nil || len(got) != 1 || got[0].ID != dead.ID || got[0].State != jobs.Queued {
		q.Errorf("reclaimed: %+v, %v", got, err)
	}
	q.fine(q.Beat(q.Context(), at(2*time.Minute), alive.Lease()))
	if again := q.take(2*time.Minute, "zip"); again.ID != dead.ID {
		q.Error("another one was free")
	}
	q.none(2*time.Minute, "zip")
}

func jobReclaimedLast(q *queue) {
	o := order("zip")
	o.MostAttempts = 2
	id := q.add(0, o).ID
	for range 2 {
		q.take(0, "zip")
		_, err := q.Reclaim(q.Context(), at(time.Hour), at(time.Hour))
		q.fine(err)
	}
	if job := q.stands(id, jobs.Failed); job.Cause == "" {
		q.Error("nothing says why it failed")
	}
	q.none(time.Hour, "zip")
}
