package e2e_test

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// tiff writes little-endian TIFF and BigTIFF that say what they are told to.
type tiff struct {
	big  bool
	data []byte
	// next is where the offset of the directory to come belongs.
	next int
}

// field is an entry of a directory as it is written: its value, or where its values are.
type field struct {
	kind         uint16
	count, value uint64
}

// Tags of TIFF 6.0.
const (
	tagSubfile         = 254
	tagWidth           = 256
	tagHeight          = 257
	tagBits            = 258
	tagCompression     = 259
	tagPhotometric     = 262
	tagStripOffsets    = 273
	tagOrientation     = 274
	tagSamples         = 277
	tagRowsPerStrip    = 278
	tagStripByteCounts = 279
	tagPlanar          = 284
	tagPredictor       = 317
	tagTileWidth       = 322
	tagTileHeight      = 323
	tagTileOffsets     = 324
	tagTileByteCounts  = 325
	tagSubIFDs         = 330
	tagExtraSamples    = 338
	tagSampleFormat    = 339
	tagJPEGTables      = 347
	tagSubsampling     = 530
	tagXMP             = 700
	tagProfile         = 34675

	kindShort, kindLong, kindUndefined, kindSLong, kindFloat, kindLong8 = 3, 4, 7, 9, 11, 16
)

func newTIFF(big bool) *tiff {
	if big {
		return &tiff{big: true, data: joined("II\x2b\x00\x08\x00\x00\x00", make([]byte, 8)), next: 8}
	}
	return &tiff{data: []byte("II\x2a\x00\x00\x00\x00\x00"), next: 4}
}

// add appends bytes and tells where they are.
func (f *tiff) add(data []byte) uint64 {
	if len(f.data)%2 == 1 {
		f.data = append(f.data, 0)
	}
	at := uint64(len(f.data))
	f.data = append(f.data, data...)
	return at
}

func (f *tiff) pointer(v uint64) []byte {
	if f.big {
		return binary.LittleEndian.AppendUint64(nil, v)
	}
	return le32(int(v))
}

// loose appends a directory that nothing leads to, and tells where it is.
func (f *tiff) loose(fields map[uint16]field) (at, next uint64) {
	tags := make([]uint16, 0, len(fields))
	for tag := range fields {
		tags = append(tags, tag)
	}
	slices.Sort(tags)
	body := le16(len(tags))
	if f.big {
		body = binary.LittleEndian.AppendUint64(nil, uint64(len(tags)))
	}
	for _, tag := range tags {
		e := fields[tag]
		body = append(body, joined(le16(int(tag)), le16(int(e.kind)), f.pointer(e.count), f.pointer(e.value))...)
	}
	at = f.add(append(body, f.pointer(0)...))
	return at, at + uint64(len(body))
}

// link writes an offset at a place.
func (f *tiff) link(at int, to uint64) { copy(f.data[at:], f.pointer(to)) }

// page appends a directory to the chain.
func (f *tiff) page(fields map[uint16]field) {
	at, next := f.loose(fields)
	f.link(f.next, at)
	f.next = int(next)
}

func one(kind uint16, value uint64) field { return field{kind: kind, count: 1, value: value} }

// grey is the fields of a picture in one strip, its pixels not compressed, or with other fields instead.
func (f *tiff) grey(width, height int, others ...map[uint16]field) map[uint16]field {
	fields := map[uint16]field{
		tagWidth: one(kindLong, uint64(width)), tagHeight: one(kindLong, uint64(height)), tagBits: one(kindShort, 8),
		tagCompression: one(kindShort, 1), tagPhotometric: one(kindShort, 1), tagSamples: one(kindShort, 1),
		tagRowsPerStrip: one(kindLong, uint64(height)), tagStripOffsets: one(kindLong, 8), tagStripByteCounts: one(kindLong, uint64(width*height)),
	}
	for _, other := range others {
		for tag, value := range other {
			fields[tag] = value
		}
	}
	if _, tiled := fields[tagTileWidth]; tiled {
		delete(fields, tagStripOffsets)
		delete(fields, tagStripByteCounts)
		delete(fields, tagRowsPerStrip)
	}
	return fields
}

// lying is a TIFF of one grey picture of 64 by 64 whose pixels are there, with some fields that are not true.
func lying(others map[uint16]field) []byte { return lyingIn(newTIFF(false), others) }

func lyingBig(others map[uint16]field) []byte { return lyingIn(newTIFF(true), others) }

func lyingIn(f *tiff, others map[uint16]field) []byte {
	at := f.add(bytes.Repeat([]byte{0x80}, 64*64))
	fields := f.grey(64, 64, map[uint16]field{tagStripOffsets: one(kindLong, at)})
	if _, tiled := others[tagTileWidth]; tiled {
		fields[tagTileOffsets], fields[tagTileByteCounts] = one(kindLong, at), one(kindLong, 64*64)
	}
	for tag, value := range others {
		fields[tag] = value
	}
	if _, tiled := fields[tagTileWidth]; tiled {
		delete(fields, tagStripOffsets)
		delete(fields, tagStripByteCounts)
	}
	f.page(fields)
	return f.data
}

// tiles is a picture whose tiles are all the same bytes.
func tiles(width, height, tileWidth, tileHeight int, tile []byte, others ...map[uint16]field) []byte {
	f := newTIFF(false)
	count := ((width + tileWidth - 1) / tileWidth) * ((height + tileHeight - 1) / tileHeight)
	at := f.add(tile)
	if count == 1 {
		f.page(f.grey(width, height, append(others, map[uint16]field{
			tagTileWidth: one(kindLong, uint64(tileWidth)), tagTileHeight: one(kindLong, uint64(tileHeight)),
			tagTileOffsets: one(kindLong, at), tagTileByteCounts: one(kindLong, uint64(len(tile))),
		})...))
		return f.data
	}
	offsets := f.add(bytes.Repeat(le32(int(at)), count))
	lengths := f.add(bytes.Repeat(le32(len(tile)), count))
	f.page(f.grey(width, height, append(others, map[uint16]field{
		tagTileWidth: one(kindLong, uint64(tileWidth)), tagTileHeight: one(kindLong, uint64(tileHeight)),
		tagTileOffsets: {kind: kindLong, count: uint64(count), value: offsets}, tagTileByteCounts: {kind: kindLong, count: uint64(count), value: lengths},
	})...))
	return f.data
}

type fields = map[uint16]field
