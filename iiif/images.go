// Package iiif speaks the IIIF Image API 2.1.1 and 3.0: the grammar of its URLs, info.json, canonical forms, content
// negotiation. It makes no pixels and reads nothing but HTTP: what lies behind is an Images.
package iiif

import (
	"context"
	"image"
	"io"
	"time"
)

// Target is the picture that a request speaks of.
type Target struct {
	// Identifier is the path segment as the client sent it, still percent-encoded, less a page suffix (;p=N).
	Identifier string
	// Page counts from 1.
	Page int
	// MaxSide, when positive, is the longest side of the smaller image that the caller may see (a tier). Images makes
	// the image behave as if it were that small: Describe gives the smaller size, Render takes a Plan in its pixels.
	MaxSide int
	// Quality, unless empty, is the most colour that the caller may see: "gray" or "bitonal". A Plan's Quality keeps to it.
	Quality string
	// Watermark, unless empty, names the mark that Render puts on the picture.
	Watermark string
}

// Image describes a Target.
type Image struct {
	// Width and Height in pixels.
	Width, Height int
	// TileWidth and TileHeight are the tiles to advertise, because they lie in the file; 0 when there are none.
	TileWidth, TileHeight int
	// Levels are the sizes besides the full one that lie in the file, largest first.
	Levels []image.Point
	// Pages is how many pages the original has, at least 1.
	Pages int
	// Version changes when the original may have changed. It is opaque, and safe to show once hashed.
	Version string
	// Modified is when the original changed last; zero when unknown.
	Modified time.Time
	// Name is a readable name for downloads, with the original's extension.
	Name string
	// Placeholder tells that the original is no picture and this image only names its kind.
	Placeholder bool
	// Grey tells that the image has no colours.
	Grey bool
}

// Original is an original's own bytes.
type Original struct {
	Content     io.ReadSeekCloser
	Size        int64
	Version     string
	Modified    time.Time
	Name        string
	ContentType string // by its content, never only by what an archive claims
}

// Plan is a request made concrete: pixels in, pixels out.
type Plan struct {
	// Canvas is the image's size as Describe gave it.
	Canvas image.Point
	// Region in canvas pixels, inside the canvas and not empty.
	Region image.Rectangle
	// Size the region is scaled to, before rotation; both at least 1.
	Size     image.Point
	Mirror   bool
	Rotation float64 // degrees clockwise, 0 ≤ Rotation < 360
	Quality  string  // "default", "color", "gray", "bitonal"
	Format   string  // "jpg", "png", …
	// Version is the Image's, as Describe gave it.
	Version string
}

// Capabilities is what the renderer behind can do; info.json promises just this.
type Capabilities struct {
	// Formats and Qualities by their IIIF names.
	Formats   []string
	Qualities []string
	// AnyRotation: rotations besides multiples of 90.
	AnyRotation bool
	// Encoding changes when the same picture would be written in other bytes: with the settings of formats, or another
	// library. It is opaque.
	Encoding string
}

// Images is what the handlers need from the rest of the house. It is only called once a decision allows it. Its
// errors are *problem.Error.
type Images interface {
	Capabilities() Capabilities
	Describe(ctx context.Context, t Target) (Image, error)
	// Render makes the picture out of the version that the Plan names. When the original is another by now, it fails:
	// the answer's entity tag and canvas are the described one's.
	Render(ctx context.Context, t Target, p Plan) ([]byte, error)
	// Original opens the untouched bytes.
	Original(ctx context.Context, t Target) (Original, error)
}
