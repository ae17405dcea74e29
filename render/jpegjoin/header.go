package jpegjoin

import (
	"encoding/binary"
	"sync"
)

// Markers (ISO/IEC 10918-1 table B.1).
const (
	markSOF0  = 0xC0
	markSOF1  = 0xC1
	markDHT   = 0xC4
	markRST0  = 0xD0
	markSOI   = 0xD8
	markEOI   = 0xD9
	markSOS   = 0xDA
	markDQT   = 0xDB
	markDRI   = 0xDD
	markAPP0  = 0xE0
	markCOM   = 0xFE
	markTEM   = 0x01
	maxTables = 4
)

// Tables are the tables of an abbreviated stream (ISO/IEC 10918-1 §B.5), which others may build on. They are not
// changed once they are read.
type Tables struct {
	quant    [maxTables][]byte // as in the segment: 64 numbers of 1 or 2 bytes
	dc, ac   [maxTables]*huffman
	interval int
	known    *known
}

// NewTables is no tables, for tiles that bring their own.
func NewTables() *Tables { return &Tables{known: new(known)} }

// known remembers tables that tiles bring along: the tiles of a picture mostly bring the same. Without it each tile would
// cost the making of its tables, which is more than that of the rest.
type known struct {
	mu     sync.Mutex
	tables []*huffman
}

// maxKnown bounds how many tables are remembered: four of each kind, and some for a picture whose tiles vary.
const maxKnown = 16

func (k *known) find(spec []byte) (*huffman, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, h := range k.tables {
		if string(h.spec) == string(spec) {
			return h, nil
		}
	}
	h, err := newHuffman(spec)
	if err == nil && len(k.tables) < maxKnown {
		k.tables = append(k.tables, h)
	}
	return h, err
}

// Size is about how many bytes of memory the tables take.
func (t *Tables) Size() int64 {
	// What tiles bring along comes later; most bring four tables.
	n := int64(512 + 4*tableSize)
	for _, h := range append(t.dc[:], t.ac[:]...) {
		if h != nil {
			n += tableSize
		}
	}
	return n
}

// ReadTables reads a stream that holds nothing but tables.
func ReadTables(data []byte) (*Tables, error) {
	t := NewTables()
	s := segments{data: data}
	if err := s.start(); err != nil {
		return nil, err
	}
	for {
		marker, body, err := s.next()
		switch {
		case err != nil:
			return nil, err
		case marker == markEOI:
			return t, nil
		case marker == markSOS || isFrame(marker):
			return nil, unfit("a picture among the tables")
		}
		if err := t.apply(marker, body); err != nil {
			return nil, err
		}
	}
}

// apply takes what a segment defines.
func (t *Tables) apply(marker byte, body []byte) error {
	switch marker {
	case markDQT:
		return t.quantization(body)
	case markDHT:
		return t.huffman(body)
	case markDRI:
		if len(body) != 2 {
			return unfit("a restart interval of %d bytes", len(body))
		}
		t.interval = int(binary.BigEndian.Uint16(body))
	}
	return nil
}

func (t *Tables) quantization(body []byte) error {
	for len(body) > 0 {
		precision, slot, size := body[0]>>4, body[0]&15, 64
		if precision == 1 {
			size = 128
		}
		if precision > 1 || slot >= maxTables || len(body) < 1+size {
			return unfit("a quantization table that cannot be")
		}
		t.quant[slot], body = body[1:1+size], body[1+size:]
	}
	return nil
}

func (t *Tables) huffman(body []byte) error {
	for len(body) > 0 {
		if len(body) < 1+maxCode {
			return unfit("a Huffman table is cut off")
		}
		class, slot, size := body[0]>>4, body[0]&15, maxCode
		for _, n := range body[1 : 1+maxCode] {
			size += int(n)
		}
		if class > 1 || slot >= maxTables || len(body) < 1+size || size > maxCode+256 {
			return unfit("a Huffman table that cannot be")
		}
		spec := body[1 : 1+size]
		body = body[1+size:]
		place := &t.dc[slot]
		if class == 1 {
			place = &t.ac[slot]
		}
		if *place != nil && string((*place).spec) == string(spec) {
			continue // tiles often repeat what is shared
		}
		h, err := t.known.find(spec)
		if err != nil {
			return err
		}
		*place = h
	}
	return nil
}

// Read reads the headers of a tile and finds its data. shared are the tables that it builds on, and may be nil.
func Read(shared *Tables, data []byte) (*Stream, error) {
	if shared == nil {
		shared = NewTables()
	}
	t := *shared
	s := segments{data: data}
	if err := s.start(); err != nil {
		return nil, err
	}
	out := new(Stream)
	for {
		marker, body, err := s.next()
		switch {
		case err != nil:
			return nil, err
		case marker == markEOI:
			return nil, unfit("no picture")
		case marker == markSOF0 || marker == markSOF1:
			if out.count > 0 {
				return nil, unfit("two frames")
			}
			out.extended = marker == markSOF1
			err = out.frame(body)
		case isFrame(marker):
			return nil, unfit("a frame of kind %#x", marker)
		case marker == markSOS:
			if err := out.start(body, &t); err != nil {
				return nil, err
			}
			out.scan, err = s.rest()
			return out, err
		default:
			err = t.apply(marker, body)
		}
		if err != nil {
			return nil, err
		}
	}
}

// isFrame tells SOFn from the markers between them.
func isFrame(marker byte) bool {
	return marker >= markSOF0 && marker <= 0xCF && marker != markDHT && marker != 0xC8 && marker != 0xCC
}

// frame reads SOF0 or SOF1 (ISO/IEC 10918-1 §B.2.2).
func (s *Stream) frame(body []byte) error {
	if len(body) < 6 || body[0] != 8 || len(body) != 6+3*int(body[5]) {
		return unfit("a frame that is not of 8 bits")
	}
	s.Height, s.Width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	s.count = int(body[5])
	if s.Width < 1 || s.Height < 1 || s.count != 1 && s.count != maxComponents {
		return unfit("a frame of %d x %d with %d components", s.Width, s.Height, s.count)
	}
	h, v, blocks := 1, 1, 0
	for i := range s.count {
		f := body[6+3*i:]
		c := &s.components[i]
		c.id, c.h, c.v, c.quant = f[0], f[1]>>4, f[1]&15, f[2]
		if s.count == 1 {
			c.h, c.v = 1, 1 // one component alone is not interleaved (§A.2.2)
		}
		if c.h < 1 || c.v < 1 || c.h > maxSampling || c.v > maxSampling || c.quant >= maxTables {
			return unfit("a component with %d x %d samples", c.h, c.v)
		}
		c.blocks = int(c.h) * int(c.v)
		h, v, blocks = max(h, int(c.h)), max(v, int(c.v)), blocks+c.blocks
	}
	if blocks > maxBlocks {
		return unfit("%d blocks in an MCU", blocks)
	}
	s.mcuWidth, s.mcuHeight = blockSide*h, blockSide*v
	s.across, s.down = (s.Width+s.mcuWidth-1)/s.mcuWidth, (s.Height+s.mcuHeight-1)/s.mcuHeight
	return nil
}

// start reads SOS (§B.2.3), of all components in their order, and ties the tables.
func (s *Stream) start(body []byte, t *Tables) error {
	if s.count == 0 || len(body) != 4+2*s.count || int(body[0]) != s.count {
		return unfit("a scan of other components than the frame's")
	}
	for i := range s.count {
		c := &s.components[i]
		selector := body[2+2*i]
		if body[1+2*i] != c.id || selector>>4 >= maxTables || selector&15 >= maxTables {
			return unfit("a scan of other components than the frame's")
		}
		c.dc, c.ac = selector>>4, selector&15
		c.dcTable, c.acTable, c.quantTable = t.dc[c.dc], t.ac[c.ac], t.quant[c.quant]
		if c.dcTable == nil || c.acTable == nil || c.quantTable == nil {
			return unfit("a table is missing")
		}
	}
	if tail := body[1+2*s.count:]; tail[0] != 0 || tail[1] != 63 || tail[2] != 0 {
		return unfit("a scan that is not sequential")
	}
	s.interval = t.interval
	return nil
}

// segments goes through the marker segments of a stream.
type segments struct {
	data []byte
	at   int
}

func (s *segments) start() error {
	if len(s.data) < 4 || s.data[0] != 0xFF || s.data[1] != markSOI {
		return unfit("it does not start as one")
	}
	s.at = 2
	return nil
}

// next gives a marker and what belongs to it.
func (s *segments) next() (marker byte, body []byte, err error) {
	for {
		if s.at+2 > len(s.data) || s.data[s.at] != 0xFF {
			return 0, nil, unfit("no marker at %d", s.at)
		}
		marker = s.data[s.at+1]
		switch {
		case marker == 0xFF: // fill
			s.at++
			continue
		case marker == markEOI:
			return marker, nil, nil
		case marker == 0 || marker == markTEM || marker >= markRST0 && marker <= markSOI:
			return 0, nil, unfit("marker %#x at %d", marker, s.at)
		}
		break
	}
	if s.at+4 > len(s.data) {
		return 0, nil, unfit("a segment is cut off")
	}
	length := int(binary.BigEndian.Uint16(s.data[s.at+2:]))
	if length < 2 || s.at+2+length > len(s.data) {
		return 0, nil, unfit("a segment is cut off")
	}
	body = s.data[s.at+4 : s.at+2+length]
	s.at += 2 + length
	return marker, body, nil
}

// rest is the data of the scan that begins here. It must end the picture: what has no end was cut off.
func (s *segments) rest() ([]byte, error) {
	end := len(s.data)
	// Zeros behind the end are what is left of room that a writer had asked for.
	for end > s.at && s.data[end-1] == 0 {
		end--
	}
	if end-s.at < 2 || s.data[end-1] != markEOI || s.data[end-2] != 0xFF {
		return nil, unfit("it has no end")
	}
	return s.data[s.at : end-2], nil
}
