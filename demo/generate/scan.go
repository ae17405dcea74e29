package main

import (
	"image"
	"image/color"
	"math"
)

// A4 at 200 dots per inch.
const scanWidth, scanHeight = 1654, 2339

// letter is a typed page.
type letter struct {
	heading, reference string
	lines              []string
	stamp              string
}

// scan makes a page as it comes from a scanner: yellowed paper, uneven ink, a stamp, punched holes, not quite straight.
func scan(l letter, mono, bold *typeface, seed int) (*image.RGBA, error) {
	s := newScene(scanWidth, scanHeight, color.RGBA{255, 255, 255, 255})
	ink := s.layer(color.RGBA{38, 34, 46, 255})
	red := s.layer(color.RGBA{186, 40, 44, 255})
	ink.text(bold, point{180, 230}, 46, 0, l.heading)
	ink.line(point{180, 262}, point{scanWidth - 180, 262}, 3)
	ink.text(mono, point{180, 330}, 27, 0, l.reference)
	for i, words := range l.lines {
		typed(ink, mono, point{180, 440 + 46*float64(i)}, words, seed+i)
	}
	if l.stamp != "" {
		stamp(red, bold, point{1230, 2010}, l.stamp)
	}
	return aged(s.Draw(image.Rect(0, 0, scanWidth, scanHeight), 1), seed), s.err
}

// typed writes letter by letter, each a little off, as a machine with worn types does.
func typed(l *layer, face *typeface, at point, words string, seed int) {
	const size, pitch = 28.0, 17.2
	for i, r := range []rune(words) {
		dx, dy := (hash(i, 0, seed)-0.5)*1.6, (hash(i, 1, seed)-0.5)*2.4
		l.text(face, at.plus(float64(i)*pitch+dx, dy), size, (hash(i, 2, seed)-0.5)*0.03, string(r))
	}
}

func stamp(l *layer, face *typeface, centre point, words string) {
	l.arc(centre, 190, 0, 2*math.Pi, 9)
	l.arc(centre, 170, 0, 2*math.Pi, 4)
	l.line(centre.plus(-165, 2), centre.plus(150, -75), 4)
	l.line(centre.plus(-150, 75), centre.plus(165, -2), 4)
	l.centred(face, centre, 56, -0.24, words)
}

// aged lays the page on paper, turned by a third of a degree.
func aged(page *image.RGBA, seed int) *image.RGBA {
	out := image.NewRGBA(page.Bounds())
	sin, cos := math.Sincos(0.006)
	for y := range scanHeight {
		for x := range scanWidth {
			u, v := float64(x)-scanWidth/2, float64(y)-scanHeight/2
			ink := sample(page, u*cos+v*sin+scanWidth/2, v*cos-u*sin+scanHeight/2)
			put(out, x, y, paperAt(x, y, seed).multiply(ink))
		}
	}
	return out
}

func (a tone) multiply(b tone) tone { return tone{a.r * b.r, a.g * b.g, a.b * b.b} }

// paperAt is the bare paper: warm, blotched, darker at the edges, with two punched holes.
func paperAt(x, y, seed int) tone {
	u, v := float64(x), float64(y)
	edge := min(u, v, scanWidth-u, scanHeight-v)
	light := 0.93 + 0.05*fractal(u/260, v/260, 4, seed) - 0.14*math.Exp(-edge/28) + (hash(x, y, seed)-0.5)*0.03
	paper := tone{0.985, 0.955, 0.88}.times(light).mix(tone{0.80, 0.66, 0.46}, 0.35*step(0.60, 0.85, fractal(u/420, v/420, 3, seed+9)))
	for _, hole := range []float64{scanHeight/2 - 315, scanHeight/2 + 315} {
		distance := math.Hypot(u-70, v-hole)
		paper = paper.mix(tone{0.16, 0.15, 0.15}, step(26, 23, distance))
	}
	return paper
}

// sample reads between pixels.
func sample(m *image.RGBA, x, y float64) tone {
	ix, iy := int(math.Floor(x)), int(math.Floor(y))
	fx, fy := x-float64(ix), y-float64(iy)
	top := pixel(m, ix, iy).mix(pixel(m, ix+1, iy), fx)
	return top.mix(pixel(m, ix, iy+1).mix(pixel(m, ix+1, iy+1), fx), fy)
}

func pixel(m *image.RGBA, x, y int) tone {
	if !image.Pt(x, y).In(m.Bounds()) {
		return tone{1, 1, 1}
	}
	c := m.RGBAAt(x, y)
	return tone{float64(c.R) / 255, float64(c.G) / 255, float64(c.B) / 255}
}

// gray makes a page as an office scanner does.
func gray(m *image.RGBA) *image.Gray {
	out := image.NewGray(m.Bounds())
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			out.Set(x, y, m.RGBAAt(x, y))
		}
	}
	return out
}
