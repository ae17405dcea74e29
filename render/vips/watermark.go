package vips

// #include "bridge.h"
import "C"

import (
	"image"

	"github.com/gatehouse-server/gatehouse/render"
)

// markBytes is about how many bytes of memory a watermark takes while it is drawn: its pixels, as they are and as
// floats, and a layer as large as what it covers.
func markBytes(job render.Job) int64 {
	if job.Watermark == nil {
		return 0
	}
	own := job.Watermark.Image.Bounds().Size()
	return int64(own.X)*int64(own.Y)*8 + int64(job.Size.X)*int64(job.Size.Y)*8
}

// mark lays the watermark of a job, which has one, over the samples that the job makes, before these are mirrored or
// turned. Its pixels are those of tight.
func mark(job render.Job) C.ghv_mark {
	w := job.Watermark
	stepX, stepY := float64(job.Region.Dx())/float64(job.Size.X), float64(job.Region.Dy())/float64(job.Size.Y)
	if grid := job.GridScale(); grid > 0 {
		stepX, stepY = float64(grid), float64(grid)
	}
	own, on := w.Image.Bounds().Size(), w.Bounds(job.Canvas)
	return C.ghv_mark{
		width: C.int(own.X), height: C.int(own.Y),
		left: C.double(float64(on.Min.X-job.Region.Min.X) / stepX), top: C.double(float64(on.Min.Y-job.Region.Min.Y) / stepY),
		across: C.double(float64(on.Dx()) / stepX), down: C.double(float64(on.Dy()) / stepY),
		opacity: C.double(w.Opacity), repeat: flag(w.Position == render.PositionTile),
	}
}

// tight gives the pixels of a picture without gaps between its rows.
func tight(im *image.NRGBA) []byte {
	size := im.Bounds().Size()
	line := 4 * size.X
	start := im.PixOffset(im.Rect.Min.X, im.Rect.Min.Y)
	if im.Stride == line {
		return im.Pix[start : start+line*size.Y]
	}
	out := make([]byte, 0, line*size.Y)
	for y := range size.Y {
		at := start + y*im.Stride
		out = append(out, im.Pix[at:at+line]...)
	}
	return out
}
