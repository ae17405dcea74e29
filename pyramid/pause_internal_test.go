package pyramid

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render/tiffwrite"
)

// What will fail again is left alone for longer than what may have passed by then.
func TestPause(t *testing.T) {
	for _, err := range []error{
		problem.New(http.StatusUnprocessableEntity, "broken_image", "broken"), problem.New(http.StatusRequestEntityTooLarge, "too_large", "too large"),
		fmt.Errorf("write: %w", tiffwrite.ErrTooLong), context.DeadlineExceeded,
	} {
		if pause(err) != hopelessTime {
			t.Errorf("%v is tried again in %v", err, pause(err))
		}
	}
	for _, err := range []error{problem.New(http.StatusBadGateway, "source_failed", "down"), errors.New("no space left on device"), problem.Panicked("a fault")} {
		if pause(err) != failedTime {
			t.Errorf("%v is tried again in %v", err, pause(err))
		}
	}
}
