package pyramid_test

import (
	"image"
	"testing"

	"github.com/gatehouse-server/gatehouse/pyramid"
	"github.com/gatehouse-server/gatehouse/render"
)

func TestWhatGetsAPyramid(t *testing.T) {
	policy := pyramid.Policy{Pixels: 2_000_000}
	levels := []image.Point{{X: 4000, Y: 3000}, {X: 2000, Y: 1500}, {X: 500, Y: 375}}
	for name, test := range map[string]struct {
		info render.Info
		tile image.Point // zero: none
	}{
		"a flat JPEG":                    {render.Info{Format: "jpeg", Width: 8000, Height: 6000}, image.Pt(512, 512)},
		"a small one":                    {render.Info{Format: "jpeg", Width: 1000, Height: 1999}, image.Point{}},
		"a TIFF in strips":               {render.Info{Format: "tiff", Width: 8000, Height: 6000}, image.Pt(512, 512)},
		"a TIFF in strips, with levels":  {render.Info{Format: "tiff", Width: 8000, Height: 6000, Levels: levels}, image.Pt(512, 512)},
		"a tiled TIFF in one size":       {render.Info{Format: "tiff", Width: 8000, Height: 6000, TileWidth: 256, TileHeight: 256}, image.Pt(256, 256)},
		"one with few sizes":             {render.Info{Format: "tiff", Width: 8000, Height: 6000, TileWidth: 256, TileHeight: 256, Levels: levels[:1]}, image.Pt(256, 256)},
		"a pyramid":                      {render.Info{Format: "tiff", Width: 8000, Height: 6000, TileWidth: 256, TileHeight: 256, Levels: levels}, image.Point{}},
		"a tiled JPEG 2000, with levels": {render.Info{Format: "jp2", Width: 8000, Height: 6000, TileWidth: 1024, TileHeight: 1024, Levels: levels}, image.Pt(1024, 1024)},
		"tiles of an unusual size":       {render.Info{Format: "jp2", Width: 8000, Height: 6000, TileWidth: 8000, TileHeight: 6000}, image.Pt(512, 512)},
		"tiles no JPEG can have":         {render.Info{Format: "jp2", Width: 8000, Height: 6000, TileWidth: 250, TileHeight: 250}, image.Pt(512, 512)},
	} {
		tile, ok := policy.For(test.info)
		if ok != (test.tile != image.Point{}) || ok && tile != test.tile {
			t.Errorf("%s: %v, %t", name, tile, ok)
		}
	}
}

func TestWhatIsAnsweredFromAPyramid(t *testing.T) {
	info := render.Info{Width: 8000, Height: 6000}
	page := image.Pt(8000, 6000)
	tile := render.Job{Canvas: page, Region: image.Rect(0, 0, 512, 512), Size: image.Pt(512, 512), Quality: "default", Format: "jpg"}
	thumbnail := render.Job{Canvas: page, Region: image.Rectangle{Max: page}, Size: image.Pt(200, 150), Quality: "default", Format: "jpg"}
	with := func(job render.Job, change func(*render.Job)) render.Job { change(&job); return job }
	for name, test := range map[string]struct {
		job        render.Job
		ok, urgent bool
	}{
		"a tile":                    {tile, true, true},
		"as WebP":                   {with(tile, func(j *render.Job) { j.Format = "webp" }), true, true},
		"in gray":                   {with(tile, func(j *render.Job) { j.Quality = "gray" }), true, true},
		"turned":                    {with(tile, func(j *render.Job) { j.Rotation = 22.5 }), true, true},
		"a thumbnail":               {thumbnail, true, false},
		"without loss":              {with(tile, func(j *render.Job) { j.Format = "png" }), false, false},
		"in black and white":        {with(tile, func(j *render.Job) { j.Quality = "bitonal" }), false, false},
		"enlarged":                  {with(tile, func(j *render.Job) { j.Size.X = 513 }), false, false},
		"a conversion":              {with(thumbnail, func(j *render.Job) { j.Size = page }), false, false},
		"all of a small tier":       {with(thumbnail, func(j *render.Job) { j.Canvas, j.Region.Max = image.Pt(400, 300), image.Pt(400, 300) }), true, false},
		"part of a small tier":      {with(tile, func(j *render.Job) { j.Canvas = image.Pt(800, 600) }), true, true},
		"a small tier, enlarged":    {with(tile, func(j *render.Job) { j.Canvas, j.Region = image.Pt(800, 600), image.Rect(0, 0, 10, 10) }), false, false},
		"more than the page itself": {with(tile, func(j *render.Job) { j.Canvas = image.Pt(16000, 12000) }), false, false},
	} {
		if ok, urgent := pyramid.Answers(test.job, info); ok != test.ok || urgent != test.urgent {
			t.Errorf("%s: %t, urgent %t", name, ok, urgent)
		}
	}
}
