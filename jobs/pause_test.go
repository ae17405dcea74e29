package jobs_test

import (
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/jobs"
)

func TestPausesGrow(t *testing.T) {
	for attempt, middle := range map[int]time.Duration{
		1: 10 * time.Second, 2: 30 * time.Second, 3: 90 * time.Second, 4: 270 * time.Second, 5: 810 * time.Second, 6: 2430 * time.Second,
		7: time.Hour, 8: time.Hour, 1000: time.Hour,
	} {
		seen := map[time.Duration]bool{}
		for range 100 {
			pause := jobs.Pause(attempt)
			if pause < middle*3/4 || pause > middle*5/4 {
				t.Errorf("attempt %d: %s is not about %s", attempt, pause, middle)
			}
			seen[pause] = true
		}
		if len(seen) < 50 {
			t.Errorf("attempt %d: only %d different pauses of 100", attempt, len(seen))
		}
	}
}
