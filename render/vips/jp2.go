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

// codeStream gives the offset of the code stream: of the contents of the jp2c box (15444-1 I.5.4).
func codeStream(r io.ReaderAt, size int64) (int64, bool, error) {
	var box [16]byte
	offset := int64(0)
	for range 64 {
		n, err := r.ReadAt(box[:], offset)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, false, err
		}
		if n < 8 {
			break
		}
		if binary.BigEndian.Uint32(box[:]) == 0xFF4FFF51 {
			return offset, true, nil
		}
		length, head := int64(binary.BigEndian.Uint32(box[:])), int64(8)
		if length == 1 && n == 16 {
			length, head = int64(binary.BigEndian.Uint64(box[8:])), 16
		}
		if string(box[4:8]) == "jp2c" {
			return offset + head, true, nil
		}
		if length < head || length > size-offset {
			break
		}
		offset += length
	}
	return 0, false, nil
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
		tiles := int64(max(1, (right-tileLeft+tileWidth-1)/tileWidth)) * int64(max(1, (bottom-tileTop+tileHeight-1)/tileHeight))
		components := int64(binary.BigEndian.Uint16(body[34:]))
		// The standard has no more than 65535 tiles; OpenJPEG refuses them before it makes tables.
		s.tables = min(tiles, 65535) * (6<<10 + components*1100)
	}
	if left != 0 || top != 0 || tileLeft != 0 || tileTop != 0 || tileWidth < 1 || tileHeight < 1 {
		return
	}
	s.width, s.height = right, bottom
	s.tileWidth, s.tileHeight = tileWidth, tileHeight
}
