package storedtile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/render/storedtile"
	"github.com/gatehouse-server/gatehouse/render/vips"
	"github.com/gatehouse-server/gatehouse/source"
)

// memory is an original in memory that counts what is read of it.
type memory struct {
	data  []byte
	name  string
	mu    sync.Mutex
	reads int
	fail  error
}

func (m *memory) Info() source.Info {
	return source.Info{Size: int64(len(m.data)), Name: m.name, Version: fmt.Sprint(len(m.data))}
}

func (m *memory) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	m.mu.Lock()
	m.reads++
	fail := m.fail
	m.mu.Unlock()
	if fail != nil {
		return 0, fail
	}
	return bytes.NewReader(m.data).ReadAt(p, off)
}
func (m *memory) File() *os.File { return nil }
func (m *memory) Close() error   { return nil }

const (
	width  = 1500
	height = 1100
)

// picture has smooth parts, edges and noise, and no symmetry.
var picture = sync.OnceValue(func() *image.RGBA {
	r := rand.New(rand.NewPCG(1, 2))
	im := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.RGBA{R: uint8(60 + 150*x/width), G: uint8(128 + 90*math.Sin(float64(y)/50)), B: uint8(230 - 200*y/height), A: 255}
			if (x/90+y/70)%5 == 0 {
				c.R, c.G = uint8(r.IntN(256)), 255-c.G
			}
			im.SetRGBA(x, y, c)
		}
	}
	return im
})

// kinds of pyramids, as libvips writes them; "gray" first for one of a band.
var kinds = map[string][]string{
	"420":      {"--compression", "jpeg", "--Q", "75", "--pyramid", "--tile-width", "256", "--tile-height", "256"},
	"444 rgb":  {"--compression", "jpeg", "--Q", "92", "--pyramid", "--tile-width", "256", "--tile-height", "256"},
	"subifd":   {"--compression", "jpeg", "--Q", "85", "--pyramid", "--subifd", "--tile-width", "256", "--tile-height", "256"},
	"bigtiff":  {"--compression", "jpeg", "--Q", "80", "--pyramid", "--bigtiff", "--tile-width", "256", "--tile-height", "256"},
	"128":      {"--compression", "jpeg", "--Q", "60", "--pyramid", "--tile-width", "128", "--tile-height", "64"},
	"gray":     {"--compression", "jpeg", "--Q", "85", "--pyramid", "--tile-width", "256", "--tile-height", "256"},
	"flat":     {"--compression", "jpeg", "--Q", "85"},
	"deflate":  {"--compression", "deflate", "--pyramid", "--tile-width", "256", "--tile-height", "256"},
	"plain":    {"--compression", "none", "--pyramid", "--subifd", "--tile-width", "128", "--tile-height", "64"},
	"predict":  {"--compression", "deflate", "--predictor", "horizontal", "--pyramid", "--tile-width", "256", "--tile-height", "256"},
	"one band": {"--compression", "deflate", "--predictor", "horizontal", "--pyramid", "--tile-width", "256", "--tile-height", "256"},
	"drawing":  {"--compression", "deflate", "--predictor", "none", "--bitdepth", "1", "--pyramid", "--tile-width", "256", "--tile-height", "256"},
	"negative": {"--compression", "deflate", "--predictor", "none", "--bitdepth", "1", "--miniswhite", "--pyramid", "--tile-width", "256", "--tile-height", "256"},
	"lzw":      {"--compression", "lzw", "--pyramid", "--tile-width", "256", "--tile-height", "256"},
	"no level": {"--compression", "jpeg", "--Q", "85", "--tile-width", "512", "--tile-height", "512"},
}

var pyramids struct {
	sync.Mutex
	made map[string][]byte
}

// pyramid makes one of the kinds, once.
func pyramid(t testing.TB, kind string) *memory {
	t.Helper()
	pyramids.Lock()
	defer pyramids.Unlock()
	if pyramids.made == nil {
		pyramids.made = map[string][]byte{}
	}
	if pyramids.made[kind] == nil {
		dir := t.TempDir()
		var b bytes.Buffer
		var im image.Image = picture()
		switch kind {
		case "drawing", "negative":
			lines := image.NewGray(im.Bounds())
			for y := range height {
				for x := range width {
					if c := picture().RGBAAt(x, y); (x/31+y/17+int(c.R)/99)%3 > 0 {
						lines.SetGray(x, y, color.Gray{Y: 255})
					}
				}
			}
			im = lines
		case "gray", "one band":
			grey := image.NewGray(im.Bounds())
			for y := range height {
				for x := range width {
					grey.Set(x, y, im.At(x, y))
				}
			}
			im = grey
		}
		if err := png.Encode(&b, im); err != nil {
			t.Fatal(err)
		}
		in, out := filepath.Join(dir, "in.png"), filepath.Join(dir, "out.tif")
		if err := os.WriteFile(in, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		arguments := append([]string{"tiffsave", in, out}, kinds[kind]...)
		if kind != "flat" {
			arguments = append(arguments, "--tile")
		}
		if text, err := exec.Command("vips", arguments...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		pyramids.made[kind] = data
	}
	return &memory{data: pyramids.made[kind], name: kind + ".tif"}
}

func renderers(t testing.TB) (*storedtile.Renderer, *vips.Renderer) {
	t.Helper()
	behind, err := vips.New(vips.Config{JPEGQuality: 100}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := storedtile.New(behind, storedtile.Config{})
	t.Cleanup(func() { _ = r.Close() })
	return r, behind
}

func job(region image.Rectangle, size image.Point) render.Job {
	return render.Job{Canvas: image.Pt(width, height), Region: region, Size: size, Quality: "default", Format: "jpg"}
}

func decode(t interface{ Fatal(...any) }, data []byte) image.Image {
	im, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return im
}

// shown is a JPEG as browsers show it: colours of a lower resolution are smoothed, which Go's decoder does not.
func shown(t interface{ Fatal(...any) }, r render.Renderer, data []byte) image.Image {
	size := decode(t, data).Bounds().Size()
	j := render.Job{Canvas: size, Region: image.Rectangle{Max: size}, Size: size, Quality: "default", Format: "png"}
	out, err := r.Render(context.Background(), &memory{data: data, name: "a.jpg"}, j)
	if err != nil {
		t.Fatal(err)
	}
	im, err := png.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	return im
}

// difference is the largest and the mean difference between two pictures' samples.
func difference(a, b image.Image) (most int, mean float64) {
	sum, n := 0, 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			ar, ag, ab, _ := a.At(x, y).RGBA()
			br, bg, bb, _ := b.At(x, y).RGBA()
			for _, d := range [...]int{int(ar>>8) - int(br>>8), int(ag>>8) - int(bg>>8), int(ab>>8) - int(bb>>8)} {
				d = max(d, -d)
				most, sum, n = max(most, d), sum+d, n+1
			}
		}
	}
	return most, float64(sum) / float64(n)
}

// The tolerance between an answer of stored tiles and libvips' of the same part: libvips decodes and encodes once more,
// with quality 100 in these tests, and smooths colours of a lower resolution beyond the edges of what is shown, so that
// the mean says nothing of pictures that are little more than an edge.
const (
	tolerance     = 80
	meanTolerance = 1.5
)

// Whatever part of whatever pyramid is asked for, the pixels are libvips', within the tolerance.
func TestPixelsAreThoseOfLibvips(t *testing.T) {
	r, behind := renderers(t)
	names := []string{"420", "444 rgb", "subifd", "bigtiff", "128", "gray", "flat", "deflate", "no level", "plain", "predict", "one band", "drawing", "negative", "lzw"}
	for _, name := range names {
		pyramid(t, name)
	}
	before := r.Stats()
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom(names).Draw(rt, "kind")
		original := pyramid(t, name)
		scale := rapid.SampledFrom([]int{1, 2, 4}).Draw(rt, "scale")
		unit := rapid.SampledFrom([]int{1, 8, 16, 64, 256}).Draw(rt, "grid") * scale
		left := rapid.IntRange(0, (width-1)/unit).Draw(rt, "left") * unit
		top := rapid.IntRange(0, (height-1)/unit).Draw(rt, "top") * unit
		right := min(width, left+rapid.IntRange(1, 600).Draw(rt, "width")*scale)
		bottom := min(height, top+rapid.IntRange(1, 600).Draw(rt, "height")*scale)
		j := job(image.Rect(left, top, right, bottom), image.Pt((right-left+scale-1)/scale, (bottom-top+scale-1)/scale))
		if rapid.Bool().Draw(rt, "any size") {
			j.Size.X = max(1, j.Size.X*rapid.IntRange(20, 150).Draw(rt, "percent")/100)
			j.Size.Y = max(1, j.Size.Y*rapid.IntRange(20, 150).Draw(rt, "percent down")/100)
		}
		j.Rotation = float64(rapid.SampledFrom([]int{0, 0, 0, 90, 180}).Draw(rt, "rotation"))
		j.Mirror = rapid.Float64().Draw(rt, "mirror") > 0.8
		j.Quality = render.Quality(rapid.SampledFrom([]string{"default", "color", "gray"}).Draw(rt, "quality"))
		got, err := r.Render(context.Background(), original, j)
		if err != nil {
			rt.Fatal(err)
		}
		want, err := behind.Render(context.Background(), original, j)
		if err != nil {
			rt.Fatal(err)
		}
		a, b := shown(rt, behind, got), shown(rt, behind, want)
		if a.Bounds() != b.Bounds() {
			rt.Fatalf("%v, want %v", a.Bounds(), b.Bounds())
		}
		if most, mean := difference(a, b); most > tolerance || mean > meanTolerance && min(a.Bounds().Dx(), a.Bounds().Dy()) >= 32 {
			rt.Fatalf("differs by up to %d, %.2f in the mean", most, mean)
		}
	})
	after := r.Stats()
	if after.Joined == before.Joined || after.Cut == before.Cut || after.Passed == before.Passed {
		t.Errorf("%+v: one of the ways was never taken", after)
	}
}

// What stands in the file's tiles is what goes out: the planes are equal to the last bit.
func TestNothingIsLost(t *testing.T) {
	r, _ := renderers(t)
	original := pyramid(t, "420")
	whole, err := r.Render(context.Background(), original, job(image.Rect(0, 0, width, height), image.Pt(width, height)))
	if err != nil {
		t.Fatal(err)
	}
	all := decode(t, whole).(*image.YCbCr)
	for y := 0; y < height; y += 256 {
		for x := 0; x < width; x += 256 {
			region := image.Rect(x, y, min(x+256, width), min(y+256, height))
			tile, err := r.Render(context.Background(), original, job(region, region.Size()))
			if err != nil {
				t.Fatal(err)
			}
			one := decode(t, tile).(*image.YCbCr)
			for v := range region.Dy() {
				for u := range region.Dx() {
					if one.YCbCrAt(u, v) != all.YCbCrAt(x+u, y+v) {
						t.Fatalf("pixel %d, %d: %v, want %v", x+u, y+v, one.YCbCrAt(u, v), all.YCbCrAt(x+u, y+v))
					}
				}
			}
		}
	}
	if s := r.Stats(); s.Passed != 0 || s.Stored != 20 || s.Joined != 11 {
		t.Errorf("%+v", s)
	}
}

// How an answer came about, for kinds of files and jobs.
func TestWhichWay(t *testing.T) {
	tile := func(change func(*render.Job)) render.Job {
		j := job(image.Rect(0, 0, 512, 512), image.Pt(512, 512))
		change(&j)
		return j
	}
	none := func(*render.Job) {}
	tests := map[string]struct {
		kind string
		job  render.Job
		way  string
	}{
		"four tiles":         {"420", tile(none), "joined"},
		"one tile":           {"420", tile(func(j *render.Job) { j.Region.Max, j.Size = image.Pt(256, 256), image.Pt(256, 256) }), "stored"},
		"of the next level":  {"420", tile(func(j *render.Job) { j.Size = image.Pt(256, 256) }), "stored"},
		"in RGB":             {"444 rgb", tile(none), "joined"},
		"in SubIFDs":         {"subifd", tile(func(j *render.Job) { j.Size = image.Pt(128, 128) }), "joined"},
		"in BigTIFF":         {"bigtiff", tile(none), "joined"},
		"grey":               {"gray", tile(func(j *render.Job) { j.Quality = "gray" }), "joined"},
		"grey, default":      {"gray", tile(none), "joined"},
		"colours in grey":    {"420", tile(func(j *render.Job) { j.Quality = "gray" }), "cut"},
		"bitonal":            {"gray", tile(func(j *render.Job) { j.Quality = "bitonal" }), "cut"},
		"turned":             {"420", tile(func(j *render.Job) { j.Rotation = 90 }), "cut"},
		"mirrored":           {"420", tile(func(j *render.Job) { j.Mirror = true }), "cut"},
		"png":                {"420", tile(func(j *render.Job) { j.Format = "png" }), "cut"},
		"a tier":             {"420", tile(func(j *render.Job) { j.Canvas = image.Pt(750, 550) }), "cut"},
		"between the levels": {"420", tile(func(j *render.Job) { j.Size = image.Pt(300, 300) }), "cut"},
		"off the grid":       {"420", tile(func(j *render.Job) { j.Region = j.Region.Add(image.Pt(3, 0)) }), "cut"},
		"no such level":      {"no level", tile(func(j *render.Job) { j.Size = image.Pt(128, 128) }), "passed"},
		"strips":             {"flat", tile(none), "passed"},
		"deflate":            {"deflate", tile(none), "cut"},
		"not packed":         {"plain", tile(none), "cut"},
		"with differences":   {"predict", tile(none), "cut"},
		"a bit a pixel":      {"drawing", tile(none), "cut"},
		"of no less pixels":  {"deflate", tile(func(j *render.Job) { j.Size = image.Pt(600, 600) }), "passed"},
		"deflate, turned":    {"deflate", tile(func(j *render.Job) { j.Rotation = 90 }), "passed"},
		"deflate as png":     {"deflate", tile(func(j *render.Job) { j.Format = "png" }), "passed"},
		"deflate in grey":    {"deflate", tile(func(j *render.Job) { j.Quality = "gray" }), "passed"},
		"one band in grey":   {"one band", tile(func(j *render.Job) { j.Quality = "gray" }), "cut"},
		"lzw":                {"lzw", tile(none), "passed"},
		"a page that is not": {"420", tile(func(j *render.Job) { j.Page = 7 }), "passed"},
		"with a watermark":   {"420", tile(func(j *render.Job) { j.Watermark = mark(t) }), "cut"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r, _ := renderers(t)
			_, err := r.Render(context.Background(), pyramid(t, test.kind), test.job)
			if test.way != "passed" && err != nil {
				t.Fatal(err)
			}
			s := r.Stats()
			if got := map[string]int64{"stored": s.Stored, "joined": s.Joined, "cut": s.Cut, "passed": s.Passed}; got[test.way] != 1 || s.Stored+s.Joined+s.Cut+s.Passed != 1 {
				t.Errorf("%+v, want %s", s, test.way)
			}
		})
	}
}

func mark(t *testing.T) *render.Watermark {
	t.Helper()
	return &render.Watermark{Image: image.NewNRGBA(image.Rect(0, 0, 8, 8)), Position: render.PositionTile, Opacity: 1, Scale: 0.1}
}

// The words for what is too large are those of the renderer behind.
func TestMoreThanIsAllowed(t *testing.T) {
	r, _ := renderers(t)
	j := job(image.Rect(0, 0, 512, 512), image.Pt(9000, 9000))
	_, err := r.Render(context.Background(), pyramid(t, "420"), j)
	if refused := new(problem.Error); !errors.As(err, &refused) || refused.Status != http.StatusBadRequest {
		t.Errorf("err = %v", err)
	}
}

// Edges of pyramids that were halved by leaving out an odd pixel ask for a column that is not stored.
func TestOddEdge(t *testing.T) {
	r, behind := renderers(t)
	original := pyramid(t, "420")
	j := job(image.Rect(1024, 0, width, 1100), image.Pt(119, 275))
	got, err := r.Render(context.Background(), original, j)
	if err != nil {
		t.Fatal(err)
	}
	want, err := behind.Render(context.Background(), original, j)
	if err != nil {
		t.Fatal(err)
	}
	if _, mean := difference(shown(t, behind, got), shown(t, behind, want)); mean > meanTolerance {
		t.Errorf("differs by %.2f", mean)
	}
}

// A tile costs at most three reads once the file is known, and none of a file that nobody can show.
func TestReads(t *testing.T) {
	r, _ := renderers(t)
	original := pyramid(t, "420")
	j := job(image.Rect(0, 0, 256, 256), image.Pt(256, 256))
	if _, err := r.Render(context.Background(), original, j); err != nil {
		t.Fatal(err)
	}
	original.reads = 0
	j = job(image.Rect(512, 512, 1024, 1024), image.Pt(512, 512))
	if _, err := r.Render(context.Background(), original, j); err != nil {
		t.Fatal(err)
	}
	// One tells that the original is still the same.
	if original.reads > 1+3 {
		t.Errorf("%d reads", original.reads)
	}
}

// An error of the original is told in the words of the renderer behind.
func TestErrorsOfTheOriginal(t *testing.T) {
	r, _ := renderers(t)
	original := pyramid(t, "420")
	original.fail = errors.New("the archive is on fire")
	if _, err := r.Render(context.Background(), original, job(image.Rect(0, 0, 256, 256), image.Pt(256, 256))); !errors.Is(err, original.fail) {
		t.Errorf("err = %v", err)
	}
}

// Damage does no more than lead to the renderer behind, which may refuse.
func TestDamage(t *testing.T) {
	r, behind := renderers(t)
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 900 {
		kind := []string{"128", "predict", "drawing"}[i%3]
		data := bytes.Clone(pyramid(t, kind).data)
		for range 1 + random.IntN(4) {
			at := random.IntN(len(data))
			if random.IntN(2) == 0 {
				at = len(data) - 1 - random.IntN(4000) // where the directories are
			}
			data[at] = byte(random.Uint32())
		}
		o := &memory{data: data, name: "damaged.tif"}
		j := job(image.Rect(0, 0, 512, 512), image.Pt(512, 512))
		_, err := r.Render(context.Background(), o, j)
		if _, wanted := behind.Render(context.Background(), o, j); err != nil && wanted == nil {
			t.Fatalf("refused what libvips can read: %v", err)
		}
	}
}

// Nothing of a file's own segments goes out.
func TestNoMetadata(t *testing.T) {
	r, _ := renderers(t)
	original := pyramid(t, "420")
	out, err := r.Render(context.Background(), original, job(image.Rect(0, 0, 256, 256), image.Pt(256, 256)))
	if err != nil {
		t.Fatal(err)
	}
	for at := 2; out[at+1] != 0xDA; at += 2 + int(out[at+2])<<8 + int(out[at+3]) {
		switch marker := out[at+1]; marker {
		case 0xE0, 0xE2, 0xDB, 0xC0, 0xC4:
		default:
			t.Errorf("marker %#x", marker)
		}
	}
}

func BenchmarkTile(b *testing.B) {
	for _, bench := range []struct {
		name, kind string
		side       int
	}{{"stored 256", "420", 256}, {"joined 512", "420", 512}, {"joined 1024", "420", 1024}} {
		b.Run(bench.name, func(b *testing.B) {
			r, _ := renderers(b)
			path := filepath.Join(b.TempDir(), "a.tif")
			if err := os.WriteFile(path, pyramid(b, bench.kind).data, 0o600); err != nil {
				b.Fatal(err)
			}
			original := &onDisk{memory: pyramid(b, bench.kind)}
			var err error
			if original.file, err = os.Open(path); err != nil {
				b.Fatal(err)
			}
			defer original.file.Close()
			j := job(image.Rect(0, 0, bench.side, bench.side), image.Pt(bench.side, bench.side))
			b.ReportAllocs()
			for b.Loop() {
				out, err := r.Render(context.Background(), original, j)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(out)))
			}
			if s := r.Stats(); s.Passed > 0 {
				b.Errorf("%+v", s)
			}
		})
	}
}

// onDisk reads from a file, as a folder of originals does.
type onDisk struct {
	*memory
	file *os.File
}

func (o *onDisk) ReadAt(_ context.Context, p []byte, off int64) (int, error) {
	return o.file.ReadAt(p, off)
}
func (o *onDisk) File() *os.File { return o.file }
