package vips

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/source"
)

func wantProblem(t *testing.T, err error, status int, code string) {
	t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) || p.Status != status || p.Code != code {
		t.Errorf("err = %v, want %d %s", err, status, code)
		return
	}
	if status >= 500 && p.RetryAfter <= 0 {
		t.Errorf("%v without RetryAfter", err)
	}
	for _, secret := range []string{"vips", "Vips", "/", "\\", "libtiff", "0x"} {
		if strings.Contains(p.Detail, secret) {
			t.Errorf("the public text tells %q: %q", secret, p.Detail)
		}
	}
}

func TestMaxPixels(t *testing.T) {
	c := Config{MaxPixels: 40_000, MaxHeldPixels: 100_000}
	r := newRenderer(t, c)
	page := image.Pt(refWidth, refHeight) // 250,617 pixels
	part := image.Rect(0, 0, 64, 64)
	low := image.Rect(0, 390, 64, refHeight)
	tests := []struct {
		name   string
		region image.Rectangle
		size   image.Point
		ok     bool
	}{
		{"tiff tiled", part, image.Pt(64, 64), true},
		{"tiff tiled", image.Rectangle{Max: page}, image.Pt(600, 400), false},
		{"tiff pages", image.Rectangle{Max: page}, image.Pt(60, 40), true}, // a level is enough
		{"tiff pages", image.Rectangle{Max: page}, page, false},
		{"tiff strips", image.Rect(0, 0, 64, 16), image.Pt(64, 16), true},
		{"tiff strips", low, image.Pt(64, 27), false}, // all rows above have to be decoded
		{"jpeg", image.Rect(0, 0, 64, 16), image.Pt(64, 16), true},
		{"jpeg", image.Rectangle{Max: page}, image.Pt(70, 50), true}, // shrunk while loading
		{"jpeg", image.Rectangle{Max: page}, image.Pt(400, 300), false},
		{"png", image.Rect(0, 0, 64, 16), image.Pt(64, 16), true},
		{"png", low, image.Pt(64, 27), false},
		{"png interlaced", image.Rect(0, 0, 64, 16), image.Pt(64, 16), false},
		{"jpeg progressive", image.Rect(0, 0, 64, 16), image.Pt(64, 16), false},
		{"webp", image.Rect(0, 0, 64, 16), image.Pt(64, 16), false},
		{"gif", image.Rect(0, 0, 64, 16), image.Pt(64, 16), false},
		{"jp2", part, image.Pt(64, 64), true},
		{"jp2", image.Rectangle{Max: page}, page, false},
		{"jp2 untiled", part, image.Pt(64, 64), false},
	}
	for _, test := range tests {
		job := full(page)
		job.Region, job.Size = test.region, test.size
		_, err := r.Render(context.Background(), &memory{name: test.name, data: fixtures()[test.name]}, job)
		if test.ok && err != nil {
			t.Errorf("%s %v: %v", test.name, test.region, err)
		}
		if !test.ok {
			wantProblem(t, err, http.StatusRequestEntityTooLarge, "too_large")
		}
	}
}

// A tile costs something however small it is: a picture of millions of tiles of a pixel is not begun.
func TestTinyTilesCost(t *testing.T) {
	r := newRenderer(t, Config{})
	for name, data := range map[string][]byte{
		"tiff": tinyTIFF(3000, 1000, map[uint16]uint32{322: 1, 323: 1}),
		"jp2":  stream(300, 100, 1, 1, 0, 2),
	} {
		o := &memory{name: name, data: data}
		h := &header{format: name, width: 3000, height: 1000}
		if name == "tiff" {
			h = must(readTIFF(t.Context(), o, 0))
		} else {
			h.jp2 = must(readJP2Shape(bytes.NewReader(data), int64(len(data))))
			h.width, h.height = 300, 100
		}
		page := h.size()
		job := full(page)
		if d := h.choose(newPlan(job, page, 1, false)); d.pixels <= r.config.MaxPixels {
			t.Errorf("%s: the whole counts as %d pixels", name, d.pixels)
		}
		job.Region = image.Rect(0, 0, 64, 64)
		job.Size = job.Region.Size()
		if d := h.choose(newPlan(job, page, 1, false)); d.pixels > r.config.MaxPixels {
			t.Errorf("%s: a part counts as %d pixels", name, d.pixels)
		}
	}
}

// Headers that promise more pixels than are allowed are refused before anything is decoded.
func TestMaxSourcePixels(t *testing.T) {
	r := newRenderer(t, Config{MaxSourcePixels: 250_000})
	for _, name := range []string{"tiff pages", "jpeg", "png", "webp", "pdf"} {
		_, err := r.Describe(context.Background(), &memory{name: name, data: fixtures()[name]}, 0)
		wantProblem(t, err, http.StatusRequestEntityTooLarge, "too_large")
	}
}

// A file that would be read into memory as a whole is bounded in bytes too.
func TestWholeFilesAreBounded(t *testing.T) {
	r := newRenderer(t, Config{})
	for _, name := range []string{"gif", "webp", "pdf"} {
		_, err := r.Describe(context.Background(), &vast{memory{name: name, data: fixtures()[name]}}, 0)
		wantProblem(t, err, http.StatusRequestEntityTooLarge, "too_large")
	}
}

type vast struct{ memory }

func (v *vast) Info() source.Info { return source.Info{Size: 1 << 40, Name: v.name} }

func TestJobsThatCannotBe(t *testing.T) {
	r := newRenderer(t, Config{MaxWidth: 1000, MaxHeight: 500})
	page := image.Pt(refWidth, refHeight)
	tests := map[string]func(*render.Job){
		"region":   func(j *render.Job) { j.Region = image.Rect(0, 0, refWidth+1, 10) },
		"region ":  func(j *render.Job) { j.Region = image.Rect(-1, 0, 10, 10) },
		"region 0": func(j *render.Job) { j.Region = image.Rect(5, 5, 5, 10) },
		"region c": func(j *render.Job) { j.Canvas = image.Point{} },
		"size":     func(j *render.Job) { j.Size.X = 0 },
		"size -":   func(j *render.Job) { j.Size.Y = -1 },
		"size w":   func(j *render.Job) { j.Size.X = 1001 },
		"size h":   func(j *render.Job) { j.Size.Y = 501 },
		"size max": func(j *render.Job) { j.Size.Y = math.MaxInt },
		"rotation": func(j *render.Job) { j.Rotation = 360 },
		"rotation-": func(j *render.Job) {
			j.Rotation = -1
		},
		"rotation n": func(j *render.Job) { j.Rotation = math.NaN() },
		"quality":    func(j *render.Job) { j.Quality = "colour" },
		"quality 0":  func(j *render.Job) { j.Quality = "" },
		"format":     func(j *render.Job) { j.Format = "svg" },
		"format 0":   func(j *render.Job) { j.Format = "" },
		"page":       func(j *render.Job) { j.Page = 1 },
		"page -":     func(j *render.Job) { j.Page = -1 },
	}
	for name, change := range tests {
		job := full(page)
		change(&job)
		_, err := r.Render(context.Background(), &memory{data: fixtures()["png"]}, job)
		wantProblem(t, err, http.StatusBadRequest, strings.TrimRight(strings.Fields(name)[0], "-"))
	}
	job := full(image.Pt(refWidth+10, refHeight))
	if _, err := r.Render(context.Background(), &memory{data: fixtures()["png"]}, job); !errors.Is(err, source.ErrChanged) {
		t.Errorf("a canvas that is larger than the page: %v", err)
	}
}

func TestPagesThatAreNotThere(t *testing.T) {
	r := newRenderer(t, Config{})
	for name, pages := range map[string]int{"tiff pages": 1, "tiff scan": 2, "pdf": 2, "gif": 2, "jpeg": 1, "png": 1, "webp": 1, "jp2": 1} {
		for _, page := range []int{pages, pages + 1, 1 << 30, -1} {
			_, err := r.Describe(context.Background(), &memory{name: name, data: fixtures()[name]}, page)
			wantProblem(t, err, http.StatusBadRequest, "page")
		}
	}
}

func TestLoadersThatAreNotAllowed(t *testing.T) {
	r := newRenderer(t, Config{Loaders: []string{"jpeg", "tiff"}})
	for name, kind := range map[string]string{"png": "PNG", "pdf": "PDF", "gif": "GIF", "webp": "WEBP", "jp2": "JP2"} {
		_, err := r.Describe(context.Background(), &memory{name: name, data: fixtures()[name]}, 0)
		wantProblem(t, err, http.StatusUnsupportedMediaType, "not_an_image")
		var u *render.UnsupportedError
		if !errors.As(err, &u) || u.Kind != kind {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := r.Capabilities().Loaders; len(got) != 2 {
		t.Errorf("%v", got)
	}
}

func TestConfigValidate(t *testing.T) {
	for text, c := range map[string]Config{
		`unknown loader "bmp"`: {Loaders: []string{"jpeg", "bmp"}}, "workers": {Workers: -1}, "queue": {Queue: -2},
		"memory": {Memory: 5}, "max_pixels": {MaxPixels: -1}, "max_held_pixels": {MaxHeldPixels: -1},
		"max_source_pixels": {MaxSourcePixels: -5}, "max_output width": {MaxWidth: 70000}, "max_output height": {MaxHeight: -1},
		"time_limit": {TimeLimit: -1}, "pdf_dpi": {PDFDPI: 5000}, "jpeg_quality": {JPEGQuality: 101}, "webp_quality": {WebPQuality: -1},
	} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%+v: %v", c, err)
		}
		if _, err := New(c, nil); err == nil {
			t.Errorf("New(%+v) works", c)
		}
	}
	if err := (Config{}).Validate(); err != nil {
		t.Error(err)
	}
	if c := (Config{Queue: -1}).withDefaults(); c.Queue != 0 || c.MaxPixels != 400_000_000 || len(c.Loaders) != 7 {
		t.Errorf("%+v", c)
	}
}

// bombPNG claims a size and holds next to nothing.
func bombPNG(width, height uint32, interlaced bool) []byte {
	part := func(name string, body []byte) []byte {
		out := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
		out = append(append(out, name...), body...)
		return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	head = append(head, 8, 2, 0, 0, 0)
	if interlaced {
		head[12] = 1
	}
	return bytes.Join([][]byte{[]byte("\x89PNG\r\n\x1a\n"), part("IHDR", head), part("IDAT", []byte{0x78, 0x9c}), part("IEND", nil)}, nil)
}
