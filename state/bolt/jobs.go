package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/gatehouse-server/gatehouse/jobs"
)

// jobStore is the engine as a store of jobs.
type jobStore struct{ *Engine }

// Jobs is the store of jobs.
func (e *Engine) Jobs() jobs.Store { return jobStore{e} }

// change runs one transaction on jobs.
func (s jobStore) change(ctx context.Context, what string, f func(jobsTx) error) error {
	return s.jobsDo(ctx, what, f, s.update)
}

// look runs one that changes nothing.
func (s jobStore) look(ctx context.Context, what string, f func(jobsTx) error) error {
	return s.jobsDo(ctx, what, f, s.view)
}

func (s jobStore) jobsDo(ctx context.Context, what string, f func(jobsTx) error, run func(func(*bbolt.Tx) error) error) error {
	err := ctx.Err()
	if err == nil {
		err = run(func(tx *bbolt.Tx) error { return f(jobsTx{tx}) })
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Enqueue implements jobs.Store.
func (s jobStore) Enqueue(ctx context.Context, now time.Time, orders ...jobs.Order) (accepted []jobs.Job, created []bool, err error) {
	for i := range orders {
		if err := orders[i].Validate(); err != nil {
			return nil, nil, fmt.Errorf("enqueue: %w", err)
		}
	}
	err = s.change(ctx, "enqueue", func(tx jobsTx) error {
		accepted, created = nil, nil
		for i := range orders {
			job, fresh, err := tx.accept(now, &orders[i], true)
			if err != nil {
				return err
			}
			accepted, created = append(accepted, job), append(created, fresh)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return accepted, created, nil
}

// accept adds a job, unless one with its key is there.
func (tx jobsTx) accept(now time.Time, order *jobs.Order, limited bool) (job jobs.Job, created bool, err error) {
	if order.Key != "" {
		if id := tx.bucket(bucketJobsKeys).Get(uniqueKey(order.Kind, order.Key)); id != nil {
			row, err := tx.row(string(id))
			if err != nil {
				return job, false, err
			}
			if row != nil {
				return row.Job, false, nil
			}
		}
	}
	for _, limit := range order.Limits {
		if err := tx.count(now, limit, limited); err != nil {
			return job, false, err
		}
	}
	row := &jobRow{Job: jobs.Job{
		ID: newID(), Kind: order.Kind, Key: order.Key, Owner: order.Owner, Priority: order.Priority, Payload: order.Payload,
		State: jobs.Queued, MostAttempts: order.MostAttempts, NotBefore: order.NotBefore.UTC(), Created: now.UTC(),
	}}
	if err := tx.put(row, now); err != nil {
		return job, false, err
	}
	return row.Job, true, nil
}

// Take implements jobs.Store.
func (s jobStore) Take(ctx context.Context, now time.Time, worker string, kinds ...string) (jobs.Job, error) {
	var taken jobs.Job
	// A transaction that changes nothing costs a write to the disk all the same.
	err := s.look(ctx, "take", func(tx jobsTx) error {
		if tx.someDue(now) {
			return nil
		}
		_, err := tx.next(kinds)
		return err
	})
	if err != nil {
		return taken, err
	}
	err = s.change(ctx, "take", func(tx jobsTx) error {
		if err := tx.promote(now); err != nil {
			return err
		}
		id, err := tx.next(kinds)
		if errors.Is(err, jobs.ErrNone) {
			taken = jobs.Job{}
			return nil // What was promoted stays so.
		}
		if err != nil {
			return err
		}
		row, err := tx.row(id)
		if err != nil {
			return err
		}
		if row == nil {
			return fmt.Errorf("job %s is in line and has no row", id)
		}
		row.State, row.Worker = jobs.Running, worker
		row.Attempts++
		row.Fence++
		row.Taken, row.Heartbeat = now.UTC(), now.UTC()
		taken = row.Job
		return tx.put(row, now)
	})
	if err == nil && taken.ID == "" {
		err = fmt.Errorf("take: %w", jobs.ErrNone)
	}
	return taken, err
}

// someDue tells whether the time of a job has come that waited for it.
func (tx jobsTx) someDue(now time.Time) bool {
	place, _ := tx.bucket(bucketJobsWaiting).Cursor().First()
	return place != nil && !fromSortable(place).After(now)
}

// promote makes those ready whose time has come.
func (tx jobsTx) promote(now time.Time) error {
	for {
		place, value := tx.bucket(bucketJobsWaiting).Cursor().First()
		if place == nil || fromSortable(place).After(now) {
			return nil
		}
		_, _, id, _ := tellOf(value)
		row, err := tx.row(id)
		if err != nil {
			return err
		}
		if row == nil {
			return fmt.Errorf("job %s waits and has no row", id)
		}
		if err := tx.put(row, now); err != nil {
			return err
		}
	}
}

// next finds who is first in line among the kinds.
func (tx jobsTx) next(kinds []string) (id string, err error) {
	var first []byte
	cursor := tx.bucket(bucketJobsReady).Cursor()
	for _, kind := range slices.Compact(slices.Sorted(slices.Values(kinds))) {
		prefix := append([]byte(kind), 0)
		place, value := cursor.Seek(prefix)
		if !bytes.HasPrefix(place, prefix) || len(place) != len(prefix)+orderBytes {
			continue
		}
		if order := place[len(prefix):]; first == nil || bytes.Compare(order, first) < 0 {
			first = bytes.Clone(order)
			_, _, id, _ = tellOf(value)
		}
	}
	if first == nil {
		return "", jobs.ErrNone
	}
	return id, nil
}
