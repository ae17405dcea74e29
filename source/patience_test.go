package source

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestPatienceIsLostAfterTheBudget(t *testing.T) {
	ctx, p := newPatience(t.Context(), 20*time.Millisecond)
	defer p.end()
	p.progress(1 << 30) // Before a download bytes buy no time.
	<-ctx.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, context.DeadlineExceeded) {
		t.Errorf("cause %v", cause)
	}
}

func TestPatienceLastsWhileTheRateIsKept(t *testing.T) {
	ctx, p := newPatience(t.Context(), 500*time.Millisecond)
	defer p.end()
	p.download(1000, time.Hour)
	for range 20 {
		time.Sleep(50 * time.Millisecond)
		p.progress(500)
	}
	if ctx.Err() != nil {
		t.Errorf("lost although the rate was kept: %v", context.Cause(ctx))
	}
	for ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
		p.progress(1)
	}
	if cause := context.Cause(ctx); !errors.Is(cause, errPatience) {
		t.Errorf("cause %v", cause)
	}
}

func TestPatienceWithTheWholeDownloadEnds(t *testing.T) {
	ctx, p := newPatience(t.Context(), time.Hour)
	defer p.end()
	p.download(1, 20*time.Millisecond)
	p.download(1, time.Hour) // A second transfer of the same original gets no new bound.
	<-ctx.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, errPatience) {
		t.Errorf("cause %v", cause)
	}
}

func TestPatienceThatEndedIsNotLost(t *testing.T) {
	ctx, p := newPatience(t.Context(), time.Hour)
	p.download(1, time.Hour)
	p.end()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		t.Errorf("cause %v", cause)
	}
}
