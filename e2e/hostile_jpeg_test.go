package e2e_test

import (
	"bytes"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// segment is a marker segment of a JPEG (ISO/IEC 10918-1 B.1.1.4).
func segment(marker byte, body ...any) []byte {
	content := joined(body...)
	return joined([]byte{0xFF, marker}, be16(len(content)+2), content)
}

const (
	soi = "\xff\xd8"
	eoi = "\xff\xd9"
)

// frame is a frame header of one component.
func frame(marker byte, precision, width, height int) []byte {
	return segment(marker, precision, be16(height), be16(width), 1, 1, 0x11, 0)
}

// flatTables are a quantisation table, and Huffman tables of one code each for what a picture of one colour needs: no
// difference, and for AC the symbol that is given.
func flatTables(ac byte) []byte {
	ones := bytes.Repeat([]byte{1}, 64)
	oneCode := append([]byte{1}, make([]byte, 15)...)
	return joined(segment(0xDB, 0, ones), segment(0xC4, 0x00, oneCode, 0), segment(0xC4, 0x10, oneCode, int(ac)))
}

// scan is a scan header over the one component.
func scan(from, to, approximation int) []byte {
	return segment(0xDA, 1, 1, 0x00, from, to, approximation)
}

// greyJPEG is a picture of one colour: two bits for each block.
func greyJPEG(width, height int) []byte {
	blocks := ((width + 7) / 8) * ((height + 7) / 8)
	return joined(soi, flatTables(0), frame(0xC0, 8, width, height), scan(0, 63, 0), make([]byte, blocks/4+8), eoi)
}

// progressiveJPEG has a scan for the mean of each block, and then the same scan over all the rest again and again: a
// run of 16384 blocks without coefficients takes 15 bits, all of them 0 (G.1.2.2).
func progressiveJPEG(width, height, scans int) []byte {
	blocks := ((width + 7) / 8) * ((height + 7) / 8)
	rest := joined(scan(1, 63, 0), make([]byte, 2*(blocks/16384+2)))
	return joined(soi, flatTables(0xE0), frame(0xC2, 8, width, height), scan(0, 0, 0), make([]byte, blocks/8+8),
		bytes.Repeat(rest, scans), eoi)
}

func hostileJPEGs(t *testing.T) []hostile {
	whole := testkit.JPEG(t, 300, 200)
	sof := find(t, whole, "\xff\xc0")
	dqt, dht, sos := find(t, whole, "\xff\xdb"), find(t, whole, "\xff\xc4"), find(t, whole, "\xff\xda")
	after := func(more ...any) []byte { return inserted(whole, 2, joined(more...)...) }
	icc := func(number, count int, n int) []byte {
		return segment(0xE2, "ICC_PROFILE\x00", number, count, make([]byte, n))
	}
	flat := func(parts ...any) []byte { return joined(soi, flatTables(0), joined(parts...), make([]byte, 40), eoi) }
	var manyICC []byte
	for i := range 255 {
		manyICC = append(manyICC, icc(i+1, 255, 65000)...)
	}
	files := []hostile{
		{what: "JPEG of 65535 by 65535 and no data", data: joined(soi, flatTables(0), frame(0xC0, 8, 65535, 65535), scan(0, 63, 0), eoi), end: refused},
		{what: "JPEG of 65500 by 65500 and no data", slow: true, data: joined(soi, flatTables(0), frame(0xC0, 8, 65500, 65500), scan(0, 63, 0), eoi), end: either},
		{what: "JPEG flood of 20000 by 20000", slow: true, data: greyJPEG(20000, 20000), end: either, width: 20000, height: 20000},
		{what: "JPEG flood of 30000 by 30000", slow: true, data: greyJPEG(30000, 30000), end: either, width: 30000, height: 30000},
		{what: "JPEG flood, progressive", data: progressiveJPEG(20000, 20000, 3), end: large, width: 20000, height: 20000},
		{what: "JPEG with 3000 scans", slow: true, data: progressiveJPEG(9000, 9000, 3000), end: either},
		{what: "JPEG with 20000 scans of little", data: progressiveJPEG(64, 64, 20000), end: either},
		{what: "JPEG with a broken Huffman table", data: patched(whole, dht+5, bytes.Repeat([]byte{0xFF}, 16)...), end: refused},
		{what: "JPEG with a Huffman table of class 9", data: patched(whole, dht+4, 0x9F), end: refused},
		{what: "JPEG without Huffman tables", data: flatWithout(t, whole, dht, sos), end: either},
		{what: "JPEG without quantisation", data: flatWithout(t, whole, dqt, sof), end: refused},
		{what: "JPEG with quantisation table 9", data: patched(whole, dqt+4, 0x09), end: refused},
		{what: "JPEG with two frames", data: inserted(whole, sof, whole[sof:sof+19]...), end: refused},
		{what: "JPEG with a second picture of another size inside", data: joined(whole[:len(whole)-2], testkit.JPEG(t, 50, 50)), end: either},
		{what: "JPEG, arithmetic", data: flat(frame(0xC9, 8, 16, 16), scan(0, 63, 0)), end: either},
		{what: "JPEG, lossless", data: flat(frame(0xC3, 8, 16, 16), scan(1, 0, 0)), end: refused},
		{what: "JPEG, differential", data: flat(frame(0xC5, 8, 16, 16), scan(0, 63, 0)), end: refused},
		{what: "JPEG of 12 bits", data: flat(frame(0xC1, 12, 16, 16), scan(0, 63, 0)), end: refused},
		{what: "JPEG of 0 bits", data: flat(frame(0xC0, 0, 16, 16), scan(0, 63, 0)), end: refused},
		{what: "JPEG of width 0", data: flat(frame(0xC0, 8, 0, 16), scan(0, 63, 0)), end: refused},
		{what: "JPEG of height 0", data: flat(frame(0xC0, 8, 16, 0), scan(0, 63, 0)), end: refused},
		{what: "JPEG of no components", data: flat(segment(0xC0, 8, be16(16), be16(16), 0), scan(0, 63, 0)), end: refused},
		{what: "JPEG of 255 components", data: flat(segment(0xC0, 8, be16(16), be16(16), 255, bytes.Repeat([]byte{1, 0x11, 0}, 255)), scan(0, 63, 0)), end: refused},
		{what: "JPEG of sampling 0", data: flat(segment(0xC0, 8, be16(16), be16(16), 1, 1, 0x00, 0), scan(0, 63, 0)), end: refused},
		{what: "JPEG of sampling 15", data: flat(segment(0xC0, 8, be16(16), be16(16), 1, 1, 0xFF, 0), scan(0, 63, 0)), end: refused},
		{what: "JPEG with a scan of what is not there", data: flat(frame(0xC0, 8, 16, 16), segment(0xDA, 1, 7, 0x00, 0, 63, 0)), end: refused},
		{what: "JPEG with an APP segment beyond its end", data: joined(whole[:2], "\xff\xe1\xff\xff", whole[2:]), end: either},
		{what: "JPEG with an APP segment of length 0", data: after("\xff\xe1\x00\x00"), end: either},
		{what: "JPEG with an APP segment of length 1", data: after("\xff\xe1\x00\x01"), end: either},
		{what: "JPEG with a profile numbered 0 of 0", data: after(icc(0, 0, 500)), end: shown, width: 300, height: 200},
		{what: "JPEG with a profile numbered 5 of 3", data: after(icc(5, 3, 500), icc(5, 3, 500), icc(200, 3, 500)), end: shown, width: 300, height: 200},
		{what: "JPEG with a profile of 16 megabytes", data: after(manyICC), end: shown, width: 300, height: 200},
		{what: "JPEG with Exif in a loop", data: after(segment(0xE1, "Exif\x00\x00", exifLoop())), end: shown, width: 300, height: 200},
		{what: "JPEG with Exif of a length beyond all", data: after(segment(0xE1, "Exif\x00\x00II*\x00\xff\xff\xff\xff")), end: shown, width: 300, height: 200},
		{what: "JPEG with 300 Exif segments", data: after(bytes.Repeat(segment(0xE1, "Exif\x00\x00", exifLoop(), make([]byte, 60000)), 300)), end: shown, width: 300, height: 200},
		{what: "JPEG with 100000 comments", data: after(bytes.Repeat(segment(0xFE, "x"), 100000)), end: shown, width: 300, height: 200},
		{what: "JPEG with restarts that do not come", data: inserted(whole, sof, segment(0xDD, be16(1))...), end: either},
		{what: "JPEG with a start in each byte", data: bytes.Repeat([]byte(soi), 5000), end: refused},
		{what: "JPEG that only begins and ends", data: joined(soi, eoi, make([]byte, 100)), end: refused},
		{what: "JPEG that fills for ever", data: joined(soi, bytes.Repeat([]byte{0xFF}, 5<<20)), end: refused},
		{what: "JPEG with an archive behind it", data: joined(whole, zipOf(t)), end: shown, width: 300, height: 200},
		{what: "JPEG with a PDF in it", data: after(segment(0xFE, "%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>")), end: shown, width: 300, height: 200},
	}
	for i := range files {
		files[i].ext = ".jpg"
	}
	files = append(files, cuts("JPEG", ".jpg", whole, 15)...)
	return append(files, hostile{what: "JPEG named as a program", ext: ".exe", data: whole, end: shown, width: 300, height: 200})
}

// flatWithout leaves out what lies between two marks.
func flatWithout(t *testing.T, data []byte, from, to int) []byte {
	t.Helper()
	if from >= to {
		t.Fatalf("nothing lies between %d and %d", from, to)
	}
	return joined(data[:from], data[to:])
}
