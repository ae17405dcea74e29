package bolt

import (
	"context"
	"time"

	"github.com/gatehouse-server/gatehouse/jobs"
)

// held changes a job under its lease.
func (s jobStore) held(ctx context.Context, what string, now time.Time, lease jobs.Lease, f func(jobsTx, *jobRow) error) error {
	return s.change(ctx, what, func(tx jobsTx) error {
		row, err := tx.row(lease.ID)
		switch {
		case err != nil:
			return err
		case row == nil || row.Fence != lease.Fence:
			return jobs.ErrLost
		case row.State == jobs.Cancelled:
			return jobs.ErrCancelled
		case row.State != jobs.Running:
			return jobs.ErrLost
		}
		row.Heartbeat = now.UTC()
		if err := f(tx, row); err != nil {
			return err
		}
		return tx.put(row, now)
	})
}

// Beat implements jobs.Store.
func (s jobStore) Beat(ctx context.Context, now time.Time, lease jobs.Lease) error {
	return s.held(ctx, "beat", now, lease, func(jobsTx, *jobRow) error { return nil })
}

// Save implements jobs.Store.
func (s jobStore) Save(ctx context.Context, now time.Time, lease jobs.Lease, progress jobs.Progress, checkpoint []byte) error {
	return s.held(ctx, "save", now, lease, func(_ jobsTx, row *jobRow) error {
		row.Progress, row.Checkpoint = progress, checkpoint
		return nil
	})
}

// Finish implements jobs.Store.
func (s jobStore) Finish(ctx context.Context, now time.Time, lease jobs.Lease, result []byte, then ...jobs.Order) error {
	for i := range then {
		if err := then[i].Validate(); err != nil {
			return err
		}
	}
	return s.held(ctx, "finish", now, lease, func(tx jobsTx, row *jobRow) error {
		row.State, row.Ended, row.Result, row.Checkpoint, row.Cause = jobs.Done, now.UTC(), result, nil, ""
		// What follows may have the key of this one, which it gives up first.
		if err := tx.holdKey(row); err != nil {
			return err
		}
		for i := range then {
			if _, _, err := tx.accept(now, &then[i], false); err != nil {
				return err
			}
		}
		return nil
	})
}

// Fail implements jobs.Store.
func (s jobStore) Fail(ctx context.Context, now time.Time, lease jobs.Lease, cause string, again time.Time) (state jobs.State, err error) {
	err = s.held(ctx, "fail", now, lease, func(_ jobsTx, row *jobRow) error {
		failed(row, now, cause, again)
		state = row.State
		return nil
	})
	if err != nil {
		return "", err
	}
	return state, nil
}

// failed ends an attempt.
func failed(row *jobRow, now time.Time, cause string, again time.Time) {
	row.Cause = cause
	if again.IsZero() || row.Attempts >= row.MostAttempts {
		row.State, row.Ended = jobs.Failed, now.UTC()
		return
	}
	row.State, row.NotBefore = jobs.Queued, again.UTC()
}

// Release implements jobs.Store.
func (s jobStore) Release(ctx context.Context, now time.Time, lease jobs.Lease) error {
	return s.held(ctx, "release", now, lease, func(_ jobsTx, row *jobRow) error {
		row.State = jobs.Queued
		row.Attempts--
		return nil
	})
}

// fellSilent is the cause of a job whose worker was not heard of.
const fellSilent = "its worker fell silent"

// Reclaim implements jobs.Store.
func (s jobStore) Reclaim(ctx context.Context, now, silent time.Time) ([]jobs.Job, error) {
	// lost are the jobs without a sign of life.
	lost := func(tx jobsTx) (rows []*jobRow, err error) {
		err = tx.bucket(bucketJobsRunning).ForEach(func(id, _ []byte) error {
			row, err := tx.row(string(id))
			if err == nil && row != nil && row.Heartbeat.Before(silent) {
				rows = append(rows, row)
			}
			return err
		})
		return rows, err
	}
	var rows []*jobRow
	err := s.look(ctx, "reclaim", func(tx jobsTx) (err error) {
		rows, err = lost(tx)
		return err
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	var reclaimed []jobs.Job
	err = s.change(ctx, "reclaim", func(tx jobsTx) error {
		rows, err := lost(tx)
		if err != nil {
			return err
		}
		for _, row := range rows {
			failed(row, now, fellSilent, now)
			if err := tx.put(row, now); err != nil {
				return err
			}
			reclaimed = append(reclaimed, row.Job)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return reclaimed, nil
}
