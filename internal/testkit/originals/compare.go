package originals

import (
	"fmt"
	"image"
)

// Difference is how far two pictures are apart, in steps of 255.
type Difference struct {
	Max  int
	Mean float64
	// At is a pixel where they are furthest apart.
	At image.Point
}

// Check tells, as an error, where pictures differ by more than is allowed.
func (t Tolerance) Check(got, want image.Image) error {
	if got.Bounds().Size() != want.Bounds().Size() {
		return fmt.Errorf("it is %v, want %v", got.Bounds().Size(), want.Bounds().Size())
	}
	d := Compare(got, want)
	if d.Max > t.Max || d.Mean > t.Mean {
		at := d.At
		return fmt.Errorf("samples differ by %d at most and %.3f in the mean, where %d and %.3f are allowed; at %v it is %v, want %v",
			d.Max, d.Mean, t.Max, t.Mean, at, Flat(got).At(at.X, at.Y), Flat(want).At(at.X, at.Y))
	}
	return nil
}

// Compare finds how far two pictures of one size are apart. What is fully transparent in both has no colour.
func Compare(a, b image.Image) Difference {
	p, q := Flat(a), Flat(b)
	var d Difference
	sum := 0
	for i := 0; i < len(p.Pix); i += 4 {
		if p.Pix[i+3] == 0 && q.Pix[i+3] == 0 {
			continue
		}
		for k := i; k < i+4; k++ {
			far := int(p.Pix[k]) - int(q.Pix[k])
			far = max(far, -far)
			sum += far
			if far > d.Max {
				d.Max, d.At = far, image.Pt(i/4%p.Rect.Dx(), i/4/p.Rect.Dx())
			}
		}
	}
	d.Mean = float64(sum) / float64(max(1, len(p.Pix)))
	return d
}

// Flat gives a picture with four samples of 8 bits a pixel, not multiplied by alpha, and its corner at 0,0. It may be m
// itself.
func Flat(m image.Image) *image.NRGBA {
	if n, ok := m.(*image.NRGBA); ok && n.Rect.Min == (image.Point{}) && n.Stride == 4*n.Rect.Dx() {
		return n
	}
	size := m.Bounds().Size()
	out := image.NewNRGBA(image.Rectangle{Max: size})
	switch m := m.(type) {
	case *image.NRGBA:
		for y := range size.Y {
			at := m.PixOffset(m.Rect.Min.X, m.Rect.Min.Y+y)
			copy(out.Pix[y*out.Stride:], m.Pix[at:at+4*size.X])
		}
	case *image.RGBA:
		if m.Opaque() {
			for y := range size.Y {
				at := m.PixOffset(m.Rect.Min.X, m.Rect.Min.Y+y)
				copy(out.Pix[y*out.Stride:], m.Pix[at:at+4*size.X])
			}
			break
		}
		slow(out, m)
	case *image.Gray:
		for y := range size.Y {
			at := m.PixOffset(m.Rect.Min.X, m.Rect.Min.Y+y)
			for x, v := range m.Pix[at : at+size.X] {
				to := out.Pix[y*out.Stride+4*x:]
				to[0], to[1], to[2], to[3] = v, v, v, 255
			}
		}
	default:
		slow(out, m)
	}
	return out
}

func slow(out *image.NRGBA, m image.Image) {
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			out.Set(x, y, m.At(m.Bounds().Min.X+x, m.Bounds().Min.Y+y))
		}
	}
}
