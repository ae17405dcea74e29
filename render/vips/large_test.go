package vips

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/source"
)

// gigapixels writes a BigTIFF pyramid of JPEG tiles of 256 pixels. There are few different tiles, so the file is small
// and made in no time, but its directories are those of the real thing.
func gigapixels(width, height int) []byte {
	le := binary.LittleEndian
	out := le.AppendUint64([]byte("II\x2b\x00\x08\x00\x00\x00"), 0)
	random := rand.New(rand.NewPCG(3, 4))
	var tileAt, tileSize []uint64
	for range 16 {
		im := image.NewRGBA(image.Rect(0, 0, 256, 256))
		base := uint8(random.IntN(200))
		for i := range im.Pix {
			im.Pix[i] = base + uint8(i/4%256/8) + uint8(random.IntN(8))
		}
		data := encodeJPEG(im, 85)
		tileAt, tileSize = append(tileAt, uint64(len(out))), append(tileSize, uint64(len(data)))
		out = append(out, data...)
	}
	link := 8
	for w, h := width, height; ; w, h = w/2, h/2 {
		n := ((w + 255) / 256) * ((h + 255) / 256)
		offsets, counts := uint64(len(out)), uint64(len(out)+8*n)
		var sizes []byte
		for i := range n {
			out = le.AppendUint64(out, tileAt[i%16])
			sizes = le.AppendUint64(sizes, tileSize[i%16])
		}
		out = append(out, sizes...)
		fields := []struct {
			tag, kind uint16
			count     int
			value     uint64
		}{
			{256, 4, 1, uint64(w)}, {257, 4, 1, uint64(h)}, {258, 3, 3, 8 | 8<<16 | 8<<32}, {259, 3, 1, 7}, {262, 3, 1, 6},
			{277, 3, 1, 3}, {284, 3, 1, 1}, {322, 3, 1, 256}, {323, 3, 1, 256}, {324, 16, n, offsets}, {325, 16, n, counts},
			{530, 3, 2, 2 | 2<<16},
		}
		if n == 1 {
			fields[9].value, fields[10].value = tileAt[0], tileSize[0]
		}
		le.PutUint64(out[link:], uint64(len(out)))
		out = le.AppendUint64(out, uint64(len(fields)))
		for _, f := range fields {
			out = le.AppendUint16(le.AppendUint16(out, f.tag), f.kind)
			out = le.AppendUint64(le.AppendUint64(out, uint64(f.count)), f.value)
		}
		link = len(out)
		out = le.AppendUint64(out, 0)
		if n == 1 {
			return out
		}
	}
}

const largeFile = "GATEHOUSE_TEST_LARGE_FILE"

// A tile of two gigapixels takes milliseconds, and the process under 100 MB, whatever tile it is. The test runs itself
// in a process of its own, since others of the same process have used memory before.
func TestTileOfTwoGigapixels(t *testing.T) {
	name := filepath.Join(t.TempDir(), "large.tif")
	if err := os.WriteFile(name, gigapixels(50000, 40000), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestLargeChild$", "-test.v")
	cmd.Env = append(os.Environ(), largeFile+"="+name, "GOMAXPROCS=2")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	peak, mean := figure(t, out, "peak kB:"), figure(t, out, "mean us:")
	t.Logf("peak %d kB, mean %d us a tile", peak, mean)
	if peak > 100_000 {
		t.Errorf("the process took %d kB", peak)
	}
	if mean > 60_000 {
		t.Errorf("a tile took %d us", mean)
	}
}

func figure(t *testing.T, out []byte, name string) int {
	t.Helper()
	_, rest, ok := strings.Cut(string(out), name)
	words := strings.Fields(rest)
	if !ok || len(words) == 0 {
		t.Fatalf("no %q in\n%s", name, out)
	}
	n, err := strconv.Atoi(words[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestLargeChild is the other process of TestTileOfTwoGigapixels.
func TestLargeChild(t *testing.T) {
	name := os.Getenv(largeFile)
	if name == "" {
		return
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	o := &local{f}
	r := newRenderer(t, Config{})
	info, err := r.Describe(context.Background(), o, 0)
	if err != nil || len(info.Levels) < 7 || info.TileWidth != 256 {
		t.Fatalf("%+v, %v", info, err)
	}
	canvas := image.Pt(info.Width, info.Height)
	random := rand.New(rand.NewPCG(5, 6))
	start, n := time.Now(), 0
	for range 60 {
		scale := 1 << random.IntN(7)
		side := 512 * scale
		x, y := random.IntN(canvas.X/side+1)*side, random.IntN(canvas.Y/side+1)*side
		job := full(canvas)
		job.Region = image.Rect(x, y, x+side, y+side).Intersect(image.Rectangle{Max: canvas})
		if job.Region.Empty() {
			continue
		}
		job.Size = image.Pt((job.Region.Dx()+scale-1)/scale, (job.Region.Dy()+scale-1)/scale)
		job.Format = "jpg"
		if _, err := r.Render(context.Background(), o, job); err != nil {
			t.Fatal(err)
		}
		n++
	}
	fmt.Printf("mean us: %d\npeak kB: %d\n", time.Since(start).Microseconds()/int64(n), peakMemory(t))
}

// peakMemory is the most that the process had resident, in kB.
func peakMemory(t *testing.T) int { return statusLine(t, "VmHWM:") }

func residentMemory(t *testing.T) int { return statusLine(t, "VmRSS:") }

func statusLine(t *testing.T, name string) int {
	t.Helper()
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("no /proc")
	}
	for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), name); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("no %s", name)
	return 0
}

// Nothing is left behind by renders, good or bad.
func TestNoMemoryIsLost(t *testing.T) {
	r := newRenderer(t, Config{HeaderCache: -1})
	names := []string{"jpeg", "png interlaced", "tiff pages", "tiff cmyk", "tiff profile", "webp", "gif", "jp2", "pdf"}
	round := func() {
		for _, name := range names {
			data := fixtures()[name]
			for _, o := range []source.Original{&memory{name: name, data: data}, &memory{name: name, data: data[:len(data)/2]}} {
				job := full(image.Pt(refWidth, refHeight))
				if name == "pdf" {
					job = full(image.Pt(625, 417))
				}
				job.Size, job.Rotation, job.Format = image.Pt(300, 200), 10, "jpg"
				_, _ = r.Render(context.Background(), o, job)
			}
		}
	}
	for range 8 {
		round()
	}
	before := residentMemory(t)
	for range 20 {
		round()
	}
	if after := residentMemory(t); after > before+12_000 {
		t.Errorf("%d kB became %d kB over %d renders", before, after, 40*len(names))
	}
	if s := r.Stats(); s.LibraryBytes > 1<<20 || s.Running != 0 || s.Queued != 0 {
		t.Errorf("%+v", s)
	}
}

func BenchmarkTileOfTwoGigapixels(b *testing.B) {
	o := newLocal(b, gigapixels(50000, 40000))
	r := newRenderer(b, Config{})
	job := full(image.Pt(50000, 40000))
	job.Format = "jpg"
	for i := 0; b.Loop(); i++ {
		x := i * 512 % 48000
		job.Region, job.Size = image.Rect(x, 20480, x+512, 20992), image.Pt(512, 512)
		if _, err := r.Render(context.Background(), o, job); err != nil {
			b.Fatal(err)
		}
	}
}
