package bolt

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/gatehouse-server/gatehouse/jobs"
)

// count counts an order toward a limit, and refuses it where the limit is reached and holds.
func (tx jobsTx) count(now time.Time, limit jobs.Limit, holds bool) error {
	times := timesOf(tx.bucket(bucketJobsLimits).Get([]byte(limit.Name)))
	since := now.Add(-limit.Within)
	for len(times) > 0 && !times[0].After(since) {
		times = times[1:]
	}
	if holds && len(times) >= limit.Most {
		free := times[len(times)-limit.Most].Add(limit.Within)
		return &jobs.LimitError{Limit: limit, RetryAfter: min(free.Sub(now), limit.Within)}
	}
	times = append(times, now)
	// What is not within the limit's number is never looked at.
	times = times[max(0, len(times)-limit.Most):]
	var value []byte
	for _, t := range times {
		value = append(value, sortable(t)...)
	}
	return tx.bucket(bucketJobsLimits).Put([]byte(limit.Name), value)
}

func timesOf(value []byte) (times []time.Time) {
	for ; len(value) >= timeBytes; value = value[timeBytes:] {
		times = append(times, fromSortable(value))
	}
	return times
}

// pruneLimits forgets names that nothing was counted for since.
func (tx jobsTx) pruneLimits(since time.Time) error {
	bucket := tx.bucket(bucketJobsLimits)
	var old [][]byte
	err := bucket.ForEach(func(name, value []byte) error {
		if times := timesOf(value); len(times) == 0 || times[len(times)-1].Before(since) {
			old = append(old, name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range old {
		if err := bucket.Delete(name); err != nil {
			return err
		}
	}
	return nil
}

// Due implements jobs.Store.
func (s jobStore) Due(ctx context.Context, now time.Time, sweep string, every time.Duration) (bool, error) {
	due := func(tx jobsTx) bool {
		value := tx.bucket(bucketJobsSweeps).Get([]byte(sweep))
		if len(value) != binary.Size(uint64(0)) {
			return true
		}
		age := now.Sub(fromSortable(value))
		// One in the future is from before a clock was set back.
		return age >= every || age < 0
	}
	var is bool
	err := s.look(ctx, "sweep", func(tx jobsTx) error {
		is = due(tx)
		return nil
	})
	if err != nil || !is {
		return false, err
	}
	err = s.change(ctx, "sweep", func(tx jobsTx) error {
		if is = due(tx); !is {
			return nil
		}
		return tx.bucket(bucketJobsSweeps).Put([]byte(sweep), sortable(now))
	})
	return is && err == nil, err
}
