package jobs_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/jobs"
	"github.com/gatehouse-server/gatehouse/state/bolt"
)

// stateVariable names a folder to a copy of this program that is to do the jobs in it until it is killed.
const stateVariable = "GATEHOUSE_TEST_JOBS"

func TestMain(m *testing.M) {
	if dir := os.Getenv(stateVariable); dir != "" {
		workUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// short saves some times, and has a mail sent of its end.
func short(ctx context.Context, task *jobs.Task) ([]byte, []jobs.Order, error) {
	for done := int64(len(task.Checkpoint)); done < 3; done++ {
		select {
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		case <-time.After(time.Duration(rand.IntN(4)) * time.Millisecond):
		}
		if err := task.Save(ctx, jobs.Progress{Done: done + 1, Total: 3}, make([]byte, done+1)); err != nil {
			return nil, nil, err
		}
	}
	return []byte("made"), []jobs.Order{{Kind: "mail", Key: task.ID, MostAttempts: 1}}, nil
}

func poolOn(dir string) (jobs.Store, *jobs.Pool, error) {
	engine, err := bolt.New(bolt.Config{Directory: dir}, nil)
	if err == nil {
		err = engine.Open()
	}
	if err != nil {
		return nil, nil, err
	}
	p := jobs.NewPool(jobs.Options{Store: engine.Jobs(), Worker: "worker", Beat: 20 * time.Millisecond, Silent: 200 * time.Millisecond, Poll: 5 * time.Millisecond})
	p.Configure(jobs.Settings{Workers: 4, Handlers: map[string]jobs.Handler{"zip": short}})
	return engine.Jobs(), p, nil
}

// workUntilKilled accepts jobs, tells of each, and does them.
func workUntilKilled(dir string) {
	store, p, err := poolOn(dir)
	for err == nil {
		var accepted []jobs.Job
		if accepted, _, err = store.Enqueue(context.Background(), time.Now(), jobs.Order{Kind: "zip", MostAttempts: 1000}); err == nil {
			fmt.Println(accepted[0].ID)
			p.Wake()
			time.Sleep(time.Millisecond)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// What was accepted before a kill is done after it, and what follows from a job follows once.
func TestKilledWorkersLoseNothing(t *testing.T) {
	dir := t.TempDir()
	var accepted []string
	for range 25 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env, cmd.Stderr = append(os.Environ(), stateVariable+"="+dir), os.Stderr
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		// It is killed at any moment after its first job.
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			accepted = append(accepted, lines.Text())
			if rand.IntN(20) == 0 {
				time.AfterFunc(time.Duration(rand.IntN(5000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
				break
			}
		}
		for lines.Scan() {
			accepted = append(accepted, lines.Text())
		}
		_ = cmd.Wait()
	}
	store, p, err := poolOn(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	for _, id := range accepted {
		if job := untilState(t, store, id, jobs.Done); string(job.Result) != "made" || job.Progress.Done != 3 {
			t.Errorf("the job is %+v", job)
		}
	}
	all, err := store.List(t.Context(), jobs.Filter{Kind: "zip", Most: 1 << 20})
	if err != nil || len(all) < len(accepted) {
		t.Fatalf("%d jobs of %d, %v", len(all), len(accepted), err)
	}
	for _, job := range all {
		untilState(t, store, job.ID, jobs.Done)
	}
	mails, err := store.List(t.Context(), jobs.Filter{Kind: "mail", Most: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]int{}
	for _, mail := range mails {
		of[mail.Key]++
	}
	for _, job := range all {
		if of[job.ID] != 1 {
			t.Errorf("%d mails follow from one job", of[job.ID])
		}
	}
	t.Logf("%d jobs were accepted, and %d told of", len(all), len(accepted))
}
