package e2e_test

import (
	"fmt"
	"image"
	"image/color"
	"testing"

	kinds "github.com/gatehouse-server/gatehouse/internal/testkit/originals"
)

// assorted are kinds that are each read, cut and reduced in another way.
func assorted() []kinds.Kind {
	return kinds.Named("jpeg", "jpeg orientation 5", "png alpha", "png interlaced", "tiff strips", "tiff pyramid", "tiff tiles of 240",
		"tiff oblong tiles, orientation 6", "jp2 tiles of 240", "pdf page 2, turned by 90")
}

// averaged is how far what is left of a reduced picture may be from what averaging leaves: filters are sharper at hard
// lines. The reduced pictures that lie in JPEG 2000 are made by wavelets, which are sharper still.
func averaged(f kinds.File) kinds.Tolerance {
	if f.Format == "jp2" {
		return kinds.Tolerance{Max: 255, Mean: 6}
	}
	return kinds.Tolerance{Max: 255, Mean: 2.6}
}

// resembles checks that a picture is the reduced one, and in its place: moved by a pixel it would fit less.
func resembles(t *testing.T, what string, f kinds.File, got, want *image.NRGBA) {
	t.Helper()
	got, want = laid(got), laid(want)
	if err := averaged(f).Check(got, want); err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	margin := 1.2
	if f.Format == "jp2" {
		// Its reduced pictures have their samples at the corners of the squares, not at their middles.
		margin = 1
	}
	middle := got.Rect.Inset(1)
	best := kinds.Compare(cut(got, middle), cut(want, middle)).Mean
	for _, by := range []image.Point{{X: -1}, {X: 1}, {Y: -1}, {Y: 1}} {
		if moved := kinds.Compare(cut(got, middle), cut(want, middle.Add(by))).Mean; moved < margin*best {
			t.Errorf("%s: it differs by %.2f, and if it is moved by %v by %.2f", what, best, by, moved)
		}
	}
}

// laid is a picture on gray paper, for what shines through has hardly any colour.
func laid(m *image.NRGBA) *image.NRGBA {
	out := image.NewNRGBA(m.Rect)
	for i, v := range m.Pix {
		alpha := int(m.Pix[i|3])
		if out.Pix[i] = uint8((int(v)*alpha + 128*(255-alpha) + 127) / 255); i%4 == 3 {
			out.Pix[i] = 255
		}
	}
	return out
}

// A tier is a smaller image: its tiles join without seams, its parts are parts of it, and it shows the same picture.
func TestKindsInTiers(t *testing.T) {
	t.Parallel()
	g := newGallery(t, assorted()...)
	for i, f := range g.files {
		e := g.exhibit(t, "small", []string{"2", "3"}[i%2], f)
		size := image.Pt(tierSide, (tierSide*kinds.Height+kinds.Width/2)/kinds.Width)
		if e.size() != size {
			t.Errorf("%s is %v, want %v", e.base, e.size(), size)
			continue
		}
		whole := e.png("full/max/0/default")
		resembles(t, e.base, f, whole, reduced(f.Want, size))
		e.alikeInParts(whole)
		e.seamless()
	}
}

// Each advertised size shows the picture.
func TestKindsInTheirSizes(t *testing.T) {
	t.Parallel()
	g := newGallery(t, assorted()...)
	for i, f := range g.files {
		e := g.exhibit(t, "kinds", []string{"3", "2"}[i%2], f)
		_, factors := e.tile()
		for _, factor := range factors[1:] {
			size := upTo(e.size(), factor)
			got := e.png(fmt.Sprintf("full/%d,%d/0/default", size.X, size.Y))
			resembles(t, fmt.Sprintf("%s at %v", e.base, size), f, got, squares(f.Want, factor))
		}
	}
}

// Tiles that are gray, or turned by a quarter, join as well.
func TestKindsInGrayAndTurned(t *testing.T) {
	t.Parallel()
	g := newGallery(t, kinds.Named("jpeg orientation 5", "png alpha", "tiff pyramid", "tiff tiles of 240")...)
	for i, f := range g.files {
		e := g.exhibit(t, "kinds", []string{"2", "3"}[i%2], f)
		for _, factor := range []int{1, 2} {
			size := upTo(e.size(), factor)
			whole := e.png(fmt.Sprintf("full/%d,%d/0/default", size.X, size.Y))

			gray := e.png(fmt.Sprintf("full/%d,%d/0/gray", size.X, size.Y))
			if err := (kinds.Tolerance{Max: 1, Mean: 0.4}).Check(gray, grayed(whole)); err != nil {
				t.Errorf("%s in gray: %v", e.base, err)
			}
			if err := seams.Check(e.joined(factor, "0/gray", false), gray); err != nil {
				t.Errorf("%s in gray, joined at factor %d: %v", e.base, factor, err)
			}

			turned := e.png(fmt.Sprintf("full/%d,%d/90/default", size.X, size.Y))
			if err := same.Check(turned, quarterTurned(whole)); err != nil {
				t.Errorf("%s turned: %v", e.base, err)
			}
			if err := seams.Check(e.joined(factor, "90/default", true), turned); err != nil {
				t.Errorf("%s turned, joined at factor %d: %v", e.base, factor, err)
			}
		}
	}
}

// squares averages squares of pixels, at the right and lower edge what is left of them, as the tiles of a scale factor
// cover the picture.
func squares(m *image.NRGBA, side int) *image.NRGBA {
	size := upTo(m.Rect.Size(), side)
	return means(m, size, float64(side), float64(side))
}

// reduced averages what each pixel of the smaller picture covers.
func reduced(m *image.NRGBA, size image.Point) *image.NRGBA {
	return means(m, size, float64(m.Rect.Dx())/float64(size.X), float64(m.Rect.Dy())/float64(size.Y))
}

// means gives each pixel the mean of the area of m that it covers, colours weighted by alpha.
func means(m *image.NRGBA, size image.Point, stepX, stepY float64) *image.NRGBA {
	out := image.NewNRGBA(image.Rectangle{Max: size})
	for v := range size.Y {
		for u := range size.X {
			var sum [4]float64
			area := 0.0
			overlap(float64(v)*stepY, float64(v+1)*stepY, m.Rect.Dy(), func(y int, high float64) {
				overlap(float64(u)*stepX, float64(u+1)*stepX, m.Rect.Dx(), func(x int, wide float64) {
					p := m.Pix[m.PixOffset(x, y):]
					weight := high * wide * float64(p[3])
					for k := range 3 {
						sum[k] += weight * float64(p[k])
					}
					sum[3] += weight
					area += high * wide
				})
			})
			if sum[3] > 0 {
				at := func(k int) uint8 { return uint8(sum[k]/sum[3] + 0.5) }
				out.SetNRGBA(u, v, color.NRGBA{R: at(0), G: at(1), B: at(2), A: uint8(sum[3]/area + 0.5)})
			}
		}
	}
	return out
}

// overlap tells each whole step that a range touches, up to a limit, and how much of it.
func overlap(from, to float64, limit int, each func(i int, share float64)) {
	for i := int(from); float64(i) < to && i < limit; i++ {
		each(i, min(to, float64(i+1))-max(from, float64(i)))
	}
}

func grayed(m *image.NRGBA) *image.NRGBA {
	out := image.NewNRGBA(m.Rect)
	for i := 0; i < len(m.Pix); i += 4 {
		y := uint8((299*int(m.Pix[i]) + 587*int(m.Pix[i+1]) + 114*int(m.Pix[i+2]) + 500) / 1000)
		out.Pix[i], out.Pix[i+1], out.Pix[i+2], out.Pix[i+3] = y, y, y, m.Pix[i+3]
	}
	return out
}

// quarterTurned is m turned clockwise: its left side is above.
func quarterTurned(m *image.NRGBA) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, m.Rect.Dy(), m.Rect.Dx()))
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			out.SetNRGBA(m.Rect.Dy()-1-y, x, m.NRGBAAt(x, y))
		}
	}
	return out
}
