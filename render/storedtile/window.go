package storedtile

import (
	"image"

	"github.com/gatehouse-server/gatehouse/render"
)

// window is a part of a level that is a whole answer.
type window struct {
	file  *file
	page  *page
	level *level
	// part is in pixels of the level.
	part image.Rectangle
	// tiles are those that hold the part, in numbers of tiles.
	tiles image.Rectangle
}

// find finds the level whose pixels a job asks for, one for one.
func (f *file) find(job render.Job) (window, error) {
	if job.Page >= len(f.pages) || len(f.pages[job.Page].levels) == 0 {
		return window{}, errPass
	}
	p := &f.pages[job.Page]
	full := &p.levels[0]
	if job.Canvas != image.Pt(full.width, full.height) || !job.Region.In(image.Rectangle{Max: job.Canvas}) || job.Region.Empty() {
		return window{}, errPass
	}
	if job.Quality == "gray" && !p.grey {
		return window{}, errPass
	}
	scale := job.GridScale()
	for i := range p.levels {
		l := &p.levels[i]
		if scale == 0 || l.factor != scale {
			continue
		}
		at := job.Region.Min.Div(scale)
		w := window{file: f, page: p, level: l, part: image.Rectangle{Min: at, Max: at.Add(job.Size)}}
		// Where a pyramid was halved by leaving the last odd pixel out, an edge asks for more than there is.
		if !w.part.In(image.Rect(0, 0, l.width, l.height)) {
			return window{}, errPass
		}
		w.tiles = image.Rect(
			w.part.Min.X/l.tileWidth, w.part.Min.Y/l.tileHeight,
			(w.part.Max.X-1)/l.tileWidth+1, (w.part.Max.Y-1)/l.tileHeight+1,
		)
		return w, nil
	}
	return window{}, errPass
}

// resolution is what an answer says of its size on paper, in pixels per millimetre.
func (w *window) resolution() (x, y float64) {
	return w.page.xres / float64(w.level.factor), w.page.yres / float64(w.level.factor)
}
