package vips

import (
	"image"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/render/tiffdir"
)

// apply moves a point of a picture of the given size as a turn does.
func (t turn) apply(p, size image.Point) (image.Point, image.Point) {
	if t.transpose {
		p, size = image.Pt(p.Y, p.X), image.Pt(size.Y, size.X)
	}
	if t.flipX {
		p.X = size.X - 1 - p.X
	}
	if t.flipY {
		p.Y = size.Y - 1 - p.Y
	}
	return p, size
}

func genTurn(t *rapid.T, name string) turn {
	n := rapid.IntRange(0, 7).Draw(t, name)
	return turn{n&1 != 0, n&2 != 0, n&4 != 0}
}

func TestTurnsCompose(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := genTurn(t, "a"), genTurn(t, "b")
		size := image.Pt(rapid.IntRange(1, 9).Draw(t, "w"), rapid.IntRange(1, 9).Draw(t, "h"))
		p := image.Pt(rapid.IntRange(0, size.X-1).Draw(t, "x"), rapid.IntRange(0, size.Y-1).Draw(t, "y"))
		q, between := a.apply(p, size)
		q, after := b.apply(q, between)
		got, gotSize := a.then(b).apply(p, size)
		if got != q || gotSize != after {
			t.Fatalf("%v then %v moves %v to %v, want %v", a, b, p, got, q)
		}
	})
}

// Four quarters are none, and each is a clockwise turn: the upper left corner goes to the upper right.
func TestQuarters(t *testing.T) {
	size := image.Pt(5, 3)
	p, s := quarters[1].apply(image.Pt(0, 0), size)
	if p != image.Pt(2, 0) || s != image.Pt(3, 5) {
		t.Errorf("90 degrees: %v in %v", p, s)
	}
	if quarters[1].then(quarters[1]) != quarters[2] || quarters[2].then(quarters[1]) != quarters[3] || quarters[3].then(quarters[1]) != quarters[0] {
		t.Error("quarters do not add up")
	}
}

func TestGridScale(t *testing.T) {
	canvas := image.Pt(1001, 701)
	job := func(region image.Rectangle, w, h int) render.Job {
		return render.Job{Canvas: canvas, Region: region, Size: image.Pt(w, h)}
	}
	whole := image.Rectangle{Max: canvas}
	tests := []struct {
		job  render.Job
		want int
	}{
		{job(whole, 1001, 701), 1},
		{job(whole, 501, 351), 2},
		{job(whole, 500, 350), 0}, // neither rounded up nor to the nearest
		{job(whole, 126, 88), 8},
		{job(whole, 90, 63), 0},
		{job(image.Rect(0, 0, 512, 512), 256, 256), 2},
		{job(image.Rect(0, 0, 512, 512), 256, 255), 0},
		{job(image.Rect(512, 512, 1001, 701), 245, 95), 2},
		{job(image.Rect(513, 512, 1001, 701), 244, 95), 0}, // not on the grid
		{job(image.Rect(0, 0, 511, 511), 256, 256), 0},     // cut, but not at the edge
		{job(image.Rect(512, 0, 1001, 512), 62, 64), 8},
		{job(image.Rect(0, 0, 10, 10), 20, 20), 0},
		{job(image.Rect(1000, 700, 1001, 701), 1, 1), 1},
		{job(image.Rect(960, 640, 1001, 701), 1, 1), 64},
	}
	for _, test := range tests {
		if got := test.job.GridScale(); got != test.want {
			t.Errorf("%v to %v: %d, want %d", test.job.Region, test.job.Size, got, test.want)
		}
	}
}

// Whatever the job, its samples lie within the stored picture, but for what rounding at the edge adds.
func TestPlanStaysInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		page := image.Pt(rapid.IntRange(1, 5000).Draw(t, "page w"), rapid.IntRange(1, 5000).Draw(t, "page h"))
		canvas := image.Pt(rapid.IntRange(1, page.X).Draw(t, "canvas w"), rapid.IntRange(1, page.Y).Draw(t, "canvas h"))
		x, y := rapid.IntRange(0, canvas.X-1).Draw(t, "x"), rapid.IntRange(0, canvas.Y-1).Draw(t, "y")
		job := render.Job{
			Canvas: canvas,
			Region: image.Rect(x, y, rapid.IntRange(x+1, canvas.X).Draw(t, "right"), rapid.IntRange(y+1, canvas.Y).Draw(t, "bottom")),
			Size:   image.Pt(rapid.IntRange(1, 600).Draw(t, "w"), rapid.IntRange(1, 600).Draw(t, "h")),
			Mirror: rapid.Bool().Draw(t, "mirror"), Rotation: rapid.SampledFrom([]float64{0, 90, 180, 270, 12.5}).Draw(t, "rotation"),
		}
		orientation := rapid.IntRange(1, 8).Draw(t, "orientation")
		p := newPlan(job, page, orientation, false)
		stored := page
		if orientations[orientation].transpose {
			stored = image.Pt(page.Y, page.X)
		}
		for _, a := range []struct {
			axis, second axis
			length       int
		}{{p.x, p.x2, stored.X}, {p.y, p.y2, stored.Y}} {
			end := a.axis.start + a.axis.step*float64(a.axis.n)
			if a.axis.n < 1 || a.axis.step < 1-1e-9 || a.axis.start < -a.axis.step-1e-6 || end > float64(a.length)+a.axis.step+1e-6 {
				t.Fatalf("samples from %v to %v of %d: %+v", a.axis.start, end, a.length, a.axis)
			}
			if from, to := a.axis.span(a.length); from < 0 || to > a.length || from >= to {
				t.Fatalf("span %d to %d", from, to)
			}
			if a.second.n > 0 && (a.second.start < -a.second.step || a.second.start+a.second.step*float64(a.second.n) > float64(a.axis.n)+a.second.step+1e-6) {
				t.Fatalf("%+v of %+v", a.second, a.axis)
			}
		}
		made := image.Pt(p.x.n, p.y.n)
		if p.x2.n > 0 || p.y2.n > 0 {
			made = image.Pt(p.x2.n, p.y2.n)
		}
		want := job.Size
		if orientations[orientation].transpose {
			want = image.Pt(want.Y, want.X)
		}
		if made != want {
			t.Fatalf("makes %v, want %v", made, want)
		}
	})
}

// The level that is chosen never has fewer pixels than are asked for, unless there is no larger one.
func TestChooseLevel(t *testing.T) {
	h := &header{format: "tiff", width: 4000, height: 3000, orientation: 1}
	for s := 1; s <= 16; s *= 2 {
		h.levels = append(h.levels, tiffdir.Directory{Width: 4000 / s, Height: 3000 / s, TileWidth: 256, TileHeight: 256})
	}
	for _, test := range []struct{ width, level int }{{4000, 4000}, {3999, 4000}, {2001, 4000}, {2000, 2000}, {1500, 2000}, {1000, 1000}, {300, 500}, {250, 250}, {10, 250}} {
		job := full(image.Pt(4000, 3000))
		job.Size = image.Pt(test.width, test.width*3/4)
		d := h.choose(newPlan(job, h.size(), 1, false))
		if d.directory.Width != test.level {
			t.Errorf("for %d pixels the level of %d", test.width, d.directory.Width)
		}
	}
	// One that is squeezed on one side alone needs the other's pixels.
	job := full(image.Pt(4000, 3000))
	job.Size = image.Pt(100, 3000)
	if d := h.choose(newPlan(job, h.size(), 1, false)); d.directory.Width != 4000 {
		t.Errorf("the level of %d", d.directory.Width)
	}
}
