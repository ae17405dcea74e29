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
	p, err := f.pageOf(job)
	if err != nil {
		return window{}, err
	}
	if full := &p.levels[0]; job.Canvas != image.Pt(full.width, full.height) {
		return window{}, errPass
	}
	if p.packing != nil || job.Quality == "gray" && !p.grey {
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
		w.cover()
		return w, nil
	}
	return window{}, errPass
}

// pageOf gives the page of a job that makes sense, if its tiles are of use.
func (f *file) pageOf(job render.Job) (*page, error) {
	if job.Page < 0 || job.Page >= len(f.pages) || len(f.pages[job.Page].levels) == 0 ||
		job.Canvas.X < 1 || job.Canvas.Y < 1 || job.Region.Empty() || !job.Region.In(image.Rectangle{Max: job.Canvas}) ||
		job.Size.X < 1 || job.Size.Y < 1 {
		return nil, errPass
	}
	return &f.pages[job.Page], nil
}

// cover finds the tiles that hold the part.
func (w *window) cover() {
	l := w.level
	w.tiles = image.Rect(
		w.part.Min.X/l.tileWidth, w.part.Min.Y/l.tileHeight, (w.part.Max.X-1)/l.tileWidth+1, (w.part.Max.Y-1)/l.tileHeight+1,
	)
}

// resolution is what an answer says of its size on paper, in pixels per millimetre.
func (w *window) resolution() (x, y float64) {
	return w.page.xres / float64(w.level.factor), w.page.yres / float64(w.level.factor)
}
