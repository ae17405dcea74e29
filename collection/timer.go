package collection

import (
	"context"

	"github.com/gatehouse-server/gatehouse/internal/timer"
)

// Timer adds up how long one request waited for metadata.
type Timer = timer.Timer

type timerKey struct{}

// WithTimer gives ctx a Timer that every look-up with that context adds to.
func WithTimer(ctx context.Context) (context.Context, *Timer) { return timer.With(ctx, timerKey{}) }

// timed measures for the Timer in ctx, if any, until the function that it gives is called.
func timed(ctx context.Context) func() { return timer.Start(ctx, timerKey{}) }
