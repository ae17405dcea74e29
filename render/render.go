// Package render turns originals into pixels as asked for. This package has the contract; render/vips fulfils it.
package render

import (
	"context"
	"image"

	"github.com/gatehouse-server/gatehouse/source"
)

// Format is an output format, by its IIIF extension: "jpg", "png", "tif", "webp", …
type Format string

// Quality is a IIIF quality: "default", "color", "gray" or "bitonal".
type Quality string

// Capabilities is what the running library can really do, found out by asking it.
type Capabilities struct {
	// Version of the library, for example "libvips 8.14.1".
	Version string
	// Formats that can be written, IIIF extensions in IIIF's order.
	Formats []Format
	// Qualities that can be made.
	Qualities []Quality
	// Loaders that are allowed and present: "jpeg", "png", "tiff", …
	Loaders []string
	// AnyRotation tells whether rotations besides multiples of 90 degrees can be made.
	AnyRotation bool
	// Encoding changes when the same picture would be written in other bytes. It is opaque.
	Encoding string
	// Watermarks tells whether Job.Watermark is drawn. Who renders without drawing it must not be given one.
	Watermarks bool
}

// Info describes one page of an original.
type Info struct {
	// Format of the original as its first bytes tell: "jpeg", "png", "tiff", "pdf", …
	Format string
	// Pages is how many pages may be asked for, at least 1. The reduced levels of a pyramid are no pages.
	Pages int
	// Width and Height of the page in pixels, after the orientation that the file asks for.
	Width, Height int
	// TileWidth and TileHeight are the file's own tiles; 0 when it is not tiled.
	TileWidth, TileHeight int
	// Levels are the sizes that lie in the file besides the full one, largest first.
	Levels []image.Point
	// Grey tells that the picture is stored without colours.
	Grey bool
}

// Job is one picture to be made.
type Job struct {
	// Page counts from 0.
	Page int
	// Canvas is the size of the picture that Region speaks of. It is the page's own size, or, where a decision allows
	// only a smaller image, that image's size: the renderer then behaves as if the original were that small.
	Canvas image.Point
	// Region in canvas pixels, not empty and inside the canvas.
	Region image.Rectangle
	// Size is what the region is scaled to, before rotation. Both sides are at least 1.
	Size image.Point
	// Mirror flips left and right, before the rotation.
	Mirror bool
	// Rotation in degrees, clockwise, 0 ≤ Rotation < 360. The box grows to hold the turned picture.
	Rotation float64
	Quality  Quality
	Format   Format
	// Watermark, unless nil, is drawn onto the scaled region, before it is mirrored, turned and made gray.
	Watermark *Watermark
	// Part, unless nil, tells that the original is no more than a part of the page, and no more is needed.
	Part *Part
}

// Part is a cut-out of one size of a page, as an original of its own: a JPEG, or Tiles, in colours that need no change,
// which nothing has to be read of before. What a job says still speaks of the whole page.
type Part struct {
	// Page is the full size of the page, which needs no turning.
	Page image.Point
	// Factor is how many pixels of the page one of the cut-out covers, across and down.
	Factor int
	// At is where in the page's size by Factor the cut-out begins.
	At image.Point
	// Size of the cut-out in pixels.
	Size image.Point
	// Grey tells a picture without colours.
	Grey bool
	// XRes and YRes are the page's pixels per millimetre of paper; 0 where unknown.
	XRes, YRes float64
	// Tiles, unless nil, tells that the original is no JPEG but the lengths of all tiles, each in 32 bits, lowest byte first,
	// and then the tiles, from left to right and top to bottom. Only a JPEG can be made of them, and only by resampling.
	Tiles *PackedTiles
}

// PackedTiles are tiles as they lie in a TIFF.
type PackedTiles struct {
	// Size of a tile in pixels, Count of them across and down.
	Size, Count image.Point
	// Skip is where in the first tile the part begins.
	Skip image.Point
	// Bands is 1 or 3; Bits of a sample is 8, or with one band 1, packed from the highest bit on.
	Bands, Bits int
	// Deflated tells samples packed by zlib, Predicted those that are stored as differences, Inverted those whose 0 is
	// white.
	Deflated, Predicted, Inverted bool
}

// Renderer makes pictures. It is safe for concurrent use; it queues by itself and stops when ctx ends.
//
// Errors are *problem.Error: 400 a page that is not there (code "page"), 413 more pixels than allowed (code
// "too_large"), 415 no picture, or one of a kind that is not allowed (code "not_an_image", see UnsupportedError), 422
// a broken picture, 503 with RetryAfter a full queue or a render that took too long.
type Renderer interface {
	Capabilities() Capabilities
	// Describe reads the header of a page (from 0).
	Describe(ctx context.Context, original source.Original, page int) (Info, error)
	// Render makes the picture, encoded.
	Render(ctx context.Context, original source.Original, job Job) ([]byte, error)
	// Close frees what belongs to this Renderer. The library behind it stays started: it cannot be started twice.
	Close() error
}

// UnsupportedError stands in the chain of an error with code "not_an_image".
type UnsupportedError struct {
	// Kind names the sort of file in a word for people, by its first bytes or else by its extension: "XLS", "ZIP", "TXT".
	Kind string
}

// Error implements error.
func (e *UnsupportedError) Error() string { return "no picture but " + e.Kind }
