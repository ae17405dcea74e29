package vips

import (
	"encoding/binary"
	"math"
)

// jfifSize is the length of a JFIF segment without a thumbnail, its marker included (ISO/IEC 10918-5 §10.1).
const jfifSize = 18

// withJFIF puts a JFIF segment behind the start of a JPEG, which libvips leaves out when it strips metadata. The
// segment says that the colours are YCbCr, and how large the picture is on paper: xres and yres are in pixels per
// millimetre.
func withJFIF(data []byte, xres, yres float64) []byte {
	if len(data) < 2 {
		return data
	}
	out := make([]byte, 0, len(data)+jfifSize)
	out = append(out, data[:2]...)
	out = append(out, 0xFF, 0xE0, 0, jfifSize-2, 'J', 'F', 'I', 'F', 0, 1, 2)
	x, y := math.Round(xres*25.4), math.Round(yres*25.4)
	if x >= 1 && y >= 1 && x <= 65535 && y <= 65535 {
		out = append(out, 1) // dots per inch
		out = binary.BigEndian.AppendUint16(out, uint16(x))
		out = binary.BigEndian.AppendUint16(out, uint16(y))
	} else {
		out = append(out, 0, 0, 1, 0, 1)
	}
	out = append(out, 0, 0)
	return append(out, data[2:]...)
}

// Flags of the VP8X chunk (WebP Container Specification, Extended File Format).
const webpExif = 0x08

// withoutExif takes the EXIF chunk out of a WebP. libvips writes one with nothing but the resolution, also when it is
// told to strip: some hundred bytes in each tile.
func withoutExif(data []byte) []byte {
	if len(data) < 30 || string(data[8:16]) != "WEBPVP8X" || data[20]&webpExif == 0 {
		return data
	}
	out := append(make([]byte, 0, len(data)), data[:12]...)
	for rest := data[12:]; len(rest) >= 8; {
		size := 8 + int64(binary.LittleEndian.Uint32(rest[4:]))
		size += size % 2
		if size > int64(len(rest)) {
			return data
		}
		if string(rest[:4]) != "EXIF" {
			out = append(out, rest[:size]...)
		}
		rest = rest[size:]
	}
	out[20] &^= webpExif
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}
