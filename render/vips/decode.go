package vips

import (
	"image"
	"math"

	"github.com/gatehouse-server/gatehouse/render/tiffdir"
)

// decoding is how a header's picture is opened for a plan: which of its smaller forms, and what that costs.
type decoding struct {
	// page that the library is told, shrink for JPEG, scale for PDF.
	page, shrink int
	scale        float64
	// directory of a TIFF.
	directory *tiffdir.Directory
	// size of what is loaded; zero where it is not known.
	size image.Point
	// x and y of the plan, in pixels of what is loaded.
	x, y axis
	// pixels that are decoded; held, how many of these are in memory at once.
	pixels, held int64
}

// epsilon forgives what arithmetic of floats adds to a scale.
const epsilon = 1e-6

// choose picks the smallest form of the picture that still has all that the plan needs.
func (h *header) choose(p plan) decoding {
	if h.part != nil {
		factor := float64(h.part.Factor)
		p.x, p.y = p.x.scaled(factor), p.y.scaled(factor)
		p.x.start -= float64(h.part.At.X)
		p.y.start -= float64(h.part.At.Y)
	}
	step := math.Min(p.x.step, p.y.step) * (1 + epsilon)
	switch h.format {
	case "tiff":
		return h.chooseTIFF(p, step)
	case "jpeg":
		return h.chooseJPEG(p, step)
	case "jp2":
		return h.chooseJP2(p, step)
	case "pdf":
		return h.choosePDF(p)
	}
	d := decoding{page: h.page, shrink: 1, scale: 1, size: image.Pt(h.width, h.height), x: p.x, y: p.y}
	if h.format == "png" || h.format == "jxl" {
		d.page = 0
	}
	d.countRows(h.held)
	if h.part != nil && h.part.Tiles != nil {
		// All of each tile is unpacked, however little of it shows.
		t := h.part.Tiles
		d.pixels = int64(t.Count.X) * int64(t.Count.Y) * int64(t.Size.X) * int64(t.Size.Y)
	}
	if h.format == "gif" {
		// Each frame is drawn over the ones before.
		d.pixels *= int64(h.page + 1)
	}
	return d
}

// countRows counts what a decoder that goes from top to bottom has to do.
func (d *decoding) countRows(held bool) {
	_, bottom := d.y.span(d.size.Y)
	if held {
		bottom = d.size.Y
	}
	d.pixels = int64(d.size.X) * int64(bottom)
	if held {
		d.held = d.pixels
	}
}

// What a tile costs at least, in pixels: finding, opening and keeping one takes time and memory however small it is, and
// a few bytes can claim millions of tiles of one pixel. OpenJPEG makes a decoder for each.
const (
	leastTIFFTile = 32 * 32
	leastJP2Tile  = 128 * 128
)

// countBlocks counts what a decoder has to do that decodes whole tiles, each of which costs least pixels at least.
func (d *decoding) countBlocks(width, height int, least int64) {
	left, right := d.x.span(d.size.X)
	top, bottom := d.y.span(d.size.Y)
	across := int64((right-1)/width - left/width + 1)
	down := int64((bottom-1)/height - top/height + 1)
	each := max(int64(width)*int64(height), least)
	d.pixels = across * down * each
	// One row of tiles is kept at a time, and the one before.
	d.held = across * min(down, 2) * each
}

// chooseJPEG lets libjpeg scale: by eighths of a block in the frequency domain, exactly.
func (h *header) chooseJPEG(p plan, step float64) decoding {
	shrink := 1
	for shrink < 8 && float64(shrink*2) <= step {
		shrink *= 2
	}
	d := decoding{
		shrink: shrink, scale: 1, x: p.x.scaled(float64(shrink)), y: p.y.scaled(float64(shrink)),
		size: image.Pt((h.width+shrink-1)/shrink, (h.height+shrink-1)/shrink),
	}
	d.countRows(false)
	if shrink > 1 {
		// libjpeg rounds up, libvips cuts what is no whole pixel off.
		d.size = image.Point{}
	}
	if h.held {
		// The coefficients of all scans are kept in the full size.
		d.held = int64(h.width) * int64(h.height)
		d.pixels = max(d.pixels, d.held)
	}
	return d
}

// chooseTIFF takes the smallest level.
func (h *header) chooseTIFF(p plan, step float64) decoding {
	level, fx, fy := 0, 1.0, 1.0
	for i := 1; i < len(h.levels); i++ {
		x, y := h.levels[0].Factors(&h.levels[i])
		if x <= step && y <= step {
			level, fx, fy = i, x, y
		}
	}
	dir := &h.levels[level]
	d := decoding{directory: dir, shrink: 1, scale: 1, size: image.Pt(dir.Width, dir.Height), x: p.x.scaled(fx), y: p.y.scaled(fy)}
	switch {
	case dir.Tiled():
		d.countBlocks(dir.TileWidth, dir.TileHeight, leastTIFFTile)
	case stripsAtOnce(dir.Compression):
		_, bottom := d.y.span(d.size.Y)
		rows := min((bottom+dir.RowsPerStrip-1)/dir.RowsPerStrip*dir.RowsPerStrip, dir.Height)
		d.pixels = int64(dir.Width) * int64(rows)
		d.held = int64(dir.Width) * int64(dir.RowsPerStrip)
	default:
		d.countRows(false)
	}
	return d
}

// stripsAtOnce tells the compressions of libtiff whose strips are decoded as a whole: JPEG old and new, JPEG 2000,
// WebP, LERC.
func stripsAtOnce(compression int) bool {
	switch compression {
	case 6, 7, 33003, 33005, 34712, 34887, 50001:
		return true
	}
	return false
}

// chooseJP2 lets the decoder leave resolutions out.
func (h *header) chooseJP2(p plan, step float64) decoding {
	r := 0
	for r < h.jp2.reductions && float64(int(2)<<r) <= step {
		r++
	}
	factor := float64(int(1) << r)
	d := decoding{
		page: r, shrink: 1, scale: 1, size: image.Pt(ceilShift(h.width, r), ceilShift(h.height, r)),
		x: p.x.scaled(factor), y: p.y.scaled(factor),
	}
	if h.jp2.tiled() {
		d.countBlocks(max(1, h.jp2.tileWidth>>r), max(1, h.jp2.tileHeight>>r), leastJP2Tile)
	} else {
		d.countRows(true)
	}
	return d
}

// pdfBlock is the side of the squares in which libvips draws a page.
const pdfBlock = 4000

// maxPDFSide bounds a page as it is drawn; what is enlarged beyond is enlarged as pixels. The library holds ten million.
const maxPDFSide = 200_000

// choosePDF draws the page in the size that is asked for.
func (h *header) choosePDF(p plan) decoding {
	factor := math.Max(math.Min(p.x.step, p.y.step), float64(max(h.width, h.height))/maxPDFSide)
	d := decoding{page: h.page, shrink: 1, scale: 1 / factor, x: p.x.scaled(factor), y: p.y.scaled(factor)}
	size := image.Pt(int(math.Round(float64(h.width)/factor)), int(math.Round(float64(h.height)/factor)))
	d.size = image.Pt(max(size.X, 1), max(size.Y, 1))
	d.countBlocks(min(pdfBlock, d.size.X), min(pdfBlock, d.size.Y), 1)
	// The library rounds the size by rules of its own.
	d.size = image.Point{}
	return d
}
