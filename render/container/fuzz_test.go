package container

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// Whatever the bytes are, what finishes them does not crash, changes nothing of what it was given, and loses no picture.
func FuzzFinish(f *testing.F) {
	f.Add([]byte("RIFF\x04\x00\x00\x00WEBP"), 300.0)
	f.Add([]byte("\x00\x00\x00\x08jp2h"), 11.8)
	f.Add([]byte("\x89PNG\r\n\x1a\n"), 0.0)
	f.Add([]byte{0xFF, 0xD8, 0xFF, 0xD9}, 11.8)
	f.Fuzz(func(t *testing.T, data []byte, resolution float64) {
		p := Picture{Width: 10, Height: 10, XRes: resolution, YRes: resolution}
		given := bytes.Clone(data)
		for _, finish := range []func([]byte, Picture) []byte{PNG, JP2, PDF} {
			if out := finish(data, p); len(data) > 0 && len(out) == 0 {
				t.Error("a picture vanished")
			}
		}
		out := JPEG(data, p)
		if len(data) >= 2 && (!bytes.Equal(out[:2], data[:2]) || !bytes.HasSuffix(out, data[2:])) {
			t.Errorf("% x became % x", data, out)
		}
		if !bytes.Equal(data, given) {
			t.Error("the input was changed")
		}
	})
}

// What goes into a WebP is a profile, what is taken out its Exif block, and the lengths are right, whatever the bytes
// are.
func FuzzWebP(f *testing.F) {
	file := webpFile(chunk("VP8X", 0x18, 0, 0, 0, 0, 0, 0, 0, 0, 0), chunk("VP8 ", 1, 2, 3), chunk("EXIF", 9, 9, 9), chunk("ALPH", 4))
	f.Add(file)
	f.Add(file[:len(file)-3])
	f.Add(append(bytes.Clone(file[:16]), make([]byte, 14)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		given := bytes.Clone(data)
		out := WebP(data, Picture{Width: 10, Height: 10})
		if !bytes.Equal(data, given) {
			t.Fatal("the input was changed")
		}
		if bytes.Equal(out, data) {
			return
		}
		if got := binary.LittleEndian.Uint32(out[4:]); int(got) != len(out)-8 {
			t.Fatalf("a file of %d bytes says %d", len(out), got)
		}
		chunks, ok := webpChunks(out)
		if !ok || len(chunks) < 2 || chunks[0].name != "VP8X" || chunks[1].name != "ICCP" {
			t.Fatalf("% x became % x", data, out)
		}
		for _, c := range chunks {
			if c.name == "EXIF" {
				t.Fatalf("EXIF is left in % x", out)
			}
		}
	})
}
