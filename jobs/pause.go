package jobs

import (
	"math/rand/v2"
	"time"
)

const (
	firstPause = 10 * time.Second
	mostPause  = time.Hour
)

// Pause is how long a job waits after its attempt of this number, from 1 on: three times as long each time, from about ten
// seconds to an hour, and by up to a quarter more or less, so that what failed together does not come back together.
func Pause(attempt int) time.Duration {
	pause := firstPause
	for range attempt - 1 {
		if pause *= 3; pause >= mostPause {
			pause = mostPause
			break
		}
	}
	return time.Duration(float64(pause) * (0.75 + rand.Float64()/2)) //nolint:gosec // Nobody gains by guessing it.
}
