package storedtile

import (
	"bytes"
	"context"
	"image"
	"math"
	"os"

	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/source"
)

// reach is how many samples beyond a region its filter looks at, in samples of the answer, and pixels on top: at least
// what the renderer behind takes.
const reach = 3

// around finds the part of a level that holds all that a job needs, where its pixels are to be resampled, and the job
// for the renderer behind. libvips would open the file, walk its directories and decode the tiles one by one, which for
// a thumbnail costs more than all the rest.
func (f *file) around(job render.Job) (window, render.Job, error) {
	p, err := f.pageOf(job)
	if err != nil {
		return window{}, job, err
	}
	if p.packing != nil && !p.packing.straight(job) {
		return window{}, job, errPass
	}
	full := &p.levels[0]
	page := image.Pt(full.width, full.height)
	if job.Canvas.X > page.X || job.Canvas.Y > page.Y {
		return window{}, job, errPass
	}
	x := axis{job.Region.Min.X, job.Region.Max.X, job.Size.X, job.Canvas.X, page.X, 0}
	y := axis{job.Region.Min.Y, job.Region.Max.Y, job.Size.Y, job.Canvas.Y, page.Y, 0}
	if scale := job.GridScale(); scale > 0 {
		x.step, y.step = scale, scale
	}
	l := p.smallest(math.Min(x.pixels(), y.pixels()))
	if math.Max(x.pixels(), y.pixels()) >= maxStep*float64(l.factor) {
		return window{}, job, errPass
	}
	part := image.Rectangle{Max: image.Pt(l.width, l.height)}
	part.Min.X, part.Max.X = x.within(l.factor, l.width, l.tileWidth)
	part.Min.Y, part.Max.Y = y.within(l.factor, l.height, l.tileHeight)
	if scale := job.GridScale(); p.packing != nil && scale == l.factor && job.Canvas == page {
		// One for one: no filter looks beyond.
		at := job.Region.Min.Div(scale)
		if exact := (image.Rectangle{Min: at, Max: at.Add(job.Size)}); exact.In(part) {
			part = exact
		}
	}
	if part.Empty() {
		return window{}, job, errPass
	}
	w := window{file: f, page: p, level: l, part: part}
	w.cover()
	job.Part = &render.Part{
		Page: page, Factor: l.factor, At: part.Min, Size: part.Size(), Grey: p.grey, XRes: p.xres, YRes: p.yres,
	}
	if p.packing != nil {
		job.Part.Tiles = w.packedTiles()
	}
	job.Page = 0
	return w, job, nil
}

// smallest is the smallest level that still has a pixel for each step of so many pixels of the page.
func (p *page) smallest(step float64) *level {
	best := &p.levels[0]
	for i := range p.levels {
		if l := &p.levels[i]; l.factor > best.factor && float64(l.factor) <= step*(1+1e-6) {
			best = l
		}
	}
	return best
}

// axis is a job along one axis.
type axis struct {
	low, high, size, canvas, page int
	// step is the scale of the grid that the job lies on, or 0.
	step int
}

// pixels of the page for one of the answer.
func (s *axis) pixels() float64 {
	step := float64(s.high-s.low) / float64(s.size)
	if s.step > 0 {
		step = float64(s.step)
	}
	// What is enlarged is made in the canvas's own pixels first.
	return math.Max(step, 1) * float64(s.page) / float64(s.canvas)
}

// within is what the axis needs of a level, on the grid of its tiles: these are decoded in whole rows anyway, and blocks
// of filters and codec lie as they would in the level.
func (s *axis) within(factor, length, tile int) (from, to int) {
	pixels := s.pixels() / float64(factor)
	ratio := float64(s.page) / float64(s.canvas) / float64(factor)
	margin := float64(reach)*math.Max(pixels, 1) + 4 + 4*ratio
	end := math.Max(float64(s.high)*ratio, float64(s.low)*ratio+float64(s.size)*pixels)
	from = max(int(float64(s.low)*ratio-margin), 0) / mcuAlignment * mcuAlignment
	to = min(int(math.Ceil(end+margin)), length)
	return min(from, (length-1)/mcuAlignment*mcuAlignment), to
}

// maxStep is up to where a level is larger than what is asked for. Beyond, a JPEG would be scaled while it is decoded, which
// a TIFF is not, and most of what was cut out would be for nothing.
const maxStep = 2

// mcuAlignment is a multiple of the sides of every MCU that can be joined.
const mcuAlignment = 32

// memory is an original in memory.
type memory struct {
	data []byte
	info source.Info
}

func newMemory(data []byte) *memory { return &memory{data, source.Info{Size: int64(len(data))}} }

// Info implements source.Original.
func (m *memory) Info() source.Info { return m.info }

// ReadAt implements source.Original.
func (m *memory) ReadAt(_ context.Context, p []byte, off int64) (int, error) {
	return bytes.NewReader(m.data).ReadAt(p, off)
}

// File implements source.Original.
func (m *memory) File() *os.File { return nil }

// Close implements source.Original.
func (m *memory) Close() error { return nil }
