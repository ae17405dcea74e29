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
	// MakePyramid writes a page (from 0) in all its sizes, down to one tile, as a TIFF with tiles of JPEG, of at most limit
	// bytes. What is in them is what Render answers as JPEG: turned as the original asks for, its colours those of sRGB or
	// grey, on white where it is transparent. It runs when the processors have nothing better to do, and errors are those of
	// Render.
	MakePyramid(ctx context.Context, original source.Original, page int, tile image.Point, file PyramidFile, limit int64) error
}

// PyramidFile is what a pyramid is written to, from its beginning on.
type PyramidFile interface {
	io.Writer
	io.WriterAt
}
