package render

import (
	"context"
	"image"
	"io"

	"github.com/gatehouse-server/gatehouse/source"
)

// PyramidMaker is a Renderer that makes tiled pyramids of originals from which a tile costs much: those that have to be
// decoded from their first row on, or by a slow codec.
type PyramidMaker interface {
	// MakePyramid writes a page (from 0) in all its sizes, down to that of a thumbnail, as a TIFF with tiles of JPEG, of at most limit
	// bytes. What is in them is what Render answers as JPEG: turned as the original asks for, its colours those of sRGB or
	// grey, on white where it is transparent. When it is idle work, the processors do everything else first. Errors are those
	// of Render.
	MakePyramid(ctx context.Context, original source.Original, page PyramidPage, file PyramidFile, limit int64) error
}

// PyramidPage says what a pyramid is made of, and how.
type PyramidPage struct {
	// Page counts from 0.
	Page int
	// Tile is the size of the tiles: multiples of 16.
	Tile image.Point
	// Idle tells that nobody is in need of it.
	Idle bool
}

// PyramidFile is what a pyramid is written to, from its beginning on.
type PyramidFile interface {
	io.Writer
	io.WriterAt
}
