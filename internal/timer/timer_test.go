package timer_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/timer"
)

type (
	firstKey  struct{}
	secondKey struct{}
)

func TestTimersOfOneRequestAreApart(t *testing.T) {
	ctx, first := timer.With(t.Context(), firstKey{})
	ctx, second := timer.With(ctx, secondKey{})
	stop := timer.Start(ctx, firstKey{})
	spend()
	stop()
	if first.Total() <= 0 || second.Total() != 0 {
		t.Errorf("the first has %s, the second %s", first.Total(), second.Total())
	}
}

func TestWorkAtTheSameTimeCountsEach(t *testing.T) {
	ctx, total := timer.With(context.Background(), firstKey{})
	one, two := timer.Start(ctx, firstKey{}), timer.Start(ctx, firstKey{})
	begin := time.Now()
	spend()
	least := time.Since(begin)
	var stops sync.WaitGroup
	stops.Go(one)
	stops.Go(two)
	stops.Wait()
	if total.Total() < 2*least {
		t.Errorf("%s for two pieces of work of at least %s", total.Total(), least)
	}
}

func TestWithoutATimerNothingIsMeasured(t *testing.T) {
	timer.Start(t.Context(), firstKey{})()
	ctx, total := timer.With(t.Context(), firstKey{})
	timer.Start(ctx, secondKey{})()
	if total.Total() != 0 {
		t.Errorf("%s was measured for another", total.Total())
	}
}

// spend lets the clock go on by a bit more than its resolution.
func spend() {
	for begin := time.Now(); time.Since(begin) < 3*time.Millisecond; {
	}
}
