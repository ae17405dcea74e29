package main

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// point is a place in the full-size picture, in pixels.
type point struct{ x, y float64 }

func (p point) plus(dx, dy float64) point { return point{p.x + dx, p.y + dy} }

// shape is a filled outline, or several of them, with its box for a quick look whether it matters to a tile.
type shape struct {
	contours [][]point
	min, max point
}

// layer is all that is painted in one colour.
type layer struct {
	scene  *scene
	ink    color.RGBA
	shapes []shape
}

// scene is a picture made of shapes. It can be drawn at any reduction without ever being in memory as a whole.
type scene struct {
	size   image.Point
	paper  color.RGBA
	layers []*layer
	// err is the first text that could not be written.
	err error
}

func newScene(width, height int, paper color.RGBA) *scene {
	return &scene{size: image.Pt(width, height), paper: paper}
}

// layer adds a colour on top of what is there.
func (s *scene) layer(ink color.RGBA) *layer {
	l := &layer{scene: s, ink: ink}
	s.layers = append(s.layers, l)
	return l
}

// Size implements pictures.Drawing.
func (s *scene) Size() image.Point { return s.size }

// Draw implements pictures.Drawing.
func (s *scene) Draw(r image.Rectangle, shrink int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, r.Dx(), r.Dy()))
	fill(out, s.paper)
	scale := 1 / float64(shrink)
	raster := vector.NewRasterizer(r.Dx(), r.Dy())
	for _, l := range s.layers {
		raster.Reset(r.Dx(), r.Dy())
		touched := false
		for _, sh := range l.shapes {
			if sh.max.x*scale < float64(r.Min.X) || sh.min.x*scale > float64(r.Max.X) ||
				sh.max.y*scale < float64(r.Min.Y) || sh.min.y*scale > float64(r.Max.Y) {
				continue
			}
			touched = true
			for _, contour := range sh.contours {
				for i, p := range contour {
					x, y := float32(p.x*scale-float64(r.Min.X)), float32(p.y*scale-float64(r.Min.Y))
					if i == 0 {
						raster.MoveTo(x, y)
					} else {
						raster.LineTo(x, y)
					}
				}
				raster.ClosePath()
			}
		}
		if touched {
			raster.Draw(out, out.Bounds(), image.NewUniform(l.ink), image.Point{})
		}
	}
	return out
}

func fill(m *image.RGBA, c color.RGBA) {
	for i := 0; i < len(m.Pix); i += 4 {
		m.Pix[i], m.Pix[i+1], m.Pix[i+2], m.Pix[i+3] = c.R, c.G, c.B, c.A
	}
}

func (l *layer) add(contours ...[]point) {
	s := shape{contours: contours, min: point{math.Inf(1), math.Inf(1)}, max: point{math.Inf(-1), math.Inf(-1)}}
	for _, contour := range contours {
		for _, p := range contour {
			s.min = point{min(s.min.x, p.x), min(s.min.y, p.y)}
			s.max = point{max(s.max.x, p.x), max(s.max.y, p.y)}
		}
	}
	l.shapes = append(l.shapes, s)
}

// polygon fills an outline.
func (l *layer) polygon(points ...point) {
	// All outlines run the same way round: where two overlap, opposite ones would cancel each other.
	area := 0.0
	for i, p := range points {
		q := points[(i+1)%len(points)]
		area += p.x*q.y - q.x*p.y
	}
	if area < 0 {
		for i, j := 0, len(points)-1; i < j; i, j = i+1, j-1 {
			points[i], points[j] = points[j], points[i]
		}
	}
	l.add(points)
}

// line strokes from a to b.
func (l *layer) line(a, b point, width float64) {
	length := math.Hypot(b.x-a.x, b.y-a.y)
	if length == 0 {
		return
	}
	dx, dy := (b.x-a.x)/length*width/2, (b.y-a.y)/length*width/2
	l.polygon(a.plus(-dx-dy, -dy+dx), b.plus(dx-dy, dy+dx), b.plus(dx+dy, dy-dx), a.plus(-dx+dy, -dy-dx))
}

// lines strokes from each point to the next.
func (l *layer) lines(width float64, points ...point) {
	for i := 1; i < len(points); i++ {
		l.line(points[i-1], points[i], width)
	}
}

// rectangle strokes a box.
func (l *layer) rectangle(a point, w, h, width float64) {
	l.lines(width, a, a.plus(w, 0), a.plus(w, h), a.plus(0, h), a)
}

// arc strokes a part of a circle; angles in radians.
func (l *layer) arc(centre point, radius, from, to, width float64) {
	steps := max(8, int(math.Abs(to-from)*radius/30))
	steps = min(steps, 400)
	last := centre.plus(radius*math.Cos(from), radius*math.Sin(from))
	for i := 1; i <= steps; i++ {
		angle := from + (to-from)*float64(i)/float64(steps)
		next := centre.plus(radius*math.Cos(angle), radius*math.Sin(angle))
		l.line(last, next, width)
		last = next
	}
}

// typeface writes text as outlines.
type typeface struct {
	font *sfnt.Font
	buf  sfnt.Buffer
}

func newTypeface(ttf []byte) (*typeface, error) {
	f, err := sfnt.Parse(ttf)
	if err != nil {
		return nil, fmt.Errorf("font: %w", err)
	}
	return &typeface{font: f}, nil
}

// text writes a line from a baseline's start, turned by angle (radians), and gives its length.
func (l *layer) text(face *typeface, at point, size, angle float64, words string) float64 {
	advance, err := l.write(face, at, size, angle, words)
	if err != nil && l.scene.err == nil {
		l.scene.err = err
	}
	return advance
}

// centred writes a line around a point.
func (l *layer) centred(face *typeface, centre point, size, angle float64, words string) {
	scratch := &layer{scene: l.scene}
	length := scratch.text(face, point{}, size, 0, words)
	sin, cos := math.Sincos(angle)
	// Capitals are about seven tenths of the size high.
	dx, dy := -length/2, size*0.35
	l.text(face, centre.plus(dx*cos-dy*sin, dx*sin+dy*cos), size, angle, words)
}

func (l *layer) write(face *typeface, at point, size, angle float64, words string) (float64, error) {
	sin, cos := math.Sincos(angle)
	advance := 0.0
	for _, r := range words {
		index, err := face.font.GlyphIndex(&face.buf, r)
		if err != nil {
			return 0, fmt.Errorf("glyph %q: %w", r, err)
		}
		// Outlines come in 64 units a pixel: at 64 pixels an em they are fine enough for any size.
		const em = 64
		outline, err := face.font.LoadGlyph(&face.buf, index, fixed.I(em), nil)
		if err != nil {
			return 0, fmt.Errorf("glyph %q: %w", r, err)
		}
		place := func(p fixed.Point26_6) point {
			x, y := advance+float64(p.X)/64*size/em, float64(p.Y)/64*size/em
			return at.plus(x*cos-y*sin, x*sin+y*cos)
		}
		if contours := flatten(outline, place); len(contours) > 0 {
			l.add(contours...)
		}
		width, err := face.font.GlyphAdvance(&face.buf, index, fixed.I(em), font.HintingNone)
		if err != nil {
			return 0, fmt.Errorf("glyph %q: %w", r, err)
		}
		advance += float64(width) / 64 * size / em
	}
	return advance, nil
}

// flatten turns curves into short straight lines.
func flatten(outline sfnt.Segments, place func(fixed.Point26_6) point) [][]point {
	const steps = 6
	var contours [][]point
	for _, segment := range outline {
		a := segment.Args
		if segment.Op == sfnt.SegmentOpMoveTo {
			contours = append(contours, []point{place(a[0])})
			continue
		}
		current := &contours[len(contours)-1]
		from := (*current)[len(*current)-1]
		switch segment.Op {
		case sfnt.SegmentOpLineTo:
			*current = append(*current, place(a[0]))
		case sfnt.SegmentOpQuadTo:
			b, c := place(a[0]), place(a[1])
			for i := 1; i <= steps; i++ {
				t := float64(i) / steps
				u := 1 - t
				*current = append(*current, point{u*u*from.x + 2*u*t*b.x + t*t*c.x, u*u*from.y + 2*u*t*b.y + t*t*c.y})
			}
		case sfnt.SegmentOpCubeTo:
			b, c, d := place(a[0]), place(a[1]), place(a[2])
			for i := 1; i <= steps; i++ {
				t := float64(i) / steps
				u := 1 - t
				*current = append(*current, point{
					u*u*u*from.x + 3*u*u*t*b.x + 3*u*t*t*c.x + t*t*t*d.x,
					u*u*u*from.y + 3*u*u*t*b.y + 3*u*t*t*c.y + t*t*t*d.y,
				})
			}
		}
	}
	return contours
}
