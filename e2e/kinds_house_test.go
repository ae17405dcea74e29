package e2e_test

import (
	"fmt"
	"image"
	"net/http"
	"path/filepath"
	"testing"

	kinds "github.com/gatehouse-server/gatehouse/internal/testkit/originals"
)

// tierSide is the longest side of what the collection small shows.
const tierSide = 700

// gallery is a server with originals of some kinds: whole in the collection kinds, smaller in small.
type gallery struct {
	*house
	files []kinds.File
}

func newGallery(t testing.TB, only ...kinds.Kind) *gallery {
	t.Helper()
	h := site(t, fmt.Sprintf(`
		collection kinds {
			prefix /kinds
			source main folder {$DIR}/kinds
		}
		collection small {
			prefix /small
			rule tier %d `+"`true`"+`
			source main folder {$DIR}/kinds
		}
		images {
			loaders jpeg png tiff webp gif jp2 pdf heif avif jxl
		}`, tierSide), `
	handle /kinds/* {
		gatehouse_iiif kinds
	}
	handle /small/* {
		gatehouse_authorize small
		gatehouse_iiif small
	}`)
	g := &gallery{house: h}
	dir := filepath.Join(h.server.Dir(), "kinds")
	writeFile(t, filepath.Join(dir, "readme.txt"), []byte("originals of all kinds"))
	g.files = kinds.Write(t, dir, fewer(only)...)
	return g
}

// fewer is one kind in eight in short runs. None means all.
func fewer(only []kinds.Kind) []kinds.Kind {
	if !testing.Short() {
		return only
	}
	if len(only) == 0 {
		only = kinds.All()
	}
	var some []kinds.Kind
	for i := 0; i < len(only); i += 8 {
		some = append(some, only[i])
	}
	return some
}

// exhibit is one kind of original under one address, in one version of the Image API.
type exhibit struct {
	*gallery
	t       testing.TB
	version string
	base    string
	info    info
}

// exhibit asks for the description of a file in a collection.
func (g *gallery) exhibit(t testing.TB, collection, version string, f kinds.File) exhibit {
	t.Helper()
	e := exhibit{gallery: g, t: t, version: version, base: "/" + collection + "/" + version + "/" + f.File}
	if f.Pages > 1 {
		e.base += fmt.Sprintf(";p=%d", f.Page)
	}
	e.info = g.ask(t, e.base+"/info.json").info(t)
	return e
}

// ask is get for tests that run beside each other.
func (g *gallery) ask(t testing.TB, path string) answer {
	t.Helper()
	return request(t, g.client, http.MethodGet, g.server.URL()+path)
}

// size of the picture that info.json tells.
func (e exhibit) size() image.Point { return image.Pt(e.info.Width, e.info.Height) }

// tile is the size of the advertised tiles, and the factors in which they are.
func (e exhibit) tile() (size image.Point, factors []int) {
	e.t.Helper()
	if len(e.info.Tiles) != 1 {
		e.t.Fatalf("%s lists tiles of %d sizes", e.base, len(e.info.Tiles))
	}
	tile := e.info.Tiles[0]
	if tile.Height == 0 {
		tile.Height = tile.Width
	}
	return image.Pt(tile.Width, tile.Height), tile.ScaleFactors
}

// part asks for a region, in a size that is the whole path segment, as PNG. tail is rotation and quality.
func (e exhibit) part(region image.Rectangle, size, tail string) *image.NRGBA {
	e.t.Helper()
	return e.png(fmt.Sprintf("%d,%d,%d,%d/%s/%s", region.Min.X, region.Min.Y, region.Dx(), region.Dy(), size, tail))
}

// png asks for a picture that compression cannot have changed.
func (e exhibit) png(params string) *image.NRGBA {
	e.t.Helper()
	path := e.base + "/" + params + ".png"
	a := e.ask(e.t, path)
	if a.status != http.StatusOK {
		e.t.Fatalf("%s: %d %.200q", path, a.status, a.body)
	}
	return kinds.Flat(a.decode(e.t))
}

// upTo is a size up to which the original is reduced by a factor, as viewers compute it.
func upTo(p image.Point, factor int) image.Point {
	return image.Pt((p.X+factor-1)/factor, (p.Y+factor-1)/factor)
}

// named is the size in the form that viewers use for tiles: version 2 the width alone.
func (e exhibit) named(size image.Point) string {
	if e.version == "2" {
		return fmt.Sprintf("%d,", size.X)
	}
	return fmt.Sprintf("%d,%d", size.X, size.Y)
}

// joined asks for all tiles of a scale factor and puts them where a viewer would, in a picture that was turned by a
// quarter where the tail begins with 90.
func (e exhibit) joined(factor int, tail string, quarter bool) *image.NRGBA {
	e.t.Helper()
	tile, _ := e.tile()
	whole := upTo(e.size(), factor)
	out := image.NewNRGBA(image.Rectangle{Max: whole})
	if quarter {
		out = image.NewNRGBA(image.Rect(0, 0, whole.Y, whole.X))
	}
	for y := 0; y < e.info.Height; y += tile.Y * factor {
		for x := 0; x < e.info.Width; x += tile.X * factor {
			region := image.Rect(x, y, x+tile.X*factor, y+tile.Y*factor).Intersect(image.Rectangle{Max: e.size()})
			want := upTo(region.Size(), factor)
			at := image.Pt(x/factor, y/factor)
			got := e.part(region, e.named(want), tail)
			if quarter {
				at, want = image.Pt(whole.Y-at.Y-want.Y, at.X), image.Pt(want.Y, want.X)
			}
			if got.Rect.Size() != want {
				e.t.Errorf("%s: the tile %v at factor %d is %v, want %v", e.base, region, factor, got.Rect.Size(), want)
				continue
			}
			place(out, at, got)
		}
	}
	return out
}

func place(out *image.NRGBA, at image.Point, m *image.NRGBA) {
	for y := range m.Rect.Dy() {
		copy(out.Pix[out.PixOffset(at.X, at.Y+y):], m.Pix[m.PixOffset(0, y):m.PixOffset(0, y)+4*m.Rect.Dx()])
	}
}

func cut(m *image.NRGBA, r image.Rectangle) *image.NRGBA {
	return kinds.Flat(m.SubImage(r))
}
