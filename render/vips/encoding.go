package vips

import (
	"fmt"
	"image"
	"math"
	"net/http"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
)

// encoder is what writing a format costs and can hold.
type encoder struct {
	// bytes of memory for each pixel, beside the pixels themselves; 0 where a strip at a time is enough.
	bytes int64
	// side is the longest that the format holds; 0 where that is more than can be configured.
	side int
}

// encoders by format. The codecs of AVIF and JPEG XL keep whole pictures in several forms: measured with libheif 1.15,
// libaom 3.6 and libjxl 0.7. libjpeg ends a little before JPEG does.
var encoders = map[render.Format]encoder{
	"jpg":  {side: 65500},
	"pdf":  {side: 65500},
	"gif":  {bytes: 8},
	"webp": {bytes: 4, side: 16383},
	"avif": {bytes: 24, side: 16384},
	"jxl":  {bytes: 48},
}

// made is the size of the picture that is encoded: the scaled region, turned.
func made(job render.Job) image.Point {
	if job.Rotation == 0 {
		return job.Size
	}
	sin, cos := math.Sincos(job.Rotation * math.Pi / 180)
	width, height := float64(job.Size.X), float64(job.Size.Y)
	side := func(v float64) int { return int(math.Ceil(v - epsilon)) }
	return image.Pt(side(math.Abs(width*cos)+math.Abs(height*sin)), side(math.Abs(width*sin)+math.Abs(height*cos)))
}

// encodingBytes is about how many bytes of memory turning and encoding take.
func encodingBytes(job render.Job) int64 {
	size := made(job)
	pixels := int64(size.X) * int64(size.Y)
	bytes := pixels * encoders[job.Format].bytes
	if size != job.Size {
		bytes += 4 * pixels // the turned picture, beside the one before
	}
	return bytes
}

// mostBytes is more than any encoder makes of a picture: that of one without any compression, and some for what files have
// around.
func mostBytes(job render.Job) int64 {
	size := made(job)
	// Every format holds 8 bits of at most 4 samples; what cannot be compressed takes a little more than as it is.
	return 4<<20 + 6*(int64(size.X)+1)*(int64(size.Y)+1)
}

// checkEncoding refuses what a format cannot hold, and what its codec would need more memory for than all renders
// together may have: such a codec cannot be stopped in the midst of its work.
func (r *Renderer) checkEncoding(job render.Job) error {
	e := encoders[job.Format]
	size := made(job)
	if e.side > 0 && (size.X > e.side || size.Y > e.side) {
		return problem.New(http.StatusBadRequest, "size", fmt.Sprintf(
			"The picture would have %d x %d pixels; as %s it can have at most %d on each side", size.X, size.Y, job.Format, e.side))
	}
	if most := r.config.Memory / max(e.bytes, 1); e.bytes > 0 && int64(size.X)*int64(size.Y) > most {
		return tooLarge("The picture would have %d million pixels; as "+string(job.Format)+" at most %d million can be written",
			int64(size.X)*int64(size.Y)/1e6, most/1e6)
	}
	return nil
}

// resolution is the pixels per millimetre of the picture that a job makes, 0 where the original tells none or where it
// has no meaning.
func (h *header) resolution(job render.Job) (x, y float64) {
	x, y = h.xres, h.yres
	if orientations[h.orientation].transpose {
		x, y = y, x
	}
	page := h.size()
	x *= float64(job.Size.X) * float64(job.Canvas.X) / (float64(job.Region.Dx()) * float64(page.X))
	y *= float64(job.Size.Y) * float64(job.Canvas.Y) / (float64(job.Region.Dy()) * float64(page.Y))
	switch {
	case math.Mod(job.Rotation, 180) == 90:
		return y, x
	case math.Mod(job.Rotation, 180) != 0 && math.Abs(x-y) > 0.01*math.Max(x, y):
		return 0, 0
	}
	return x, y
}
