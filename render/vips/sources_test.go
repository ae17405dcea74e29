package vips

import (
	"context"
	"errors"
	"fmt"
	"image"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/source"
)

// An error of the source comes back as it is, whichever read it hits, never as a broken picture.
func TestErrorsOfTheSourceComeBack(t *testing.T) {
	r := newRenderer(t, Config{HeaderCache: -1})
	failures := []error{source.ErrChanged, problem.New(http.StatusBadGateway, "source_unreachable", "The image-server cannot be reached")}
	for _, name := range []string{"jpeg", "jpeg progressive", "png", "png interlaced", "tiff pages", "tiff subifds", "tiff strips", "webp", "gif", "jp2", "pdf"} {
		data := fixtures()[name]
		for _, failure := range failures {
			for after := 0; ; after++ {
				var reads atomic.Int64
				o := &memory{name: name, data: data, read: func(int64, int) error {
					if reads.Add(1) > int64(after) {
						return failure
					}
					return nil
				}}
				job := full(image.Pt(refWidth, refHeight))
				if name == "pdf" {
					job = full(image.Pt(625, 417))
				}
				job.Size = image.Pt(100, 70)
				_, err := r.Render(context.Background(), o, job)
				if err == nil && reads.Load() <= int64(after) {
					break
				}
				if !errors.Is(err, failure) {
					t.Fatalf("%s, read %d fails with %v: Render gives %v", name, after, failure, err)
				}
				if after > 400 {
					t.Fatalf("%s: does not end", name)
				}
				if after > 12 {
					after += after / 2
				}
			}
		}
	}
}

// A local file that is overwritten while it is read is a changed original, not a broken one.
func TestLocalFileThatChanges(t *testing.T) {
	r := newRenderer(t, Config{})
	l := newLocal(t, fixtures()["png"])
	o := &changed{local: l}
	job := full(image.Pt(refWidth, refHeight))
	draw(t, r, o, job)
	if err := os.Truncate(l.file.Name(), 3000); err != nil {
		t.Fatal(err)
	}
	o.gone.Store(true)
	if _, err := r.Render(context.Background(), o, job); !errors.Is(err, source.ErrChanged) {
		t.Errorf("err = %v", err)
	}
}

type changed struct {
	*local
	gone  atomic.Bool
	reads atomic.Int64
}

func (c *changed) Info() source.Info {
	return source.Info{Size: int64(len(fixtures()["png"])), Version: "1", Name: "a.png"}
}

func (c *changed) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	// The first bytes are read to find the header, which is remembered; the file is then read past this.
	if c.gone.Load() && c.reads.Add(1) > 1 {
		return 0, source.ErrChanged
	}
	return c.local.ReadAt(ctx, p, off)
}

// Renders of one file at the same time do not move each other's position, nor the file's own.
func TestOneFileManyRenders(t *testing.T) {
	r := newRenderer(t, Config{Workers: 4, Queue: 1000})
	for _, name := range []string{"tiff pages", "jpeg", "png"} {
		l := newLocal(t, fixtures()[name])
		position := must(l.file.Seek(7, 0))
		job := full(image.Pt(refWidth, refHeight))
		job.Region, job.Size = image.Rect(100, 100, 400, 400), image.Pt(150, 150)
		want := string(must(r.Render(context.Background(), l, job)))
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() {
				got, err := r.Render(context.Background(), l, job)
				if err != nil || string(got) != want {
					t.Errorf("%s: other bytes, %v", name, err)
				}
			})
		}
		group.Wait()
		if now := must(l.file.Seek(0, 1)); now != position {
			t.Errorf("%s: the file's position went from %d to %d", name, position, now)
		}
	}
}

// A file that lost its name can still be read, and no descriptor is left behind.
func TestDescriptorsAreClosed(t *testing.T) {
	r := newRenderer(t, Config{})
	l := newLocal(t, fixtures()["tiff pages"])
	if err := os.Remove(l.file.Name()); err != nil {
		t.Fatal(err)
	}
	job := full(image.Pt(refWidth, refHeight))
	draw(t, r, l, job)
	before := openFiles(t)
	for range 20 {
		draw(t, r, l, job)
	}
	if after := openFiles(t); after > before {
		t.Errorf("%d descriptors became %d", before, after)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(entries) == 0 {
		t.Skip("no /proc")
	}
	return len(entries)
}

// A tile of a pyramid that lies elsewhere costs a few ranges, not the file.
func TestTileReadsOnlyItsRanges(t *testing.T) {
	r := newRenderer(t, Config{})
	big := image.NewRGBA(image.Rect(0, 0, 2048, 2048))
	for i := range big.Pix {
		big.Pix[i] = uint8(i*7919>>3) | 3
	}
	data := pyramid(big, "--tile-width", "256", "--tile-height", "256")
	var bytes atomic.Int64
	o := &memory{data: data, read: func(_ int64, n int) error { bytes.Add(int64(n)); return nil }}
	job := full(image.Pt(2048, 2048))
	job.Region, job.Size = image.Rect(512, 512, 768, 768), image.Pt(256, 256)
	draw(t, r, o, job)
	if tile := int64(256 * 256 * 3); bytes.Load() > 14*tile || bytes.Load() > int64(len(data))/4 {
		t.Errorf("%d bytes of %d were read for one tile", bytes.Load(), len(data))
	}
}

func TestDescribe(t *testing.T) {
	r := newRenderer(t, Config{})
	size := image.Pt(refWidth, refHeight)
	levels := []image.Point{{X: 300, Y: 208}, {X: 150, Y: 104}, {X: 75, Y: 52}}
	tests := map[string]render.Info{
		"jpeg": {Format: "jpeg"}, "jpeg progressive": {Format: "jpeg"}, "png 16": {Format: "png"}, "webp": {Format: "webp"},
		"gif":           {Format: "gif", Pages: 2},
		"tiff strips":   {Format: "tiff"},
		"tiff scan":     {Format: "tiff", Pages: 2},
		"tiff tiled":    {Format: "tiff", TileWidth: 64, TileHeight: 32},
		"tiff pages":    {Format: "tiff", TileWidth: 128, TileHeight: 128, Levels: levels},
		"tiff subifds":  {Format: "tiff", TileWidth: 128, TileHeight: 128, Levels: levels},
		"tiff turned 6": {Format: "tiff", TileWidth: 128, TileHeight: 128, Levels: levels},
		"jp2 untiled": {Format: "jp2", Levels: []image.Point{
			{X: 301, Y: 209}, {X: 151, Y: 105},
		}},
	}
	for o := 1; o <= 8; o++ {
		tests[fmt.Sprintf("jpeg turned %d", o)] = render.Info{Format: "jpeg"}
	}
	for name, want := range tests {
		want.Width, want.Height, want.Pages = size.X, size.Y, max(1, want.Pages)
		for range 2 {
			got, err := r.Describe(context.Background(), &memory{name: name, data: fixtures()[name]}, 0)
			if err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
				t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
			}
		}
	}
	if got, err := r.Describe(context.Background(), &memory{data: fixtures()["jp2"]}, 0); err != nil || got.TileWidth != 128 || len(got.Levels) == 0 {
		t.Errorf("jp2: %+v, %v", got, err)
	}
}

// What was read once is not read again, as long as the original stays the same.
func TestHeadersAreRemembered(t *testing.T) {
	r := newRenderer(t, Config{})
	var reads atomic.Int64
	o := &memory{data: fixtures()["tiff pages"], read: func(int64, int) error { reads.Add(1); return nil }}
	for range 5 {
		if _, err := r.Describe(context.Background(), o, 0); err != nil {
			t.Fatal(err)
		}
	}
	first := reads.Swap(0)
	if _, err := r.Describe(context.Background(), o, 0); err != nil || reads.Load() != 1 {
		t.Errorf("%d reads after %d, %v", reads.Load(), first, err)
	}
	other := &memory{data: fixtures()["tiff pages"][:]}
	other.data = append([]byte{}, other.data...)
	copy(other.data, fixtures()["png"][:8]) // the same size and version, but not the same
	if _, err := r.Describe(context.Background(), other, 0); err == nil {
		t.Error("another original of the same version was taken for the first")
	}
}
