package caddymodule

import (
	"context"
	"net/http"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

func TestAnswersAreHeldWithinTheBudget(t *testing.T) {
	budget := newAnswerBudget(10)
	first, endFirst := budget.begin(context.Background())
	if err := hold(first, make([]byte, 7)); err != nil {
		t.Fatal(err)
	}
	second, endSecond := budget.begin(context.Background())
	if e := problem.From(hold(second, make([]byte, 4))); e.Status != http.StatusServiceUnavailable || e.RetryAfter <= 0 {
		t.Errorf("got %v", e)
	}
	if err := hold(second, make([]byte, 3)); err != nil {
		t.Error(err)
	}
	endFirst()
	endSecond()

	large, endLarge := budget.begin(context.Background())
	if err := hold(large, make([]byte, 1000)); err != nil {
		t.Errorf("a picture larger than the budget is refused although nothing waits: %v", err)
	}
	other, endOther := budget.begin(context.Background())
	if hold(other, make([]byte, 1)) == nil {
		t.Error("another one waits beside it")
	}
	endOther()
	endLarge()
	if !budget.free.TryAcquire(budget.size) {
		t.Error("something was not given back")
	}
}
