package vips

import (
	"context"
	"image"
	"image/color"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/source"
)

// lines is a picture on which every shift shows: hard edges, at all distances.
func lines() *image.RGBA {
	random := rand.New(rand.NewPCG(1, 2))
	im := image.NewRGBA(image.Rect(0, 0, 500, 391))
	for y := range 391 {
		for x := range 500 {
			c := color.RGBA{R: 255, G: 255, B: 255, A: 255}
			if (x/7+y/5)%3 == 0 || (x-y)%11 == 0 {
				c = color.RGBA{R: 20, G: uint8(random.IntN(60)), B: 40, A: 255}
			}
			im.SetRGBA(x, y, c)
		}
	}
	return im
}

// join renders the tiles of a scale factor, as a viewer asks for them, and puts them side by side.
func join(t failer, r drawer, o source.Original, canvas image.Point, side, scale int, ceil bool) *image.RGBA {
	t.Helper()
	size := func(span int) int {
		if ceil {
			return (span + scale - 1) / scale
		}
		return max(1, (2*span+scale)/(2*scale))
	}
	out := image.NewRGBA(image.Rect(0, 0, (canvas.X+scale-1)/scale, (canvas.Y+scale-1)/scale))
	for y := 0; y < canvas.Y; y += side * scale {
		for x := 0; x < canvas.X; x += side * scale {
			job := full(canvas)
			job.Region = image.Rect(x, y, min(x+side*scale, canvas.X), min(y+side*scale, canvas.Y))
			job.Size = image.Pt(size(job.Region.Dx()), size(job.Region.Dy()))
			tile := draw(t, r, o, job)
			for v := range tile.Bounds().Dy() {
				for u := range tile.Bounds().Dx() {
					out.Set(x/scale+u, y/scale+v, tile.At(u, v))
				}
			}
		}
	}
	return out
}

// Tiles of one scale factor, put side by side, are the picture in that scale made in one piece: for every way to store
// it, in tiers as well.
func TestTilesJoinWithoutSeams(t *testing.T) {
	r := newRenderer(t, Config{})
	im := lines()
	originals := seamOriginals(t, im)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"png", "pages", "subifds", "jpeg", "turned"}).Draw(t, "original")
		canvas := im.Bounds().Size()
		if rapid.Bool().Draw(t, "tier") {
			canvas = image.Pt(rapid.IntRange(60, 480).Draw(t, "width"), rapid.IntRange(60, 380).Draw(t, "height"))
		}
		scale := rapid.SampledFrom([]int{1, 2, 4, 8, 16}).Draw(t, "scale")
		side := rapid.SampledFrom([]int{16, 37, 64, 128}).Draw(t, "tile")
		if side*side*scale*scale*40 < canvas.X*canvas.Y {
			side = 128
		}
		joined := join(t, r, originals[name], canvas, side, scale, true)
		whole := full(canvas)
		whole.Size = joined.Bounds().Size()
		if err := compare(joined, draw(t, r, originals[name], whole), 1, 0.02); err != nil {
			t.Fatal(err)
		}
	})
}

func seamOriginals(t *testing.T, im *image.RGBA) map[string]source.Original {
	t.Helper()
	return map[string]source.Original{
		"png":     newLocal(t, encodePNG(im)),
		"jpeg":    newLocal(t, encodeJPEG(im, 90)),
		"pages":   newLocal(t, pyramid(im, "--tile-width", "64", "--tile-height", "64")),
		"subifds": newLocal(t, pyramid(im, "--tile-width", "128", "--tile-height", "64", "--subifd")),
		"turned":  newLocal(t, withOrientation(pyramid(unturn(im, 6), "--tile-width", "64", "--tile-height", "64"), 6)),
	}
}

// Where a client leaves a side to the server, the last tiles' sides are rounded to the nearest instead of up.
func TestRoundedTilesLieOnTheGridToo(t *testing.T) {
	r := newRenderer(t, Config{})
	im := lines()
	canvas := im.Bounds().Size()
	o := &memory{name: "a.png", data: encodePNG(im)}
	for _, scale := range []int{2, 4, 8} {
		rounded, whole := join(t, r, o, canvas, 64, scale, false), full(canvas)
		whole.Size = rounded.Bounds().Size()
		want := draw(t, r, o, whole)
		// The last row or column may be missing where rounding went down.
		inside := rounded.Bounds().Inset(1)
		if err := compare(rounded.SubImage(inside), crop(want, inside), 1, 0.02); err != nil {
			t.Errorf("scale %d: %v", scale, err)
		}
	}
}

func crop(im image.Image, to image.Rectangle) image.Image {
	return im.(interface {
		SubImage(image.Rectangle) image.Image
	}).SubImage(to)
}

// A tier never shows more than an image of its size holds, however large a part of it is asked for.
func TestTierShowsNoDetail(t *testing.T) {
	r := newRenderer(t, Config{})
	im := image.NewRGBA(image.Rect(0, 0, 512, 512))
	for y := range 512 {
		for x := range 512 {
			// Stripes of two pixels, which an image of 64 pixels cannot hold.
			v := uint8(255 * (x / 2 % 2))
			im.SetRGBA(x, y, color.RGBA{R: v, G: v, B: v, A: 255})
		}
	}
	for name, data := range map[string][]byte{"png": encodePNG(im), "tiff": pyramid(im, "--tile-width", "64", "--tile-height", "64")} {
		job := render.Job{
			Canvas: image.Pt(64, 64), Region: image.Rect(10, 10, 30, 30), Size: image.Pt(400, 400), Quality: "default", Format: "png",
		}
		out := draw(t, r, &memory{data: data}, job)
		low, high := uint8(255), uint8(0)
		for y := range 400 {
			for x := range 400 {
				v := color.GrayModel.Convert(out.At(x, y)).(color.Gray).Y
				low, high = min(low, v), max(high, v)
			}
		}
		if high-low > 12 {
			t.Errorf("%s: the stripes show: from %d to %d", name, low, high)
		}
	}
}

// Enlarging a part of a tier gives what enlarging the small image gives.
func TestTierIsASmallImage(t *testing.T) {
	r := newRenderer(t, Config{})
	o := &memory{data: fixtures()["png"]}
	small := image.Pt(150, 104)
	tier := &memory{name: "small.png", data: encodePNG(draw(t, r, o, full(small)))}
	rapid.Check(t, func(t *rapid.T) {
		x, y := rapid.IntRange(0, 148).Draw(t, "x"), rapid.IntRange(0, 102).Draw(t, "y")
		w, h := rapid.IntRange(1, 150-x).Draw(t, "w"), rapid.IntRange(1, 104-y).Draw(t, "h")
		job := full(small)
		job.Region = image.Rect(x, y, x+w, y+h)
		job.Size = image.Pt(rapid.IntRange(w, 3*w+5).Draw(t, "width"), rapid.IntRange(h, 3*h+5).Draw(t, "height"))
		if err := compare(draw(t, r, o, job), draw(t, r, tier, job), 1, 0.3); err != nil {
			t.Fatal(err)
		}
	})
}

// The transform of colours is the same for every part.
func TestProfileDoesNotDependOnTheCrop(t *testing.T) {
	r := newRenderer(t, Config{})
	canvas := image.Pt(refWidth, refHeight)
	for _, name := range []string{"tiff profile", "tiff cmyk", "jpeg cmyk"} {
		o := &memory{name: name, data: fixtures()[name]}
		joined := join(t, r, o, canvas, 100, 1, true)
		if err := compare(joined, draw(t, r, o, full(canvas)), 0, 0); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRenderIsDeterministic(t *testing.T) {
	r := newRenderer(t, Config{})
	o := &memory{data: fixtures()["tiff jpeg"]}
	job := full(image.Pt(refWidth, refHeight))
	job.Size, job.Format = image.Pt(222, 154), "jpg"
	first := must(r.Render(context.Background(), o, job))
	second := must(r.Render(context.Background(), o, job))
	if string(first) != string(second) {
		t.Error("the same job gives other bytes")
	}
}
