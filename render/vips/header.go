package vips

// #include "bridge.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"

	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/render/container"
	"github.com/gatehouse-server/gatehouse/render/tiffdir"
	"github.com/gatehouse-server/gatehouse/source"
)

// header is what is known of one page of an original before any pixel is read.
type header struct {
	format string
	page   int
	pages  int
	// width and height as stored, and how to turn that.
	width, height int
	orientation   int
	// bands and bits of the pixels in memory; bits 0 where unknown.
	bands, bits int
	// xres and yres are pixels of the stored picture per millimetre of paper; 0 where unknown.
	xres, yres float64
	// held: whatever is asked for, the whole picture is decoded into memory.
	held bool
	// dropExtra: samples beyond the colours are no alpha.
	dropExtra bool
	// profile is the ICC profile, out of the page's full size: each level is shown by it.
	profile []byte
	// file and levels are a TIFF's; levels[0] is the full size.
	file   *tiffdir.File
	levels []tiffdir.Directory
	// part, unless nil, tells what part of the page the original is; width and height are the part's then.
	part *render.Part
	// jp2 is the code stream's structure.
	jp2 jp2Shape
}

// packedTiles is the format of parts that are tiles, and no file.
const packedTiles = "tiles"

// partHeader is that of a part of a page.
func partHeader(p *render.Part) *header {
	format := "jpeg"
	if p.Tiles != nil {
		format = packedTiles
	}
	h := &header{format: format, pages: 1, width: p.Size.X, height: p.Size.Y, orientation: 1, bands: 3, bits: 8, part: p}
	if p.Grey {
		h.bands = 1
	}
	h.setResolution(p.XRes, p.YRes)
	return h
}

// size of the page after orientation.
func (h *header) size() image.Point {
	if h.part != nil {
		return h.part.Page
	}
	if orientations[h.orientation].transpose {
		return image.Pt(h.height, h.width)
	}
	return image.Pt(h.width, h.height)
}

// info is the header as the contract has it.
func (h *header) info() render.Info {
	size := h.size()
	info := render.Info{Format: h.format, Pages: h.pages, Width: size.X, Height: size.Y, Grey: h.grey()}
	swap := orientations[h.orientation].transpose
	turned := func(x, y int) image.Point {
		if swap {
			return image.Pt(y, x)
		}
		return image.Pt(x, y)
	}
	if len(h.levels) > 0 {
		tile := turned(h.levels[0].TileWidth, h.levels[0].TileHeight)
		info.TileWidth, info.TileHeight = tile.X, tile.Y
		for _, l := range h.levels[1:] {
			info.Levels = append(info.Levels, turned(l.Width, l.Height))
		}
	}
	if h.jp2.tiled() {
		info.TileWidth, info.TileHeight = h.jp2.tileWidth, h.jp2.tileHeight
	}
	for r := 1; r <= h.jp2.reductions; r++ {
		info.Levels = append(info.Levels, image.Pt(ceilShift(h.width, r), ceilShift(h.height, r)))
	}
	return info
}

// grey tells that nothing but lightness is stored, and maybe alpha.
func (h *header) grey() bool {
	if len(h.levels) > 0 {
		photometric := h.levels[0].Photometric
		return photometric == tiffdir.PhotometricWhiteIsZero || photometric == tiffdir.PhotometricBlackIsZero
	}
	return h.bands == 1 || h.bands == 2
}

// cost is about how many bytes of memory the header takes in the cache.
func (h *header) cost() int64 {
	pages := 0
	if h.file != nil {
		for _, p := range h.file.Pages {
			pages += 1 + len(p.Levels)
		}
	}
	return 512 + int64(len(h.profile)) + 384*int64(pages)
}

// maxProfile bounds an embedded profile; those of printing presses have 2 MB.
const maxProfile = 4 << 20

// readTIFF describes a page by the file's directories alone.
func readTIFF(ctx context.Context, original source.Original, page int) (*header, error) {
	r := source.ReaderAt(ctx, original)
	file, err := tiffdir.Read(r, original.Info().Size)
	if err != nil {
		return nil, err
	}
	if page >= len(file.Pages) {
		return nil, &noPageError{page: page, pages: len(file.Pages)}
	}
	p := file.Pages[page]
	if !showable(&p.Directory) {
		return nil, notAnImage("TIFF")
	}
	h := &header{
		format: "tiff", page: page, pages: len(file.Pages), width: p.Width, height: p.Height, orientation: p.Orientation,
		bands: p.SamplesPerPixel, bits: (p.BitsPerSample + 7) / 8 * 8, file: file,
		levels: append([]tiffdir.Directory{p.Directory}, p.Levels...),
		// TIFF 6.0 §18: a sample of kind 0 is of no known use.
		dropExtra: len(p.ExtraSamples) > 0 && p.ExtraSamples[0] == 0,
	}
	h.setResolution(p.XResolution, p.YResolution)
	if p.Profile.Length >= 128 && p.Profile.Length <= maxProfile {
		h.profile = make([]byte, p.Profile.Length)
		n, err := r.ReadAt(h.profile, p.Profile.Offset)
		if n < len(h.profile) {
			if err == nil || errors.Is(err, io.EOF) {
				err = &tiffdir.FormatError{Reason: "the profile is cut off"}
			}
			return nil, err
		}
	}
	return h, nil
}

// showable tells whether the library makes the right picture of a page. It cannot read tiles that hold one colour each.
// YCbCr outside of JPEG it takes for RGB or, where the colours are at a lower resolution, for broken.
func showable(d *tiffdir.Directory) bool {
	const inJPEG, separate = 7, 2
	switch {
	case d.Tiled() && d.PlanarConfig == separate && d.SamplesPerPixel > 1:
		return false
	case d.Photometric == tiffdir.PhotometricYCbCr && d.Compression != inJPEG:
		return false
	}
	return true
}

// noPageError says that a page was asked for that is not there. Pages count from 0.
type noPageError struct{ page, pages int }

func (e *noPageError) Error() string { return fmt.Sprintf("page %d of %d", e.page, e.pages) }

// brokenError says that the library could not make sense of a picture. Its text is the library's: for the log.
type brokenError struct{ text string }

func (e *brokenError) Error() string { return "libvips: " + e.text }

// errNoMemory says that the machine had no memory for a picture.
var errNoMemory = errors.New("out of memory")

// errShape says that a picture has another size than its header told.
var errShape = errors.New("the picture changed its size")

// errEncode says that a picture that was made could not be written.
var errEncode = errors.New("the picture could not be encoded")

// errStopped says that a call ended because it was told to.
var errStopped = errors.New("stopped")

// outcomeOfCall turns the result of a call into an error. failed is the first error that a read of the original gave.
func outcomeOfCall(result int, text string, failed error) error {
	switch result {
	case C.GHV_OK:
		return nil
	case C.GHV_STOPPED:
		return errStopped
	case C.GHV_READ:
		if failed != nil {
			return failed
		}
		return fmt.Errorf("read original: %w", io.ErrUnexpectedEOF)
	case C.GHV_MEMORY:
		return errNoMemory
	case C.GHV_CHANGED:
		return errShape
	case C.GHV_ENCODE:
		return fmt.Errorf("%w: %s", errEncode, text)
	}
	return &brokenError{text: text}
}

// headLoad tells the library to open a page for its header alone.
func headLoad(format string, page, dpi int) C.ghv_load {
	load := C.ghv_load{loader: loaderOf(format), page: C.int(page), shrink: 1, scale: 1, dpi: C.double(dpi)}
	if format == "jp2" || format == "jpeg" || format == "png" || format == "jxl" {
		load.page = 0
	}
	return load
}

// headerOf makes a header of what the library says of a page of any format but TIFF.
func headerOf(format string, page int, said *heading) (*header, error) {
	h := &header{
		format: format, page: page, pages: max(1, said.pages), width: said.width, height: said.height,
		orientation: said.orientation, bands: said.bands, bits: said.bits, held: said.held,
	}
	h.setResolution(said.xres, said.yres)
	if format == "pdf" && min(h.width, h.height) <= 1 {
		// What the library makes of a page whose size it cannot hold.
		return nil, &brokenError{text: "a page of an impossible size"}
	}
	if len(said.profile) <= maxProfile {
		h.profile = said.profile
	}
	if h.orientation < 1 || h.orientation > 8 || format == "heif" || format == "avif" {
		// libheif turns pictures by itself; what an Exif block beside them says is then done already.
		h.orientation = 1
	}
	return h, nil
}

// setResolution keeps what tells something.
func (h *header) setResolution(x, y float64) {
	if !container.Unknown(x) || !container.Unknown(y) {
		h.xres, h.yres = x, y
	}
}
