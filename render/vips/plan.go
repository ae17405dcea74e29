package vips

import (
	"image"
	"math"

	"github.com/gatehouse-server/gatehouse/render"
)

// axis is a resampling along one axis: n samples, the first covers [start, start+step) of the source.
type axis struct {
	start, step float64
	n           int
}

// flipped is the same samples counted from the other end of a source of the given length.
func (a axis) flipped(length float64) axis {
	a.start = length - (a.start + float64(a.n)*a.step)
	return a
}

// scaled is the same samples in a source whose pixels are factor times as large.
func (a axis) scaled(factor float64) axis {
	a.start /= factor
	a.step /= factor
	return a
}

// span is the source pixels that the samples need, the reach of the filter included.
func (a axis) span(length int) (from, to int) {
	reach := 3*math.Max(a.step, 1) + 1
	from = int(math.Floor(a.start - reach))
	to = int(math.Ceil(a.start + float64(a.n)*a.step + reach))
	return min(max(from, 0), length-1), min(max(to, 1), length)
}

// turn is one of the eight ways to turn and mirror a rectangle: swap the axes, then flip them.
type turn struct{ transpose, flipX, flipY bool }

// then is the turn that does t first and next after it.
func (t turn) then(next turn) turn {
	if next.transpose {
		t.flipX, t.flipY = t.flipY, t.flipX
	}
	return turn{t.transpose != next.transpose, t.flipX != next.flipX, t.flipY != next.flipY}
}

// orientations are what a viewer does to a stored picture, by the orientation that its file asks for (Exif 2.3 tag
// 274, from 1).
var orientations = [...]turn{
	1: {}, 2: {flipX: true}, 3: {flipX: true, flipY: true}, 4: {flipY: true},
	5: {transpose: true}, 6: {transpose: true, flipX: true}, 7: {transpose: true, flipX: true, flipY: true}, 8: {transpose: true, flipY: true},
}

// quarters are the rotations by multiples of 90 degrees, clockwise.
var quarters = [...]turn{{}, {transpose: true, flipX: true}, {flipX: true, flipY: true}, {transpose: true, flipY: true}}

// plan is a job made concrete for one original.
type plan struct {
	// x and y lead from the page as stored to samples; x2 and y2 from these to what is enlarged. n is 0 in the latter
	// where nothing is.
	x, y, x2, y2 axis
	// upright is how the stored picture is turned for people to see it; asked is what the caller wants done to that; turn
	// is both at once.
	upright, asked, turn turn
	// angle is what no turn can do.
	angle float64
}

// newPlan lays the samples of a job out over the stored picture of a page whose size, once turned by its orientation,
// is page. vector tells that the page has no pixels of its own, so that enlarging it means drawing it larger.
func newPlan(job render.Job, page image.Point, orientation int, vector bool) plan {
	grid := job.GridScale()
	free := vector && job.Canvas == page
	x, x2 := layOut(job.Region.Min.X, job.Region.Max.X, job.Size.X, job.Canvas.X, page.X, grid, free)
	y, y2 := layOut(job.Region.Min.Y, job.Region.Max.Y, job.Size.Y, job.Canvas.Y, page.Y, grid, free)
	if x2.n > 0 || y2.n > 0 {
		x2, y2 = orCopy(x2, x.n), orCopy(y2, y.n)
	}
	p := plan{x: x, y: y, x2: x2, y2: y2, upright: orientations[orientation]}

	// The samples are laid out over the page as people see it; the picture is stored otherwise.
	if p.upright.flipX {
		p.x2 = p.x2.flipped(float64(p.x.n))
		p.x = p.x.flipped(float64(page.X))
	}
	if p.upright.flipY {
		p.y2 = p.y2.flipped(float64(p.y.n))
		p.y = p.y.flipped(float64(page.Y))
	}
	if p.upright.transpose {
		p.x, p.y, p.x2, p.y2 = p.y, p.x, p.y2, p.x2
	}
	if job.Mirror {
		p.asked = turn{flipX: true}
	}
	if quarter := job.Rotation / 90; quarter == math.Trunc(quarter) {
		p.asked = p.asked.then(quarters[int(quarter)%4])
	} else {
		p.angle = job.Rotation
	}
	p.turn = p.upright.then(p.asked)
	return p
}

// margin is how many canvas pixels beyond a region its enlargement looks at.
const margin = 3

// layOut places the samples of one axis. Where the region is enlarged, the first step makes the pixels of the canvas,
// and the second enlarges these: the result never shows more than a canvas of that size holds.
func layOut(low, high, size, canvas, page, grid int, free bool) (first, second axis) {
	ratio := float64(page) / float64(canvas)
	step := float64(grid)
	if grid == 0 {
		step = float64(high-low) / float64(size)
	}
	if step >= 1 || free {
		return axis{start: float64(low) * ratio, step: step * ratio, n: size}, axis{}
	}
	from, to := max(low-margin, 0), min(high+margin, canvas)
	first = axis{start: float64(from) * ratio, step: ratio, n: to - from}
	return first, axis{start: float64(low - from), step: step, n: size}
}

func orCopy(a axis, n int) axis {
	if a.n == 0 {
		return axis{start: 0, step: 1, n: n}
	}
	return a
}
