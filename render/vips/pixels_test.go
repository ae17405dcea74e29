package vips

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	draw2 "image/draw"
	"image/png"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-server/gatehouse/render"
)

// expected computes a job's pixels apart from all that the package does: for each pixel of the result, the part of the
// reference that it covers is averaged.
//
// grid, when not 0, is the scale factor of whose tiles the job is one: these lie on one grid, their last pixels cut.
func expected(ref *image.RGBA, job render.Job, grid int) *image.RGBA {
	page := ref.Bounds().Size()
	w, h := job.Size.X, job.Size.Y
	turned := job.Rotation == 90 || job.Rotation == 270
	if turned {
		w, h = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	kx := float64(page.X) / float64(job.Canvas.X)
	ky := float64(page.Y) / float64(job.Canvas.Y)
	sx := float64(job.Region.Dx()) / float64(job.Size.X)
	sy := float64(job.Region.Dy()) / float64(job.Size.Y)
	if grid > 0 {
		sx, sy = float64(grid), float64(grid)
	}
	for v := range h {
		for u := range w {
			// Back from the turned picture to the scaled one, by what a clockwise turn does to its corners.
			x, y := u, v
			switch job.Rotation {
			case 90:
				x, y = v, job.Size.Y-1-u
			case 180:
				x, y = job.Size.X-1-u, job.Size.Y-1-v
			case 270:
				x, y = job.Size.X-1-v, u
			}
			if job.Mirror {
				x = job.Size.X - 1 - x
			}
			x0, y0 := (float64(job.Region.Min.X)+float64(x)*sx)*kx, (float64(job.Region.Min.Y)+float64(y)*sy)*ky
			out.SetRGBA(u, v, average(ref, x0, y0, x0+sx*kx, y0+sy*ky))
		}
	}
	return out
}

func average(ref *image.RGBA, x0, y0, x1, y1 float64) color.RGBA {
	var sum [3]float64
	var weight float64
	for y := int(y0); float64(y) < y1 && y < ref.Bounds().Dy(); y++ {
		for x := int(x0); float64(x) < x1 && x < ref.Bounds().Dx(); x++ {
			w := (math.Min(x1, float64(x+1)) - math.Max(x0, float64(x))) * (math.Min(y1, float64(y+1)) - math.Max(y0, float64(y)))
			c := ref.RGBAAt(x, y)
			sum[0] += w * float64(c.R)
			sum[1] += w * float64(c.G)
			sum[2] += w * float64(c.B)
			weight += w
		}
	}
	at := func(i int) uint8 { return uint8(sum[i]/weight + 0.5) }
	return color.RGBA{R: at(0), G: at(1), B: at(2), A: 255}
}

// difference is the largest and the mean difference of two pictures over all channels.
func difference(a, b image.Image) (largest int, mean float64) {
	if a.Bounds().Size() != b.Bounds().Size() {
		return 256, 256
	}
	sum, n := 0, 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			ar, ag, ab, aa := a.At(a.Bounds().Min.X+x, a.Bounds().Min.Y+y).RGBA()
			br, bg, bb, ba := b.At(b.Bounds().Min.X+x, b.Bounds().Min.Y+y).RGBA()
			for _, d := range [...]int{int(ar>>8) - int(br>>8), int(ag>>8) - int(bg>>8), int(ab>>8) - int(bb>>8), int(aa>>8) - int(ba>>8)} {
				d = max(d, -d)
				largest = max(largest, d)
				sum += d
				n++
			}
		}
	}
	return largest, float64(sum) / float64(n)
}

// compare tells how two pictures differ by more than is allowed.
func compare(got, want image.Image, largest int, mean float64) error {
	if got.Bounds().Size() != want.Bounds().Size() {
		return fmt.Errorf("size %v, want %v", got.Bounds().Size(), want.Bounds().Size())
	}
	if l, m := difference(got, want); l > largest || m > mean {
		return fmt.Errorf("pixels differ by %d at most and %.2f in the mean; %d and %.2f are allowed", l, m, largest, mean)
	}
	return nil
}

// geometries are jobs of every kind, in pixels of the reference.
func geometries() map[string]render.Job {
	page := image.Pt(refWidth, refHeight)
	job := func(region image.Rectangle, w, h int) render.Job {
		j := full(page)
		j.Region, j.Size = region, image.Pt(w, h)
		return j
	}
	whole := image.Rectangle{Max: page}
	jobs := map[string]render.Job{
		"whole":             job(whole, refWidth, refHeight),
		"whole, half":       job(whole, 301, 209),
		"whole, thumbnail":  job(whole, 90, 62),
		"whole, one pixel":  job(whole, 1, 1),
		"whole, odd scale":  job(whole, 433, 300),
		"whole, stretched":  job(whole, 200, 400),
		"whole, enlarged":   job(whole, 900, 625),
		"part":              job(image.Rect(37, 91, 337, 311), 300, 220),
		"part, scaled":      job(image.Rect(37, 91, 337, 311), 131, 97),
		"part, enlarged":    job(image.Rect(137, 191, 177, 211), 400, 200),
		"part, mixed":       job(image.Rect(37, 91, 337, 311), 450, 55),
		"corner":            job(image.Rect(refWidth-50, refHeight-30, refWidth, refHeight), 50, 30),
		"one pixel":         job(image.Rect(300, 200, 301, 201), 1, 1),
		"one pixel, large":  job(image.Rect(300, 200, 301, 201), 20, 20),
		"tile":              job(image.Rect(256, 256, 512, refHeight), 128, (refHeight-256+1)/2),
		"last tile":         job(image.Rect(512, 256, refWidth, refHeight), (refWidth-512+3)/4, (refHeight-256+3)/4),
		"one row":           job(image.Rect(0, 100, refWidth, 101), 300, 1),
		"one column":        job(image.Rect(100, 0, 101, refHeight), 1, 200),
		"tier":              {Canvas: image.Pt(200, 139), Region: image.Rect(20, 30, 170, 120), Size: image.Pt(75, 45)},
		"tier, own size":    {Canvas: image.Pt(200, 139), Region: image.Rect(0, 0, 200, 139), Size: image.Pt(200, 139)},
		"tier, a tile":      {Canvas: image.Pt(200, 139), Region: image.Rect(128, 128, 200, 139), Size: image.Pt(72, 11)},
		"tier, enlarged":    {Canvas: image.Pt(200, 139), Region: image.Rect(20, 30, 70, 60), Size: image.Pt(150, 90)},
		"mirrored":          job(image.Rect(37, 91, 337, 311), 150, 110),
		"turned 90":         job(image.Rect(37, 91, 337, 311), 150, 110),
		"turned 180":        job(image.Rect(37, 91, 337, 311), 150, 110),
		"turned 270":        job(image.Rect(37, 91, 337, 311), 150, 110),
		"mirrored, 90":      job(image.Rect(37, 91, 337, 311), 150, 110),
		"mirrored, 270":     job(image.Rect(37, 91, 337, 311), 150, 110),
		"mirrored, 180, up": job(image.Rect(137, 191, 177, 211), 80, 60),
	}
	for name, j := range jobs {
		j.Quality, j.Format = "default", "png"
		j.Mirror = strings.HasPrefix(name, "mirrored")
		for _, r := range []int{90, 180, 270} {
			if strings.Contains(name, fmt.Sprint(r)) {
				j.Rotation = float64(r)
			}
		}
		jobs[name] = j
	}
	return jobs
}

// colours of an original that differ from the reference by what its format loses.
func tolerance(name string) (largest int, mean float64) {
	switch {
	case name == "gif":
		return 60, 20
	case strings.Contains(name, "cmyk"):
		return 14, 2.5
	case strings.Contains(name, "profile"):
		return 12, 3
	case strings.Contains(name, "jpeg"):
		return 14, 2.2
	}
	return 6, 1
}

// grids loosens the tolerance for enlarged pictures, where the reference is blocky and the result is smooth.
func loose(job render.Job) int {
	if job.Size.X > job.Region.Dx() || job.Size.Y > job.Region.Dy() {
		return 4
	}
	return 0
}

// onGrid are the geometries that are tiles of a scale factor.
var onGrid = map[string]int{"whole, half": 2, "tile": 2, "last tile": 4}

// references are what originals show: all the reference but for those that have lost its colours.
var references = sync.OnceValue(func() map[string]*image.RGBA {
	shown := image.NewRGBA(reference().Bounds())
	for y := range refHeight {
		for x := range refWidth {
			shown.Set(x, y, color.GrayModel.Convert(reference().RGBAAt(x, y)))
		}
	}
	printed := image.NewRGBA(reference().Bounds())
	draw2.Draw(printed, printed.Bounds(), must(png.Decode(bytes.NewReader(fixtures()["printed"]))), image.Point{}, draw2.Src)
	return map[string]*image.RGBA{"rgb": reference(), "grey": shown, "cmyk": printed}
})

func referenceOf(name string) string {
	for _, kind := range []string{"grey", "cmyk"} {
		if strings.Contains(name, kind) {
			return kind
		}
	}
	return "rgb"
}

// wanted is expected for each reference and geometry, computed once.
var wanted = sync.OnceValue(func() map[string]*image.RGBA {
	all := map[string]*image.RGBA{}
	for kind, ref := range references() {
		for geometry, job := range geometries() {
			all[kind+" "+geometry] = expected(ref, job, onGrid[geometry])
		}
	}
	return all
})

// Every form of original gives the same pixels for every geometry.
func TestGeometryOfEveryOriginal(t *testing.T) {
	r := newRenderer(t, Config{})
	for name, data := range fixtures() {
		switch name {
		case "pdf", "tiff g4", "png 1", "printed":
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newLocal(t, data)
			largest, mean := tolerance(name)
			for geometry, job := range geometries() {
				extra := loose(job)
				if job.Size == image.Pt(1, 1) {
					extra = 12 // one sample is no average: the filter weighs the middle
				}
				got := draw(t, r, o, job)
				if err := compare(got, wanted()[referenceOf(name)+" "+geometry], largest+extra, mean+float64(extra)/2); err != nil {
					t.Errorf("%s: %v", geometry, err)
				}
			}
		})
	}
}
