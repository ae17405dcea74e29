package vips

import (
	"context"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/source"
)

// call runs work on an input of original, and ends the slot after it, if there is one. When ctx ends, work is told to
// stop; if it does not within the grace, it goes on alone, without the original, which the caller may then close. Until
// it comes back it keeps its worker, unless the slot takes that away.
func call[T any](ctx context.Context, original source.Original, s *slot, work func(*input) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	if s == nil {
		s = &slot{leave: func() {}}
	}
	if err := ctx.Err(); err != nil {
		s.end()
		return none, err
	}
	in, err := newInput(ctx, original)
	if err != nil {
		s.end()
		return none, err
	}
	done := make(chan result, 1)
	go func() {
		var got result
		got.value, got.err = guarded(in, work)
		// All is given back before the caller goes on.
		in.close()
		s.end()
		done <- got
	}()
	select {
	case got := <-done:
		return got.value, got.err
	case <-ctx.Done():
	}
	in.stop()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case got := <-done:
		return got.value, got.err
	case <-timer.C:
		in.detach()
		return none, ctx.Err()
	}
}

// alone runs work on an input of original until it is done, however long after the end of ctx that is: for work that
// always ends soon, or for a process that does nothing else, and is killed when it takes too long.
func alone[T any](ctx context.Context, original source.Original, work func(*input) (T, error)) (T, error) {
	in, err := newInput(ctx, original)
	if err != nil {
		var none T
		return none, err
	}
	defer in.close()
	defer context.AfterFunc(ctx, in.stop)()
	return guarded(in, work)
}

// guarded runs work: a fault in one picture ends that picture alone.
func guarded[T any](in *input, work func(*input) (T, error)) (value T, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = problem.Panicked(fault)
		}
	}()
	return work(in)
}
