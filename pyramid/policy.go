package pyramid

import (
	"image"

	"github.com/gatehouse-server/gatehouse/render"
)

// Policy says what a pyramid is worth being made for.
type Policy struct {
	// Pixels of an original from which on it has a pyramid; smaller ones are decoded as fast.
	Pixels int64
}

const (
	// defaultTile is the side of tiles where the original has none: that which info.json advertises then.
	defaultTile = 512
	// A file's own tiles are those that are asked for, and taken where they are of a usual size.
	leastTile, mostTile = 128, 1024
	tileMultiple        = 16
)

// For tells whether a page is one for a pyramid, and the tiles that this should have. It is, unless its file already has
// what a pyramid gives: tiles that are quickly decoded, in sizes down to one that costs little.
func (p Policy) For(info render.Info) (tile image.Point, ok bool) {
	page := image.Pt(info.Width, info.Height)
	if int64(page.X)*int64(page.Y) < p.Pixels {
		return tile, false
	}
	tile = image.Pt(defaultTile, defaultTile)
	tiled := info.TileWidth > 0 && info.TileHeight > 0
	if own := image.Pt(info.TileWidth, info.TileHeight); tiled && usual(own.X) && usual(own.Y) {
		tile = own
	}
	if info.Format != "tiff" || !tiled {
		return tile, true
	}
	smallest := page
	for i, level := range append([]image.Point{page}, info.Levels...) {
		if i > 0 && level.X*level.Y < smallest.X*smallest.Y {
			smallest = level
		}
	}
	return tile, int64(smallest.X)*int64(smallest.Y) >= p.Pixels
}

func usual(side int) bool { return side >= leastTile && side <= mostTile && side%tileMultiple == 0 }

// Answers tells whether a job may be answered from a pyramid: as long as it makes a picture that loses something anyway,
// and no more of it than there is. A whole picture in its own size is a conversion of the original, and what is enlarged,
// or made black and white, would show what was lost. urgent tells a job that looks at a part.
func Answers(job render.Job, info render.Info) (ok, urgent bool) {
	if job.Format != "jpg" && job.Format != "webp" || job.Quality == "bitonal" {
		return false, false
	}
	page, region := image.Pt(info.Width, info.Height), job.Region.Size()
	// In pixels of the page.
	if int64(job.Size.X)*int64(job.Canvas.X) > int64(region.X)*int64(page.X) || int64(job.Size.Y)*int64(job.Canvas.Y) > int64(region.Y)*int64(page.Y) {
		return false, false
	}
	whole := job.Region == image.Rectangle{Max: job.Canvas}
	if whole && job.Size == page {
		return false, false
	}
	return true, !whole
}
