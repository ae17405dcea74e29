package vips

import (
	"context"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPDF(t *testing.T) {
	r := newRenderer(t, Config{PDFDPI: 144})
	o := &memory{name: "a.pdf", data: fixtures()["pdf"]}
	for page, size := range []image.Point{{X: 600, Y: 400}, {X: 200, Y: 800}} {
		info, err := r.Describe(context.Background(), o, page)
		if err != nil || info.Pages != 2 || info.Format != "pdf" || image.Pt(info.Width, info.Height) != size {
			t.Fatalf("page %d: %+v, %v", page, info, err)
		}
		for _, to := range []image.Point{size, size.Div(4), size.Mul(2), {X: 50, Y: 300}} {
			job := full(size)
			job.Page, job.Size = page, to
			im := draw(t, r, o, job)
			for _, point := range []struct {
				x, y float64
				want color.RGBA
			}{{0.25, 0.5, color.RGBA{B: 255, A: 255}}, {0.75, 0.75, color.RGBA{R: 255, A: 255}}, {0.75, 0.25, color.RGBA{R: 255, G: 255, A: 255}}} {
				got := color.RGBAModel.Convert(im.At(int(point.x*float64(to.X)), int(point.y*float64(to.Y)))).(color.RGBA)
				if got != point.want {
					t.Errorf("page %d at %v: %v at %v,%v", page, to, got, point.x, point.y)
				}
			}
		}
		whole := full(size)
		whole.Page, whole.Size = page, size.Div(2)
		half := draw(t, r, o, whole)
		part := whole
		part.Region, part.Size = image.Rect(100, 100, 200, 300), image.Pt(50, 100)
		if err := compare(draw(t, r, o, part), crop(half, image.Rect(50, 50, 100, 150)), 2, 0.2); err != nil {
			t.Errorf("page %d: a part is not part of the whole: %v", page, err)
		}
	}
}

// HEIF, AVIF and JPEG XL are read where the configuration asks for them.
func TestFormatsOnDemand(t *testing.T) {
	r := newRenderer(t, Config{Loaders: []string{"heif", "avif", "jxl"}})
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "in.png"), fixtures()["png"], 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ format, file, save string }{
		{"avif", "out.avif", "heifsave --compression av1 --Q 95"}, {"heif", "out.heic", "heifsave --Q 95"}, {"jxl", "out.jxl", "jxlsave --Q 95"},
	} {
		words := strings.Fields(test.save)
		tool(dir, append([]string{"vips", words[0], "in.png", test.file}, words[1:]...)...)
		o := &memory{name: test.file, data: must(os.ReadFile(filepath.Join(dir, test.file)))}
		info, err := r.Describe(context.Background(), o, 0)
		if err != nil || info.Format != test.format || info.Width != refWidth || info.Height != refHeight {
			t.Errorf("%s: %+v, %v", test.format, info, err)
			continue
		}
		job := full(image.Pt(refWidth, refHeight))
		job.Region, job.Size = image.Rect(37, 91, 337, 311), image.Pt(150, 110)
		if err := compare(draw(t, r, o, job), expected(reference(), job, 0), 16, 3); err != nil {
			t.Errorf("%s: %v", test.format, err)
		}
	}
}

// However large a part of a page is asked for, the library is never told a size that it cannot hold.
func TestPDFEnlargedWithoutEnd(t *testing.T) {
	r := newRenderer(t, Config{})
	o := &memory{data: fixtures()["pdf"]}
	job := full(image.Pt(625, 417))
	job.Region, job.Size, job.Format = image.Rect(100, 200, 101, 201), image.Pt(8000, 8000), "jpg"
	im := draw(t, r, o, job)
	if c := color.RGBAModel.Convert(im.At(4000, 4000)).(color.RGBA); c.B < 250 || c.R > 5 {
		t.Errorf("%v", c)
	}
}

func TestFramesArePages(t *testing.T) {
	r := newRenderer(t, Config{})
	o := &memory{data: fixtures()["gif"]}
	info, err := r.Describe(context.Background(), o, 1)
	if err != nil || info.Pages != 2 || info.Width != refWidth || info.Height != refHeight {
		t.Fatalf("%+v, %v", info, err)
	}
	job := full(image.Pt(refWidth, refHeight))
	job.Page = 1
	draw(t, r, o, job)
}

func TestScanOfSeveralPages(t *testing.T) {
	r := newRenderer(t, Config{})
	o := &memory{data: fixtures()["tiff scan"]}
	info, err := r.Describe(context.Background(), o, 1)
	if err != nil || info.Pages != 2 || len(info.Levels) != 0 {
		t.Fatalf("%+v, %v", info, err)
	}
	job := full(image.Pt(refWidth, refHeight))
	job.Page = 1
	if err := compare(draw(t, r, o, job), reference(), 0, 0); err != nil {
		t.Error(err)
	}
}
