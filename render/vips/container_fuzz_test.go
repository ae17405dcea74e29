package vips

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// What is taken out of a WebP is its EXIF chunk and nothing else, whatever the bytes are.
func FuzzWithoutExif(f *testing.F) {
	vp8x := chunk("VP8X", 0x18, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	body := bytes.Join([][]byte{[]byte("WEBP"), vp8x, chunk("VP8 ", 1, 2, 3), chunk("EXIF", 9, 9, 9), chunk("ALPH", 4)}, nil)
	file := append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
	f.Add(file)
	f.Add(file[:len(file)-3])
	f.Add(append(bytes.Clone(file[:16]), make([]byte, 14)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		given := bytes.Clone(data)
		out := withoutExif(data)
		if !bytes.Equal(data, given) {
			t.Fatal("the input was changed")
		}
		if bytes.Equal(out, data) {
			return
		}
		if len(out) > len(data) || len(out) < 12 || string(out[8:16]) != "WEBPVP8X" {
			t.Fatalf("% x became % x", data, out)
		}
		if got := binary.LittleEndian.Uint32(out[4:]); int(got) != len(out)-8 {
			t.Fatalf("a file of %d bytes says %d", len(out), got)
		}
		for rest := out[12:]; len(rest) >= 8; {
			if string(rest[:4]) == "EXIF" {
				t.Fatalf("EXIF is left in % x", out)
			}
			size := 8 + int(binary.LittleEndian.Uint32(rest[4:]))
			size += size % 2
			if size > len(rest) {
				t.Fatalf("a chunk is cut in % x", out)
			}
			rest = rest[size:]
		}
	})
}

// A JFIF segment goes behind the first two bytes, and all others stay.
func FuzzWithJFIF(f *testing.F) {
	f.Add([]byte{0xFF, 0xD8, 0xFF, 0xD9}, 11.8, 5.9)
	f.Add([]byte{}, 0.0, 0.0)
	f.Fuzz(func(t *testing.T, data []byte, xres, yres float64) {
		out := withJFIF(data, xres, yres)
		if len(data) < 2 {
			if !bytes.Equal(out, data) {
				t.Fatalf("% x", out)
			}
			return
		}
		if len(out) != len(data)+jfifSize || !bytes.Equal(out[:2], data[:2]) || !bytes.Equal(out[2+jfifSize:], data[2:]) {
			t.Fatalf("% x became % x", data, out)
		}
		if x, y := binary.BigEndian.Uint16(out[14:]), binary.BigEndian.Uint16(out[16:]); x == 0 || y == 0 {
			t.Fatalf("a density of %d by %d", x, y)
		}
	})
}
