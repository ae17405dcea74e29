//go:build linux

package vips

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit/originals"
	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/render/child"
	"github.com/gatehouse-server/gatehouse/render/tiffdir"
	"github.com/gatehouse-server/gatehouse/render/tiffwrite"
	"github.com/gatehouse-server/gatehouse/source"
)

// pyramidOf makes a pyramid and opens it.
func pyramidOf(t testing.TB, r *Renderer, o source.Original, page int, tile image.Point) (*local, error) {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "pyramid.tif"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	if err := r.MakePyramid(context.Background(), o, render.PyramidPage{Page: page, Tile: tile, Idle: true}, file, 1<<30); err != nil {
		return nil, err
	}
	return &local{file}, nil
}

// gridJob is a tile as a viewer asks for it.
func gridJob(page, tile image.Point, scale, x, y int) render.Job {
	region := image.Rect(x*tile.X*scale, y*tile.Y*scale, (x+1)*tile.X*scale, (y+1)*tile.Y*scale).Intersect(image.Rectangle{Max: page})
	size := image.Pt((region.Dx()+scale-1)/scale, (region.Dy()+scale-1)/scale)
	return render.Job{Canvas: page, Region: region, Size: size, Quality: "default", Format: "jpg"}
}

// What a pyramid shows is what the original shows, in each form that originals have.
func TestPyramidOfEveryKind(t *testing.T) {
	inside, outside := newRenderer(t, Config{Loaders: LoaderNames()}), newIsolated(t, Config{Loaders: LoaderNames()}, child.Config{})
	tile := image.Pt(128, 64)
	for i, f := range originals.Write(t, t.TempDir()) {
		if f.Strange {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			o := newLocal(t, must(os.ReadFile(f.Path)))
			made, err := pyramidOf(t, inside, o, f.Page-1, tile)
			if err != nil {
				t.Fatal(err)
			}
			info, err := inside.Describe(context.Background(), made, 0)
			if err != nil {
				t.Fatal(err)
			}
			size := image.Pt(f.Width, f.Height)
			if info.Width != size.X || info.Height != size.Y || info.TileWidth != tile.X || info.TileHeight != tile.Y || info.Pages != 1 {
				t.Errorf("%+v", info)
			}
			for _, scale := range []int{1 << (i % 3)} {
				job := gridJob(size, tile, scale, 0, 0)
				want := job
				want.Page = f.Page - 1
				// What is encoded twice differs a little more than what is encoded once; a PDF is drawn anew in each size, what is
				// turned lies across the blocks that a JPEG's decoder scales, and the sizes that lie in a JPEG 2000 have their
				// wavelet's edges.
				allowed, allowedMean := 64, 3.5
				switch {
				case scale > 1 && f.Format == "jp2":
					allowed, allowedMean = 128, 6
				case scale > 1:
					allowed = 100
				}
				if most, mean := difference(draw(t, inside, made, job), draw(t, inside, o, want)); most > allowed || mean > allowedMean {
					t.Errorf("by %d: difference %d, mean %.2f", scale, most, mean)
				}
			}
			// A child does the same work, so that some of them tell.
			if i%5 > 0 {
				return
			}
			other, err := pyramidOf(t, outside, o, f.Page-1, tile)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(must(os.ReadFile(made.file.Name())), must(os.ReadFile(other.file.Name()))) {
				t.Error("in a child it is another one")
			}
		})
	}
}

// A tile of a pyramid is, byte for byte in its pixels, what is made of the original: as it lies, and by powers of two as
// nearly as halving again and again is scaling at once.
func TestTilesOfAPyramidAreThoseOfTheOriginal(t *testing.T) {
	r := newRenderer(t, Config{})
	for _, kind := range []string{"png", "jpeg", "tiff strips"} {
		data, ok := fixtures()[kind]
		if !ok {
			t.Fatalf("no fixture %q", kind)
		}
		o := newLocal(t, data)
		tile := image.Pt(256, 256)
		made, err := pyramidOf(t, r, o, 0, tile)
		if err != nil {
			t.Fatal(err)
		}
		page := image.Pt(refWidth, refHeight)
		dirs, err := tiffdir.Read(made.file, made.Info().Size)
		if err != nil || len(dirs.Pages) != 1 {
			t.Fatalf("%+v: %v", dirs, err)
		}
		sizes := tiffwrite.Page{Width: page.X, Height: page.Y, TileWidth: tile.X, TileHeight: tile.Y}.Sizes()
		for i, level := range dirs.Pages[0].Levels {
			if got := image.Pt(level.Width, level.Height); got != sizes[i+1] {
				t.Errorf("%s: size %d is %v, not %v", kind, i+1, got, sizes[i+1])
			}
		}
		// A lossless answer shows what is stored.
		job := gridJob(page, tile, 1, 0, 0)
		want := draw(t, r, newLocal(t, must(r.Render(context.Background(), o, job))), full(job.Size))
		job.Format = "png"
		if most, _ := difference(draw(t, r, made, job), want); most > 0 {
			t.Errorf("%s: as it lies, a tile differs by %d", kind, most)
		}
	}
}

func TestPyramidIsRefused(t *testing.T) {
	tile := image.Pt(256, 256)
	small := Config{MaxPixels: 100, MaxHeldPixels: 1000}
	for name, test := range map[string]struct {
		config Config
		data   []byte
	}{
		"more pixels than allowed": {small, fixtures()["png"]},
		"no picture":               {Config{}, []byte("hello")},
		"cut off":                  {Config{}, fixtures()["png"][:len(fixtures()["png"])/2]},
		"a JPEG that is cut off":   {Config{}, fixtures()["jpeg"][:len(fixtures()["jpeg"])/2]},
	} {
		for isolation, r := range map[string]*Renderer{"inside": newRenderer(t, test.config), "outside": newIsolated(t, test.config, child.Config{})} {
			if _, err := pyramidOf(t, r, newLocal(t, test.data), 0, tile); err == nil {
				t.Errorf("%s, %s: no error", name, isolation)
			}
		}
	}
}

// A file that cannot be written ends the work, and its error is told.
func TestPyramidThatCannotBeWritten(t *testing.T) {
	for isolation, r := range map[string]*Renderer{"inside": newRenderer(t, Config{}), "outside": newIsolated(t, Config{}, child.Config{})} {
		o := newLocal(t, fixtures()["png"])
		err := r.MakePyramid(context.Background(), o, render.PyramidPage{Tile: image.Pt(128, 128)}, &fullDisk{}, 1<<30)
		if !errors.Is(err, errFull) {
			t.Errorf("%s: %v", isolation, err)
		}
		file := must(os.Create(filepath.Join(t.TempDir(), "small")))
		defer file.Close()
		if err := r.MakePyramid(context.Background(), o, render.PyramidPage{Tile: image.Pt(128, 128)}, file, 20_000); !errors.Is(err, tiffwrite.ErrTooLong) {
			t.Errorf("%s: more than allowed: %v", isolation, err)
		}
	}
}

var errFull = errors.New("disk full")

type fullDisk struct{}

func (*fullDisk) Write([]byte) (int, error)          { return 0, errFull }
func (*fullDisk) WriteAt([]byte, int64) (int, error) { return 0, errFull }

// Work in the background ends with its context, and leaves no process behind.
func TestPyramidStops(t *testing.T) {
	r := newIsolated(t, Config{}, child.Config{})
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	o := newStuck(fixtures()["png"], 2)
	begun := time.Now()
	if err := r.MakePyramid(ctx, o, render.PyramidPage{Tile: image.Pt(128, 128)}, must(os.Create(filepath.Join(t.TempDir(), "p"))), 1<<30); err == nil {
		t.Error("no error")
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	waitFor(t, func() bool { return r.config.Children.Stats().Alive <= 2 })
}

func FuzzTiles(f *testing.F) {
	var sent []byte
	w := tileWriter{write: func(p []byte) (int, error) { sent = append(sent, p...); return len(p), nil }}
	_ = w.tile(3, []byte("tile"))
	_ = w.tile(0, nil)
	_ = w.flush()
	f.Add(sent, 3)
	f.Add([]byte{0, 255, 255, 255, 255}, 1)
	f.Fuzz(func(t *testing.T, data []byte, step int) {
		total := 0
		r := tileReader{take: func(size int, tile []byte) error {
			if size < 0 || size > 255 || len(tile) > maxPyramidTile {
				return fmt.Errorf("%d: %d bytes", size, len(tile))
			}
			total += tileHead + len(tile)
			return nil
		}}
		step = max(1, step%64)
		for rest := data; len(rest) > 0; {
			n := min(step, len(rest))
			if _, err := r.Write(rest[:n]); err != nil {
				if !errors.Is(err, errAnswer) {
					t.Error(err)
				}
				return
			}
			rest = rest[n:]
		}
		if (r.whole() == nil) != (total == len(data)) {
			t.Errorf("%d of %d bytes", total, len(data))
		}
	})
}

// A photograph of 80 million pixels.
func BenchmarkPyramid(b *testing.B) {
	dir := b.TempDir()
	tool(dir, "vips", "gaussnoise", "noise.v", "400", "300", "--mean", "128", "--sigma", "40")
	tool(dir, "vips", "resize", "noise.v", "large.v", "25")
	tool(dir, "vips", "bandjoin_const", "large.v", "two.v", "120")
	tool(dir, "vips", "bandjoin_const", "two.v", "three.v", "90")
	tool(dir, "vips", "copy", "three.v", "rgb.v", "--interpretation", "srgb")
	tool(dir, "vips", "cast", "rgb.v", "bytes.v", "uchar")
	tool(dir, "vips", "jpegsave", "bytes.v", "large.jpg", "--Q", "85")
	r := newRenderer(b, Config{})
	o := newLocal(b, must(os.ReadFile(filepath.Join(dir, "large.jpg"))))
	for b.Loop() {
		if _, err := pyramidOf(b, r, o, 0, image.Pt(512, 512)); err != nil {
			b.Fatal(err)
		}
	}
}
