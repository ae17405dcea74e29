package jobs_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/jobs"
	"github.com/gatehouse-server/gatehouse/state/bolt"
)

// newStore is an embedded store in a folder of the test.
func newStore(t *testing.T) jobs.Store {
	t.Helper()
	engine, err := bolt.New(bolt.Config{Directory: t.TempDir()}, nil)
	if err == nil {
		err = engine.Open()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	return engine.Jobs()
}

// quick is a pool whose times are short.
func quick(t *testing.T, store jobs.Store, s jobs.Settings) *jobs.Pool {
	t.Helper()
	p := jobs.NewPool(jobs.Options{
		Store: store, Worker: t.Name(), Beat: 30 * time.Millisecond, Silent: 2 * time.Second, Poll: 20 * time.Millisecond,
	})
	t.Cleanup(p.Stop)
	p.Configure(s)
	return p
}

func enqueue(t *testing.T, store jobs.Store, o jobs.Order) string {
	t.Helper()
	o.MostAttempts = 3
	accepted, _, err := store.Enqueue(t.Context(), time.Now(), o)
	if err != nil {
		t.Fatal(err)
	}
	return accepted[0].ID
}

// until waits for a job to be as it should.
func until(t *testing.T, store jobs.Store, id, what string, is func(jobs.Job) bool) jobs.Job {
	t.Helper()
	var job jobs.Job
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		var err error
		if job, err = store.Get(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if is(job) {
			return job
		}
	}
	t.Fatalf("the job never was %s: %+v", what, job)
	return job
}

func untilState(t *testing.T, store jobs.Store, id string, want jobs.State) jobs.Job {
	t.Helper()
	return until(t, store, id, string(want), func(job jobs.Job) bool { return job.State == want })
}

func TestPoolDoesJobs(t *testing.T) {
	store := newStore(t)
	handlers := map[string]jobs.Handler{
		"zip": func(ctx context.Context, task *jobs.Task) ([]byte, []jobs.Order, error) {
			if err := task.Save(ctx, jobs.Progress{Done: 1, Total: 1, Bytes: 7}, []byte("here")); err != nil {
				return nil, nil, err
			}
			return []byte("made of " + string(task.Payload)), []jobs.Order{{Kind: "mail", Key: task.ID, MostAttempts: 1}}, nil
		},
		"mail": func(_ context.Context, task *jobs.Task) ([]byte, []jobs.Order, error) {
			return []byte(task.Key), nil, nil
		},
	}
	p := quick(t, store, jobs.Settings{Workers: 2, Handlers: handlers})
	id := enqueue(t, store, jobs.Order{Kind: "zip", Payload: []byte("files")})
	other := enqueue(t, store, jobs.Order{Kind: "of nobody"})
	p.Wake()
	if job := untilState(t, store, id, jobs.Done); string(job.Result) != "made of files" || job.Progress.Bytes != 7 {
		t.Errorf("the job is %+v", job)
	}
	mails, err := store.List(t.Context(), jobs.Filter{Kind: "mail"})
	if err != nil || len(mails) != 1 {
		t.Fatalf("%v, %v", mails, err)
	}
	if mail := untilState(t, store, mails[0].ID, jobs.Done); string(mail.Result) != id {
		t.Errorf("the mail is %+v", mail)
	}
	if job, err := store.Get(t.Context(), other); err != nil || job.Attempts != 0 {
		t.Errorf("%+v, %v", job, err)
	}
}

func TestPoolOnFailures(t *testing.T) {
	store := newStore(t)
	failing := func(err error) jobs.Handler {
		return func(context.Context, *jobs.Task) ([]byte, []jobs.Order, error) { return nil, nil, err }
	}
	quick(t, store, jobs.Settings{Workers: 3, Handlers: map[string]jobs.Handler{
		"later": failing(errors.New("the archive is down")),
		"never": failing(jobs.Final(errors.New("no such file"))),
		"panic": func(context.Context, *jobs.Task) ([]byte, []jobs.Order, error) { panic("at a loss") },
	}})
	for kind, want := range map[string]struct {
		state jobs.State
		cause string
	}{"later": {jobs.Queued, "the archive is down"}, "never": {jobs.Failed, "no such file"}, "panic": {jobs.Queued, "panic: at a loss"}} {
		begun := time.Now()
		job := until(t, store, enqueue(t, store, jobs.Order{Kind: kind}), "tried", func(job jobs.Job) bool { return job.Cause != "" })
		if job.State != want.state || job.Cause != want.cause || job.Attempts != 1 {
			t.Errorf("%s: the job is %+v", kind, job)
		}
		if pause := job.NotBefore.Sub(begun); job.State == jobs.Queued && (pause < 7*time.Second || pause > 20*time.Second) {
			t.Errorf("%s: it pauses for %s", kind, pause)
		}
	}
}

// asLongAs is a handler that works until it is told to stop, and tells why it stopped.
func asLongAs(causes chan<- error) jobs.Handler {
	return func(ctx context.Context, task *jobs.Task) ([]byte, []jobs.Order, error) {
		if err := task.Save(ctx, jobs.Progress{}, []byte("here")); err != nil {
			return nil, nil, err
		}
		<-ctx.Done()
		causes <- context.Cause(ctx)
		return nil, nil, ctx.Err()
	}
}

func TestPoolStopsCancelledJobs(t *testing.T) {
	store, causes := newStore(t), make(chan error, 1)
	quick(t, store, jobs.Settings{Workers: 1, Handlers: map[string]jobs.Handler{"zip": asLongAs(causes)}})
	id := enqueue(t, store, jobs.Order{Kind: "zip"})
	until(t, store, id, "begun", func(job jobs.Job) bool { return string(job.Checkpoint) == "here" })
	if _, err := store.Cancel(t.Context(), time.Now(), id); err != nil {
		t.Fatal(err)
	}
	if cause := <-causes; !errors.Is(cause, jobs.ErrCancelled) {
		t.Errorf("it stopped for %v", cause)
	}
	untilState(t, store, id, jobs.Cancelled)
}

func TestStoppedPoolsGiveJobsBack(t *testing.T) {
	store, causes := newStore(t), make(chan error, 1)
	p := quick(t, store, jobs.Settings{Workers: 1, Handlers: map[string]jobs.Handler{"zip": asLongAs(causes)}})
	id := enqueue(t, store, jobs.Order{Kind: "zip"})
	until(t, store, id, "begun", func(job jobs.Job) bool { return string(job.Checkpoint) == "here" })
	p.Stop()
	if cause := <-causes; !errors.Is(cause, jobs.ErrStopping) {
		t.Errorf("it stopped for %v", cause)
	}
	if job := untilState(t, store, id, jobs.Queued); job.Attempts != 0 {
		t.Errorf("the job is %+v", job)
	}
	quick(t, store, jobs.Settings{Workers: 1, Handlers: map[string]jobs.Handler{
		"zip": func(_ context.Context, task *jobs.Task) ([]byte, []jobs.Order, error) {
			return task.Checkpoint, nil, nil
		},
	}})
	if job := untilState(t, store, id, jobs.Done); string(job.Result) != "here" {
		t.Errorf("the job is %+v", job)
	}
}

func TestWorkersFollowTheSettings(t *testing.T) {
	store := newStore(t)
	var now, most atomic.Int32
	release := make(chan struct{})
	handlers := map[string]jobs.Handler{"zip": func(ctx context.Context, _ *jobs.Task) ([]byte, []jobs.Order, error) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		defer now.Add(-1)
		select {
		case <-release:
			return nil, nil, nil
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}}
	var ids []string
	for range 20 {
		ids = append(ids, enqueue(t, store, jobs.Order{Kind: "zip"}))
	}
	p := quick(t, store, jobs.Settings{Handlers: handlers})
	reach := func(workers int) {
		t.Helper()
		most.Store(now.Load())
		p.Configure(jobs.Settings{Workers: workers, Handlers: handlers})
		for deadline := time.Now().Add(10 * time.Second); int(now.Load()) != workers; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d work, want %d", now.Load(), workers)
			}
		}
		time.Sleep(100 * time.Millisecond)
		if n := int(now.Load()); n != workers {
			t.Errorf("%d work, want %d", n, workers)
		}
	}
	reach(0)
	reach(2)
	reach(5)
	// Those that are too many end after their jobs.
	p.Configure(jobs.Settings{Workers: 1, Handlers: handlers})
	for range 4 {
		release <- struct{}{}
	}
	reach(1)
	reach(3)
	close(release)
	for _, id := range ids {
		if job := untilState(t, store, id, jobs.Done); job.Attempts != 1 {
			t.Errorf("the job is %+v", job)
		}
	}
}

func TestSilentWorkersAreReplacedAndLiveOnesNever(t *testing.T) {
	store := newStore(t)
	id := enqueue(t, store, jobs.Order{Kind: "zip"})
	dead, err := store.Take(t.Context(), time.Now(), "dead", "zip")
	if err != nil || dead.ID != id {
		t.Fatalf("%+v, %v", dead, err)
	}
	var begun atomic.Int32
	handlers := map[string]jobs.Handler{"zip": func(ctx context.Context, task *jobs.Task) ([]byte, []jobs.Order, error) {
		begun.Add(1)
		// Longer than silence lasts.
		select {
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		case <-time.After(3 * time.Second):
			return []byte(task.Worker), nil, nil
		}
	}}
	quick(t, store, jobs.Settings{Workers: 2, Handlers: handlers})
	quick(t, store, jobs.Settings{Workers: 2, Handlers: handlers})
	job := untilState(t, store, id, jobs.Done)
	if string(job.Result) != t.Name() || job.Attempts != 2 || begun.Load() != 1 {
		t.Errorf("begun %d times: %+v", begun.Load(), job)
	}
	if err := store.Finish(t.Context(), time.Now(), dead.Lease(), []byte("late")); !errors.Is(err, jobs.ErrLost) {
		t.Errorf("the dead one finished it: %v", err)
	}
}
