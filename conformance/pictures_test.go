package conformance_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
)

// smooth is a picture by a formula. It changes so slowly that every good way of scaling and turning it gives the
// formula's own value at the place that a pixel's centre came from: what a picture should be is then known without any
// resampling. It has no symmetry, so that nothing that is moved, mirrored or turned looks like itself.
type smooth struct{ width, height int }

// at is red, green and blue at a point; the centre of the first pixel is at 0.5, 0.5.
func (s smooth) at(x, y float64) [3]float64 {
	u, v := x/float64(s.width), y/float64(s.height)
	wave := func(phase float64) float64 { return math.Sin(2 * math.Pi * phase) }
	return [3]float64{
		128 + 70*u - 35 + 50*wave(3.3*u+0.1) + 25*wave(2.2*v+0.35),
		128 + 60*v - 30 + 55*wave(2.6*v+0.2) + 25*wave(1.7*u-0.9*v),
		120 - 50*u + 25 + 60*wave(2.1*u+1.6*v) + 20*wave(1.3*v),
	}
}

func (s smooth) image() *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, s.width, s.height))
	for y := range s.height {
		for x := range s.width {
			c := s.at(float64(x)+0.5, float64(y)+0.5)
			m.SetNRGBA(x, y, color.NRGBA{R: round(c[0]), G: round(c[1]), B: round(c[2]), A: 255})
		}
	}
	return m
}

func round(v float64) uint8 { return uint8(math.Round(min(max(v, 0), 255))) }

// grayRamp has one band.
func grayRamp(width, height int) *image.Gray {
	m := image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetGray(x, y, color.Gray{Y: round(20 + 150*float64(x)/float64(width) + 60*float64(y)/float64(height))})
		}
	}
	return m
}

// halfClear is red; its right half is transparent.
func halfClear(width, height int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.NRGBA{R: 200, G: 30, B: 40, A: 255}
			if x >= width/2 {
				c.A = 0
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}

// squareColours are the colours of the squares of the validators' picture, by column and row. Ours are other random
// colours than theirs; like theirs, none is black, white or gray.
var squareColours = sync.OnceValue(func() (colours [10][10]color.NRGBA) {
	random := rand.New(rand.NewPCG(10, 10)) //nolint:gosec // Colours are no secrets.
	level := func() uint8 { return uint8(random.IntN(230) + 8) }
	for column := range colours {
		for row := range colours[column] {
			c := color.NRGBA{A: 255}
			for max(c.R, c.G, c.B)-min(c.R, c.G, c.B) < 60 {
				c.R, c.G, c.B = level(), level(), level()
			}
			colours[column][row] = c
		}
	}
	return colours
})

func squareColour(column, row int) color.NRGBA { return squareColours()[column][row] }

// squares is the validators' picture: 1000 by 1000 pixels in 10 by 10 squares of one colour each.
func squares() *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, 1000, 1000))
	for y := range 1000 {
		for x := range 1000 {
			if x%100 == 0 {
				m.SetNRGBA(x, y, squareColour(x/100, y/100))
			} else {
				m.SetNRGBA(x, y, m.NRGBAAt(x-1, y))
			}
		}
	}
	return m
}

func encodePNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
