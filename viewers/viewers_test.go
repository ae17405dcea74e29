package viewers_test

import (
	"fmt"
	"math"
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

// view looks at one image as a reader would: at all of it, at a detail, and at that detail turned.
func (b *browser) view(t *testing.T, p picture, origins ...string) {
	t.Helper()
	call[any](t, b, "show", p)
	b.await(t, p, 0, 0)
	b.shot(t, "all")
	call[any](t, b, "zoom", p.ID, p.file.Width*2/5, p.file.Height/2)
	b.await(t, p, 0, 1)
	call[any](t, b, "rotate")
	b.await(t, p, 90, 1)
	b.shot(t, "detail")
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

// Each of the viewers that people use shows each kind of original.
func TestViewersShowEveryKind(t *testing.T) {
	s := newSite(t, testkit.NewIdentityProvider(t))
	kinds := originals.All()
	if testing.Short() {
		kinds = oneOfEachFormat(kinds)
	}
	files := s.addOriginals(t, kinds...)
	t.Run("OpenSeadragon", func(t *testing.T) {
		t.Parallel()
		b := newBrowser(t)
		b.open(t, s.URL()+"/openseadragon.html")
		for _, version := range []int{2, 3} {
			b.leaf(t, picturesOf(files, s.URL()+"/iiif", version), fmt.Sprintf("version %d", version), s.URL())
		}
	})
	pictures := picturesOf(files, s.URL()+"/iiif", 3)
	s.addManifest3(t, "manifest3.json", pictures)
	pictures2 := picturesOf(oneOfEachFile(files), s.URL()+"/iiif", 2)
	s.addManifest2(t, "manifest2.json", pictures2)
	for name, page := range map[string]string{"Mirador": "mirador.html", "Universal Viewer": "universalviewer.html"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBrowser(t)
			b.open(t, s.URL()+"/"+page+"#manifest2.json")
			b.leaf(t, pictures2, "version 2", s.URL())
			b.open(t, s.URL()+"/"+page+"#manifest3.json")
			b.leaf(t, pictures, "version 3", s.URL())
		})
	}
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

func oneOfEachFormat(kinds []originals.Kind) []originals.Kind {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(kinds), func(k originals.Kind) bool {
		again := seen[k.Format]
		seen[k.Format] = true
		return again
	})
}

func oneOfEachFile(files []originals.File) []originals.File {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(files), func(f originals.File) bool {
		again := seen[f.Format]
		seen[f.Format] = true
		return again
	})
}
