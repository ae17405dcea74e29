package bolt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"github.com/gatehouse-server/gatehouse/jobs"
)

// checkLines checks that each job stands in one line, in that of its state, under what the line is read by, and that the
// jobs that have not ended, and no others, have their keys.
func checkLines(engine *Engine) error {
	return engine.view(func(tx *bbolt.Tx) error {
		rows, keys := 0, 0
		err := tx.Bucket([]byte(bucketJobs)).ForEach(func(id, value []byte) error {
			rows++
			row := new(jobRow)
			if err := json.Unmarshal(value, row); err != nil {
				return err
			}
			created, state, named, kind := tellOf(tx.Bucket([]byte(row.Line)).Get(row.Place))
			if named != string(id) || row.ID != named || state != row.State || kind != row.Kind || !created.Equal(row.Created) {
				return fmt.Errorf("%s is %+v, its line tells %s, %s, %s, %s", id, row, created, state, named, kind)
			}
			want := map[jobs.State]string{jobs.Running: bucketJobsRunning, jobs.Queued: bucketJobsReady}[row.State]
			if row.State.Ended() {
				want = bucketJobsEnded
			}
			if row.Line != want && (row.State != jobs.Queued || row.Line != bucketJobsWaiting) {
				return fmt.Errorf("%s is %s and stands in %s", id, row.State, row.Line)
			}
			if row.Attempts > row.MostAttempts {
				return fmt.Errorf("%s was tried %d times of %d", id, row.Attempts, row.MostAttempts)
			}
			if row.Key != "" && !row.State.Ended() {
				keys++
				if holder := tx.Bucket([]byte(bucketJobsKeys)).Get(uniqueKey(row.Kind, row.Key)); !bytes.Equal(holder, id) {
					return fmt.Errorf("the key of %s is that of %s", id, holder)
				}
			}
			return nil
		})
		standing := 0
		for _, line := range lines {
			standing += tx.Bucket([]byte(line)).Stats().KeyN
		}
		if held := tx.Bucket([]byte(bucketJobsKeys)).Stats().KeyN; err == nil && (standing != rows || held != keys) {
			return fmt.Errorf("%d jobs stand in line as %d; %d of them have keys, and %d are held", rows, standing, keys, held)
		}
		return err
	})
}

// Whatever is done in whatever order, jobs stand where they should, and leases work once.
func TestJobsStandWhereTheyShould(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		engine := newEngine(t, t.TempDir())
		if err := engine.Open(); err != nil {
			rt.Fatal(err)
		}
		defer engine.Close()
		store, ctx := engine.Jobs(), t.Context()
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		var ids []string
		var leases []jobs.Lease
		held := map[string]jobs.Lease{}
		fine := func(err error, allowed ...error) bool {
			for _, a := range allowed {
				if errors.Is(err, a) {
					return false
				}
			}
			if err != nil {
				rt.Fatal(err)
			}
			return true
		}
		// use is fine with the latest lease of a job, and with no other.
		use := func(do func(jobs.Lease) error, ends bool) {
			if len(leases) == 0 {
				return
			}
			lease := rapid.SampledFrom(leases).Draw(rt, "lease")
			worked := fine(do(lease), jobs.ErrLost, jobs.ErrCancelled)
			if worked != (held[lease.ID] == lease) {
				rt.Fatalf("%+v works: %t; held is %+v", lease, worked, held[lease.ID])
			}
			if worked && ends {
				delete(held, lease.ID)
			}
		}
		kind := rapid.SampledFrom([]string{"a", "ab", "b"})
		rt.Repeat(map[string]func(*rapid.T){
			"": func(rt *rapid.T) {
				if err := checkLines(engine); err != nil {
					rt.Fatal(err)
				}
			},
			"time": func(rt *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(-10, 100).Draw(rt, "seconds")) * time.Second)
			},
			"enqueue": func(rt *rapid.T) {
				accepted, created, err := store.Enqueue(ctx, now, jobs.Order{
					Kind: kind.Draw(rt, "kind"), Key: rapid.SampledFrom([]string{"", "", "x", "y"}).Draw(rt, "key"),
					Priority: rapid.IntRange(-2, 2).Draw(rt, "priority"), MostAttempts: rapid.IntRange(1, 3).Draw(rt, "attempts"),
					NotBefore: now.Add(time.Duration(rapid.IntRange(-50, 50).Draw(rt, "wait")) * time.Second),
				})
				if fine(err); created[0] {
					ids = append(ids, accepted[0].ID)
				}
			},
			"take": func(rt *rapid.T) {
				job, err := store.Take(ctx, now, "worker", kind.Draw(rt, "kind"), kind.Draw(rt, "kind"))
				if !fine(err, jobs.ErrNone) {
					return
				}
				if lease, there := held[job.ID]; there {
					rt.Fatalf("%+v is taken and held as %+v", job, lease)
				}
				held[job.ID] = job.Lease()
				leases = append(leases, job.Lease())
			},
			"beat": func(*rapid.T) { use(func(l jobs.Lease) error { return store.Beat(ctx, now, l) }, false) },
			"save": func(*rapid.T) {
				use(func(l jobs.Lease) error { return store.Save(ctx, now, l, jobs.Progress{}, nil) }, false)
			},
			"finish":  func(*rapid.T) { use(func(l jobs.Lease) error { return store.Finish(ctx, now, l, nil) }, true) },
			"release": func(*rapid.T) { use(func(l jobs.Lease) error { return store.Release(ctx, now, l) }, true) },
			"fail": func(rt *rapid.T) {
				again := rapid.SampledFrom([]time.Time{{}, now, now.Add(time.Minute)}).Draw(rt, "again")
				use(func(l jobs.Lease) error { _, err := store.Fail(ctx, now, l, "no luck", again); return err }, true)
			},
			"reclaim": func(*rapid.T) {
				reclaimed, err := store.Reclaim(ctx, now, now.Add(-time.Minute))
				fine(err)
				for _, job := range reclaimed {
					delete(held, job.ID)
				}
			},
			"cancel or retry": func(rt *rapid.T) {
				if len(ids) == 0 {
					return
				}
				id := rapid.SampledFrom(ids).Draw(rt, "id")
				do := rapid.SampledFrom([]func() (jobs.Job, error){
					func() (jobs.Job, error) { return store.Cancel(ctx, now, id) }, func() (jobs.Job, error) { return store.Retry(ctx, now, id) },
				}).Draw(rt, "which")
				if _, err := do(); fine(err, jobs.ErrState, jobs.ErrNotFound) {
					delete(held, id)
				}
			},
			"prune": func(*rapid.T) {
				_, err := store.Prune(ctx, now.Add(-time.Minute))
				fine(err)
			},
		})
	})
}
