package jpegjoin

import (
	"encoding/binary"
	"image"
	"sync"
)

// Head writes what stands in front of the tables: the start of the picture, and application segments of the caller's.
type Head func(out []byte) []byte

// whole tells that part is all of the stream.
func (s *Stream) whole(part image.Rectangle) bool {
	return part == image.Rect(0, 0, s.Width, s.Height)
}

// AsItLies appends one stream as a picture of its own. Its data is looked at only so far that it holds no marker but
// restarts.
func AsItLies(out []byte, s *Stream, head Head) ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	out = s.appendHeader(head(out), s.Width, s.Height, s.interval)
	out = append(out, s.scan...)
	return append(out, 0xFF, markEOI), nil
}

// check refuses markers in the data that do not belong there.
func (s *Stream) check() error {
	restarts := 0
	for i := 0; i < len(s.scan); i++ {
		if s.scan[i] != 0xFF {
			continue
		}
		if i++; i >= len(s.scan) {
			return unfit("a marker is cut off")
		}
		switch marker := s.scan[i]; {
		case marker == 0:
		case s.interval > 0 && marker == markRST0|byte(restarts&7):
			restarts++
		default:
			return unfit("marker %#x in the data", marker)
		}
	}
	return nil
}

// Grid is tiles of one size, Across of them in each row, of which a part is wanted.
type Grid struct {
	Streams []*Stream
	Across  int
	// Part in pixels, counted from the upper left corner of the first tile. Its upper left corner lies on the grid of MCUs.
	Part image.Rectangle
}

// readers are kept for reuse: their buffers are as large as tiles.
var readers = sync.Pool{New: func() any { return new([]scanReader) }}

// Join appends the part of a grid as a picture. goOn is asked now and then; when it says no, Join stops with ErrUnfit.
func Join(out []byte, g Grid, head Head, goOn func() bool) ([]byte, error) {
	first := g.Streams[0]
	if err := g.check(); err != nil {
		return nil, err
	}
	if len(g.Streams) == 1 && first.whole(g.Part) {
		return AsItLies(out, first, head)
	}
	kept := readers.Get().(*[]scanReader)
	defer func() { readers.Put(kept) }()
	for len(*kept) < g.Across {
		*kept = append(*kept, scanReader{})
	}
	row := (*kept)[:g.Across]
	defer func() {
		for i := range row {
			row[i].stream = nil
		}
	}()

	out = first.appendHeader(head(out), g.Part.Dx(), g.Part.Dy(), 0)
	w := scanWriter{out: out}
	for at := 0; at < len(g.Streams); at += g.Across {
		if !goOn() {
			return nil, unfit("nobody waits for it")
		}
		for i := range row {
			if err := row[i].open(g.Streams[at+i]); err != nil {
				return nil, err
			}
		}
		top := at / g.Across * first.Height
		if err := w.tiles(row, g.Part.Sub(image.Pt(0, top))); err != nil {
			return nil, err
		}
	}
	w.end()
	return append(w.out, 0xFF, markEOI), nil
}

// check makes sure of what Join builds on.
func (g *Grid) check() error {
	first := g.Streams[0]
	if g.Across < 1 || len(g.Streams)%g.Across != 0 {
		return unfit("%d tiles in rows of %d", len(g.Streams), g.Across)
	}
	bounds := image.Rect(0, 0, g.Across*first.Width, len(g.Streams)/g.Across*first.Height)
	if g.Part.Empty() || !g.Part.In(bounds) || g.Part.Min.X%first.mcuWidth != 0 || g.Part.Min.Y%first.mcuHeight != 0 ||
		g.Part.Dx() > 65535 || g.Part.Dy() > 65535 {
		return unfit("a part %v of %v", g.Part, bounds)
	}
	if len(g.Streams) > 1 && (first.Width%first.mcuWidth != 0 || first.Height%first.mcuHeight != 0) {
		return unfit("tiles that are no whole number of MCUs")
	}
	for _, s := range g.Streams[1:] {
		if s.Width != first.Width || s.Height != first.Height || !first.sameAs(s) {
			return unfit("tiles that differ")
		}
	}
	return nil
}

// tiles writes what part has of one row of tiles.
func (w *scanWriter) tiles(row []scanReader, part image.Rectangle) error {
	first := row[0].stream
	top, bottom := max(part.Min.Y, 0)/first.mcuHeight, min((part.Max.Y+first.mcuHeight-1)/first.mcuHeight, first.down)
	for y := range bottom {
		for i := range row {
			left := i * first.Width
			from := min(max((part.Min.X-left)/first.mcuWidth, 0), first.across)
			to := min(max((part.Max.X-left+first.mcuWidth-1)/first.mcuWidth, 0), first.across)
			if y < top || from >= to {
				from, to = first.across, first.across
			}
			if err := w.span(&row[i], from, to, y+1 < bottom); err != nil {
				return err
			}
		}
	}
	return nil
}

// span copies the MCUs from one column to another of a tile's row, and goes over the others. Those behind the last that
// is wanted need not be looked at.
func (w *scanWriter) span(r *scanReader, from, to int, more bool) error {
	if err := r.skip(from); err != nil {
		return err
	}
	if from < to {
		if err := w.take(r, to-from); err != nil {
			return err
		}
	}
	if !more {
		return nil
	}
	return r.skip(r.stream.across - to)
}

// appendHeader writes the tables, the frame and the start of the scan.
func (s *Stream) appendHeader(out []byte, width, height, interval int) []byte {
	out = s.appendQuantization(out)
	marker := byte(markSOF0)
	if s.extended {
		marker = markSOF1
	}
	out = append(out, 0xFF, marker, 0, byte(8+3*s.count), 8)
	out = binary.BigEndian.AppendUint16(out, uint16(height))
	out = binary.BigEndian.AppendUint16(out, uint16(width))
	out = append(out, byte(s.count))
	for i := range s.count {
		c := &s.components[i]
		out = append(out, byte(i+1), c.h<<4|c.v, c.quant)
	}
	out = s.appendHuffman(out)
	if interval > 0 {
		out = append(out, 0xFF, markDRI, 0, 4)
		out = binary.BigEndian.AppendUint16(out, uint16(interval))
	}
	out = append(out, 0xFF, markSOS, 0, byte(6+2*s.count), byte(s.count))
	for i := range s.count {
		c := &s.components[i]
		out = append(out, byte(i+1), c.dc<<4|c.ac)
	}
	return append(out, 0, 63, 0)
}

// appendQuantization writes each table that is used once.
func (s *Stream) appendQuantization(out []byte) []byte {
	var written [maxTables]bool
	for i := range s.count {
		c := &s.components[i]
		if written[c.quant] {
			continue
		}
		written[c.quant] = true
		precision := byte(len(c.quantTable)/64 - 1)
		out = append(out, 0xFF, markDQT)
		out = binary.BigEndian.AppendUint16(out, uint16(3+len(c.quantTable)))
		out = append(append(out, precision<<4|c.quant), c.quantTable...)
	}
	return out
}

func (s *Stream) appendHuffman(out []byte) []byte {
	var written [2][maxTables]bool
	table := func(class, slot byte, h *huffman) {
		if written[class][slot] {
			return
		}
		written[class][slot] = true
		out = append(out, 0xFF, markDHT)
		out = binary.BigEndian.AppendUint16(out, uint16(3+len(h.spec)))
		out = append(append(out, class<<4|slot), h.spec...)
	}
	for i := range s.count {
		c := &s.components[i]
		table(0, c.dc, c.dcTable)
		table(1, c.ac, c.acTable)
	}
	return out
}
