package vips

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	imagedraw "image/draw"
	"image/gif"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/source"
)

// seedPicture is small, so that breaking it in thousands of ways takes seconds, and larger than a tile.
func seedPicture() *image.RGBA {
	im := image.NewRGBA(image.Rect(0, 0, 75, 50))
	for y := range 50 {
		for x := range 75 {
			im.SetRGBA(x, y, color.RGBA{R: uint8(3 * x), G: uint8(5 * y), B: uint8(x ^ y), A: 255})
		}
	}
	return im
}

// seeds are whole files of each format, in each way to store one that another part of the decoder reads.
func seeds(t *testing.T) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	im := seedPicture()
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("rgb.png", encodePNG(im))
	write("grey.png", encodePNG(grey(im)))
	tool(dir, "vips", "icc_export", "rgb.png", "cmyk.tif", "--output-profile", "cmyk")
	files := map[string][]byte{
		"jpeg": withExif(encodeJPEG(im, 80), 6), "jpeg grey": encodeJPEG(grey(im), 80), "png": encodePNG(im), "png grey": encodePNG(grey(im)),
		"gif": smallGIF(im), "pdf": pdfFile(pdfPage{30, 20}, pdfPage{20, 30}),
	}
	for name, args := range map[string]string{
		"jpeg progressive": "vips jpegsave rgb.png OUT.jpg --interlace",
		"jpeg cmyk":        "vips jpegsave cmyk.tif OUT.jpg",
		"jpeg profile":     "vips icc_transform rgb.png OUT.jpg p3",
		"png interlaced":   "vips pngsave rgb.png OUT.png --interlace",
		"webp":             "vips webpsave rgb.png OUT.webp",
		"webp lossless":    "vips webpsave rgb.png OUT.webp --lossless",
		"jp2":              "vips jp2ksave rgb.png OUT.jp2 --tile-width 32 --tile-height 32",
		"jp2 untiled":      "vips jp2ksave rgb.png OUT.jp2 --lossless",
		"tiff pyramid":     "vips tiffsave rgb.png OUT.tif --tile --pyramid --tile-width 16 --tile-height 16 --compression deflate",
		"tiff subifds":     "vips tiffsave rgb.png OUT.tif --tile --pyramid --subifd --tile-width 16 --tile-height 16 --compression lzw --bigtiff",
		"tiff jpeg":        "vips tiffsave rgb.png OUT.tif --tile --tile-width 32 --tile-height 32 --compression jpeg",
		"tiff plain":       "vips tiffsave rgb.png OUT.tif",
		"tiff strips":      "vips tiffsave rgb.png OUT.tif --compression lzw --predictor horizontal --tile-height 8",
		"tiff packbits":    "vips tiffsave grey.png OUT.tif --compression packbits",
		"tiff g4":          "vips tiffsave grey.png OUT.tif --compression ccittfax4 --bitdepth 1",
		"tiff cmyk":        "vips tiffsave cmyk.tif OUT.tif --compression deflate",
	} {
		words := strings.Fields(args)
		made := ""
		for i, w := range words {
			if ext, ok := strings.CutPrefix(w, "OUT"); ok {
				made = "made" + ext
				words[i] = made
			}
		}
		tool(dir, words...)
		files[name] = must(os.ReadFile(filepath.Join(dir, made)))
	}
	return files
}

// smallGIF has two frames.
func smallGIF(im image.Image) []byte {
	frame := image.NewPaletted(im.Bounds(), palette.WebSafe)
	imagedraw.Draw(frame, im.Bounds(), im, image.Point{}, imagedraw.Src)
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{frame, frame}, Delay: []int{1, 1}}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// extremes are numbers that lengths, counts and offsets break at.
func extremes() []uint64 {
	return []uint64{0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 1 << 32, 1<<63 - 1, 1 << 63, 1<<64 - 1}
}

// mutation number n of a file, of total; the same each time.
func mutation(name string, whole []byte, n, total int) []byte {
	dice := rand.New(rand.NewPCG(uint64(crc32.ChecksumIEEE([]byte(name))), uint64(n))) //nolint:gosec // not for secrets
	data := bytes.Clone(whole)
	// Half of all goes where the headers are.
	place := func() int {
		if dice.IntN(2) == 0 {
			return dice.IntN(min(len(data), 400))
		}
		return dice.IntN(len(data))
	}
	switch n % 6 {
	case 0:
		return data[:n*len(data)/total]
	case 1:
		for range 1 + dice.IntN(4) {
			data[place()] ^= byte(1 << dice.IntN(8))
		}
	case 2, 3:
		of, at := extremes(), place()
		v, width := of[dice.IntN(len(of))], 1<<dice.IntN(4)
		big := dice.IntN(2) == 0
		for i := range min(width, len(data)-at) {
			shift := 8 * i
			if big {
				shift = 8 * (width - 1 - i)
			}
			data[at+i] = byte(v >> shift)
		}
	case 4:
		from := place()
		length := dice.IntN(min(64, len(data)-from) + 1)
		if dice.IntN(2) == 0 {
			return slices.Delete(data, from, from+length)
		}
		return slices.Insert(data, place(), bytes.Clone(data[from:from+length])...)
	default:
		from := place()
		fill := []byte{0, 0xFF, byte(dice.IntN(256))}[dice.IntN(3)]
		for i := range dice.IntN(min(200, len(data)-from) + 1) {
			data[from+i] = fill
		}
	}
	return data
}

// Whatever becomes of a file, what is made of it is a picture, or an error that a caller may see; soon, and with nothing
// left behind.
func TestMutations(t *testing.T) {
	const each = 150
	// The time limit of a header, twice that of a picture, and what a busy machine adds.
	total, long := each, 20*time.Second
	if testing.Short() {
		total = each / 10
	}
	r := newRenderer(t, Config{MaxPixels: 4_000_000, MaxHeldPixels: 4_000_000, TimeLimit: 5 * time.Second})
	files := seeds(t)
	before := trackedBytes()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if shown, err := showAll(r, &memory{name: name, data: files[name]}); shown != 2 {
			t.Errorf("%s: the seed is not whole: %v", name, err)
		}
		for n := range total {
			data := mutation(name, files[name], n*each/total, each)
			var original source.Original = &memory{name: name, data: data}
			if n%10 == 0 {
				original = newLocal(t, data)
			}
			start := time.Now()
			_, err := showAll(r, original)
			if err != nil {
				var p *problem.Error
				if !errors.As(err, &p) || p.Status < 400 || p.Status >= 500 && (p.Status != 503 || p.RetryAfter <= 0) {
					t.Errorf("%s, mutation %d: %v", name, n*each/total, err)
				}
			}
			if took := time.Since(start); took > long {
				t.Errorf("%s, mutation %d took %v", name, n*each/total, took)
			}
		}
	}
	for deadline := time.Now().Add(20 * time.Second); r.Stats().Running > 0 || trackedBytes() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d renders still run, and libvips holds %d bytes more than before", r.Stats().Running, trackedBytes()-before)
		}
	}
}

// showAll describes the first page and makes the whole and a tile of it, and counts what it got.
func showAll(r *Renderer, original source.Original) (int, error) {
	info, err := r.Describe(context.Background(), original, 0)
	if err != nil {
		return 0, err
	}
	page := image.Pt(info.Width, info.Height)
	whole := render.Job{Canvas: page, Region: image.Rectangle{Max: page}, Size: image.Pt(min(page.X, 75), min(page.Y, 75)), Quality: "default", Format: "jpg"}
	tile := full(page)
	tile.Region = tile.Region.Intersect(image.Rect(0, 0, 64, 64).Add(image.Pt(max(0, page.X-64), max(0, page.Y-64))))
	tile.Size = tile.Region.Size()
	shown := 0
	for _, job := range []render.Job{whole, tile} {
		data, renderErr := r.Render(context.Background(), original, job)
		if renderErr != nil {
			err = renderErr
			continue
		}
		c, _, decodeErr := image.DecodeConfig(bytes.NewReader(data))
		if decodeErr != nil {
			return shown, decodeErr
		}
		if got := image.Pt(c.Width, c.Height); got != job.Size {
			return shown, errors.New("a picture of another size")
		}
		shown++
	}
	return shown, err
}
