package pictures_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/image/tiff"
	"pgregory.net/rapid"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
	"github.com/gatehouse-server/gatehouse/internal/testkit/pictures"
)

func TestPagesAreReadBackWithoutLoss(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width, height := rapid.IntRange(1, 200).Draw(t, "width"), rapid.IntRange(1, 200).Draw(t, "height")
		var page image.Image = pictures.Card(width, height)
		if rapid.Bool().Draw(t, "gray") {
			page = grayOf(page)
		}
		data, err := pictures.Pages(page)
		if err != nil {
			t.Fatal(err)
		}
		back, err := tiff.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if back.Bounds() != page.Bounds() {
			t.Fatalf("bounds %v, want %v", back.Bounds(), page.Bounds())
		}
		for y := range height {
			for x := range width {
				if got, want := rgba(back, x, y), rgba(page, x, y); got != want {
					t.Fatalf("pixel %d,%d is %v, want %v", x, y, got, want)
				}
			}
		}
	})
}

func TestPyramidLevelsHalveUntilOneTileHoldsAll(t *testing.T) {
	testkit.RequireServices(t, "vips")
	data, err := pictures.Pyramid(pictures.Parts(pictures.Card(1000, 601)), 128)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "pyramid.tif")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for page, want := range []string{"1000x601", "500x301", "250x151", "125x76"} {
		if got := header(t, path, page, "width") + "x" + header(t, path, page, "height"); got != want {
			t.Errorf("level %d is %s, want %s", page, got, want)
		}
	}
	if got := header(t, path, 0, "n-pages"); got != "4" {
		t.Errorf("%s levels, want 4", got)
	}
}

func TestPyramidShowsTheSamePictureOnEachLevel(t *testing.T) {
	testkit.RequireServices(t, "vips")
	data, err := pictures.Pyramid(pictures.Parts(pictures.Card(512, 512)), 256)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "pyramid.tif")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for page, shrink := range []int{1, 2} {
		out := filepath.Join(dir, strconv.Itoa(page)+".jpg")
		vips(t, "copy", path+"[page="+strconv.Itoa(page)+"]", out+"[Q=100]")
		raw, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		m, err := jpeg.Decode(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []image.Point{{20, 20}, {480, 40}, {40, 480}, {470, 470}, {224, 300}} {
			got, want := rgba(m, at.X/shrink, at.Y/shrink), pictures.CardAt(at.X, at.Y, 512, 512)
			if far(got.R, want.R) || far(got.G, want.G) || far(got.B, want.B) {
				t.Errorf("level %d at %v is %v, want about %v", page, at, got, want)
			}
		}
	}
}

func TestPyramidRefusesTilesThatNoJPEGBlockFills(t *testing.T) {
	for _, tile := range []int{-16, 0, 8, 100} {
		if _, err := pictures.Pyramid(pictures.Parts(pictures.Card(10, 10)), tile); err == nil {
			t.Errorf("tiles of %d were accepted", tile)
		}
	}
}

func TestReducedPartsAverageAndStopAtTheEdge(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 3, 1))
	for x, v := range []uint8{10, 20, 90} {
		m.SetRGBA(x, 0, color.RGBA{v, v, v, 255})
	}
	half := pictures.Parts(m).Draw(image.Rect(0, 0, 3, 2), 2)
	for x, want := range []color.RGBA{{15, 15, 15, 255}, {90, 90, 90, 255}, {}} {
		if got := half.RGBAAt(x, 0); got != want {
			t.Errorf("pixel %d is %v, want %v", x, got, want)
		}
	}
}

func grayOf(m image.Image) image.Image {
	out := image.NewGray(m.Bounds())
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			out.Set(x, y, m.At(x, y))
		}
	}
	return out
}

func rgba(m image.Image, x, y int) color.RGBA {
	return color.RGBAModel.Convert(m.At(x, y)).(color.RGBA)
}

func far(a, b uint8) bool { return max(a, b)-min(a, b) > 12 }

func header(t *testing.T, path string, page int, field string) string {
	t.Helper()
	out, err := exec.Command("vipsheader", "-f", field, path+"[page="+strconv.Itoa(page)+"]").CombinedOutput()
	if err != nil {
		t.Fatalf("vipsheader: %v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

func vips(t *testing.T, arguments ...string) {
	t.Helper()
	if out, err := exec.Command("vips", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("vips %v: %v: %s", arguments, err, out)
	}
}
