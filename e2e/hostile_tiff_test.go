package e2e_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

func hostileTIFFs(t *testing.T) []hostile {
	files := slices.Concat(tiffLies(t), tiffLoops(t), tiffFloods(t))
	for i := range files {
		files[i].ext = ".tif"
	}
	strips, tiled := testkit.MultiPageTIFF(t, 300, 200, 1), testkit.PyramidTIFF(t, 600, 400)
	big := lyingBig(nil)
	files = append(files, cuts("TIFF in strips", ".tif", strips, 8)...)
	files = append(files, cuts("TIFF in tiles", ".tif", tiled, 8)...)
	files = append(files, cuts("BigTIFF", ".tif", big, 16)...)
	return append(files, hostile{what: "TIFF with a PDF behind it", ext: ".pdf", data: joined(strips, "%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>"), end: shown, width: 300, height: 200})
}

// tiffLies are fields that say what is not so.
func tiffLies(t *testing.T) []hostile {
	tileOf := func(others fields) fields {
		all := fields{tagTileWidth: one(kindShort, 64), tagTileHeight: one(kindShort, 64)}
		for tag, value := range others {
			all[tag] = value
		}
		return all
	}
	none, many := one(kindLong, 0), field{kind: kindLong, count: 1<<32 - 1, value: 8}
	tile := testkit.JPEG(t, 16, 16)
	jpegTile := func(data []byte, others fields) []byte {
		f := newTIFF(false)
		at := f.add(data)
		all := fields{tagCompression: one(kindShort, 7), tagTileOffsets: one(kindLong, at), tagTileByteCounts: one(kindLong, uint64(len(data)))}
		for tag, value := range others {
			all[tag] = value
		}
		f.page(f.grey(64, 64, tileOf(all)))
		return f.data
	}
	tables := find(t, tile, "\xff\xc0")
	colour := fields{tagSamples: one(kindShort, 3), tagPhotometric: one(kindShort, 6), tagBits: {kind: kindShort, count: 1, value: 8}}
	return []hostile{
		{what: "TIFF with 2^32 strips", data: lying(fields{tagStripOffsets: many, tagStripByteCounts: many}), end: refused},
		{what: "TIFF with 2^32 depths", data: lying(fields{tagBits: {kind: kindShort, count: 1<<32 - 1, value: 8}}), end: either},
		{what: "BigTIFF with 2^63 strips", data: lyingBig(fields{tagStripOffsets: {kind: kindLong8, count: 1 << 63, value: 8}}), end: refused},
		{what: "TIFF with a strip beyond its end", data: lying(fields{tagStripOffsets: one(kindLong, 1<<31)}), end: refused},
		{what: "TIFF with a tile beyond its end", data: lying(tileOf(fields{tagTileOffsets: one(kindLong, 1<<32-1)})), end: refused},
		{what: "BigTIFF with an offset that overflows", data: lyingBig(fields{tagStripOffsets: one(kindLong8, 1<<64-1)}), end: refused},
		{what: "BigTIFF with an offset and length that overflow", data: lyingBig(fields{tagStripOffsets: one(kindLong8, 1<<63-100), tagStripByteCounts: one(kindLong8, 1<<63-1)}), end: refused},
		{what: "TIFF with a tile of 0 bytes", data: lying(tileOf(fields{tagTileByteCounts: none})), end: either},
		{what: "BigTIFF with a tile of 2^63 bytes", data: lyingBig(tileOf(fields{tagTileByteCounts: one(kindLong8, 1<<63)})), end: either},
		{what: "TIFF with a strip of 0 bytes", data: lying(fields{tagStripByteCounts: none}), end: either},
		{what: "TIFF with tiles of 0 by 0", data: lying(tileOf(fields{tagTileWidth: none, tagTileHeight: none})), end: either},
		{what: "TIFF with tiles of 0 by 64", data: lying(tileOf(fields{tagTileWidth: none})), end: refused},
		{what: "TIFF with tiles of 2^30 by 2^30", data: lying(tileOf(fields{tagTileWidth: one(kindLong, 1<<30), tagTileHeight: one(kindLong, 1<<30)})), end: refused},
		{what: "TIFF with tiles of 16 by 2^26", data: lying(tileOf(fields{tagTileHeight: one(kindLong, 1<<26)})), end: refused},
		{what: "TIFF with tiles of 7 by 5", data: tiles(70, 50, 7, 5, make([]byte, 35)), end: either, width: 70, height: 50},
		{what: "TIFF with 0 rows in a strip", data: lying(fields{tagRowsPerStrip: none}), end: either},
		{what: "TIFF with all rows in a strip", data: lying(fields{tagRowsPerStrip: one(kindLong, 1<<32-1)}), end: shown, width: 64, height: 64},
		{what: "TIFF with one row in its one strip", data: lying(fields{tagRowsPerStrip: one(kindLong, 1)}), end: refused},
		{what: "TIFF of 0 bits", data: lying(fields{tagBits: one(kindShort, 0)}), end: either},
		{what: "TIFF of 255 bits", data: lying(fields{tagBits: one(kindShort, 255)}), end: refused},
		{what: "TIFF of 65535 bits", data: lying(fields{tagBits: one(kindShort, 65535)}), end: refused},
		{what: "TIFF of 13 bits", data: lying(fields{tagBits: one(kindShort, 13)}), end: refused},
		{what: "TIFF of 0 samples", data: lying(fields{tagSamples: one(kindShort, 0)}), end: either},
		{what: "TIFF of 65535 samples", data: lying(fields{tagSamples: one(kindShort, 65535)}), end: refused},
		{what: "TIFF of 1000 samples", data: lying(fields{tagSamples: one(kindShort, 1000)}), end: refused},
		{what: "TIFF of sample format 77", data: lying(fields{tagSampleFormat: one(kindShort, 77)}), end: either},
		{what: "TIFF with 65535 extra samples", data: lying(fields{tagExtraSamples: {kind: kindShort, count: 65535, value: 8}}), end: refused},
		{what: "TIFF of photometric 12345", data: lying(fields{tagPhotometric: one(kindShort, 12345)}), end: either},
		{what: "TIFF of a palette that is not there", data: lying(fields{tagPhotometric: one(kindShort, 3)}), end: either},
		{what: "TIFF of CMYK with one sample", data: lying(fields{tagPhotometric: one(kindShort, 5)}), end: either},
		{what: "TIFF of LogLuv", data: lying(fields{tagPhotometric: one(kindShort, 32845), tagCompression: one(kindShort, 34676)}), end: refused},
		{what: "TIFF of compression 12345", data: lying(fields{tagCompression: one(kindShort, 12345)}), end: refused},
		{what: "TIFF of garbage as LZW", data: lying(fields{tagCompression: one(kindShort, 5)}), end: refused},
		{what: "TIFF of garbage as deflate", data: lying(fields{tagCompression: one(kindShort, 8)}), end: refused},
		{what: "TIFF of garbage as PackBits", data: lying(fields{tagCompression: one(kindShort, 32773)}), end: either},
		{what: "TIFF of garbage as fax", data: lying(fields{tagCompression: one(kindShort, 4), tagBits: one(kindShort, 1)}), end: either},
		{what: "TIFF of garbage as old JPEG", data: lying(fields{tagCompression: one(kindShort, 6), tagPhotometric: one(kindShort, 6)}), end: stands},
		{what: "TIFF of garbage as LERC", data: lying(fields{tagCompression: one(kindShort, 34887)}), end: refused},
		{what: "TIFF of garbage as WebP", data: lying(fields{tagCompression: one(kindShort, 50001)}), end: refused},
		{what: "TIFF of predictor 99", data: lying(fields{tagCompression: one(kindShort, 8), tagPredictor: one(kindShort, 99)}), end: refused},
		{what: "TIFF in planes that are not there", data: lying(fields{tagPlanar: one(kindShort, 2), tagSamples: one(kindShort, 4), tagPhotometric: one(kindShort, 2)}), end: refused},
		{what: "TIFF of planes 200", data: lying(fields{tagPlanar: one(kindShort, 200)}), end: either},
		{what: "TIFF of a negative width", data: lying(fields{tagWidth: one(kindSLong, 1<<32-1)}), end: refused},
		{what: "TIFF of a fractional width", data: lying(fields{tagWidth: one(kindFloat, 0x7FC00000)}), end: refused},
		{what: "TIFF of width 2^32-1", data: lying(fields{tagWidth: one(kindLong, 1<<32-1)}), end: refused},
		{what: "TIFF of width 0", data: lying(fields{tagWidth: none}), end: refused},
		{what: "TIFF larger than its strip", data: lying(fields{tagHeight: one(kindLong, 6400)}), end: refused},
		{what: "TIFF turned by 200", data: lying(fields{tagOrientation: one(kindShort, 200)}), end: shown, width: 64, height: 64},
		{what: "TIFF with a profile beyond its end", data: lying(fields{tagProfile: {kind: kindUndefined, count: 1<<32 - 1, value: 8}}), end: either},
		{what: "TIFF with a profile that is none", data: lying(fields{tagProfile: {kind: kindUndefined, count: 4000, value: 8}}), end: shown, width: 64, height: 64},
		{what: "TIFF with 2^31 bytes of XMP", data: lying(fields{tagXMP: {kind: kindUndefined, count: 1 << 31, value: 8}}), end: either},
		{what: "TIFF with JPEG tiles of another size", data: jpegTile(tile, colour), end: either},
		{what: "TIFF with JPEG tiles far too large", data: jpegTile(greyJPEG(8192, 8192), nil), end: refused},
		{what: "TIFF with JPEG tiles of 65500", data: jpegTile(greyJPEG(65500, 8), nil), end: refused},
		{what: "TIFF with JPEG tiles without tables", data: jpegTile(joined(soi, tile[tables:]), colour), end: refused},
		{what: "TIFF with JPEG tables of garbage", data: jpegTile(tile, fields{tagJPEGTables: {kind: kindUndefined, count: 400, value: 8}}), end: refused},
		{what: "TIFF with JPEG tiles of subsampling 0", data: jpegTile(tile, fields{tagSamples: one(kindShort, 3), tagPhotometric: one(kindShort, 6), tagSubsampling: {kind: kindShort, count: 2, value: 0}}), end: refused},
		{what: "TIFF with JPEG tiles that are progressive", data: jpegTile(progressiveJPEG(64, 64, 5000), nil), end: either},
	}
}

// tiffLoops are directories that lead astray.
func tiffLoops(*testing.T) []hostile {
	chain := func(pages int) []byte {
		f := newTIFF(false)
		at := f.add(make([]byte, 64*64))
		for range pages {
			f.page(f.grey(64, 64, fields{tagStripOffsets: one(kindLong, at)}))
		}
		return f.data
	}
	loop := func(pages int) []byte {
		f := newTIFF(false)
		at := f.add(make([]byte, 64*64))
		first := uint64(len(f.data))
		for range pages {
			f.page(f.grey(64, 64, fields{tagStripOffsets: one(kindLong, at)}))
		}
		f.link(f.next, first)
		return f.data
	}
	// A page whose SubIFDs are told from where it lies itself and where a smaller picture lies, which names itself.
	sub := func(list func(page, small uint64) field) []byte {
		f := newTIFF(false)
		at := f.add(make([]byte, 64*64))
		small := uint64(len(f.data))
		f.loose(f.grey(32, 32, fields{tagStripOffsets: one(kindLong, at), tagSubIFDs: one(kindLong, small), tagSubfile: one(kindLong, 1)}))
		page := uint64(len(f.data))
		f.page(f.grey(64, 64, fields{tagStripOffsets: one(kindLong, at), tagSubIFDs: list(page, small)}))
		return f.data
	}
	levels := func(sides ...int) []byte {
		f := newTIFF(false)
		at := f.add(make([]byte, 64*64))
		for i, side := range sides {
			tiled := fields{
				tagTileWidth: one(kindLong, 64), tagTileHeight: one(kindLong, 64), tagTileOffsets: one(kindLong, at), tagTileByteCounts: one(kindLong, 64*64),
			}
			if i > 0 {
				tiled[tagSubfile] = one(kindLong, 1)
			}
			f.page(f.grey(side, side, tiled))
		}
		return f.data
	}
	return []hostile{
		{what: "TIFF whose directory leads to itself", data: loop(1), end: refused},
		{what: "TIFF whose directories form a loop", data: loop(3), end: refused},
		{what: "TIFF of 3000 pages", data: chain(3000), end: shown, width: 64, height: 64},
		{what: "TIFF of 20000 pages", data: chain(20000), end: refused},
		{what: "TIFF whose SubIFD is itself", data: sub(func(page, _ uint64) field { return one(kindLong, page) }), end: either},
		{what: "TIFF whose SubIFD names itself", data: sub(func(_, small uint64) field { return one(kindLong, small) }), end: either},
		{what: "TIFF with 2^32 SubIFDs", data: sub(func(uint64, uint64) field { return field{kind: kindLong, count: 1<<32 - 1, value: 8} }), end: refused},
		{what: "TIFF with SubIFDs beyond its end", data: sub(func(uint64, uint64) field { return one(kindLong, 1<<31) }), end: either},
		{what: "TIFF with a level larger than its base", data: levels(64, 640), end: shown, width: 64, height: 64},
		{what: "TIFF with a level that has fewer tiles than it says", data: levels(64, 32, 16), end: shown, width: 64, height: 64},
		{what: "TIFF whose base has fewer tiles than it says", data: levels(6400, 3200, 64), end: refused},
		{what: "TIFF whose directory lies beyond its end", data: []byte("II*\x00\xff\xff\xff\xff"), end: refused},
		{what: "TIFF without a directory", data: []byte("II*\x00\x00\x00\x00\x00"), end: refused},
		{what: "TIFF with an empty directory", data: joined("II*\x00\x08\x00\x00\x00", make([]byte, 6)), end: refused},
		{what: "BigTIFF with 2^63 fields", data: joined("II+\x00\x08\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00", bytes.Repeat([]byte{0x7F}, 64)), end: refused},
		{what: "BigTIFF of 4 bytes an offset", data: joined("II+\x00\x04\x00\x00\x00\x10\x00\x00\x00", make([]byte, 64)), end: refused},
	}
}

// tiffFloods are small files of huge pictures.
func tiffFloods(t *testing.T) []hostile {
	deflate := one(kindShort, 8)
	strip := func(width, height, bits int, rows int) []byte {
		f := newTIFF(false)
		count := (height + rows - 1) / rows
		data := zeros(t, (width*bits+7)/8*rows)
		at := f.add(data)
		all := fields{
			tagBits: one(kindShort, uint64(bits)), tagCompression: deflate, tagRowsPerStrip: one(kindLong, uint64(rows)),
			tagStripOffsets: one(kindLong, at), tagStripByteCounts: one(kindLong, uint64(len(data))),
		}
		if count > 1 {
			all[tagStripOffsets] = field{kind: kindLong, count: uint64(count), value: f.add(bytes.Repeat(le32(int(at)), count))}
			all[tagStripByteCounts] = field{kind: kindLong, count: uint64(count), value: f.add(bytes.Repeat(le32(len(data)), count))}
		}
		f.page(f.grey(width, height, all))
		return f.data
	}
	tile := func(n int) []byte { return zeros(t, n) }
	return []hostile{
		{what: "TIFF flood of 100000 by 100000 in one strip", data: strip(100000, 100000, 1, 100000), end: large, width: 100000, height: 100000},
		{what: "TIFF flood of 100000 by 100000 in strips", data: strip(100000, 100000, 8, 100), end: large, width: 100000, height: 100000},
		{what: "TIFF flood of 20000 by 20000 in one strip", slow: true, data: strip(20000, 20000, 8, 20000), end: either, width: 20000, height: 20000},
		{what: "TIFF flood of 100000 by 100000 in tiles", data: tiles(100000, 100000, 256, 256, tile(65536), fields{tagCompression: deflate}), end: large, width: 100000, height: 100000},
		{what: "TIFF flood in one tile", data: tiles(19000, 19000, 19008, 19008, tile(19008*19008), fields{tagCompression: deflate}), end: either, width: 19000, height: 19000},
		{what: "TIFF of ten million by ten million", data: lying(fields{tagWidth: one(kindLong, 1e7), tagHeight: one(kindLong, 1e7)}), end: refused},
		{what: "TIFF whose strip holds a gigabyte too much", data: func() []byte {
			f := newTIFF(false)
			data := zeros(t, 1<<30)
			f.page(f.grey(64, 64, fields{tagCompression: deflate, tagStripOffsets: one(kindLong, f.add(data)), tagStripByteCounts: one(kindLong, uint64(len(data)))}))
			return f.data
		}(), end: either, width: 64, height: 64},
		{what: "TIFF of millions of tiles of a pixel", slow: true, data: tiles(3000, 1000, 1, 1, []byte{0x80}), end: either, width: 3000, height: 1000},
		{what: "TIFF of a row of millions of tiles", slow: true, data: tiles(3_000_000, 1, 1, 1, []byte{0x80}), end: either},
		{what: "TIFF that claims 2^32 tiles of a pixel", data: lying(fields{tagWidth: one(kindLong, 65536), tagHeight: one(kindLong, 65536), tagTileWidth: one(kindLong, 1), tagTileHeight: one(kindLong, 1)}), end: refused},
		{what: "TIFF of a million strips", slow: true, data: strip(64, 1_000_000, 8, 1), end: either, width: 64, height: 1_000_000},
	}
}
