package viewers_test

import (
	"fmt"
	"image"
	"math"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit/originals"
)

// look is what a page's function of that name tells of the canvas.
type look struct {
	Width, Height        int
	Corner, Right, Below [2]float64
	Columns, Rows, Side  int
	Cells                []byte
}

// pixelsPerPixel is how many of the screen's there are to one of the image.
func (l look) pixelsPerPixel() float64 {
	return math.Hypot(l.Right[0]-l.Corner[0], l.Right[1]-l.Corner[1]) / float64(l.Width)
}

// turned is by how many degrees the image is turned, clockwise.
func (l look) turned() float64 {
	return math.Atan2(l.Right[1]-l.Corner[1], l.Right[0]-l.Corner[0]) * 180 / math.Pi
}

// imageAt gives the place in the image that is seen at a place of the canvas.
func (l look) imageAt(x, y float64) (float64, float64) {
	ax, ay := l.Right[0]-l.Corner[0], l.Right[1]-l.Corner[1]
	bx, by := l.Below[0]-l.Corner[0], l.Below[1]-l.Corner[1]
	x, y = x-l.Corner[0], y-l.Corner[1]
	area := ax*by - ay*bx
	return (x*by - y*bx) / area * float64(l.Width), (y*ax - x*ay) / area * float64(l.Height)
}

// The bounds on how a canvas may differ from the picture, beside what the form of the original and JPEG bring: the
// browser reduces otherwise than a mean does, and edges are half a pixel off.
const (
	usualDifference = 4.0
	cellDifference  = 40
	strayCells      = 0.01
)

// compare tells, as an error, that the canvas does not show the picture. Every square of the canvas that lies wholly in
// the picture counts, and there have to be many.
func (l look) compare(file originals.File) error {
	if l.Width != file.Width || l.Height != file.Height {
		return fmt.Errorf("the image is %d x %d, want %d x %d", l.Width, l.Height, file.Width, file.Height)
	}
	side := float64(l.Side)
	counted, stray, sum := 0, 0, 0.0
	colours := map[[3]uint8]bool{}
	var worst string
	for row := range l.Rows {
		for column := range l.Columns {
			want, ok := l.wanted(file, float64(column)*side, float64(row)*side)
			if !ok {
				continue
			}
			got := l.Cells[3*(row*l.Columns+column):][:3]
			colours[[3]uint8{got[0] >> 4, got[1] >> 4, got[2] >> 4}] = true
			far := 0.0
			for i := range got {
				d := math.Abs(float64(got[i]) - want[i])
				sum += d / 3
				far = max(far, d)
			}
			counted++
			if far > cellDifference+float64(file.Tolerance.Max) {
				stray++
				worst = fmt.Sprintf("at column %d, row %d it is %v, want %.0f", column, row, got, want)
			}
		}
	}
	mean := sum / float64(max(1, counted))
	switch {
	case counted < l.Rows*l.Columns/4:
		return fmt.Errorf("only %d of %d squares show the image", counted, l.Rows*l.Columns)
	case len(colours) < 2:
		return fmt.Errorf("the canvas has one colour")
	case mean > usualDifference+file.Tolerance.Mean || float64(stray) > strayCells*float64(counted):
		return fmt.Errorf("the canvas differs by %.2f in the mean, much in %d of %d squares; %s", mean, stray, counted, worst)
	}
	return nil
}

// A picture that is mirrored, turned, shifted or of other colours is told from the right one.
func TestWrongPicturesAreTold(t *testing.T) {
	right := originals.File{Kind: originals.All()[0], Want: originals.Flat(originals.Picture())}
	for _, l := range []look{
		{Corner: [2]float64{10, 15}, Right: [2]float64{410, 15}, Below: [2]float64{10, 15 + 400.0*originals.Height/originals.Width}},
		{Corner: [2]float64{900, -300}, Right: [2]float64{900, -300 + originals.Width}, Below: [2]float64{900 - originals.Height, -300}},
	} {
		l.Width, l.Height, l.Columns, l.Rows, l.Side = originals.Width, originals.Height, 52, 40, side
		for name, place := range map[string]func(x, y int) (int, int){
			"right":      func(x, y int) (int, int) { return x, y },
			"mirrored":   func(x, y int) (int, int) { return originals.Width - 1 - x, y },
			"upside":     func(x, y int) (int, int) { return x, originals.Height - 1 - y },
			"shifted":    func(x, y int) (int, int) { return max(0, x-40), y },
			"shifted up": func(x, y int) (int, int) { return x, max(0, y-40) },
		} {
			shown := originals.File{Want: image.NewNRGBA(right.Want.Rect)}
			for y := range originals.Height {
				for x := range originals.Width {
					fromX, fromY := place(x, y)
					shown.Want.SetNRGBA(x, y, right.Want.NRGBAAt(fromX, fromY))
				}
			}
			if err := l.showing(shown).compare(right); (err == nil) != (name == "right") {
				t.Errorf("%s, turned by %.0f: %v", name, l.turned(), err)
			}
		}
		gray := originals.File{Want: image.NewNRGBA(right.Want.Rect)}
		for i, v := range right.Want.Pix {
			gray.Want.Pix[i] = v
			if i%4 != 3 {
				gray.Want.Pix[i] = right.Want.Pix[i-i%4+1]
			}
		}
		if err := l.showing(gray).compare(right); err == nil {
			t.Error("gray passes for colours")
		}
	}
}

// showing is the look of a canvas that shows a picture as exactly as can be.
func (l look) showing(file originals.File) look {
	l.Cells = nil
	for row := range l.Rows {
		for column := range l.Columns {
			c, _ := l.wanted(file, float64(column*l.Side), float64(row*l.Side))
			l.Cells = append(l.Cells, uint8(c[0]), uint8(c[1]), uint8(c[2]))
		}
	}
	return l
}

// wanted is the mean of the picture where a square of the canvas shows it. The canvas is never turned but by quarters.
func (l look) wanted(file originals.File, left, top float64) ([3]float64, bool) {
	x0, y0 := l.imageAt(left, top)
	x1, y1 := l.imageAt(left+float64(l.Side), top+float64(l.Side))
	r := image.Rect(int(math.Round(x0)), int(math.Round(y0)), int(math.Round(x1)), int(math.Round(y1)))
	if r.Empty() || !r.In(file.Want.Rect) {
		return [3]float64{}, false
	}
	var sums [3]int
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := file.Want.Pix[file.Want.PixOffset(r.Min.X, y):file.Want.PixOffset(r.Max.X, y)]
		for i := 0; i+3 < len(row); i += 4 {
			// What is transparent is white in a JPEG.
			red, green, blue, lacking := int(row[i]), int(row[i+1]), int(row[i+2]), 255-int(row[i+3])
			if lacking > 0 {
				red, green, blue = red+(255-red)*lacking/255, green+(255-green)*lacking/255, blue+(255-blue)*lacking/255
			}
			sums[0], sums[1], sums[2] = sums[0]+red, sums[1]+green, sums[2]+blue
		}
	}
	pixels := float64(r.Dx() * r.Dy())
	return [3]float64{float64(sums[0]) / pixels, float64(sums[1]) / pixels, float64(sums[2]) / pixels}, true
}
