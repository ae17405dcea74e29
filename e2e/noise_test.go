package e2e_test

import (
	"image"
	"image/color"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit/pictures"
)

// noise is a drawing whose tiles are of one colour each, under noise that keeps JPEG from making it small.
type noise struct{ side int }

func (n noise) Size() image.Point { return image.Pt(n.side, n.side) }

// Draw is for pictures.Drawing.
func (n noise) Draw(r image.Rectangle, shrink int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, r.Dx(), r.Dy()))
	for y := range r.Dy() {
		for x := range r.Dx() {
			at := r.Min.Add(image.Pt(x, y)).Mul(shrink)
			c := noisyTile(at.X/256, at.Y/256)
			h := uint32(at.X*73856093) ^ uint32(at.Y*19349663)
			h = (h ^ h>>15) * 2246822519
			v := uint8((h ^ h>>13) % 80)
			out.SetRGBA(x, y, color.RGBA{R: c.R - 40 + v, G: c.G - 40 + v, B: c.B - 40 + v, A: 255})
		}
	}
	return out
}

// noisyTile is the colour of a tile of 256 by 256 pixels, without the noise.
func noisyTile(column, row int) color.RGBA {
	return color.RGBA{R: uint8(50 + column*10%150), G: uint8(50 + row*10%150), B: uint8(60 + (column+row)*20%120), A: 255}
}

// noisyPyramid is a tiled TIFF of all levels that is too large to be fetched as a whole.
func noisyPyramid(t testing.TB) []byte {
	t.Helper()
	data, err := pictures.Pyramid(noise{4096}, 256)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) < 9<<20 {
		t.Fatalf("the picture has %d bytes only", len(data))
	}
	return data
}

// noisyColor checks that a picture is, on the whole, of the colour that the original has at a place.
func noisyColor(t testing.TB, m image.Image, x, y int) {
	t.Helper()
	var sum [3]int
	b := m.Bounds()
	for j := b.Min.Y; j < b.Max.Y; j++ {
		for i := b.Min.X; i < b.Max.X; i++ {
			c := color.RGBAModel.Convert(m.At(i, j)).(color.RGBA)
			sum[0], sum[1], sum[2] = sum[0]+int(c.R), sum[1]+int(c.G), sum[2]+int(c.B)
		}
	}
	n := b.Dx() * b.Dy()
	want := noisyTile(x/256, y/256)
	for i, w := range []uint8{want.R, want.G, want.B} {
		if d := sum[i]/n - int(w); d > 6 || d < -6 {
			t.Errorf("the colour is %d, %d, %d, want %v", sum[0]/n, sum[1]/n, sum[2]/n, want)
			return
		}
	}
}
