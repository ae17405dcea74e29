package originals

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// Width and Height of the picture: neither is a multiple of a usual tile size, and the lowest row of 256 pixels' tiles
// is one pixel high. At 150 dots per inch they are whole points of a PDF page.
const (
	Width  = 1375
	Height = 1025
)

// Picture is what every kind shows, in sRGB: smooth colours below hard lines, letters and shapes. It has no symmetry,
// so that a wrong turn, shift, scale or colour shows wherever one looks. The caller must not change it.
func Picture() *image.RGBA { return picture() }

var picture = sync.OnceValue(func() *image.RGBA {
	deep := deepPicture()
	out := image.NewRGBA(deep.Rect)
	for i := range out.Pix {
		// Of the 16 bits, the nearest of 256 even steps.
		v := int(deep.Pix[2*i])<<8 | int(deep.Pix[2*i+1])
		out.Pix[i] = uint8((v + 128) / 257)
	}
	return out
})

// deepPicture is the picture in 16 bits a sample.
var deepPicture = sync.OnceValue(func() *image.RGBA64 {
	out := image.NewRGBA64(image.Rect(0, 0, Width, Height))
	for y := range Height {
		for x := range Width {
			out.SetRGBA64(x, y, smooth(float64(x)+0.5, float64(y)+0.5))
		}
	}
	drawLines(out)
	drawShapes(out)
	drawWords(out)
	return out
})

func smooth(x, y float64) color.RGBA64 {
	return deepColour(20+215*x/Width, 128+100*math.Sin(y/90)*math.Cos(x/217), 235-190*y/Height)
}

// deepColour makes a colour of 16 bits from shares of 255.
func deepColour(r, g, b float64) color.RGBA64 {
	at := func(v float64) uint16 { return uint16(math.Round(v * 257)) }
	return color.RGBA64{R: at(r), G: at(g), B: at(b), A: 0xFFFF}
}

// drawLines draws lines of one pixel, and of more, at uneven distances.
func drawLines(m *image.RGBA64) {
	ink, paper := deepColour(15, 20, 40), deepColour(250, 245, 225)
	for i, at := 0, 31; at < Width; i, at = i+1, at+53+7*i {
		fill(m, image.Rect(at, 40, at+1+i%3, Height-25), ink)
	}
	for i, at := 0, 47; at < Height; i, at = i+1, at+67+5*i {
		fill(m, image.Rect(25, at, Width-60, at+1+i%2), paper)
	}
	for i := range 900 {
		m.Set(200+i, 990-i, ink)
		m.Set(400+i, 130+i/2, paper)
	}
}

func fill(m *image.RGBA64, r image.Rectangle, c color.RGBA64) {
	draw.Draw(m, r, image.NewUniform(c), image.Point{}, draw.Src)
}

// drawShapes draws a disc, a triangle, stripes and the frame's corners, each in another colour.
func drawShapes(m *image.RGBA64) {
	for y := range 180 {
		for x := range 180 {
			if (x-90)*(x-90)+(y-90)*(y-90) < 90*90 {
				m.Set(950+x, 120+y, deepColour(200, 40, 45))
			}
			if x > y {
				m.Set(140+x, 620+y, deepColour(40, 150, 70))
			}
		}
	}
	for i := range 40 {
		fill(m, image.Rect(620+2*i, 700, 621+2*i, 800), deepColour(250, 250, 250))
		fill(m, image.Rect(620+4*i, 820, 622+4*i, 860), deepColour(5, 5, 5))
	}
	fill(m, image.Rect(0, 0, 24, 16), deepColour(255, 255, 255))
	fill(m, image.Rect(Width-17, 0, Width, 9), deepColour(240, 220, 20))
	fill(m, image.Rect(0, Height-11, 37, Height), deepColour(0, 0, 0))
	fill(m, image.Rect(Width-9, Height-23, Width, Height), deepColour(30, 40, 220))
}

// drawWords writes small letters, and the same letters four times as large.
func drawWords(m *image.RGBA64) {
	for i, line := range []string{"Gatehouse 1:500", "Plattegrond F-27", "NOORD ^"} {
		write(m, line, image.Pt(300+90*i, 420+31*i), 1, deepColour(0, 0, 0))
		write(m, line, image.Pt(760-170*i, 520+120*i), 4, deepColour(255, 255, 255))
	}
}

// write draws letters whose pixels are squares of side pixels, without smoothing.
func write(m *image.RGBA64, line string, at image.Point, side int, c color.RGBA64) {
	face := basicfont.Face7x13
	mask := image.NewGray(image.Rect(0, 0, 7*len(line), 13))
	drawer := font.Drawer{Dst: mask, Src: image.White, Face: face, Dot: fixed.P(0, face.Ascent)}
	drawer.DrawString(line)
	for y := range mask.Rect.Dy() {
		for x := range mask.Rect.Dx() {
			if mask.GrayAt(x, y).Y > 127 {
				from := at.Add(image.Pt(x, y).Mul(side))
				fill(m, image.Rectangle{from, from.Add(image.Pt(side, side))}, c)
			}
		}
	}
}
