package vips

// #include "bridge.h"
import "C"

import (
	"context"
	"runtime"
	"unsafe"

	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/render/container"
	"github.com/gatehouse-server/gatehouse/source"
)

// engine makes the calls of the library, each on one original: in this process, or in another one. The slot is ended
// when the call is.
type engine interface {
	// head reads a header.
	head(ctx context.Context, original source.Original, s *slot, load C.ghv_load) (*heading, error)
	// draw makes a picture and gives what finish makes of it.
	draw(ctx context.Context, original source.Original, s *slot, d *drawing, finish func(*drawn) ([]byte, error)) ([]byte, error)
	// pyramid makes a page in all its sizes, in tiles. What it gives is the tables of all tiles.
	pyramid(ctx context.Context, original source.Original, d *drawing, page render.PyramidPage, take tileSink) (*drawn, error)
}

// heading is what the library says of a page.
type heading struct {
	width, height, bands, bits, pages, orientation int
	xres, yres                                     float64
	held                                           bool
	profile                                        []byte
}

// drawing is all that ghv_render is told, but for the bytes that its pointers are for.
type drawing struct {
	job     C.ghv_job
	profile []byte
	// mark is the pixels of the watermark, and version names them.
	mark    []byte
	version string
	// patches are those of the input.
	patches []C.ghv_patch
	// most is how long the picture can be at most.
	most int64
}

// drawn is a picture as the library made it. Its bytes are the library's, and valid until the call is over.
type drawn struct {
	data                 []byte
	width, height, bands int
}

// here is the engine in this process.
type here struct{}

func (here) head(ctx context.Context, original source.Original, s *slot, load C.ghv_load) (*heading, error) {
	return call(ctx, original, s, func(in *input) (*heading, error) { return in.head(load) })
}

func (here) draw(ctx context.Context, original source.Original, s *slot, d *drawing, finish func(*drawn) ([]byte, error)) ([]byte, error) {
	return call(ctx, original, s, func(in *input) (picture []byte, err error) {
		err = in.draw(d, func(made *drawn) error {
			picture, err = finish(made)
			return err
		})
		return picture, err
	})
}

// prompt is the engine for work that always ends soon: on the goroutine of its caller.
type prompt struct{ here }

func (prompt) draw(ctx context.Context, original source.Original, s *slot, d *drawing, finish func(*drawn) ([]byte, error)) ([]byte, error) {
	defer s.end()
	return alone(ctx, original, func(in *input) (picture []byte, err error) {
		err = in.draw(d, func(made *drawn) error {
			picture, err = finish(made)
			return err
		})
		return picture, err
	})
}

// head reads a header by the library.
func (in *input) head(load C.ghv_load) (*heading, error) {
	var head C.ghv_header
	result := C.ghv_read_header(in.c, &load, &head)
	profile := takeBytes(head.profile, head.profile_length)
	if err := outcomeOfCall(int(result), C.GoString(&head.error[0]), in.failure()); err != nil {
		return nil, err
	}
	return &heading{
		width: int(head.width), height: int(head.height), bands: int(head.bands), bits: int(head.bits), pages: int(head.pages),
		orientation: int(head.orientation), xres: float64(head.xres), yres: float64(head.yres), held: head.held != 0, profile: profile,
	}, nil
}

// draw makes a picture by the library and lends it to use.
func (in *input) draw(d *drawing, use func(*drawn) error) error {
	return in.run(d, func(job *C.ghv_job, picture *C.ghv_picture) C.int { return C.ghv_render(in.c, job, picture) }, use)
}

// run completes a job for a call of the library and lends what that made to use.
func (in *input) run(d *drawing, call func(*C.ghv_job, *C.ghv_picture) C.int, use func(*drawn) error) error {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	lend := func(data []byte) unsafe.Pointer {
		if len(data) == 0 {
			return nil
		}
		pinner.Pin(&data[0])
		return unsafe.Pointer(&data[0])
	}
	job := d.job
	job.profile = lend(d.profile)
	job.grey_profile, job.colour_profile = lend(container.Profile(true)), lend(container.Profile(false))
	job.mark.data = lend(d.mark)
	copy(in.c.patches[:], d.patches)
	in.c.patch_count = C.int(len(d.patches))
	var picture C.ghv_picture
	result := call(&job, &picture)
	defer C.ghv_free(picture.data)
	if err := outcomeOfCall(int(result), C.GoString(&picture.error[0]), in.failure()); err != nil {
		return err
	}
	return use(&drawn{
		data: unsafe.Slice((*byte)(picture.data), picture.length), width: int(picture.width), height: int(picture.height), bands: int(picture.bands),
	})
}
