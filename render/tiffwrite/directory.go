package tiffwrite

import (
	"encoding/binary"
	"math"
)

// The types of values (TIFF 6.0 §2, and BigTIFF's).
const (
	typeShort     = 3
	typeLong      = 4
	typeRational  = 5
	typeUndefined = 7
	typeLong8     = 16
)

// The tags, in the order in which they stand.
const (
	tagSubfileType     = 254
	tagWidth           = 256
	tagLength          = 257
	tagBitsPerSample   = 258
	tagCompression     = 259
	tagPhotometric     = 262
	tagSamplesPerPixel = 277
	tagXResolution     = 282
	tagYResolution     = 283
	tagPlanarConfig    = 284
	tagResolutionUnit  = 296
	tagTileWidth       = 322
	tagTileLength      = 323
	tagTileOffsets     = 324
	tagTileByteCounts  = 325
	tagJPEGTables      = 347
	tagSubSampling     = 530
)

const (
	reducedImage      = 1
	compressionJPEG   = 7
	photometricGrey   = 1
	photometricYCbCr  = 6
	contiguous        = 1
	centimetres       = 3
	millimetersPerOne = 10
)

// directories writes one directory for each size.
type directories struct {
	writer *Writer
	finish Finish
	big    bool
	// first is where the first one begins, tables where the tables of the tiles lie.
	first, tables int64
}

// entry is a field of a directory: its values as they stand in the file.
type entry struct {
	tag, kind uint16
	count     int
	data      []byte
	// at is where the values lie already; 0 for those in data.
	at int64
}

func (d *directories) write() error {
	d.tables = d.writer.at
	if err := d.writer.write(d.finish.Tables); err != nil {
		return err
	}
	// Each directory ends with the place of the next, which is known since values lie before it and sizes are fixed.
	for i := range d.writer.levels {
		if err := d.writer.align(); err != nil {
			return err
		}
		if i == 0 {
			d.first = d.writer.at + d.valuesSize(d.entries(0))
		}
		if err := d.directory(i); err != nil {
			return err
		}
	}
	return nil
}

// inline is how many bytes of values an entry holds itself.
func (d *directories) inline() int {
	if d.big {
		return 8
	}
	return 4
}

// valuesSize is what the values take that lie outside of a directory, which goes in front of it.
func (d *directories) valuesSize(entries []entry) int64 {
	total := int64(0)
	for _, e := range entries {
		if e.at == 0 && len(e.data) > d.inline() {
			total += int64(len(e.data)+1) / 2 * 2
		}
	}
	return total
}

// size of a directory itself.
func (d *directories) size(entries []entry) int64 {
	if d.big {
		return 8 + 20*int64(len(entries)) + 8
	}
	return 2 + 12*int64(len(entries)) + 4
}

// directory writes the values and the directory of one size.
func (d *directories) directory(i int) error {
	entries := d.entries(i)
	for k := range entries {
		e := &entries[k]
		if e.at != 0 || len(e.data) <= d.inline() {
			continue
		}
		e.at = d.writer.at
		if err := d.writer.write(e.data); err != nil {
			return err
		}
		if err := d.writer.align(); err != nil {
			return err
		}
	}
	out := d.number(nil, len(entries), 2, 8)
	for _, e := range entries {
		out = binary.LittleEndian.AppendUint16(out, e.tag)
		out = binary.LittleEndian.AppendUint16(out, e.kind)
		out = d.number(out, e.count, 4, 8)
		if e.at != 0 {
			out = d.number(out, int(e.at), 4, 8)
			continue
		}
		out = append(out, e.data...)
		out = append(out, make([]byte, d.inline()-len(e.data))...)
	}
	next := int64(0)
	if i+1 < len(d.writer.levels) {
		next = d.writer.at + d.size(entries)
		// Both are even, so that nothing comes between.
		next += d.valuesSize(d.entries(i + 1))
	}
	return d.writer.write(d.number(out, int(next), 4, 8))
}

// number appends a number in so many bytes, in a BigTIFF in so many others.
func (d *directories) number(to []byte, n, bytes, bigBytes int) []byte {
	if d.big {
		bytes = bigBytes
	}
	var all [8]byte
	binary.LittleEndian.PutUint64(all[:], uint64(n)) //nolint:gosec // never negative
	return append(to, all[:bytes]...)
}

func short(tag uint16, values ...uint16) entry {
	var data []byte
	for _, v := range values {
		data = binary.LittleEndian.AppendUint16(data, v)
	}
	return entry{tag: tag, kind: typeShort, count: len(values), data: data}
}

func long(tag uint16, value int) entry {
	return entry{tag: tag, kind: typeLong, count: 1, data: binary.LittleEndian.AppendUint32(nil, uint32(value))} //nolint:gosec // a side
}

// rational writes a resolution in thousandths.
func rational(tag uint16, value float64) entry {
	const parts = 1000
	thousandths := uint32(math.Min(math.Max(math.Round(value*parts), 1), math.MaxUint32))
	data := binary.LittleEndian.AppendUint32(nil, thousandths)
	return entry{tag: tag, kind: typeRational, count: 1, data: binary.LittleEndian.AppendUint32(data, parts)}
}

// entries of the directory of one size, by tag.
func (d *directories) entries(i int) []entry {
	size, l, page := d.writer.sizes[i], &d.writer.levels[i], d.writer.page
	bits, photometric := []uint16{8, 8, 8}, uint16(photometricYCbCr)
	if d.finish.Grey {
		bits, photometric = bits[:1], photometricGrey
	}
	kind := 0
	if i > 0 {
		kind = reducedImage
	}
	out := []entry{
		long(tagSubfileType, kind), long(tagWidth, size.X), long(tagLength, size.Y), short(tagBitsPerSample, bits...),
		short(tagCompression, compressionJPEG), short(tagPhotometric, photometric), short(tagSamplesPerPixel, uint16(len(bits))), //nolint:gosec // 1 or 3
	}
	sized := d.finish.XRes > 0 && d.finish.YRes > 0
	if sized {
		smaller := millimetersPerOne / math.Exp2(float64(i))
		out = append(out, rational(tagXResolution, d.finish.XRes*smaller), rational(tagYResolution, d.finish.YRes*smaller))
	}
	out = append(out, short(tagPlanarConfig, contiguous))
	if sized {
		out = append(out, short(tagResolutionUnit, centimetres))
	}
	out = append(out, long(tagTileWidth, page.TileWidth), long(tagTileLength, page.TileHeight), d.offsets(l), counts(l))
	if len(d.finish.Tables) > 0 {
		out = append(out, entry{tag: tagJPEGTables, kind: typeUndefined, count: len(d.finish.Tables), at: d.tables})
	}
	if !d.finish.Grey {
		across := uint16(1)
		if d.finish.Halved {
			across = 2
		}
		out = append(out, short(tagSubSampling, across, across))
	}
	return out
}

func (d *directories) offsets(l *level) entry {
	e := entry{tag: tagTileOffsets, kind: typeLong, count: len(l.offsets)}
	if d.big {
		e.kind = typeLong8
	}
	for _, offset := range l.offsets {
		e.data = d.number(e.data, int(offset), 4, 8)
	}
	return e
}

func counts(l *level) entry {
	e := entry{tag: tagTileByteCounts, kind: typeLong, count: len(l.counts)}
	for _, n := range l.counts {
		e.data = binary.LittleEndian.AppendUint32(e.data, n)
	}
	return e
}
