package viewers_test

import (
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
	"github.com/gatehouse-server/gatehouse/internal/testkit/originals"
)

// side is that of the squares of the canvas that are compared, in pixels.
const side = 8

// await waits until the canvas shows what it has to.
func (b *browser) await(t *testing.T, p picture, turned, atLeast float64) {
	t.Helper()
	deadline := time.Now().Add(patience / 2)
	for {
		l := call[look](t, b, "look", p.ID, side)
		err := l.compare(p.file)
		if err == nil && math.Abs(l.turned()-turned) < 0.01 && l.pixelsPerPixel() > atLeast-1e-6 {
			return
		}
		if time.Now().After(deadline) {
			b.shot(t, "failure")
			t.Errorf("turned by %.1f, want %.1f; %.3f pixels to a pixel, want at least %.3f; %v", l.turned(), turned, l.pixelsPerPixel(), atLeast, err)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// view looks at one image as a reader would: at all of it, then at a detail, turned.
func (b *browser) view(t *testing.T, p picture, origins ...string) {
	t.Helper()
	b.overview(t, p)
	call[any](t, b, "arrived", p.ID)
	call[any](t, b, "rotate")
	b.await(t, p, 90, 1)
	b.shot(t, "detail")
	b.check(t, p, origins...)
}

// overview looks at all of an image, and moves on to the detail.
func (b *browser) overview(t *testing.T, p picture) {
	t.Helper()
	call[any](t, b, "show", p)
	b.await(t, p, 0, 0)
	b.shot(t, "all")
	call[any](t, b, "zoom", p.ID, p.file.Width*2/5, p.file.Height/2)
}

// check holds that what came to view an image came well.
func (b *browser) check(t *testing.T, p picture, origins ...string) {
	t.Helper()
	requests := b.log.take(t)
	checkRequests(t, requests, origins...)
	detailed := 0
	for _, r := range requests {
		if r.fullDetail(p.ID, p.file.Width, p.file.Height) {
			detailed++
		}
	}
	if detailed == 0 {
		t.Errorf("no tile of full detail came")
	}
	for _, complaint := range b.log.complained() {
		t.Error(complaint)
	}
}

// Each of the viewers that people use shows each kind of original: OpenSeadragon all of them by version 3, and beyond
// that each viewer by each version those that look different to it. GATEHOUSE_VIEWERS=all has each show all.
func TestViewersShowEveryKind(t *testing.T) {
	s := newSite(t, testkit.NewIdentityProvider(t))
	kinds := originals.All()
	if testing.Short() {
		kinds = oneOfEach(kinds, formatOf)
	}
	all := s.addOriginals(t, kinds...)
	various := all
	if os.Getenv("GATEHOUSE_VIEWERS") != "all" {
		various = oneOfEach(all, func(f originals.File) any { return outlineOf(f.Kind) })
	}
	t.Run("OpenSeadragon", func(t *testing.T) {
		t.Parallel()
		b := newBrowser(t)
		b.open(t, s.URL()+"/openseadragon.html")
		b.leaf(t, picturesOf(all, s.URL()+"/iiif", 3), "version 3", s.URL())
		b.leaf(t, picturesOf(various, s.URL()+"/iiif", 2), "version 2", s.URL())
	})
	newer := picturesOf(various, s.URL()+"/iiif", 3)
	s.addManifest3(t, "manifest3.json", newer)
	older := picturesOf(oneOfEach(all, func(f originals.File) any { return formatOf(f.Kind) }), s.URL()+"/iiif", 2)
	s.addManifest2(t, "manifest2.json", older)
	for name, page := range map[string]string{"Mirador": "mirador.html", "Universal Viewer": "universalviewer.html"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBrowser(t)
			b.open(t, s.URL()+"/"+page+"#manifest3.json")
			b.leaf(t, newer, "version 3", s.URL())
			b.open(t, s.URL()+"/"+page+"#manifest2.json")
			b.leaf(t, older, "version 2", s.URL())
		})
	}
}

// Leaflet-IIIF cannot turn images.
func TestLeaflet(t *testing.T) {
	s := newSite(t, testkit.NewIdentityProvider(t))
	files := s.addOriginals(t, oneOfEach(originals.All(), formatOf)...)
	b := newBrowser(t)
	b.open(t, s.URL()+"/leaflet.html")
	for _, version := range []int{2, 3} {
		for _, p := range picturesOf(files, s.URL()+"/iiif", version) {
			t.Run(fmt.Sprintf("version %d %s", version, p.file.Name), func(t *testing.T) {
				b.overview(t, p)
				b.await(t, p, 0, 1)
				b.check(t, p, s.URL())
			})
		}
	}
}

// oneOfEach leaves out what has the same value as one before it.
func oneOfEach[T any](all []T, value func(T) any) []T {
	seen := map[any]bool{}
	return slices.DeleteFunc(slices.Clone(all), func(one T) bool {
		again := seen[value(one)]
		seen[value(one)] = true
		return again
	})
}

func formatOf(k originals.Kind) any { return k.Format }

// outlineOf is what a viewer can tell kinds by: to it, an image is a size and tiles, all of them JPEG.
func outlineOf(k originals.Kind) any {
	return struct {
		format                               string
		width, height, tileWidth, tileHeight int
		page, pages                          int
	}{k.Format, k.Width, k.Height, k.TileWidth, k.TileHeight, k.Page, k.Pages}
}

// leaf views one picture after the other on one page.
func (b *browser) leaf(t *testing.T, pictures []picture, what string, origins ...string) {
	t.Helper()
	call[any](t, b, "ready")
	for _, p := range pictures {
		t.Run(what+" "+p.file.Name, func(t *testing.T) {
			b.view(t, p, origins...)
		})
	}
}
