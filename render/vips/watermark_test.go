package vips

import (
	"context"
	"image"
	"image/color"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/source"
)

// stamp is a mark of four quarters: red, transparent above; half green, black below.
func stamp(side int) *image.NRGBA {
	im := image.NewNRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			c := color.NRGBA{R: 255, A: 255}
			switch {
			case y < side/2 && x >= side/2:
				c = color.NRGBA{R: 255, G: 255}
			case y >= side/2 && x < side/2:
				c = color.NRGBA{G: 255, A: 128}
			case y >= side/2:
				c = color.NRGBA{A: 255}
			}
			im.SetNRGBA(x, y, c)
		}
	}
	return im
}

func even(size image.Point, c color.Color) *image.RGBA {
	im := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			im.Set(x, y, c)
		}
	}
	return im
}

func at(im image.Image, x, y int) color.NRGBA {
	return color.NRGBAModel.Convert(im.At(x, y)).(color.NRGBA)
}

func isNear(got, want color.NRGBA) bool {
	for _, d := range [...]int{int(got.R) - int(want.R), int(got.G) - int(want.G), int(got.B) - int(want.B), int(got.A) - int(want.A)} {
		if d > 3 || d < -3 {
			return false
		}
	}
	return true
}

// marking puts a mark on all that it draws.
type marking struct {
	*Renderer
	mark *render.Watermark
}

func (m marking) Render(ctx context.Context, o source.Original, job render.Job) ([]byte, error) {
	job.Watermark = m.mark
	return m.Renderer.Render(ctx, o, job)
}

// The mark lies at its place of the canvas at every size, and is mirrored and turned along with it.
func TestWatermarkLiesOnTheCanvas(t *testing.T) {
	r := newRenderer(t, Config{})
	canvas := image.Pt(400, 200)
	o := &memory{name: "a.png", data: encodePNG(even(canvas, color.RGBA{R: 200, G: 200, B: 200, A: 255}))}
	w := &render.Watermark{Image: stamp(40), Position: render.PositionBottomRight, Opacity: 1, Scale: 0.5} // 300,100 to 400,200
	paper, half := color.NRGBA{R: 200, G: 200, B: 200, A: 255}, color.NRGBA{R: 100, G: 227, B: 100, A: 255}
	red, black := color.NRGBA{R: 255, A: 255}, color.NRGBA{A: 255}
	type spot struct {
		x, y int
		c    color.NRGBA
	}
	for name, test := range map[string]struct {
		change func(*render.Job)
		spots  []spot
	}{
		"whole":    {func(*render.Job) {}, []spot{{200, 100, paper}, {320, 120, red}, {380, 120, paper}, {320, 180, half}, {380, 180, black}}},
		"half":     {func(j *render.Job) { j.Size = image.Pt(200, 100) }, []spot{{160, 60, red}, {190, 60, paper}, {160, 90, half}, {190, 90, black}}},
		"double":   {func(j *render.Job) { j.Size = image.Pt(800, 400) }, []spot{{640, 240, red}, {640, 360, half}, {760, 360, black}, {590, 190, paper}}},
		"region":   {func(j *render.Job) { j.Region, j.Size = image.Rect(310, 110, 390, 190), image.Pt(80, 80) }, []spot{{10, 10, red}, {70, 10, paper}, {10, 70, half}, {70, 70, black}}},
		"mirrored": {func(j *render.Job) { j.Mirror = true }, []spot{{80, 120, red}, {20, 120, paper}, {20, 180, black}, {380, 180, paper}}},
		"turned":   {func(j *render.Job) { j.Rotation = 90 }, []spot{{80, 320, red}, {20, 320, half}, {20, 380, black}, {80, 380, paper}}},
		"faint":    {func(j *render.Job) { f := *w; f.Opacity = 0.5; j.Watermark = &f }, []spot{{320, 120, color.NRGBA{R: 228, G: 100, B: 100, A: 255}}, {380, 180, color.NRGBA{R: 100, G: 100, B: 100, A: 255}}}},
		"grey":     {func(j *render.Job) { j.Quality = "gray" }, []spot{{320, 120, color.NRGBA{R: 76, G: 76, B: 76, A: 255}}, {380, 180, black}}},
	} {
		job := full(canvas)
		job.Watermark = w
		test.change(&job)
		out := draw(t, r, o, job)
		for _, s := range test.spots {
			if got := at(out, s.x, s.y); !isNear(got, s.c) {
				t.Errorf("%s: the pixel at %d,%d is %v, want %v", name, s.x, s.y, got, s.c)
			}
		}
	}
}

// However a picture is stored, its mark is upright, and as coloured as it is.
func TestWatermarkOnEveryKindOfPicture(t *testing.T) {
	r := newRenderer(t, Config{})
	canvas := image.Pt(refWidth, refHeight)
	w := &render.Watermark{Image: stamp(64), Position: render.PositionTopLeft, Opacity: 1, Scale: 0.5}
	for _, name := range []string{"png", "jpeg grey", "png 16", "tiff cmyk", "jpeg turned 6", "tiff turned 5", "gif", "tiff g4", "jp2"} {
		job := full(canvas)
		job.Watermark = w
		out := draw(t, r, &memory{name: name, data: fixtures()[name]}, job)
		if got := at(out, 50, 50); !isNear(got, color.NRGBA{R: 255, A: 255}) {
			t.Errorf("%s: %v where the mark is red", name, got)
		}
		if got := at(out, 150, 150); !isNear(got, color.NRGBA{A: 255}) {
			t.Errorf("%s: %v where the mark is black", name, got)
		}
	}
	o := &memory{name: "clear.png", data: encodePNG(image.NewNRGBA(image.Rect(0, 0, 100, 100)))}
	job := full(image.Pt(100, 100))
	job.Watermark = w
	out := draw(t, r, o, job)
	for _, s := range []struct {
		x, y int
		c    color.NRGBA
	}{{10, 10, color.NRGBA{R: 255, A: 255}}, {10, 40, color.NRGBA{G: 255, A: 128}}, {40, 10, color.NRGBA{}}, {80, 80, color.NRGBA{}}} {
		if got := at(out, s.x, s.y); got.A != s.c.A || got.A > 0 && !isNear(got, s.c) {
			t.Errorf("on a transparent picture: %v at %d,%d, want %v", got, s.x, s.y, s.c)
		}
	}
}

// Tiles of one scale factor, put side by side, show the mark as the whole picture does.
func TestWatermarkHasNoSeams(t *testing.T) {
	r := newRenderer(t, Config{})
	im := lines()
	originals := seamOriginals(t, im)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"png", "pages", "turned"}).Draw(t, "original")
		canvas := im.Bounds().Size()
		if rapid.Bool().Draw(t, "tier") {
			canvas = image.Pt(rapid.IntRange(60, 480).Draw(t, "width"), rapid.IntRange(60, 380).Draw(t, "height"))
		}
		marked := marking{r, &render.Watermark{
			Image: stamp(rapid.IntRange(1, 90).Draw(t, "mark")), Position: rapid.SampledFrom(render.Positions()).Draw(t, "position"),
			Opacity: rapid.Float64Range(0.1, 1).Draw(t, "opacity"), Scale: rapid.Float64Range(0.01, 1).Draw(t, "size"),
		}}
		scale := rapid.SampledFrom([]int{1, 2, 4, 8}).Draw(t, "scale")
		side := rapid.SampledFrom([]int{37, 64, 128}).Draw(t, "tile")
		joined := join(t, marked, originals[name], canvas, side, scale, true)
		whole := full(canvas)
		whole.Size = joined.Bounds().Size()
		if err := compare(joined, draw(t, marked, originals[name], whole), 1, 0.02); err != nil {
			t.Fatal(err)
		}
	})
}

// Marks without number cost no more than a picture may.
func TestRepeatedWatermarkIsBounded(t *testing.T) {
	r := newRenderer(t, Config{})
	o := &memory{name: "a.png", data: encodePNG(even(image.Pt(3000, 3000), color.White))}
	for _, scale := range []float64{1e-9, 0.001, 0.003, 0.01, 0.3, 1} {
		for _, size := range []image.Point{{X: 3000, Y: 3000}, {X: 100, Y: 100}} {
			job := full(image.Pt(3000, 3000))
			job.Size = size
			job.Watermark = &render.Watermark{Image: stamp(500), Position: render.PositionTile, Opacity: 1, Scale: scale}
			start := time.Now()
			out := draw(t, r, o, job)
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("marks of %v on %v took %v", scale, size, took)
			}
			// Some hundred rows and columns tell enough; a prime step falls on all parts of a mark.
			var sum, count float64
			step := 1
			if size.X > 1000 {
				step = 11
			}
			for y := 0; y < size.Y; y += step {
				for x := 0; x < size.X; x += step {
					sum += float64(at(out, x, y).G)
					count++
				}
			}
			// A quarter of a mark is red, one clear, one half green, one black: of white's green, 0 + 1 + 1 + 0 are left.
			if mean := sum / count; math.Abs(mean-127.5) > 6 {
				t.Errorf("marks of %v on %v leave %v of the green", scale, size, mean)
			}
		}
	}
	if _, err := r.Render(context.Background(), o, full(image.Pt(3000, 3000))); err != nil {
		t.Error(err)
	}
}
