package vips

import (
	"bytes"
	"encoding/binary"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// lossyChunk is the part of a WebP that holds the picture.
func lossyChunk(t *testing.T, data []byte) []byte {
	t.Helper()
	for rest := data[12:]; len(rest) > 8; {
		size := int(binary.LittleEndian.Uint32(rest[4:]))
		if string(rest[:4]) == "VP8 " {
			return rest[8 : 8+size]
		}
		rest = rest[8+size+size%2:]
	}
	t.Fatal("no lossy picture in the file")
	return nil
}

// What goes row by row is what libvips writes, to the bit: also where a strip of rows is not full, and the last row or
// column has no neighbour to share its colour with.
func TestWebPIsThatOfLibvips(t *testing.T) {
	r := newRenderer(t, Config{WebPQuality: 71})
	dir := t.TempDir()
	for _, size := range []image.Point{{1, 1}, {2, 2}, {33, 64}, {301, 97}, {600, 415}, {17, 320}} {
		for _, gray := range []bool{false, true} {
			picture := reference().SubImage(image.Rectangle{Max: size})
			if gray {
				picture = grey(picture)
			}
			data := encodePNG(picture)
			in, out := filepath.Join(dir, "in.png"), filepath.Join(dir, "out.webp")
			if err := os.WriteFile(in, data, 0o600); err != nil {
				t.Fatal(err)
			}
			if told, err := exec.Command("vips", "webpsave", in, out, "--Q", "71", "--effort", "0").CombinedOutput(); err != nil {
				t.Fatalf("vips: %v: %s", err, told)
			}
			theirs, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			job := full(size)
			job.Format = "webp"
			ours, err := r.Render(t.Context(), newLocal(t, data), job)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(lossyChunk(t, ours), lossyChunk(t, theirs)) {
				t.Errorf("%v, gray %t: the pictures differ", size, gray)
			}
		}
	}
}
