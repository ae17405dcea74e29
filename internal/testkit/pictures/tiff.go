package pictures

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
)

// Tags and values of TIFF 6.0 and its technical note 2.
const (
	tagSubfileType     = 254
	tagWidth           = 256
	tagHeight          = 257
	tagBitsPerSample   = 258
	tagCompression     = 259
	tagPhotometric     = 262
	tagStripOffsets    = 273
	tagSamplesPerPixel = 277
	tagRowsPerStrip    = 278
	tagStripByteCounts = 279
	tagXResolution     = 282
	tagYResolution     = 283
	tagPlanarConfig    = 284
	tagResolutionUnit  = 296
	tagTileWidth       = 322
	tagTileHeight      = 323
	tagTileOffsets     = 324
	tagTileByteCounts  = 325
	tagSubsampling     = 530

	compressionJPEG    = 7
	compressionDeflate = 8
	photometricGray    = 1
	photometricRGB     = 2
	photometricYCbCr   = 6

	typeShort    = 3
	typeLong     = 4
	typeRational = 5
)

// file is a little-endian TIFF that grows at its end.
type file struct {
	data []byte
	// next is where the offset of the directory to come has to be written.
	next int
}

func newFile() *file {
	return &file{data: []byte{'I', 'I', 42, 0, 0, 0, 0, 0}, next: 4}
}

// add appends bytes at an even offset and tells where.
func (f *file) add(b []byte) uint32 {
	if len(f.data)%2 == 1 {
		f.data = append(f.data, 0)
	}
	offset := uint32(len(f.data))
	f.data = append(f.data, b...)
	return offset
}

// entry is one field of a directory.
type entry struct {
	tag, kind uint16
	values    []uint32 // for a rational two of them
}

func short(tag uint16, values ...uint32) entry { return entry{tag, typeShort, values} }
func long(tag uint16, values ...uint32) entry  { return entry{tag, typeLong, values} }

// directory appends a directory and links it to the one before.
func (f *file) directory(entries ...entry) {
	slices.SortFunc(entries, func(a, b entry) int { return int(a.tag) - int(b.tag) })
	body := binary.LittleEndian.AppendUint16(nil, uint16(len(entries)))
	for _, e := range entries {
		body = binary.LittleEndian.AppendUint16(body, e.tag)
		body = binary.LittleEndian.AppendUint16(body, e.kind)
		count := len(e.values)
		if e.kind == typeRational {
			count /= 2
		}
		body = binary.LittleEndian.AppendUint32(body, uint32(count))
		packed := e.pack()
		if len(packed) > 4 {
			packed = binary.LittleEndian.AppendUint32(nil, f.add(packed))
		}
		body = append(body, packed...)
		body = append(body, make([]byte, 4-len(packed))...)
	}
	body = append(body, 0, 0, 0, 0)
	offset := f.add(body)
	binary.LittleEndian.PutUint32(f.data[f.next:], offset)
	f.next = int(offset) + len(body) - 4
}

func (e entry) pack() []byte {
	var out []byte
	for _, v := range e.values {
		if e.kind == typeShort {
			out = binary.LittleEndian.AppendUint16(out, uint16(v))
		} else {
			out = binary.LittleEndian.AppendUint32(out, v)
		}
	}
	return out
}

func (f *file) finish() ([]byte, error) {
	if len(f.data) > math.MaxUint32 {
		return nil, errors.New("more than 4 GiB do not fit into a classic TIFF")
	}
	return f.data, nil
}

// resolution is in dots per inch.
func resolution(dpi uint32) []entry {
	return []entry{
		{tagXResolution, typeRational, []uint32{dpi, 1}},
		{tagYResolution, typeRational, []uint32{dpi, 1}},
		short(tagResolutionUnit, 2),
	}
}

func size(n int) uint32 { return uint32(n) }
