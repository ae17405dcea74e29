package vips

import (
	"encoding/binary"
	"errors"
	"io"
)

// jp2Shape is how a JPEG 2000 code stream is cut: libvips does not tell, and the cost of a part depends on it. The zero
// value stands for one tile in one resolution.
type jp2Shape struct {
	// tileWidth and tileHeight are 0 where the tiles do not begin at the picture's corner: such files count as untiled.
	tileWidth, tileHeight int
	width, height         int
	// reductions is how many times the size can be halved while decoding.
	reductions int
	// tables is about how many bytes OpenJPEG takes, as soon as it opens the file, for a table of each component of each
	// tile, whatever is there of the tiles themselves.
	tables int64
}

// maxJP2Tables bounds the tables of tiles: a header of 200 bytes can claim 65535 tiles of 16384 components. Three
// components in 30000 tiles are within it.
const maxJP2Tables = 300 << 20

func (s jp2Shape) tiled() bool {
	return s.tileWidth > 0 && (s.tileWidth < s.width || s.tileHeight < s.height)
}

// ceilShift is v/2^r, rounded up, as JPEG 2000 rounds its resolutions.
func ceilShift(v, r int) int { return (v + 1<<r - 1) >> r }

// readJP2Shape finds the SIZ and COD markers (ISO/IEC 15444-1 A.5.1, A.6.1) behind the boxes of a JP2 file. What it
// cannot make sense of is no error: the library judges the file, and cost is then counted for the whole of it. An error
// of the reader is.
func readJP2Shape(r io.ReaderAt, size int64) (jp2Shape, error) {
	offset, ok, err := codeStream(r, size)
	if !ok || err != nil {
		return jp2Shape{}, err
	}
	head := make([]byte, 2048)
	n, err := r.ReadAt(head, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return jp2Shape{}, err
	}
	return parseMarkers(head[:n]), nil
}

// codeStream gives the offset of the code stream: of the contents of the jp2c box (15444-1 I.5.4), or of all the file.
func codeStream(r io.ReaderAt, size int64) (int64, bool, error) {
	var start [4]byte
	if _, err := r.ReadAt(start[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return 0, false, err
	}
	if binary.BigEndian.Uint32(start[:]) == 0xFF4FFF51 {
		return 0, true, nil
	}
	body, ok, err := findBox(r, span{0, size}, "jp2c")
	return body.from, ok, err
}

// span is a run of bytes of a file.
type span struct{ from, to int64 }

// findBox gives the contents of the first box of a name among those that lie in a span (15444-1 I.4).
func findBox(r io.ReaderAt, in span, name string) (span, bool, error) {
	var box [16]byte
	for range 64 {
		n, err := r.ReadAt(box[:], in.from)
		if err != nil && !errors.Is(err, io.EOF) {
			return span{}, false, err
		}
		if n < 8 || in.to-in.from < 8 {
			break
		}
		length, head := int64(binary.BigEndian.Uint32(box[:])), int64(8)
		if length == 1 && n == 16 {
			length, head = int64(binary.BigEndian.Uint64(box[8:])), 16
		}
		whole := length >= head && length <= in.to-in.from
		if string(box[4:8]) == name {
			if !whole { // to the end, or cut off
				return span{min(in.from+head, in.to), in.to}, true, nil
			}
			return span{in.from + head, in.from + length}, true, nil
		}
		if !whole {
			break
		}
		in.from += length
	}
	return span{}, false, nil
}

// readJP2Profile gives the ICC profile in the first colr box that has one, or nil: libvips overlooks it, since the
// library below tells of it only with the pixels. An error is the reader's.
func readJP2Profile(r io.ReaderAt, size int64) ([]byte, error) {
	header, ok, err := findBox(r, span{0, size}, "jp2h")
	for range 8 { // more are of no use, and each is a read or two
		if !ok || err != nil {
			break
		}
		var colour span
		if colour, ok, err = findBox(r, header, "colr"); !ok || err != nil {
			break
		}
		header.from = colour.to
		// A byte tells the method, 2 and 3 being profiles, and two more matter to nobody (I.5.3.3; 15444-2 M.11.7.3).
		const fixed = 3
		length := colour.to - colour.from
		if length <= fixed || length > fixed+maxProfile {
			continue
		}
		body := make([]byte, length)
		n, readErr := r.ReadAt(body, colour.from)
		if readErr != nil && !errors.Is(readErr, io.EOF) {
			return nil, readErr
		}
		if n == len(body) && (body[0] == 2 || body[0] == 3) {
			return body[fixed:], nil
		}
	}
	return nil, err
}

// parseMarkers reads the main header of a code stream as far as it is in b.
func parseMarkers(b []byte) jp2Shape {
	var s jp2Shape
	if len(b) < 2 || binary.BigEndian.Uint16(b) != 0xFF4F {
		return s
	}
	for b = b[2:]; len(b) >= 4; {
		marker, length := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if length < 2 || len(b) < 2+length {
			return s
		}
		body := b[4 : 2+length]
		switch {
		case marker == 0xFF51 && len(body) >= 36:
			s.readSize(body)
		case marker == 0xFF52 && len(body) >= 6:
			// More than 32 decomposition levels are not allowed (table A.15); each halves a side that has 2^24 at most.
			s.reductions = min(int(body[5]), 24)
			return s
		case marker == 0xFF90:
			return s
		}
		b = b[2+length:]
	}
	return s
}

// readSize reads the body of SIZ.
func (s *jp2Shape) readSize(body []byte) {
	at := func(i int) int { return int(binary.BigEndian.Uint32(body[i:])) }
	right, bottom, left, top := at(2), at(6), at(10), at(14)
	tileWidth, tileHeight, tileLeft, tileTop := at(18), at(22), at(26), at(30)
	if tileWidth > 0 && tileHeight > 0 {
		// The standard has no more than 65535 tiles; OpenJPEG refuses them before it makes tables.
		const most = 65535
		along := func(from, to, tile int) int64 { return int64(min(max(1, (to-from+tile-1)/tile), most)) }
		tiles := along(tileLeft, right, tileWidth) * along(tileTop, bottom, tileHeight)
		components := int64(binary.BigEndian.Uint16(body[34:]))
		s.tables = min(tiles, most) * (6<<10 + components*1100)
	}
	if left != 0 || top != 0 || tileLeft != 0 || tileTop != 0 || tileWidth < 1 || tileHeight < 1 {
		return
	}
	s.width, s.height = right, bottom
	s.tileWidth, s.tileHeight = tileWidth, tileHeight
}
