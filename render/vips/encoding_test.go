package vips

import (
	"context"
	"encoding/binary"
	"errors"
	"image"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
)

// headerField asks the program vips about an encoded picture.
func headerField(t *testing.T, data []byte, name string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "made")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("vipsheader", "-f", name, file).Output()
	if err != nil {
		t.Fatalf("vipsheader -f %s: %v", name, err)
	}
	return strings.TrimSpace(string(out))
}

func resolutionOf(t *testing.T, data []byte) image.Point {
	t.Helper()
	dpi := func(name string) int {
		v, err := strconv.ParseFloat(headerField(t, data, name), 64)
		if err != nil {
			t.Fatal(err)
		}
		return int(math.Round(v * 25.4))
	}
	return image.Pt(dpi("xres"), dpi("yres"))
}

// The paper stays as large as it is: half the pixels are half the dots per inch, and a turned picture's axes change
// places.
func TestResolutionFollowsThePicture(t *testing.T) {
	r := newRenderer(t, Config{})
	jpegOf := func(x, y uint16) []byte {
		data := withDensity(encodeJPEG(reference(), 90), x)
		binary.BigEndian.PutUint16(data[16:], y)
		return data
	}
	tiff := func(x, y string) []byte {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "in.png"), encodePNG(reference()), 0o600); err != nil {
			t.Fatal(err)
		}
		tool(dir, "vips", "tiffsave", "in.png", "out.tif", "--tile", "--pyramid", "--xres", x, "--yres", y, "--resunit", "inch")
		return must(os.ReadFile(filepath.Join(dir, "out.tif")))
	}
	for name, test := range map[string]struct {
		data     []byte
		size     image.Point
		rotation float64
		want     image.Point
	}{
		"as it is":       {jpegOf(300, 300), image.Pt(300, 200), 0, image.Pt(300, 300)},
		"half":           {jpegOf(300, 300), image.Pt(150, 100), 0, image.Pt(150, 150)},
		"distorted":      {jpegOf(300, 300), image.Pt(150, 200), 0, image.Pt(150, 300)},
		"turned":         {jpegOf(300, 150), image.Pt(300, 200), 90, image.Pt(150, 300)},
		"upside down":    {jpegOf(300, 150), image.Pt(300, 200), 180, image.Pt(300, 150)},
		"TIFF":           {tiff("15.75", "7.874"), image.Pt(300, 200), 0, image.Pt(400, 200)},
		"smaller TIFF":   {tiff("15.75", "15.75"), image.Pt(75, 50), 0, image.Pt(100, 100)},
		"stored lying":   {withExif(jpegOf(300, 150), 6), image.Pt(300, 200), 0, image.Pt(150, 300)},
		"skew and alike": {jpegOf(300, 300), image.Pt(300, 200), 30, image.Pt(300, 300)},
	} {
		page := image.Pt(refWidth, refHeight)
		if name == "stored lying" {
			page = image.Pt(refHeight, refWidth)
		}
		job := full(page)
		job.Region, job.Size, job.Rotation = image.Rect(10, 20, 310, 220), test.size, test.rotation
		for _, format := range []render.Format{"jpg", "png", "tif"} {
			job.Format = format
			data := must(r.Render(context.Background(), &memory{name: name, data: test.data}, job))
			got := resolutionOf(t, data)
			if d := got.Sub(test.want); d.X < -1 || d.X > 1 || d.Y < -1 || d.Y > 1 {
				t.Errorf("%s as %s: %v dots per inch, want %v", name, format, got, test.want)
			}
		}
	}
}

// Where the original tells no resolution, none is made up.
func TestUnknownResolutionStaysUnknown(t *testing.T) {
	r := newRenderer(t, Config{})
	job := full(image.Pt(refWidth, refHeight))
	job.Size = image.Pt(100, 70)
	for _, name := range []string{"png", "jpeg", "gif", "webp"} {
		o := &memory{name: name, data: fixtures()[name]}
		job.Format = "jpg"
		if data := must(r.Render(context.Background(), o, job)); data[13] != 0 {
			t.Errorf("%s as jpg: %d dots per inch", name, binary.BigEndian.Uint16(data[14:]))
		}
		job.Format = "png"
		if data := must(r.Render(context.Background(), o, job)); strings.Contains(string(data[:200]), "pHYs") {
			t.Errorf("%s as png tells a resolution", name)
		}
	}
}

// A TIFF that is handed out says what its colours are.
func TestTIFFHasAProfile(t *testing.T) {
	r := newRenderer(t, Config{})
	job := full(image.Pt(refWidth, refHeight))
	job.Format = "tif"
	for _, quality := range []render.Quality{"color", "gray", "bitonal"} {
		job.Quality = quality
		data := must(r.Render(context.Background(), &memory{name: "png", data: fixtures()["png"]}, job))
		space := "GRAY"
		if quality == "color" {
			space = "RGB "
		}
		if at := strings.Index(string(data), "acsp"); at < 36 || string(data[at-20:at-16]) != space {
			t.Errorf("%s: no profile of %s", quality, space)
		}
	}
}

// Codecs that cannot be stopped, and formats that end at a size, are asked for no more than they can.
func TestPicturesThatAFormatCannotHoldAreRefused(t *testing.T) {
	o := &memory{name: "png", data: fixtures()["png"]}
	for _, test := range []struct {
		format   render.Format
		size     image.Point
		rotation float64
		memory   int64
		status   int
	}{
		{"webp", image.Pt(16384, 4), 0, 0, http.StatusBadRequest},
		{"webp", image.Pt(16383, 4), 0, 0, http.StatusOK},
		{"webp", image.Pt(16383, 40), 1, 0, http.StatusOK},
		{"jxl", image.Pt(300, 300), 0, 4 << 20, http.StatusRequestEntityTooLarge},
		{"jxl", image.Pt(200, 200), 45, 3 << 20, http.StatusRequestEntityTooLarge},
		{"jxl", image.Pt(200, 200), 0, 3 << 20, http.StatusOK},
		{"avif", image.Pt(600, 600), 0, 4 << 20, http.StatusRequestEntityTooLarge},
		{"png", image.Pt(600, 600), 0, 4 << 20, http.StatusOK},
	} {
		r := newRenderer(t, Config{Memory: test.memory, MaxWidth: maxSide, MaxHeight: maxSide})
		job := full(image.Pt(refWidth, refHeight))
		job.Format, job.Size, job.Rotation = test.format, test.size, test.rotation
		_, err := r.Render(context.Background(), o, job)
		status := http.StatusOK
		var refused *problem.Error
		if errors.As(err, &refused) {
			status = refused.Status
		} else if err != nil {
			status = 0
		}
		if status != test.status {
			t.Errorf("%+v: %d, %v", test, status, err)
		}
	}
}

func TestMadeIsTheSizeOfTheTurnedPicture(t *testing.T) {
	for _, test := range []struct {
		rotation float64
		want     image.Point
	}{{0, image.Pt(200, 100)}, {90, image.Pt(100, 200)}, {180, image.Pt(200, 100)}, {270, image.Pt(100, 200)}, {45, image.Pt(213, 213)}} {
		if got := made(render.Job{Size: image.Pt(200, 100), Rotation: test.rotation}); got != test.want {
			t.Errorf("%v degrees: %v, want %v", test.rotation, got, test.want)
		}
	}
}
