package originals

import (
	"encoding/binary"
	"image"
	"slices"
)

// Tags and types of TIFF 6.0.
const (
	tagSubfile, tagWidth, tagHeight, tagBits, tagCompression, tagPhotometric = 254, 256, 257, 258, 259, 262
	tagStripOffsets, tagOrientation, tagSamples, tagRows, tagStripCounts     = 273, 274, 277, 278, 279
	tagXResolution, tagYResolution, tagPlanar, tagUnit                       = 282, 283, 284, 296
	tagColours, tagTileWidth, tagTileHeight, tagTileOffsets, tagTileCounts   = 320, 322, 323, 324, 325
	tagJPEGProc, tagJPEG, tagJPEGLength, tagSubsampling, tagReference        = 512, 513, 514, 530, 532
	tagInkSet, tagExtraSamples, tagXMP, tagIPTC, tagExif, tagProfile, tagGPS = 332, 338, 700, 33723, 34665, 34675, 34853

	typeByte, typeASCII, typeShort, typeLong, typeRational, typeUndefined = 1, 2, 3, 4, 5, 7
)

// Photometric interpretations.
const (
	minIsWhite, minIsBlack, photoRGB, photoPalette, photoInks, photoYCbCr, photoLab = 0, 1, 2, 3, 5, 6, 8
)

// tiffField is an entry of a directory; its values are packed already.
type tiffField struct {
	tag, kind uint16
	count     int
	data      []byte
}

// tiffWriter lays a file out from its front, in either byte order.
type tiffWriter struct {
	order interface {
		binary.ByteOrder
		binary.AppendByteOrder
	}
	data []byte
	next int // where the offset of the coming directory has to be written
}

func newTIFF(big bool) *tiffWriter {
	if big {
		return &tiffWriter{order: binary.BigEndian, data: []byte("MM\x00\x2a\x00\x00\x00\x00"), next: 4}
	}
	return &tiffWriter{order: binary.LittleEndian, data: []byte("II\x2a\x00\x00\x00\x00\x00"), next: 4}
}

func (f *tiffWriter) add(b []byte) int {
	if len(f.data)%2 == 1 {
		f.data = append(f.data, 0)
	}
	f.data = append(f.data, b...)
	return len(f.data) - len(b)
}

func (f *tiffWriter) short(tag uint16, values ...int) tiffField {
	out := tiffField{tag: tag, kind: typeShort, count: len(values)}
	for _, v := range values {
		out.data = f.order.AppendUint16(out.data, uint16(v))
	}
	return out
}

func (f *tiffWriter) long(tag uint16, values ...int) tiffField {
	out := tiffField{tag: tag, kind: typeLong, count: len(values)}
	for _, v := range values {
		out.data = f.order.AppendUint32(out.data, uint32(v))
	}
	return out
}

// rational takes numerators and denominators in turn.
func (f *tiffWriter) rational(tag uint16, values ...int) tiffField {
	out := f.long(tag, values...)
	out.kind, out.count = typeRational, len(values)/2
	return out
}

func text(tag uint16, s string) tiffField {
	return tiffField{tag, typeASCII, len(s) + 1, append([]byte(s), 0)}
}

func raw(tag, kind uint16, data []byte) tiffField { return tiffField{tag, kind, len(data), data} }

// directory appends a directory, its long values before it, and gives its offset.
func (f *tiffWriter) directory(fields ...tiffField) int {
	slices.SortStableFunc(fields, func(a, b tiffField) int { return int(a.tag) - int(b.tag) })
	body := f.order.AppendUint16(nil, uint16(len(fields)))
	for _, field := range fields {
		value := field.data
		if len(value) > 4 {
			value = f.order.AppendUint32(nil, uint32(f.add(value)))
		}
		body = f.order.AppendUint16(body, field.tag)
		body = f.order.AppendUint16(body, field.kind)
		body = f.order.AppendUint32(body, uint32(field.count))
		body = append(append(body, value...), make([]byte, 4-len(value))...)
	}
	return f.add(append(body, 0, 0, 0, 0))
}

// page appends a directory and links it to the page before.
func (f *tiffWriter) page(fields ...tiffField) {
	at := f.directory(fields...)
	f.order.PutUint32(f.data[f.next:], uint32(at))
	f.next = at + 2 + 12*len(fields)
}

// raster is a page without compression.
type raster struct {
	size          image.Point
	bits, samples int
	photometric   int
	row           func(y int) []byte // samples of 16 bits with the high byte first
	rows          int                // in a strip; 0 for all in one
	orientation   int
	more          []tiffField
}

// write appends the raster as a page.
func (f *tiffWriter) write(r raster) {
	if r.rows == 0 {
		r.rows = r.size.Y
	}
	var offsets, counts []int
	for top := 0; top < r.size.Y; top += r.rows {
		var strip []byte
		for y := top; y < min(top+r.rows, r.size.Y); y++ {
			strip = append(strip, f.ordered(r.row(y), r.bits)...)
		}
		offsets, counts = append(offsets, f.add(strip)), append(counts, len(strip))
	}
	bits := slices.Repeat([]int{r.bits}, r.samples)
	fields := []tiffField{
		f.long(tagWidth, r.size.X), f.long(tagHeight, r.size.Y), f.short(tagBits, bits...), f.short(tagCompression, 1),
		f.short(tagPhotometric, r.photometric), f.long(tagStripOffsets, offsets...), f.short(tagSamples, r.samples),
		f.long(tagRows, r.rows), f.long(tagStripCounts, counts...), f.short(tagPlanar, 1),
		f.rational(tagXResolution, tiffDPI, 1), f.rational(tagYResolution, tiffDPI, 1), f.short(tagUnit, 2),
	}
	if r.orientation > 0 {
		fields = append(fields, f.short(tagOrientation, r.orientation))
	}
	f.page(append(fields, r.more...)...)
}

// tiffDPI is the resolution of all TIFFs that are written here.
const tiffDPI = 300

// ordered brings samples of 16 bits into the file's byte order.
func (f *tiffWriter) ordered(row []byte, bits int) []byte {
	if bits != 16 || f.order == binary.BigEndian {
		return row
	}
	out := make([]byte, len(row))
	for i := 0; i < len(row); i += 2 {
		out[i], out[i+1] = row[i+1], row[i]
	}
	return out
}

// tiffOf is a little-endian file of one page.
func tiffOf(r raster) []byte {
	f := newTIFF(false)
	f.write(r)
	return f.data
}
