// Package tiffdir reads the directories of TIFF 6.0 and BigTIFF files, and only these: what pages a file holds, how
// large they are, how they are stored, and which reduced versions of a page lie beside it. Pixel data and the tables
// of tile and strip offsets are never touched, so that a file of gigabytes costs a few small reads.
package tiffdir

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Bounds against files that are made to exhaust a reader. Each is far above what real files hold.
const (
	// maxDirectories bounds all directories together, those in SubIFDs included: a chain of ten thousand would be a
	// cheap way to cause ten thousand reads from an archive.
	maxDirectories = 4096
	// maxEntries bounds the fields of one directory; TIFF 6.0 defines fewer than a hundred.
	maxEntries = 1024
	// maxSubDirectories bounds the SubIFDs of one directory: a pyramid of 2^31 pixels has 31 levels.
	maxSubDirectories = 64
	// maxSide is the largest side of a picture. libvips refuses more than ten million.
	maxSide = 10_000_000
	// blockSize is what one read fetches: nearly every directory with its values fits.
	blockSize = 4096
)

// FormatError says that the bytes are no TIFF file that can be read, and why. An error of the reader itself comes back
// wrapped, and is no FormatError.
type FormatError struct{ Reason string }

// Error implements error.
func (e *FormatError) Error() string { return "broken TIFF: " + e.Reason }

func malformed(format string, args ...any) error {
	return &FormatError{Reason: fmt.Sprintf(format, args...)}
}

// File is what the directories of a file tell.
type File struct {
	// Big tells BigTIFF from TIFF.
	Big bool
	// Order is the byte order of all numbers.
	Order binary.ByteOrder
	// Head is where the header holds the offset of the first directory.
	Head int64
	// Pages of the file in order, at least one.
	Pages []Page
}

// Page is one picture with its reduced versions.
type Page struct {
	Directory
	// Levels are the same picture in smaller sizes, largest first.
	Levels []Directory
}

// Span is a run of bytes in the file.
type Span struct{ Offset, Length int64 }

// Table is a run of unsigned numbers in the file: Count of them, Width bytes each.
type Table struct {
	Offset, Count int64
	Width         int
}

// Directory describes one stored picture. Names and values are those of TIFF 6.0 §8 and §15.
type Directory struct {
	// Offset of the directory in the file, and Next, where the offset of the directory after it is written.
	Offset, Next int64
	// Width and Height in pixels as stored; Orientation does not count.
	Width, Height int
	// TileWidth and TileHeight are 0 where the picture is stored in strips.
	TileWidth, TileHeight int
	// RowsPerStrip is at most Height.
	RowsPerStrip    int
	Subfile         uint32
	Compression     int
	Photometric     int
	BitsPerSample   int
	SamplesPerPixel int
	SampleFormat    int
	PlanarConfig    int
	Orientation     int
	// FillOrder is 2 where the first of several samples in a byte is its lowest bit; Predictor 2 where samples are stored
	// as differences (TIFF 6.0 §8 and §14).
	FillOrder, Predictor int
	// ExtraSamples tells what the samples beyond the colours are.
	ExtraSamples []int
	// Profile is the embedded ICC profile, empty when there is none.
	Profile Span
	// XResolution and YResolution are pixels per millimetre; 0 where they are not known.
	XResolution, YResolution float64
	// TileOffsets and TileByteCounts say where the tables of these names lie (TIFF 6.0 §15), left to right and top to
	// bottom. Nothing in them is checked.
	TileOffsets, TileByteCounts Table
	// JPEGTables is the abbreviated stream that goes before each tile (TIFF Technical Note 2), empty when there is none.
	JPEGTables Span

	sub            []int64
	resolutionUnit int
}

// Tiled tells tiles from strips.
func (d *Directory) Tiled() bool { return d.TileWidth > 0 }

// Bits of Subfile (TIFF 6.0 NewSubfileType).
const (
	SubfileReduced = 1
	SubfilePage    = 2
	SubfileMask    = 4
)

// Photometric interpretations that the grouping and callers tell apart.
const (
	PhotometricWhiteIsZero = 0
	PhotometricBlackIsZero = 1
	PhotometricRGB         = 2
	PhotometricYCbCr       = 6
)

// Read reads the directories of a file of size bytes. A malformed file is a *FormatError.
func Read(r io.ReaderAt, size int64) (*File, error) {
	p := parser{r: r, size: size, seen: make(map[int64]bool)}
	first, err := p.header()
	if err != nil {
		return nil, err
	}
	var chain []Directory
	for off := first; off != 0; {
		d, next, err := p.directory(off)
		if err != nil {
			return nil, err
		}
		chain = append(chain, d)
		off = next
	}
	if len(chain) == 0 {
		return nil, malformed("it holds no directory")
	}
	pages, err := p.group(chain)
	if err != nil {
		return nil, err
	}
	return &File{Big: p.big, Order: p.order, Head: p.head, Pages: pages}, nil
}

// parser reads numbers of one file, through a block that it keeps.
type parser struct {
	r     io.ReaderAt
	size  int64
	order binary.ByteOrder
	big   bool
	head  int64
	seen  map[int64]bool

	block    []byte
	blockOff int64
}

// header reads the first 8 or 16 bytes and gives the offset of the first directory.
func (p *parser) header() (int64, error) {
	b, err := p.bytes(0, 8)
	if err != nil {
		return 0, err
	}
	switch string(b[:2]) {
	case "II":
		p.order = binary.LittleEndian
	case "MM":
		p.order = binary.BigEndian
	default:
		return 0, malformed("the byte order mark is missing")
	}
	switch p.order.Uint16(b[2:]) {
	case 42:
		p.head = 4
		return int64(p.order.Uint32(b[4:])), nil
	case 43:
		if p.order.Uint16(b[4:]) != 8 || p.order.Uint16(b[6:]) != 0 {
			return 0, malformed("BigTIFF offsets are not of 8 bytes")
		}
		p.big, p.head = true, 8
		return p.number(8, 8)
	}
	return 0, malformed("the version is neither 42 nor 43")
}

// bytes gives n bytes at off, n at most blockSize. They are valid until the next call.
func (p *parser) bytes(off int64, n int) ([]byte, error) {
	if off < 0 || off > p.size || int64(n) > p.size-off {
		return nil, malformed("offset %d lies outside the file", off)
	}
	if at := off - p.blockOff; at >= 0 && at+int64(n) <= int64(len(p.block)) {
		return p.block[at : at+int64(n)], nil
	}
	want := max(int64(n), min(blockSize, p.size-off))
	block := make([]byte, want)
	got, err := p.r.ReadAt(block, off)
	if got < n {
		if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, malformed("it ends at %d", off+int64(got))
		}
		return nil, fmt.Errorf("read TIFF directory: %w", err)
	}
	p.block, p.blockOff = block[:got], off
	return p.block[:n], nil
}

// number reads an unsigned number of 1, 2, 4 or 8 bytes. One beyond the largest int64 is malformed: nothing in a file
// can be as large.
func (p *parser) number(off int64, width int) (int64, error) {
	b, err := p.bytes(off, width)
	if err != nil {
		return 0, err
	}
	switch width {
	case 1:
		return int64(b[0]), nil
	case 2:
		return int64(p.order.Uint16(b)), nil
	case 4:
		return int64(p.order.Uint32(b)), nil
	}
	v := p.order.Uint64(b)
	if v > 1<<63-1 {
		return 0, malformed("a number at %d is too large", off)
	}
	return int64(v), nil
}
