package conformance_test

import (
	"fmt"
	"image"
	"math"
	"testing"
)

// expectation is what a picture of a smooth image should be, by the formula alone.
type expectation struct {
	region  image.Rectangle
	size    image.Point // the region's own size where zero
	mirror  bool
	degrees float64
	gray    bool
	most    float64 // the greatest difference that is allowed, in levels of 255
	mean    float64 // the mean difference that is allowed
	skip    float64 // how many pixels along the edges of the content are not looked at
	outside string  // "clear" or "white": what lies beside a turned picture
	largest float64 // how much larger than computed the box of a turned picture may be, in pixels
}

// exact is a part that is neither scaled nor turned, in a format without loss: one level for rounding.
func exact(region image.Rectangle) expectation {
	return expectation{region: region, most: 0.51, mean: 0.5}
}

// resampled allows what good ways of scaling differ by.
func resampled(region image.Rectangle, width, height int) expectation {
	return expectation{region: region, size: image.Pt(width, height), most: 3, mean: 0.7, skip: 2}
}

// turned adds a rotation by any angle, about the middle: interpolation between pixels, and a box that is the next whole
// number of pixels.
func (e expectation) turned(degrees float64, outside string) expectation {
	e.degrees, e.outside = degrees, outside
	e.most, e.mean, e.skip, e.largest = 3.5, 1.2, 2.5, 1
	return e
}

// right adds a rotation by a right angle, which moves pixels and changes none.
func (e expectation) right(degrees float64, mirror bool) expectation {
	e.degrees, e.mirror = degrees, mirror
	return e
}

// lossy allows what JPEG and WebP at usual qualities lose of a smooth picture.
func (e expectation) lossy() expectation {
	e.most, e.mean = e.most+16, e.mean+3
	if e.outside != "" {
		// Blocks of 16 by 16 pixels with an edge in them lose more of their colours, and ring.
		e.most, e.mean, e.skip = e.most+4, e.mean+1, 12
	}
	return e
}

// inGray compares with the luma of ITU-R BT.601, of which both specifications leave the choice.
func (e expectation) inGray() expectation {
	e.gray, e.most = true, e.most+0.6
	return e
}

func pixels(r image.Rectangle) string {
	return fmt.Sprintf("%d,%d,%d,%d", r.Min.X, r.Min.Y, r.Dx(), r.Dy())
}

func luma(c [3]float64) float64 { return 0.299*c[0] + 0.587*c[1] + 0.114*c[2] }

// smoothOf is the formula behind an identifier.
func smoothOf(id string) smooth {
	return map[string]smooth{cardID: {600, 400}, exampleID: {300, 200}, tallID: {210, 600}, equalID: {320, 320}}[id]
}

// matches compares a picture with the formula.
func (p *probe) matches(id, params string, e expectation) {
	p.Helper()
	path := p.address(id, params)
	e.compare(p.T, path, p.decoded(path), smoothOf(id))
}

// source finds the point of the image that the centre of a pixel shows, and how far inside of the content it is.
func (e expectation) source(box image.Point, x, y int) (u, v, inside float64) {
	w, h := float64(e.size.X), float64(e.size.Y)
	dx, dy := float64(x)+0.5-float64(box.X)/2, float64(y)+0.5-float64(box.Y)/2
	sin, cos := math.Sincos(e.degrees * math.Pi / 180)
	// Turning clockwise took the content here; the inverse leads back.
	sx, sy := dx*cos+dy*sin+w/2, -dx*sin+dy*cos+h/2
	inside = min(sx, w-sx, sy, h-sy)
	if e.mirror {
		sx = w - sx
	}
	return float64(e.region.Min.X) + sx*float64(e.region.Dx())/w, float64(e.region.Min.Y) + sy*float64(e.region.Dy())/h, inside
}

func (e expectation) compare(t testing.TB, what string, got *image.NRGBA, f smooth) {
	t.Helper()
	if e.size == (image.Point{}) {
		e.size = e.region.Size()
	}
	box := got.Bounds().Size()
	sin, cos := math.Sincos(e.degrees * math.Pi / 180)
	width := float64(e.size.X)*math.Abs(cos) + float64(e.size.Y)*math.Abs(sin)
	height := float64(e.size.Y)*math.Abs(cos) + float64(e.size.X)*math.Abs(sin)
	for _, side := range [][2]float64{{float64(box.X), width}, {float64(box.Y), height}} {
		if d := side[0] - side[1]; d < -1e-6 || d > e.largest+1e-6 {
			t.Errorf("%s is %v, want %.2f by %.2f", what, box, width, height)
			return
		}
	}
	var sum, most float64
	var worst image.Point
	count := 0
	// Sampling every other row and column of scaled pictures finds as much in a quarter of the time.
	step := 1
	if e.skip > 0 {
		step = 2
	}
	for y := 0; y < box.Y; y += step {
		for x := 0; x < box.X; x += step {
			u, v, inside := e.source(box, x, y)
			if inside < e.skip {
				if inside < -e.skip && !e.empty(got, x, y) {
					t.Errorf("%s: %d,%d beside the picture is %v", what, x, y, got.NRGBAAt(x, y))
					return
				}
				continue
			}
			d := e.difference(got, x, y, f.at(u, v))
			sum, count = sum+d, count+1
			if d > most {
				most, worst = d, image.Pt(x, y)
			}
		}
	}
	if count == 0 {
		t.Errorf("%s: nothing to compare", what)
		return
	}
	if mean := sum / float64(count); most > e.most || mean > e.mean {
		u, v, _ := e.source(box, worst.X, worst.Y)
		t.Errorf("%s: differs by %.2f at most (allowed %.2f) and %.2f in the mean (allowed %.2f); at %v it is %v, want %.1f",
			what, most, e.most, mean, e.mean, worst, got.NRGBAAt(worst.X, worst.Y), f.at(u, v))
	}
}

// difference is the greatest of the three colours'.
func (e expectation) difference(got *image.NRGBA, x, y int, want [3]float64) float64 {
	if e.gray {
		l := luma(want)
		want = [3]float64{l, l, l}
	}
	c := got.NRGBAAt(x, y)
	if c.A != 255 {
		return 255
	}
	return max(math.Abs(float64(c.R)-want[0]), math.Abs(float64(c.G)-want[1]), math.Abs(float64(c.B)-want[2]))
}

func (e expectation) empty(got *image.NRGBA, x, y int) bool {
	c := got.NRGBAAt(x, y)
	if e.outside == "clear" {
		return c.A == 0
	}
	return min(c.R, c.G, c.B) >= 230 && c.A == 255
}
