// Package tiffwrite writes a page in several sizes, in tiles of JPEG, as one TIFF: what every server of pictures takes as
// a tiled pyramid. The tiles come in any order of sizes, as they are made; the directories go to the end.
//
// TIFF 6.0 with the JPEG compression of its Technical Note 2, or BigTIFF where four gigabytes are not enough. The smaller
// sizes follow the full one as directories that say of themselves that they are reduced.
package tiffwrite

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
)

// Page is what the pixels of all sizes are.
type Page struct {
	// Width and Height of the full size, in pixels. Each smaller one has half as many, rounded up, until no side has more
	// than Smallest: a thumbnail is then never made of much more than itself.
	Width, Height int
	// TileWidth and TileHeight in pixels, multiples of 16.
	TileWidth, TileHeight int
}

// Smallest is the longest side of the smallest size, in pixels.
const Smallest = 128

// Sizes of a page, largest first.
func (p Page) Sizes() []image.Point {
	sizes := []image.Point{{X: p.Width, Y: p.Height}}
	for last := sizes[0]; last.X > Smallest || last.Y > Smallest; sizes = append(sizes, last) {
		last = image.Pt((last.X+1)/2, (last.Y+1)/2)
	}
	return sizes
}

// Finish is what is only known once all tiles are there.
type Finish struct {
	// Grey tells that the tiles have one component, and not YCbCr.
	Grey bool
	// Halved tells that colours have half the resolution, across and down.
	Halved bool
	// Tables is the JPEG stream with the tables of all tiles.
	Tables []byte
	// XRes and YRes are pixels per millimetre of paper; 0 where unknown.
	XRes, YRes float64
}

// File is what is written to.
type File interface {
	io.Writer
	io.WriterAt
}

// Writer writes one file. It is not safe for concurrent use.
type Writer struct {
	page   Page
	sizes  []image.Point
	levels []level
	file   File
	out    *bufio.Writer
	at     int64
	limit  int64
}

// level is where the tiles of one size lie.
type level struct {
	offsets []int64
	counts  []uint32
	want    int
}

// headSize is room for the longer one of both headers.
const headSize = 16

// ErrTooLong says that the file would have more bytes than it may.
var ErrTooLong = errors.New("the pyramid is larger than allowed")

// New begins a file of at most limit bytes.
func New(file File, page Page, limit int64) (*Writer, error) {
	if page.Width < 1 || page.Height < 1 || page.TileWidth < 16 || page.TileHeight < 16 || page.TileWidth%16 != 0 || page.TileHeight%16 != 0 {
		return nil, fmt.Errorf("a page of %d x %d in tiles of %d x %d", page.Width, page.Height, page.TileWidth, page.TileHeight)
	}
	w := &Writer{page: page, sizes: page.Sizes(), file: file, out: bufio.NewWriterSize(file, 256<<10), limit: limit}
	w.levels = make([]level, len(w.sizes))
	for i, size := range w.sizes {
		w.levels[i].want = ceilDiv(size.X, page.TileWidth) * ceilDiv(size.Y, page.TileHeight)
	}
	return w, w.write(make([]byte, headSize))
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

func (w *Writer) write(data []byte) error {
	if w.limit-w.at < int64(len(data)) {
		return ErrTooLong
	}
	n, err := w.out.Write(data)
	w.at += int64(n)
	return err
}

// align begins a new word, as everything in a TIFF does.
func (w *Writer) align() error {
	if w.at%2 == 0 {
		return nil
	}
	return w.write([]byte{0})
}

// Tile writes the next tile of a size, counted from the largest: left to right, top to bottom.
func (w *Writer) Tile(size int, data []byte) error {
	if size < 0 || size >= len(w.levels) || len(w.levels[size].offsets) == w.levels[size].want {
		return errors.New("a tile too many")
	}
	if len(data) == 0 || int64(len(data)) > math.MaxUint32 {
		return fmt.Errorf("a tile of %d bytes", len(data))
	}
	if err := w.align(); err != nil {
		return err
	}
	l := &w.levels[size]
	l.offsets, l.counts = append(l.offsets, w.at), append(l.counts, uint32(len(data)))
	return w.write(data)
}

// Finish writes the directories. The file is whole when it returns nil, but not synced.
func (w *Writer) Finish(f Finish) error {
	// Shorter ones would stand where others have their place, and are none.
	if len(f.Tables) <= 8 {
		return fmt.Errorf("JPEG tables of %d bytes", len(f.Tables))
	}
	for i := range w.levels {
		if have := len(w.levels[i].offsets); have != w.levels[i].want {
			return fmt.Errorf("%d of %d tiles of size %d", have, w.levels[i].want, i)
		}
	}
	if err := w.align(); err != nil {
		return err
	}
	// A directory has less than a kilobyte besides its tables.
	end := w.at + int64(len(f.Tables)) + 2
	for i := range w.levels {
		end += 1024 + 12*int64(w.levels[i].want)
	}
	d := directories{writer: w, finish: f, big: end > math.MaxUint32}
	if err := d.write(); err != nil {
		return err
	}
	if err := w.out.Flush(); err != nil {
		return err
	}
	_, err := w.file.WriteAt(d.header(), 0)
	return err
}

// header is the first bytes of the file.
func (d *directories) header() []byte {
	if d.big {
		head := append([]byte("II"), 43, 0, 8, 0, 0, 0)
		return binary.LittleEndian.AppendUint64(head, uint64(d.first)) //nolint:gosec // never negative
	}
	return binary.LittleEndian.AppendUint32(append([]byte("II"), 42, 0), uint32(d.first)) //nolint:gosec // checked before
}
