package e2e_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"testing"

	kinds "github.com/gatehouse-server/gatehouse/internal/testkit/originals"
)

func (a answer) decode(t testing.TB) image.Image {
	t.Helper()
	m, err := png.Decode(bytes.NewReader(a.body))
	if err != nil {
		t.Fatalf("%v in %.100q", err, a.body)
	}
	return m
}

var (
	// same is for pixels that nothing has changed.
	same = kinds.Tolerance{}
	// seams is for sums whose terms were added in another order: a sample may be rounded the other way.
	seams = kinds.Tolerance{Max: 1, Mean: 0.01}
)

// Every kind of original has its size, its pages and its own tiles, its own colours, the same colours in each part of
// it, and no seams between tiles. The versions of the Image API take turns.
func TestKinds(t *testing.T) {
	g := newGallery(t)
	for i, f := range g.files {
		version := []string{"2", "3"}[i%2]
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel() // mostly the server's work, and the time of this test is the sum of all kinds'
			if f.Strange {
				g.placeholder(t, version, f)
				return
			}
			e := g.exhibit(t, "kinds", version, f)
			if !e.described(f) {
				return
			}
			whole := e.coloured(f)
			if f.OnDemand && f.Name != "jxl" {
				return // each part takes seconds, and all are made as those of jxl are
			}
			e.alikeInParts(whole)
			e.seamless()
		})
	}
}

// placeholder checks that a file that cannot be shown as it is meant is not shown in false colours either.
func (g *gallery) placeholder(t *testing.T, version string, f kinds.File) {
	t.Helper()
	e := g.exhibit(t, "kinds", version, f)
	if e.size() == image.Pt(f.Width, f.Height) {
		t.Errorf("%s is shown", e.base)
	}
	e.png("full/max/0/default")
}

// described checks info.json, and that pages are counted.
func (e exhibit) described(f kinds.File) bool {
	e.t.Helper()
	if e.size() != image.Pt(f.Width, f.Height) {
		e.t.Errorf("%s is %v, want %d by %d", e.base, e.size(), f.Width, f.Height)
		return false
	}
	tile, factors := e.tile()
	want := image.Pt(f.TileWidth, f.TileHeight)
	if want.X == 0 {
		want = image.Pt(512, 512)
	}
	if tile != want {
		e.t.Errorf("%s has tiles of %v, want %v", e.base, tile, want)
	}
	last := upTo(e.size(), factors[len(factors)-1])
	if factors[0] != 1 || last.X > tile.X || last.Y > tile.Y || len(e.info.Sizes) != len(factors) {
		e.t.Errorf("%s: factors %v for %d sizes", e.base, factors, len(e.info.Sizes))
	}
	file := "/kinds/" + e.version + "/" + f.File
	for page, status := range map[int]int{f.Pages: http.StatusOK, f.Pages + 1: http.StatusBadRequest} {
		if a := e.ask(e.t, fmt.Sprintf("%s;p=%d/info.json", file, page)); a.status != status {
			e.t.Errorf("page %d of %d: %d %.100q", page, f.Pages, a.status, a.body)
		}
	}
	return true
}

// coloured checks the whole picture against what was put into the original, and gives it.
func (e exhibit) coloured(f kinds.File) *image.NRGBA {
	e.t.Helper()
	whole := e.png("full/max/0/default")
	if err := f.Tolerance.Check(whole, f.Want); err != nil {
		e.t.Errorf("%s: %v", e.base, err)
	}
	return whole
}

// alikeInParts checks that parts without any scaling are the same pixels as in the whole: some that lie across tiles,
// and the tiles from corner to corner, asked for as viewers do.
func (e exhibit) alikeInParts(whole *image.NRGBA) {
	e.t.Helper()
	all := image.Rectangle{Max: e.size()}
	sizes := map[image.Rectangle]string{
		image.Rect(0, 0, 1, 1):                                        "max",
		image.Rect(437, 251, 570, 378):                                "max",
		image.Rect(all.Max.X-101, all.Max.Y-47, all.Max.X, all.Max.Y): "max",
	}
	tile, _ := e.tile()
	for at := (image.Point{}); at.In(all); at = at.Add(tile) {
		region := image.Rectangle{at, at.Add(tile)}.Intersect(all)
		sizes[region] = e.named(region.Size())
	}
	for region, size := range sizes {
		if err := same.Check(e.part(region, size, "0/default"), cut(whole, region)); err != nil {
			e.t.Errorf("%s: the part %v: %v", e.base, region, err)
		}
	}
}

// seamless checks that the tiles of each factor but 1, put side by side, are the picture in that size made in one piece.
func (e exhibit) seamless() {
	e.t.Helper()
	_, factors := e.tile()
	for _, factor := range factors[1:] {
		size := upTo(e.size(), factor)
		want := e.png(fmt.Sprintf("full/%d,%d/0/default", size.X, size.Y))
		if err := seams.Check(e.joined(factor, "0/default", false), want); err != nil {
			e.t.Errorf("%s: joined at factor %d: %v", e.base, factor, err)
		}
	}
}
