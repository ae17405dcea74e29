package pictures

import "image"

// Drawing is a picture that is drawn part by part, at full size or reduced, so that it never has to be in memory as a
// whole.
type Drawing interface {
	// Size in pixels.
	Size() image.Point
	// Draw makes the part r of the picture reduced by shrink (1, 2, 4, …), in the reduced picture's pixels. r may
	// reach beyond the picture. It is called by several goroutines at once.
	Draw(r image.Rectangle, shrink int) *image.RGBA
}

// Parts makes a Drawing of a picture that is in memory.
func Parts(m *image.RGBA) Drawing { return held{m} }

type held struct{ m *image.RGBA }

func (h held) Size() image.Point { return h.m.Bounds().Size() }

// Draw averages squares of shrink x shrink pixels; at the edges those that exist.
func (h held) Draw(r image.Rectangle, shrink int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, r.Dx(), r.Dy()))
	all := h.m.Bounds()
	for y := range r.Dy() {
		for x := range r.Dx() {
			from := image.Pt(r.Min.X+x, r.Min.Y+y).Mul(shrink).Add(all.Min)
			square := image.Rectangle{from, from.Add(image.Pt(shrink, shrink))}.Intersect(all)
			if !square.Empty() {
				copy(out.Pix[out.PixOffset(x, y):], h.average(square))
			}
		}
	}
	return out
}

func (h held) average(square image.Rectangle) []byte {
	var sum [4]int
	for y := square.Min.Y; y < square.Max.Y; y++ {
		row := h.m.Pix[h.m.PixOffset(square.Min.X, y):h.m.PixOffset(square.Max.X, y)]
		for i, v := range row {
			sum[i%4] += int(v)
		}
	}
	n := square.Dx() * square.Dy()
	out := make([]byte, 4)
	for i := range out {
		out[i] = byte((sum[i] + n/2) / n)
	}
	return out
}
