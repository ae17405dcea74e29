package vips

// #include "bridge.h"
import "C"

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/render/admission"
	"github.com/gatehouse-server/gatehouse/render/container"
	"github.com/gatehouse-server/gatehouse/source"
)

// grace is how long a render that was told to stop may take to do so before its caller is answered without it.
const grace = 100 * time.Millisecond

// Render implements render.Renderer.
func (r *Renderer) Render(ctx context.Context, original source.Original, job render.Job) ([]byte, error) {
	picture, elapsed, err := r.render(ctx, original, job)
	outcome := r.count(ctx, err)
	if elapsed > 0 {
		render.TimerFrom(ctx).Add(elapsed)
	}
	r.config.Observer(elapsed.Seconds(), outcome)
	return picture, err
}

func (r *Renderer) render(ctx context.Context, original source.Original, job render.Job) ([]byte, time.Duration, error) {
	if err := r.check(job); err != nil {
		return nil, 0, err
	}
	h, key, err := r.headerOf(ctx, original, job)
	if err != nil {
		return nil, 0, err
	}
	if page := h.size(); job.Canvas.X > page.X || job.Canvas.Y > page.Y {
		e := problem.Wrap(fmt.Errorf("canvas of %v over a page of %v: %w", job.Canvas, page, source.ErrChanged),
			http.StatusServiceUnavailable, "source_changed", "The original changed while it was read")
		e.RetryAfter = time.Second
		return nil, 0, e
	}
	p := newPlan(job, h.size(), h.orientation, h.format == "pdf")
	d := h.choose(p)
	if d.pixels > r.config.MaxPixels || d.held > r.config.MaxHeldPixels {
		return nil, 0, tooLarge("This part of the image needs %d million pixels to be decoded; at most %d million are allowed",
			max(d.pixels, d.held)/1e6, min(r.config.MaxPixels, r.config.MaxHeldPixels)/1e6)
	}
	if err := r.checkEncoding(job); err != nil {
		return nil, 0, err
	}
	held, err := r.enter(ctx, original, h, admission.Work{
		Bytes: h.memory(p, d, job), Cost: h.renderCost(p, d, job), Caller: render.CallerFrom(ctx),
	})
	if err != nil {
		return nil, 0, err
	}
	limited, cancel := context.WithTimeout(ctx, r.config.TimeLimit)
	defer cancel()
	start := time.Now()
	todo, finish := r.drawing(h, p, d, job)
	picture, err := r.engineFor(h).draw(limited, original, held, todo, finish)
	elapsed := time.Since(start)
	if err != nil {
		if errors.Is(err, errShape) {
			r.headers.Drop(key)
		}
		return nil, elapsed, r.refusal(ctx, limited, r.blame(limited, original, err))
	}
	return picture, elapsed, nil
}

// engineFor is where a picture is made. Tiles that were taken out of their file need no decoder but zlib, and none of what
// the library does: to hand them to a child would cost as much as all the rest.
func (r *Renderer) engineFor(h *header) engine {
	if h.part != nil && h.part.Tiles != nil {
		return prompt{}
	}
	return r.engine
}

// headerOf gives the header of a job's page. That of a part comes with the job.
func (r *Renderer) headerOf(ctx context.Context, original source.Original, job render.Job) (*header, headerKey, error) {
	if job.Part != nil {
		return partHeader(job.Part), headerKey{}, nil
	}
	limited, cancel := context.WithTimeout(ctx, r.config.TimeLimit)
	defer cancel()
	h, key, err := r.header(limited, original, job.Page)
	if err != nil {
		return nil, key, r.refusal(ctx, limited, err)
	}
	return h, key, nil
}

// enter waits for a worker, and for the memory that the work needs.
func (r *Renderer) enter(ctx context.Context, original source.Original, h *header, work admission.Work) (*slot, error) {
	if h.format == "pdf" {
		work.Bytes += original.Info().Size // Poppler takes all of the file
	}
	leave, err := r.admission.Enter(ctx, work)
	if err != nil {
		return nil, err
	}
	held := &slot{leave: leave}
	// In a child, what does not stop is killed.
	if h.format == "pdf" && r.config.Children == nil {
		if err := held.pass(&r.strays, r.config.TimeLimit+grace); err != nil {
			held.end()
			return nil, err
		}
	}
	return held, nil
}

// memory is about how many bytes a render needs at its peak.
func (h *header) memory(p plan, d decoding, job render.Job) int64 {
	sample := int64(max(h.bands, 1)) * int64(max(h.bits, 8)/8)
	switch {
	case h.format == "jpeg" && h.held:
		sample *= 2 // coefficients are of 16 bits
	case h.format == "jp2":
		sample += 8 * int64(max(h.bands, 1)) // OpenJPEG has whole numbers of 32 bits, and once more while it transforms
	}
	made := int64(p.x.n)*int64(p.y.n) + int64(p.x2.n)*int64(p.y2.n)
	if h.part != nil && h.part.Tiles != nil {
		// A row of tiles, and one as it lies in the file and unpacked.
		tile := int64(h.part.Tiles.Size.X) * int64(h.part.Tiles.Size.Y) * int64(h.part.Tiles.Bands)
		made += (int64(h.part.Tiles.Count.X) + 2) * tile
	}
	return 4<<20 + h.jp2.tables + d.held*sample + made*(sample+4) + encodingBytes(job) + markBytes(job)
}

// check refuses a job that cannot be, whatever the original. The protocol in front has refused these in words of its
// own.
func (r *Renderer) check(job render.Job) error {
	bad := func(code, detail string) error { return problem.New(http.StatusBadRequest, code, detail) }
	switch {
	case job.Canvas.X < 1 || job.Canvas.Y < 1 || job.Region.Empty() || !job.Region.In(image.Rectangle{Max: job.Canvas}):
		return bad("region", "The region must lie inside the image and not be empty")
	case job.Size.X < 1 || job.Size.Y < 1 || job.Size.X > r.config.MaxWidth || job.Size.Y > r.config.MaxHeight:
		return bad("size", fmt.Sprintf("The size must be from 1 x 1 to %d x %d pixels", r.config.MaxWidth, r.config.MaxHeight))
	case !(job.Rotation >= 0 && job.Rotation < 360):
		return bad("rotation", "The rotation must be at least 0 and less than 360 degrees")
	case !slices.Contains(r.capabilities.Qualities, job.Quality):
		return bad("quality", "The quality must be one of "+names(r.capabilities.Qualities))
	case !slices.Contains(r.capabilities.Formats, job.Format):
		return bad("format", "The format must be one of "+names(r.capabilities.Formats))
	}
	return nil
}

func names[T ~string](values []T) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = string(v)
	}
	return strings.Join(words, ", ")
}

// drawing is the one call of the library that makes the picture, and finish puts into that what its file has to say
// besides the pixels.
func (r *Renderer) drawing(h *header, p plan, d decoding, job render.Job) (todo *drawing, finish func(*drawn) ([]byte, error)) {
	saver, _ := saverOf(job.Format)
	c := C.ghv_job{
		load: C.ghv_load{
			loader: loaderOf(h.format), page: C.int(d.page), shrink: C.int(d.shrink), scale: C.double(d.scale), dpi: C.double(r.config.PDFDPI),
		},
		width: C.int(d.size.X), height: C.int(d.size.Y),
		x: d.x.c(), y: d.y.c(), x2: p.x2.c(), y2: p.y2.c(),
		upright_transpose: flag(p.upright.transpose), upright_flip_x: flag(p.upright.flipX), upright_flip_y: flag(p.upright.flipY),
		angle: C.double(p.angle), drop_extra: flag(h.dropExtra), format: saver,
		jpeg_quality: C.int(r.config.JPEGQuality), webp_quality: C.int(r.config.WebPQuality), webp_effort: 0, png_compression: 3,
		jp2_quality: C.int(r.config.JP2Quality), avif_quality: C.int(r.config.AVIFQuality), jxl_quality: C.int(r.config.JXLQuality),
		max_side: C.int(2 * (r.config.MaxWidth + r.config.MaxHeight)), straight: flag(straight(p, job)), stream: flag(h.streams(p, job)),
	}
	switch job.Quality {
	case "gray":
		c.quality = C.GHV_GRAY
	case "bitonal":
		c.quality = C.GHV_BITONAL
	}
	todo = &drawing{profile: h.profile, most: mostBytes(job)}
	turned := p.turn
	if w := job.Watermark; w != nil && !w.Image.Bounds().Empty() {
		c.mark, todo.mark, todo.version = mark(job), tight(w.Image), w.Version
		turned = p.asked
	}
	c.transpose, c.flip_x, c.flip_y = flag(turned.transpose), flag(turned.flipX), flag(turned.flipY)
	c.profile_length = C.size_t(len(h.profile))
	c.grey_profile_length, c.colour_profile_length = C.size_t(len(container.Profile(true))), C.size_t(len(container.Profile(false)))
	made := container.Picture{}
	made.XRes, made.YRes = h.resolution(job)
	c.xres, c.yres = C.double(made.XRes), C.double(made.YRes)
	if !made.Sized() {
		// What a TIFF without a known resolution says: a point a pixel.
		c.xres, c.yres = 72/25.4, 72/25.4
	}
	if h.part != nil && h.part.Tiles != nil {
		c.tiles = packed(h.part.Tiles)
	}
	if d.directory != nil {
		todo.patches = only(h.file, d.directory)
	}
	todo.job = c
	return todo, func(picture *drawn) ([]byte, error) {
		made.Width, made.Height = picture.width, picture.height
		made.Grey, made.Alpha = picture.bands < 3, picture.bands%2 == 0
		if job.Format == "jpg" {
			if len(picture.data) < 2 {
				return nil, errEncode
			}
			// Most answers, so that they are copied once only.
			out := container.AppendJPEGStart(make([]byte, 0, len(picture.data)+container.JPEGStartSize), made)
			return append(out, picture.data[2:]...), nil
		}
		return finishFile(bytes.Clone(picture.data), job.Format, made), nil
	}
}

func packed(t *render.PackedTiles) C.ghv_tiles {
	return C.ghv_tiles{
		width: C.int(t.Size.X), height: C.int(t.Size.Y), across: C.int(t.Count.X), down: C.int(t.Count.Y),
		skip_x: C.int(t.Skip.X), skip_y: C.int(t.Skip.Y), bands: C.int(t.Bands), bits: C.int(t.Bits),
		deflated: flag(t.Deflated), predicted: flag(t.Predicted), inverted: flag(t.Inverted),
	}
}

// straight tells the jobs whose files are written row by row: nothing is done to the pixels but resampling, unless it is their
// colours.
func straight(p plan, job render.Job) bool {
	return (job.Format == "jpg" || job.Format == "webp") && job.Quality != "bitonal" && job.Watermark == nil && p.turn == turn{} && p.angle == 0 && p.x2.n == 0 && p.y2.n == 0
}

// streams tells the jobs that go from a JPEG to a file row by row: the colours stay as well.
func (h *header) streams(p plan, job render.Job) bool {
	return straight(p, job) && h.format == "jpeg" && (h.bands == 1 || h.bands == 3) && container.PlainColours(h.profile, h.bands == 1)
}

// finishFile puts into an encoded picture what its file has to say besides the pixels.
func finishFile(data []byte, format render.Format, made container.Picture) []byte {
	switch format {
	case "png":
		return container.PNG(data, made)
	case "webp":
		return container.WebP(data, made)
	case "jp2":
		return container.JP2(data, made)
	case "pdf":
		return container.PDF(container.JPEG(data, made), made)
	}
	return data
}

func (a axis) c() C.ghv_axis {
	// Positions are sums of fractions; what they miss whole pixels by is not meant.
	start := a.start
	if near := math.Round(start); math.Abs(start-near) < 1e-7 {
		start = near
	}
	return C.ghv_axis{start: C.double(start), step: C.double(a.step), n: C.int(a.n)}
}

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

// blame finds out whether a picture that seems broken was changed while it was read: that error comes first. Local
// files are read past the Original, which alone can tell.
func (r *Renderer) blame(ctx context.Context, original source.Original, err error) error {
	var broken *brokenError
	if !errors.As(err, &broken) && !errors.Is(err, errShape) {
		return err
	}
	var one [1]byte
	if _, readErr := original.ReadAt(ctx, one[:], 0); readErr != nil && !errors.Is(readErr, io.EOF) {
		return readErr
	}
	return err
}
