package bolt

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/gatehouse-server/gatehouse/jobs"
)

// ofJob changes a job that is there.
func (s jobStore) ofJob(ctx context.Context, what string, now time.Time, id string, f func(jobsTx, *jobRow) error) (jobs.Job, error) {
	var job jobs.Job
	err := s.change(ctx, what, func(tx jobsTx) error {
		row, err := tx.row(id)
		if err != nil {
			return err
		}
		if row == nil {
			return jobs.ErrNotFound
		}
		if err := f(tx, row); err != nil {
			return err
		}
		job = row.Job
		return tx.put(row, now)
	})
	if err != nil {
		return jobs.Job{}, err
	}
	return job, nil
}

// Cancel implements jobs.Store.
func (s jobStore) Cancel(ctx context.Context, now time.Time, id string) (jobs.Job, error) {
	return s.ofJob(ctx, "cancel", now, id, func(_ jobsTx, row *jobRow) error {
		if row.State.Ended() {
			return jobs.ErrState
		}
		row.State, row.Ended = jobs.Cancelled, now.UTC()
		return nil
	})
}

// Retry implements jobs.Store.
func (s jobStore) Retry(ctx context.Context, now time.Time, id string) (jobs.Job, error) {
	return s.ofJob(ctx, "retry", now, id, func(tx jobsTx, row *jobRow) error {
		if row.State != jobs.Failed && row.State != jobs.Cancelled {
			return jobs.ErrState
		}
		if row.Key != "" && tx.bucket(bucketJobsKeys).Get(uniqueKey(row.Kind, row.Key)) != nil {
			return jobs.ErrState
		}
		if row.State == jobs.Cancelled {
			// Its worker has cleared away what it made.
			row.Progress, row.Checkpoint = jobs.Progress{}, nil
		}
		row.State, row.Attempts, row.NotBefore, row.Ended = jobs.Queued, 0, now.UTC(), time.Time{}
		return nil
	})
}

// mostPruned bounds a transaction.
const mostPruned = 1000

// Prune implements jobs.Store.
func (s jobStore) Prune(ctx context.Context, ended time.Time) ([]jobs.Job, error) {
	var forgotten []jobs.Job
	err := s.change(ctx, "prune", func(tx jobsTx) error {
		forgotten = nil
		var rows []*jobRow
		cursor := tx.bucket(bucketJobsEnded).Cursor()
		for place, value := cursor.First(); place != nil && len(rows) < mostPruned && fromSortable(place).Before(ended); place, value = cursor.Next() {
			_, _, id, _ := tellOf(value)
			row, err := tx.row(id)
			if err != nil {
				return err
			}
			if row != nil {
				rows = append(rows, row)
			}
		}
		for _, row := range rows {
			if err := tx.forget(row); err != nil {
				return err
			}
			forgotten = append(forgotten, row.Job)
		}
		return tx.pruneLimits(ended)
	})
	if err != nil {
		return nil, err
	}
	return forgotten, nil
}

// Get implements jobs.Store.
func (s jobStore) Get(ctx context.Context, id string) (jobs.Job, error) {
	var job jobs.Job
	err := s.look(ctx, "get", func(tx jobsTx) error {
		row, err := tx.row(id)
		if err != nil {
			return err
		}
		if row == nil {
			return jobs.ErrNotFound
		}
		job = row.Job
		return nil
	})
	return job, err
}

// mostListed is how many jobs are listed where nobody says.
const mostListed = 100

// lines are the buckets in which jobs stand.
var lines = []string{bucketJobsWaiting, bucketJobsReady, bucketJobsRunning, bucketJobsEnded}

// List implements jobs.Store. It reads the rows of those alone that the lines say may be meant.
func (s jobStore) List(ctx context.Context, filter jobs.Filter) ([]jobs.Job, error) {
	type entry struct {
		created time.Time
		id      string
	}
	most := cmp.Or(filter.Most, mostListed)
	var found []jobs.Job
	err := s.look(ctx, "list", func(tx jobsTx) error {
		var entries []entry
		for _, line := range lines {
			err := tx.bucket(line).ForEach(func(_, value []byte) error {
				created, state, id, kind := tellOf(value)
				if (filter.Kind == "" || filter.Kind == kind) && (filter.State == "" || filter.State == state) {
					entries = append(entries, entry{created, id})
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		slices.SortFunc(entries, func(a, b entry) int { return cmp.Or(b.created.Compare(a.created), cmp.Compare(a.id, b.id)) })
		for _, e := range entries {
			if len(found) == most {
				break
			}
			row, err := tx.row(e.id)
			if err != nil {
				return err
			}
			if row != nil && (filter.Owner == "" || filter.Owner == row.Owner) {
				found = append(found, row.Job)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Tally implements jobs.Store.
func (s jobStore) Tally(ctx context.Context) ([]jobs.Tally, error) {
	type group struct {
		kind  string
		state jobs.State
	}
	groups := map[group]*jobs.Tally{}
	err := s.look(ctx, "tally", func(tx jobsTx) error {
		for _, line := range lines {
			err := tx.bucket(line).ForEach(func(_, value []byte) error {
				created, state, _, kind := tellOf(value)
				tally := groups[group{kind, state}]
				if tally == nil {
					tally = &jobs.Tally{Kind: kind, State: state, Oldest: created}
					groups[group{kind, state}] = tally
				}
				tally.Count++
				if created.Before(tally.Oldest) {
					tally.Oldest = created
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	byName := func(a, b group) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.state, b.state)) }
	tallies := make([]jobs.Tally, 0, len(groups))
	for _, g := range slices.SortedFunc(maps.Keys(groups), byName) {
		tallies = append(tallies, *groups[g])
	}
	return tallies, nil
}
