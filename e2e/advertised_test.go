package e2e_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
	"github.com/gatehouse-server/gatehouse/internal/testkit/pictures"
)

// Whatever the original and the limits, each size and each tile that info.json lists is answered with a picture of just
// that size, and the largest one is within the limits.
func TestAdvertisedAddressesAreAnswered(t *testing.T) {
	for name, test := range map[string]struct {
		images        string
		width, height int
	}{
		"defaults": {"", 8192, 8192},
		"limits":   {"images {\nmax_output 300x200\n}", 300, 200},
	} {
		t.Run(name, func(t *testing.T) {
			h := site(t, "collection open {\nprefix /open\nsource main folder {$DIR}/images\n}\n"+test.images, "handle /open/* {\ngatehouse_iiif open\n}")
			for path, data := range map[string][]byte{
				"even.jpg": testkit.JPEG(t, 1024, 512), "odd.jpg": testkit.JPEG(t, 1025, 769), "long.png": testkit.PNG(t, 2049, 3), "dot.png": testkit.PNG(t, 1, 1),
				"tiled.tif": testkit.PyramidTIFF(t, 1001, 513), "high.tif": testkit.PyramidTIFF(t, 300, 1111), "pages.tif": testkit.MultiPageTIFF(t, 640, 480, 2),
				"page.pdf": pictures.PDF(pictures.PDFPage{Width: 595, Height: 842, Color: color.RGBA{R: 200, A: 255}}),
			} {
				writeFile(t, filepath.Join(h.server.Dir(), "images", path), data)
				for _, version := range []string{"2", "3"} {
					base := "/open/" + version + "/" + path
					got := h.get(base + "/info.json").info(t)
					if len(got.Sizes) == 0 || len(got.Tiles) == 0 {
						t.Errorf("%s lists %+v", base, got)
					}
					advertised(t, h, base, version, got)
					a := h.get(base + imageTail)
					largest := got.Sizes[len(got.Sizes)-1]
					if a.status != http.StatusOK || largest.Width > test.width || largest.Height > test.height {
						t.Errorf("%s: max gives %d, and the largest size is %+v", base, a.status, largest)
					}
				}
			}
			h.get("/open/2/even.jpg/full/8193,/0/default.jpg").is(t, http.StatusBadRequest)
			h.get("/open/3/even.jpg/full/^8193,/0/default.jpg").is(t, http.StatusBadRequest)
			h.calm()
		})
	}
}

// advertised asks for every size and every tile of an info.json.
func advertised(t *testing.T, h *house, base, version string, got info, credential ...string) {
	t.Helper()
	for _, size := range got.Sizes {
		h.get(fmt.Sprintf("%s/full/%d,%d/0/default.jpg", base, size.Width, size.Height), credential...).picture(t, "jpeg", size.Width, size.Height)
		h.get(fmt.Sprintf("%s/full/%d,/0/default.jpg", base, size.Width), credential...).is(t, http.StatusOK)
	}
	for _, tiles := range got.Tiles {
		side := image.Pt(tiles.Width, tiles.Height)
		if side.Y == 0 {
			side.Y = side.X
		}
		for _, factor := range tiles.ScaleFactors {
			for y := 0; y < got.Height; y += side.Y * factor {
				for x := 0; x < got.Width; x += side.X * factor {
					region := image.Rect(x, y, x+side.X*factor, y+side.Y*factor).Intersect(image.Rect(0, 0, got.Width, got.Height))
					advertisedTile(t, h, base, version, region, factor, credential)
				}
			}
		}
	}
}

// advertisedTile asks for a tile as viewers do: its sides are the region's, divided and rounded up.
func advertisedTile(t *testing.T, h *house, base, version string, region image.Rectangle, factor int, credential []string) {
	t.Helper()
	width, height := (region.Dx()+factor-1)/factor, (region.Dy()+factor-1)/factor
	path := fmt.Sprintf("%s/%d,%d,%d,%d/", base, region.Min.X, region.Min.Y, region.Dx(), region.Dy())
	if version == "3" {
		h.get(fmt.Sprintf("%s%d,%d/0/default.jpg", path, width, height), credential...).picture(t, "jpeg", width, height)
		return
	}
	// Version 2 names the width alone. A width that was rounded up makes the height of a narrow region, kept in
	// proportion, larger than the tile's.
	a := h.get(fmt.Sprintf("%s%d,/0/default.jpg", path, width), credential...)
	got, err := jpeg.DecodeConfig(bytes.NewReader(a.body))
	proportional := (2*region.Dy()*width + region.Dx()) / (2 * region.Dx())
	if a.status != http.StatusOK || err != nil || got.Width != width || got.Height != height && got.Height != proportional {
		t.Errorf("%s%d,: %d, %d by %d, %v; want %d by %d or %d", path, width, a.status, got.Width, got.Height, err, width, height, proportional)
	}
}
