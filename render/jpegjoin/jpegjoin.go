// Package jpegjoin makes one JPEG out of parts of several, without decoding a pixel.
//
// A tiled TIFF or a like store holds each tile as a baseline JPEG of its own. What a viewer asks for is often some of
// these side by side. Where they share their tables, the blocks of one can be written behind those of another as they
// are: only the first DC coefficient after each change of tiles has to be written anew, since it is stored as a
// difference (ISO/IEC 10918-1 §F.1.1.5.1). The result decodes to exactly what the tiles decode to, and costs a
// fraction of decoding them: symbols are measured, not understood.
//
// Nothing of a tile but its frame, its tables and its entropy-coded data goes into the result: no comment, no
// application segment.
package jpegjoin

import (
	"errors"
	"fmt"
)

// ErrUnfit is in the chain of every error: the tiles are not of the sort that can be joined, or broken. Who asked takes
// a decoder then.
var ErrUnfit = errors.New("these JPEG streams cannot be joined")

func unfit(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrUnfit}, args...)...)
}

// Bounds of the standard for baseline and what is taken here.
const (
	maxComponents = 3
	maxSampling   = 4
	// maxBlocks in an MCU (ISO/IEC 10918-1 §B.2.3).
	maxBlocks = 10
	blockSide = 8
)

// component is one component of a frame with the tables it uses.
type component struct {
	id, h, v   byte
	quant      byte
	dc, ac     byte
	blocks     int
	dcTable    *huffman
	acTable    *huffman
	quantTable []byte
}

// Stream is one tile's JPEG, its headers read. It refers to the bytes that it was read from.
type Stream struct {
	// Width and Height in pixels.
	Width, Height int
	// extended tells SOF1 from SOF0.
	extended   bool
	count      int
	components [maxComponents]component
	// mcuWidth and mcuHeight in pixels.
	mcuWidth, mcuHeight int
	// across and down are MCUs.
	across, down int
	// interval between restart markers in MCUs, 0 for none.
	interval int
	// scan is the entropy-coded data up to the marker that ends it.
	scan []byte
}

// Components of the picture: 1 or 3.
func (s *Stream) Components() int { return s.count }

// MCU is the width and height in pixels of the smallest part that can be taken out.
func (s *Stream) MCU() (width, height int) { return s.mcuWidth, s.mcuHeight }

// sameAs tells whether the blocks of two streams can stand in one scan.
func (s *Stream) sameAs(o *Stream) bool {
	if s.count != o.count {
		return false
	}
	for i := range s.count {
		a, b := &s.components[i], &o.components[i]
		if a.h != b.h || a.v != b.v || !a.dcTable.equal(b.dcTable) || !a.acTable.equal(b.acTable) ||
			string(a.quantTable) != string(b.quantTable) {
			return false
		}
	}
	return true
}
