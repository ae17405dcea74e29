package e2e_test

import (
	"bytes"
	"compress/lzw"
	"encoding/binary"
	"testing"
)

// gifImage is a frame of zeros (GIF89a §20, §22).
func gifImage(t *testing.T, left, top, width, height int) []byte {
	t.Helper()
	var pixels bytes.Buffer
	w := lzw.NewWriter(&pixels, lzw.LSB, 2)
	if _, err := w.Write(make([]byte, width*height)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return joined(0x2C, le16(left), le16(top), le16(width), le16(height), 0, 2, gifBlocks(pixels.Bytes()))
}

// gifBlocks cuts data into blocks of up to 255 bytes, and ends them.
func gifBlocks(data []byte) []byte {
	var out []byte
	for len(data) > 0 {
		n := min(len(data), 255)
		out = append(append(out, byte(n)), data[:n]...)
		data = data[n:]
	}
	return append(out, 0)
}

// gifFile has a palette of four colours.
func gifFile(width, height int, parts ...any) []byte {
	return joined("GIF89a", le16(width), le16(height), 0x81, 0, 0, "\x40\x80\x40\xff\xff\xff\x00\x00\x00\xff\x00\x00", joined(parts...), 0x3B)
}

func hostileGIFs(t *testing.T) []hostile {
	image := gifImage(t, 0, 0, 16, 16)
	garbage := func(codeSize int) []byte {
		return joined(0x2C, le16(0), le16(0), le16(16), le16(16), 0, codeSize, gifBlocks(bytes.Repeat([]byte{0xAA, 0x55, 0xFF}, 60)))
	}
	loop := joined(0x21, 0xFF, 11, "NETSCAPE2.0", 3, 1, le16(65535), 0)
	files := []hostile{
		{what: "GIF of 5000 frames", data: gifFile(16, 16, bytes.Repeat(gifImage(t, 0, 0, 1, 1), 5000)), end: either, width: 16, height: 16},
		{what: "GIF of 1000 large frames", slow: true, data: gifFile(3000, 3000, bytes.Repeat(gifImage(t, 0, 0, 3000, 3000), 1000)), end: either, width: 3000, height: 3000},
		{what: "GIF with a frame outside its canvas", data: gifFile(16, 16, gifImage(t, 1000, 1000, 16, 16)), end: either},
		{what: "GIF with a frame at the end of all", data: gifFile(16, 16, gifImage(t, 65535, 65535, 16, 16)), end: either},
		{what: "GIF with a frame larger than its canvas", data: gifFile(4, 4, gifImage(t, 0, 0, 2000, 2000)), end: either},
		{what: "GIF of 65535 by 65535", data: gifFile(65535, 65535, image), end: either},
		{what: "GIF flood just allowed", slow: true, data: gifFile(9900, 9900, gifImage(t, 0, 0, 9900, 9900)), end: either, width: 9900, height: 9900},
		{what: "GIF flood of 65535 by 2000", data: gifFile(65535, 2000, gifImage(t, 0, 0, 65535, 2000)), end: either},
		{what: "GIF of 0 by 0", data: gifFile(0, 0, image), end: either},
		{what: "GIF without frames", data: gifFile(16, 16), end: refused},
		{what: "GIF with a frame of 0 by 0", data: gifFile(16, 16, gifImage(t, 0, 0, 0, 0)), end: either},
		{what: "GIF of code size 0", data: gifFile(16, 16, garbage(0)), end: either},
		{what: "GIF of code size 12", data: gifFile(16, 16, garbage(12)), end: either},
		{what: "GIF of code size 255", data: gifFile(16, 16, garbage(255)), end: either},
		{what: "GIF of garbage codes", data: gifFile(16, 16, garbage(8)), end: either},
		{what: "GIF without a palette", data: joined("GIF89a", le16(16), le16(16), 0, 0, 0, image, 0x3B), end: either},
		{what: "GIF with a block beyond its end", data: joined("GIF89a", le16(16), le16(16), 0x81, 0, 0, make([]byte, 12), 0x2C, le16(0), le16(0), le16(16), le16(16), 0, 2, 255, 1, 2), end: either},
		{what: "GIF with a million comments", data: gifFile(16, 16, bytes.Repeat([]byte{0x21, 0xFE, 1, 'x', 0}, 1_000_000), image), end: either, width: 16, height: 16},
		{what: "GIF with 10000 loops", data: gifFile(16, 16, bytes.Repeat(loop, 10000), image), end: shown, width: 16, height: 16},
		{what: "GIF with an unknown block", data: gifFile(16, 16, 0x99, image), end: either},
		{what: "GIF that is a program too", data: joined("GIF89a", le16('/'|'*'<<8), le16(16), 0x81, 0, 0, "*/=1;alert(1)", image, 0x3B), end: either},
	}
	for i := range files {
		files[i].ext = ".gif"
	}
	return append(files, cuts("GIF", ".gif", gifFile(300, 200, gifImage(t, 0, 0, 300, 200)), 9)...)
}

func webpChunk(name string, body ...any) []byte {
	content := joined(body...)
	out := joined(name, le32(len(content)), content)
	return append(out, make([]byte, len(content)%2)...)
}

func webpFile(chunks ...any) []byte {
	body := joined("WEBP", joined(chunks...))
	return joined("RIFF", le32(len(body)), body)
}

// webpFlood is a lossless picture of one colour: a pixel takes no bit (WebP Lossless Bitstream §4, §6).
func webpFlood(width, height int) []byte {
	bits, n := uint64(width-1)|uint64(height-1)<<14, 32
	// No transform, no colour cache, no meta codes, then five prefix codes of one symbol, the symbol 0.
	for range 5 {
		bits |= 1 << (n + 3)
		n += 4
	}
	return webpChunk("VP8L", 0x2F, le32(int(bits&0xFFFFFFFF)), le32(int(bits>>32)), make([]byte, 8))
}

func hostileWebPs(t *testing.T, whole []byte) []hostile {
	extended := func(flags, width, height int, chunks ...any) []byte {
		return webpFile(webpChunk("VP8X", flags, 0, 0, 0, le24(width-1), le24(height-1)), joined(chunks...))
	}
	lossy := whole[12:]
	for string(lossy[:4]) == "VP8X" || string(lossy[:4]) == "ICCP" {
		size := int(binary.LittleEndian.Uint32(lossy[4:]))
		lossy = lossy[8+size+size%2:]
	}
	if string(lossy[:4]) != "VP8 " {
		t.Fatalf("the picture begins with %q", lossy[:4])
	}
	animation := webpChunk("ANIM", le32(0), le16(0))
	frameOf := func(x, y, width, height int, picture []byte) []byte {
		return webpChunk("ANMF", le24(x/2), le24(y/2), le24(width-1), le24(height-1), le24(100), 0, picture)
	}
	files := []hostile{
		{what: "WebP whose length is 0", data: patched(webpFile(lossy), 4, 0, 0, 0, 0), end: refused},
		{what: "WebP whose length is 2^32-1", data: patched(webpFile(lossy), 4, 0xFF, 0xFF, 0xFF, 0xFF), end: refused},
		{what: "WebP with a chunk beyond its end", data: patched(webpFile(lossy), 16, 0xFF, 0xFF, 0xFF, 0x7F), end: refused},
		{what: "WebP of sides of 0", data: patched(webpFile(lossy), 26, 0, 0, 0, 0), end: refused},
		{what: "WebP of 16383 by 16383 and no data", data: patched(webpFile(lossy), 26, 0xFF, 0x3F, 0xFF, 0x3F), end: either},
		{what: "WebP flood of 16384 by 16384", data: webpFile(webpFlood(16384, 16384)), end: either},
		{what: "WebP flood just allowed", slow: true, data: webpFile(webpFlood(9900, 9900)), end: either, width: 9900, height: 9900},
		{what: "WebP with a canvas of 2^24 by 2^24", data: extended(0, 1<<24, 1<<24, webpFlood(16, 16)), end: refused},
		{what: "WebP with a canvas larger than its picture", data: extended(0, 9000, 9000, webpFlood(16, 16)), end: either},
		{what: "WebP with a canvas smaller than its picture", data: extended(0, 16, 16, webpFlood(9000, 9000)), end: either},
		{what: "WebP of 5000 frames", data: extended(2, 16, 16, animation, bytes.Repeat(frameOf(0, 0, 16, 16, webpFlood(16, 16)), 5000)), end: either},
		{what: "WebP of 300 large frames", slow: true, data: extended(2, 3000, 3000, animation, bytes.Repeat(frameOf(0, 0, 3000, 3000, webpFlood(3000, 3000)), 300)), end: either},
		{what: "WebP with a frame outside its canvas", data: extended(2, 16, 16, animation, frameOf(1000, 1000, 16, 16, webpFlood(16, 16))), end: refused},
		{what: "WebP with a frame larger than it says", data: extended(2, 16, 16, animation, frameOf(0, 0, 16, 16, webpFlood(9000, 9000))), end: refused},
		{what: "WebP with alpha of garbage", data: extended(0x10, 300, 200, webpChunk("ALPH", 1, bytes.Repeat([]byte{0xA5}, 100)), lossy), end: either},
		{what: "WebP with a profile of 10 megabytes", data: extended(0x20, 16, 16, webpChunk("ICCP", make([]byte, 10<<20)), webpFlood(16, 16)), end: either},
		{what: "WebP with Exif in a loop", data: extended(8, 16, 16, webpFlood(16, 16), webpChunk("EXIF", exifLoop())), end: shown, width: 16, height: 16},
		{what: "WebP of garbage", data: webpFile(webpChunk("VP8L", 0x2F, bytes.Repeat([]byte{0xA5, 0x3C}, 200))), end: either},
		{what: "WebP without a picture", data: extended(0, 16, 16), end: refused},
	}
	for i := range files {
		files[i].ext = ".webp"
	}
	return append(files, cuts("WebP", ".webp", webpFile(lossy), 20)...)
}
