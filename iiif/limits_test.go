package iiif

import (
	"image"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// TestReduceIsTheLargestThatFits: one pixel more in the side that decided would break a limit.
func TestReduceIsTheLargestThatFits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rules, img := genRules(3).Draw(t, "rules"), genImage().Draw(t, "image")
		region := image.Pt(img.Width, img.Height)
		size := rules.reduce(region, region)
		if !rules.hold(size) || size.X < 1 || size.Y < 1 {
			t.Fatalf("%v within %v is %v", region, rules.Limits, size)
		}
		if rules.hold(region) {
			if size != region {
				t.Fatalf("%v is within %v and became %v", region, rules.Limits, size)
			}
			return
		}
		wider := image.Pt(size.X+1, max(1, scaled(region.Y, size.X+1, region.X)))
		higher := image.Pt(max(1, scaled(region.X, size.Y+1, region.Y)), size.Y+1)
		if rules.hold(wider) && rules.hold(higher) && wider.Y > size.Y && higher.X > size.X {
			t.Fatalf("%v within %v is %v, and %v and %v fit too", region, rules.Limits, size, wider, higher)
		}
	})
}

func TestEnlargeNeverShrinks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rules, img := genRules(3).Draw(t, "rules"), genImage().Draw(t, "image")
		region := image.Pt(img.Width, img.Height)
		if !rules.hold(region) {
			return
		}
		size := rules.enlarge(region)
		if !rules.hold(size) || size.X < region.X || size.Y < region.Y {
			t.Fatalf("%v within %v is enlarged to %v", region, rules.Limits, size)
		}
	})
}

// TestWidthForArea compares the integer root with arbitrary precision.
func TestWidthForArea(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		area := rapid.Int64Range(1, 1<<62).Draw(t, "area")
		region := image.Pt(rapid.IntRange(1, maxNumber).Draw(t, "w"), rapid.IntRange(1, maxNumber).Draw(t, "h"))
		want := new(big.Int).Mul(big.NewInt(area), big.NewInt(int64(region.X)))
		want.Div(want, big.NewInt(int64(region.Y)))
		want.Sqrt(want)
		if want.Cmp(big.NewInt(maxNumber)) > 0 {
			want.SetInt64(maxNumber)
		}
		if got := (Limits{MaxArea: area}).widthForArea(region); int64(got) != want.Int64() {
			t.Fatalf("the width for %d of %v is %d, want %s", area, region, got, want)
		}
	})
}

func TestFit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		side := rapid.IntRange(1, 5000)
		region, box := image.Pt(side.Draw(t, "w"), side.Draw(t, "h")), image.Pt(side.Draw(t, "box w"), side.Draw(t, "box h"))
		size := fit(region, box)
		if size.X > box.X || size.Y > box.Y || size.X != box.X && size.Y != box.Y {
			t.Fatalf("%v in a box of %v is %v", region, box, size)
		}
	})
}

func TestLimitsInWords(t *testing.T) {
	t.Parallel()
	for want, limits := range map[string]Limits{
		"width up to 10 and height up to 20 pixels":                   {MaxWidth: 10, MaxHeight: 20},
		"width up to 10 and height up to 20 and area up to 30 pixels": {MaxWidth: 10, MaxHeight: 20, MaxArea: 30},
	} {
		if got := limits.String(); got != want {
			t.Errorf("%+v reads %q, want %q", limits, got, want)
		}
	}
}
