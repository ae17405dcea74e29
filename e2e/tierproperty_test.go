package e2e_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"net/http"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// anyRegion is a region parameter, in pixels of a canvas that may be smaller than what is meant, or of the original.
func anyRegion(t *rapid.T) string {
	number := func(most int, name string) int { return rapid.IntRange(0, most).Draw(t, name) }
	switch rapid.IntRange(0, 4).Draw(t, "region form") {
	case 0:
		return "full"
	case 1:
		return "square"
	case 2:
		return fmt.Sprintf("%d,%d,%d,%d", number(200, "x"), number(120, "y"), 1+number(200, "w"), 1+number(120, "h"))
	case 3:
		return fmt.Sprintf("%d,%d,%d,%d", number(1000, "x"), number(600, "y"), 1+number(1000, "w"), 1+number(600, "h"))
	default:
		return fmt.Sprintf("pct:%d,%d.5,%d,%d", number(99, "x"), number(99, "y"), 1+number(99, "w"), 1+number(99, "h"))
	}
}

// anySize is a size parameter of either version, up to twice the original.
func anySize(t *rapid.T) string {
	// Half of them fit the tier, so that enough is answered.
	number := func(most int, name string) int {
		return 1 + rapid.OneOf(rapid.IntRange(0, most/20), rapid.IntRange(0, most)).Draw(t, name)
	}
	up := rapid.SampledFrom([]string{"", "", "^"}).Draw(t, "up")
	switch rapid.IntRange(0, 6).Draw(t, "size form") {
	case 0:
		return up + "max"
	case 1:
		return "full"
	case 2:
		return fmt.Sprintf("%s%d,", up, number(2000, "width"))
	case 3:
		return fmt.Sprintf("%s,%d", up, number(1200, "height"))
	case 4:
		return fmt.Sprintf("%spct:%d", up, number(400, "percent"))
	case 5:
		return fmt.Sprintf("%s%d,%d", up, number(2000, "width"), number(1200, "height"))
	default:
		return fmt.Sprintf("%s!%d,%d", up, number(2000, "width"), number(1200, "height"))
	}
}

// Whatever is asked for of a tier of 200 pixels, the answer has no more pixels than the tier has there, and none of the
// detail that the tier lost: the original's columns are black and white in turn, which 200 pixels show as one gray.
func TestNoAddressGivesMoreThanTheTier(t *testing.T) {
	h := museum(t)
	tier := image.Pt(200, 120)
	answered := 0
	rapid.Check(t, func(t *rapid.T) {
		version := rapid.SampledFrom([]string{"2", "3"}).Draw(t, "version")
		rotation := rapid.SampledFrom([]string{"0", "!0", "90", "180", "!270"}).Draw(t, "rotation")
		quality := rapid.SampledFrom([]string{"default", "color", "gray"}).Draw(t, "quality")
		path := fmt.Sprintf("/museum/%s/prints:fine/%s/%s/%s/%s.png", version, anyRegion(t), anySize(t), rotation, quality)
		a := h.get(path)
		switch a.status {
		case http.StatusBadRequest, http.StatusForbidden, http.StatusNotImplemented:
			return
		case http.StatusOK:
		default:
			t.Fatalf("%s: %d %.200q", path, a.status, a.body)
		}
		answered++
		m, _, err := image.Decode(bytes.NewReader(a.body))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		size := m.Bounds().Size()
		if rotation == "90" || rotation == "!270" {
			size = image.Pt(size.Y, size.X)
		}
		if size.X > tier.X || size.Y > tier.Y {
			t.Fatalf("%s gives %v, and the tier has %v", path, size, tier)
		}
		if c := grayContrast(m); c > 60 {
			t.Fatalf("%s shows a contrast of %d, which a picture of 200 pixels cannot have", path, c)
		}
	})
	// A short run asks for a fifth.
	least := 20
	if testing.Short() {
		least = 2
	}
	t.Logf("%d addresses were answered", answered)
	if answered < least {
		t.Errorf("only %d addresses were answered", answered)
	}
}

// grayContrast is the difference of the lightest and the darkest pixel, less the edges, where a filter repeats what is
// there.
func grayContrast(m image.Image) int {
	b := m.Bounds()
	low, high := 255, 0
	for y := b.Min.Y + b.Dy()/8; y < b.Max.Y-b.Dy()/8; y++ {
		for x := b.Min.X + b.Dx()/8; x < b.Max.X-b.Dx()/8; x++ {
			v := int(color.GrayModel.Convert(m.At(x, y)).(color.Gray).Y)
			low, high = min(low, v), max(high, v)
		}
	}
	return max(0, high-low)
}

// Each size and each tile that the info.json of a tier advertises is answered in just that size, for tiers below, within
// and above the size of the original, and for originals that leave little of a side.
func TestEveryAddressOfATierIsAnswered(t *testing.T) {
	for _, side := range []int{1, 37, 256, 700, 5000} {
		name := fmt.Sprintf("t%d", side)
		h := site(t, fmt.Sprintf("collection %s {\nprefix /%s\nrule tier %d `true`\nsource main folder {$DIR}/images\n}", name, name, side),
			fmt.Sprintf("handle /%s/* {\ngatehouse_authorize %s\ngatehouse_iiif %s\n}", name, name, name))
		for path, original := range map[string]struct {
			data []byte
			size image.Point
		}{
			"tiled.tif": {testkit.PyramidTIFF(t, 1001, 513), image.Pt(1001, 513)},
			"long.png":  {testkit.PNG(t, 2049, 3), image.Pt(2049, 3)},
			"odd.jpg":   {testkit.JPEG(t, 515, 770), image.Pt(515, 770)},
		} {
			writeFile(t, filepath.Join(h.server.Dir(), "images", path), original.data)
			for _, version := range []string{"2", "3"} {
				base := "/" + name + "/" + version + "/" + path
				got := h.get(base + "/info.json").info(t)
				if longest := max(original.size.X, original.size.Y); max(got.Width, got.Height) != min(longest, side) || len(got.Sizes) == 0 || len(got.Tiles) == 0 {
					t.Errorf("%s tells %+v", base, got)
				}
				advertised(t, h, base, version, got)
			}
		}
		h.calm()
	}
}
