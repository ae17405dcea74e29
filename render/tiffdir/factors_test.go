package tiffdir_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatehouse-server/gatehouse/render/tiffdir"
)

// Levels are found to be powers of two, whichever way their sides were rounded.
func TestFactors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		full := &tiffdir.Directory{Width: rapid.IntRange(300, 60000).Draw(t, "w"), Height: rapid.IntRange(300, 60000).Draw(t, "h")}
		up := rapid.Bool().Draw(t, "up")
		w, l := full.Width, full.Height
		for s := 2; min(w, l) > 16; s *= 2 {
			if up {
				w, l = (w+1)/2, (l+1)/2
			} else {
				w, l = w/2, l/2
			}
			x, y := full.Factors(&tiffdir.Directory{Width: w, Height: l})
			if x != float64(s) || y != float64(s) {
				t.Fatalf("%d x %d of %d x %d is %v, %v; want %d", w, l, full.Width, full.Height, x, y, s)
			}
		}
	})
	full := &tiffdir.Directory{Width: 3000, Height: 2000}
	if x, y := full.Factors(&tiffdir.Directory{Width: 1000, Height: 667}); x != 3 || math.Abs(y-2.9985) > 1e-3 {
		t.Errorf("%v, %v", x, y)
	}
}
