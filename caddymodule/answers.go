package caddymodule

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// answerBudget bounds the bytes of finished pictures that wait for their readers. Rendering has a bound of its own, and
// gives it back when a picture is done; without this one, slow readers of large pictures would fill the memory.
type answerBudget struct {
	size int64
	free *semaphore.Weighted
}

func newAnswerBudget(size int64) *answerBudget {
	return &answerBudget{size: size, free: semaphore.NewWeighted(size)}
}

type answerKey struct{}

// answer is what one request holds of the budget.
type answer struct {
	budget *answerBudget
	held   int64
}

// begin lets the pictures of one request be held until end is called.
func (b *answerBudget) begin(ctx context.Context) (_ context.Context, end func()) {
	a := &answer{budget: b}
	return context.WithValue(ctx, answerKey{}, a), func() {
		if a.held > 0 {
			b.free.Release(a.held)
		}
	}
}

// hold takes a finished picture into the request's share: 503 when too many wait already. A picture that is larger than
// the whole budget waits alone.
func hold(ctx context.Context, picture []byte) error {
	a, ok := ctx.Value(answerKey{}).(*answer)
	if !ok || len(picture) == 0 {
		return nil
	}
	n := min(int64(len(picture)), a.budget.size)
	if !a.budget.free.TryAcquire(n) {
		return &problem.Error{
			Status: http.StatusServiceUnavailable, Code: "answers_full", RetryAfter: 2 * time.Second,
			Detail: "Too many images wait to be read; try again",
		}
	}
	a.held += n
	return nil
}
