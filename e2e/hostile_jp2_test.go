package e2e_test

import (
	"bytes"
	"testing"
)

// jp2 is a picture of one colour in JPEG 2000: each packet is empty (ISO/IEC 15444-1 annexes A and B).
type jp2 struct {
	width, height         int
	tileWidth, tileHeight int
	components            int
	levels, layers        int
	// parts is how many tiles are there, whatever the sizes say.
	parts int
}

func (j jp2) stream() []byte {
	main := joined("\xff\x4f", jp2Segment(0x51, be16(0), be32(j.width), be32(j.height), be32(0), be32(0),
		be32(j.tileWidth), be32(j.tileHeight), be32(0), be32(0), be16(j.components), bytes.Repeat([]byte{7, 1, 1}, j.components)),
		jp2Segment(0x52, 0, 0, be16(j.layers), 0, j.levels, 4, 4, 0, 1), jp2Segment(0x5C, 0x40, bytes.Repeat([]byte{0x40}, 3*j.levels+1)))
	packets := make([]byte, (j.levels+1)*j.components*j.layers)
	for i := range j.parts {
		main = append(main, joined(jp2Segment(0x90, be16(i), be32(14+len(packets)), 0, 1), "\xff\x93", packets)...)
	}
	return append(main, 0xFF, 0xD9)
}

func jp2Segment(marker byte, body ...any) []byte {
	content := joined(body...)
	return joined([]byte{0xFF, marker}, be16(len(content)+2), content)
}

func box(name string, body ...any) []byte {
	content := joined(body...)
	return joined(be32(len(content)+8), name, content)
}

const jp2Mark = "\x00\x00\x00\x0cjP  \r\n\x87\n"

func (j jp2) file() []byte {
	return joined(jp2Mark, box("ftyp", "jp2 ", be32(0), "jp2 "),
		box("jp2h", box("ihdr", be32(j.height), be32(j.width), be16(j.components), 7, 7, 0, 0), box("colr", 1, 0, 0, be32(17))),
		box("jp2c", j.stream()))
}

func hostileJP2s(*testing.T) []hostile {
	plain := jp2{width: 300, height: 200, tileWidth: 300, tileHeight: 200, components: 1, levels: 2, layers: 1, parts: 1}
	with := func(change func(*jp2)) []byte {
		j := plain
		change(&j)
		return j.file()
	}
	whole := plain.file()
	files := []hostile{
		{what: "JP2 of one colour", data: whole, end: shown, width: 300, height: 200},
		{what: "JP2 of 2^32-1 by 2^32-1", data: with(func(j *jp2) { j.width, j.height, j.tileWidth, j.tileHeight = 1<<32-1, 1<<32-1, 1<<32-1, 1<<32-1 }), end: refused},
		{what: "JP2 of 2^31 by 2^31 in tiles", data: with(func(j *jp2) { j.width, j.height, j.tileWidth, j.tileHeight = 1<<31-1, 1<<31-1, 256, 256 }), end: refused},
		{what: "JP2 of 0 by 0", data: with(func(j *jp2) { j.width, j.height = 0, 0 }), end: refused},
		{what: "JP2 flood just allowed", slow: true, data: with(func(j *jp2) { j.width, j.height, j.tileWidth, j.tileHeight = 9900, 9900, 9900, 9900 }), end: either, width: 9900, height: 9900},
		{what: "JP2 flood of 20000 by 20000", slow: true, data: with(func(j *jp2) { j.width, j.height, j.tileWidth, j.tileHeight = 20000, 20000, 20000, 20000 }), end: either},
		{what: "JP2 of 100000 by 100000 in tiles that are not there", data: with(func(j *jp2) { j.width, j.height, j.tileWidth, j.tileHeight = 100000, 100000, 1024, 1024 }), end: either},
		{what: "JP2 in tiles of a pixel", slow: true, data: with(func(j *jp2) { j.tileWidth, j.tileHeight = 1, 1 }), end: either},
		{what: "JP2 of 60000 tiles of a pixel", slow: true, data: with(func(j *jp2) { j.tileWidth, j.tileHeight, j.parts, j.levels = 1, 1, 60000, 0 }), end: either},
		{what: "JP2 in tiles of 0", data: with(func(j *jp2) { j.tileWidth, j.tileHeight = 0, 0 }), end: refused},
		{what: "JP2 of 16384 components", data: with(func(j *jp2) { j.components = 16384 }), end: either},
		{what: "JP2 of 4000 components", data: with(func(j *jp2) { j.components = 4000 }), end: either},
		{what: "JP2 of no components", data: with(func(j *jp2) { j.components = 0 }), end: refused},
		{what: "JP2 of 65535 layers", slow: true, data: with(func(j *jp2) { j.layers = 65535 }), end: either},
		{what: "JP2 of 200 levels", data: with(func(j *jp2) { j.levels = 200 }), end: refused},
		{what: "JP2 of 32 levels", data: with(func(j *jp2) { j.levels = 32 }), end: either},
		{what: "JP2 without its tile", data: with(func(j *jp2) { j.parts = 0 }), end: either},
		{what: "JP2 with tiles that are not its own", data: with(func(j *jp2) { j.parts = 500 }), end: either},
		{what: "JP2 with a box of length 0", data: joined(jp2Mark, be32(0), "ftyp", plain.stream()), end: refused},
		{what: "JP2 with a box of length 1", data: joined(jp2Mark, be32(1), "ftyp", be32(0), be32(8), plain.stream()), end: refused},
		{what: "JP2 with a box of 2^63", data: joined(jp2Mark, be32(1), "ftyp", be32(1<<31), be32(0), plain.stream()), end: refused},
		{what: "JP2 with 100000 boxes", data: joined(jp2Mark, box("ftyp", "jp2 ", be32(0), "jp2 "), bytes.Repeat(box("free", ""), 100000), whole[32:]), end: either},
		{what: "JP2 with boxes in boxes", data: joined(jp2Mark, box("ftyp", "jp2 ", be32(0), "jp2 "), bytes.Repeat(joined(be32(100000), "jp2h"), 10000)), end: refused},
		{what: "JP2 with a palette of lies", data: joined(jp2Mark, box("ftyp", "jp2 ", be32(0), "jp2 "), box("jp2h", box("ihdr", be32(200), be32(300), be16(1), 7, 7, 0, 0),
			box("pclr", be16(1024), 255, bytes.Repeat([]byte{7}, 255)), box("cmap", bytes.Repeat([]byte{0, 200, 1, 200}, 255)), box("colr", 1, 0, 0, be32(16))), box("jp2c", plain.stream())), end: either},
	}
	for i := range files {
		files[i].ext = ".jp2"
	}
	files = append(files, hostile{what: "JPEG 2000 without boxes", ext: ".j2k", data: plain.stream(), end: shown, width: 300, height: 200})
	return append(files, cuts("JP2", ".jp2", whole, 30)...)
}
