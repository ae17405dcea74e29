package e2e_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// pngChunk is a chunk with its sum (PNG §5.3).
func pngChunk(name string, body ...any) []byte {
	content := joined(body...)
	out := append(be32(len(content)), name...)
	out = append(out, content...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

const pngSignature = "\x89PNG\r\n\x1a\n"

func pngHeader(width, height, depth, colour, interlace int) []byte {
	return pngChunk("IHDR", be32(width), be32(height), depth, colour, 0, 0, interlace)
}

// greyPNG is a black picture of whole bytes a row, with chunks before the pixels.
func greyPNG(t *testing.T, width, height, depth int, before ...any) []byte {
	t.Helper()
	rows := (width*depth + 7) / 8
	return joined(pngSignature, pngHeader(width, height, depth, 0, 0), joined(before...),
		pngChunk("IDAT", zeros(t, (rows+1)*height)), pngChunk("IEND"))
}

func hostilePNGs(t *testing.T) []hostile {
	whole := testkit.PNG(t, 300, 200)
	idat := find(t, whole, "IDAT")
	small := func(chunks ...any) []byte { return greyPNG(t, 16, 16, 8, chunks...) }
	with := func(header []byte, chunks ...any) []byte { return joined(pngSignature, header, joined(chunks...)) }
	pixels := func(n int) []byte { return pngChunk("IDAT", zeros(t, n)) }
	end := pngChunk("IEND")
	files := []hostile{
		{what: "PNG with a false sum of its header", data: patched(whole, 29, 0, 0, 0, 0), end: refused},
		{what: "PNG with a false sum of its pixels", data: patched(whole, len(whole)-16, 1, 2, 3, 4), end: either},
		{what: "PNG with flipped pixels", data: patched(whole, idat+200, 0xAA, 0x55), end: refused},
		{what: "PNG of width 0", data: with(pngHeader(0, 16, 8, 0, 0), pixels(16), end), end: refused},
		{what: "PNG of height 0", data: with(pngHeader(16, 0, 8, 0, 0), pixels(16), end), end: refused},
		{what: "PNG with sides of 2^31-1", data: with(pngHeader(1<<31-1, 1<<31-1, 8, 0, 0), pixels(100), end), end: refused},
		{what: "PNG with sides of 2^32-1", data: with(pngHeader(1<<32-1, 1<<32-1, 16, 6, 0), pixels(100), end), end: refused},
		{what: "PNG without pixels", data: with(pngHeader(16, 16, 8, 0, 0), end), end: refused},
		{what: "PNG without an end", data: with(pngHeader(16, 16, 8, 0, 0), pixels(17*16)), end: either},
		{what: "PNG with a gigabyte for 16 pixels", slow: true, data: with(pngHeader(4, 4, 8, 0, 0), pixels(1<<30), end), end: either},
		{what: "PNG flood of 100000 by 100000", data: greyPNG(t, 100000, 100000, 1), end: large, width: 100000, height: 100000},
		{what: "PNG flood of one long row", slow: true, data: greyPNG(t, 1_000_000, 300, 1), end: either},
		{what: "PNG flood of one long column", slow: true, data: greyPNG(t, 8, 1_000_000, 1), end: either},
		{what: "PNG flood interlaced and held", data: with(pngHeader(20000, 20000, 8, 0, 1), pixels(401_000_000), end), end: large, width: 20000, height: 20000},
		{what: "PNG flood interlaced and just allowed", slow: true, data: with(pngHeader(9999, 9999, 8, 0, 1), pixels(100_100_000), end), end: either},
		{what: "PNG with a profile of a gigabyte", data: small(pngChunk("iCCP", "p", 0, 0, zeros(t, 1<<30))), end: shown, width: 16, height: 16},
		{what: "PNG with a text of a gigabyte", data: small(pngChunk("zTXt", "Comment", 0, 0, zeros(t, 1<<30))), end: shown, width: 16, height: 16},
		{what: "PNG with an international text of a gigabyte", data: small(pngChunk("iTXt", "XML:com.adobe.xmp", 0, 1, 0, 0, 0, zeros(t, 1<<30))), end: shown, width: 16, height: 16},
		{what: "PNG with a giant plain text", slow: true, data: small(pngChunk("iTXt", "XML:com.adobe.xmp", 0, 0, 0, 0, 0, bytes.Repeat([]byte("x"), 20<<20))), end: either},
		{what: "PNG with 50000 texts", data: small(bytes.Repeat(pngChunk("tEXt", "Comment", 0, "x"), 50000)), end: either},
		{what: "PNG with 5000 texts of a megabyte", slow: true, data: small(bytes.Repeat(pngChunk("zTXt", "Comment", 0, 0, zeros(t, 1<<20)), 5000)), end: either},
		{what: "PNG with a chunk of 2^31-1", data: with(pngHeader(16, 16, 8, 0, 0), be32(1<<31-1), "IDAT", zeros(t, 17*16)), end: either},
		{what: "PNG with a chunk of 2^32-1", data: with(pngHeader(16, 16, 8, 0, 0), be32(1<<32-1), "IDAT", zeros(t, 17*16)), end: refused},
		{what: "PNG of an unknown critical chunk", data: small(pngChunk("ABCD", "x")), end: either},
		{what: "PNG without its palette", data: with(pngHeader(16, 16, 8, 3, 0), pixels(17*16), end), end: refused},
		{what: "PNG with a palette of 300", data: with(pngHeader(16, 16, 8, 3, 0), pngChunk("PLTE", make([]byte, 900)), pixels(17*16), end), end: refused},
		{what: "PNG of 3 bits", data: with(pngHeader(16, 16, 3, 0, 0), pixels(17*16), end), end: refused},
		{what: "PNG of colour type 9", data: with(pngHeader(16, 16, 8, 9, 0), pixels(17*16), end), end: refused},
		{what: "PNG of interlace 7", data: with(pngHeader(16, 16, 8, 0, 7), pixels(17*16), end), end: refused},
		{what: "PNG of filter 9", data: with(pngHeader(4, 1, 8, 0, 0), pngChunk("IDAT", []byte("\x78\x01\x01\x05\x00\xfa\xff\x09\x00\x00\x00\x00\x00\x32\x00\x0a")), end), end: refused},
		{what: "PNG whose pixels are no deflate", data: with(pngHeader(16, 16, 8, 0, 0), pngChunk("IDAT", bytes.Repeat([]byte("no"), 200)), end), end: refused},
		{what: "PNG with two headers", data: with(pngHeader(16, 16, 8, 0, 0), pngHeader(30000, 30000, 8, 6, 0), pixels(17*16), end), end: either},
		{what: "PNG with 2^31 frames", data: small(pngChunk("acTL", be32(1<<31-1), be32(0))), end: shown, width: 16, height: 16},
		{what: "PNG with Exif in a loop", data: small(pngChunk("eXIf", exifLoop())), end: shown, width: 16, height: 16},
		{what: "PNG with a page over it", data: inserted(whole, 33, pngChunk("tEXt", "Comment", 0, "<html><script>alert(1)</script>")...), end: shown, width: 300, height: 200},
	}
	for i := range files {
		files[i].ext = ".png"
	}
	files = append(files, cuts("PNG", ".png", whole, 20)...)
	return append(files, hostile{what: "PNG named as a JPEG", ext: ".jpg", data: whole, end: shown, width: 300, height: 200})
}

// exifLoop is Exif whose directories lead into each other, and whose values lie everywhere.
func exifLoop() []byte {
	entry := func(tag, kind, count, value int) []byte {
		return joined(le16(tag), le16(kind), le32(count), le32(value))
	}
	return joined("II*\x00", le32(8), le16(5), entry(0x0112, 3, 1, 1), entry(0x011A, 5, 1<<32-1, 8), entry(0x8769, 4, 1, 8),
		entry(0x8825, 4, 1, 8), entry(0x9286, 7, 1<<31-1, 1<<31-1), le32(8))
}
