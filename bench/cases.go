package main

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // what answers are compared in
	"runtime"
	"slices"
	"testing"

	_ "golang.org/x/image/webp" // what answers are compared in
)

// mostPixels is how large a picture may be to be asked for in its own size. A JPEG 2000 takes seconds at any size, and
// nearly all of them are OpenJPEG's on either side.
const mostPixels = 40_000_000

// cases are all that is measured, for each picture what suits it.
func cases(t testing.TB, a *album, s *site, r *raw, o options) []*benchCase {
	t.Helper()
	libvips, kept := baseline{raw: r}, baseline{raw: r, keep: true}
	last := o.connections[len(o.connections)-1]
	// What keeps a processor busy for long is asked for by as many as there are: more would only wait.
	heavy := min(last, runtime.NumCPU())
	var all []*benchCase
	add := func(name string, connections int, jobs func(int) []job, pairs ...pair) {
		if len(jobs(0)) == 0 {
			return // no whole tile fits into it
		}
		all = append(all, &benchCase{name: name, connections: connections, jobs: &supply{jobs: jobs}, pairs: pairs, same: samePicture})
	}
	for i, p := range a.pictures {
		kind := fmt.Sprintf("%s %d x %d", p.extension[1:], p.width, p.height)
		against := pair{s.open, libvips}
		if len(p.levels) > 1 {
			tile := []pair{against, {s.open, kept}, {s.protected, s.open}}
			for _, connections := range o.connections {
				if i == 0 || connections == last {
					add("tile 512, "+kind, connections, p.tiles(512), tile...)
				}
			}
			if i == 0 {
				add("tile 256, "+kind, last, p.tiles(256), tile...)
			}
		}
		if len(p.levels) > 1 {
			add("thumbnail, "+kind, last, p.thumbnails, against)
		} else {
			add("thumbnail, "+kind, heavy, p.thumbnails, against)
		}
		if p.width*p.height <= mostPixels && p.extension != ".jp2" {
			add("full size, "+kind+" to jpg", heavy, p.whole("jpg"), against)
			if p.extension == ".jpg" {
				add("full size, "+kind+" to webp", heavy, p.whole("webp"), against)
			}
		}
	}
	return append(all, infoCases(t, a.pictures[0], s, o)...)
}

// infoCases compare info.json, which libvips knows nothing of, with what Caddy needs to send the same bytes.
func infoCases(t testing.TB, p *picture, s *site, o options) []*benchCase {
	t.Helper()
	body, err := s.open.first(p.descriptions(0)[0])
	if err != nil {
		t.Fatal(err)
	}
	respond, fileServer := startFloor(t, body)
	var all []*benchCase
	for _, connections := range o.connections {
		all = append(all, &benchCase{
			name: "info.json", connections: connections, jobs: &supply{jobs: p.descriptions, endless: true},
			pairs: []pair{{s.open, respond}, {s.open, fileServer}, {s.protected, s.open}},
			same:  sameLength,
		})
	}
	return all
}

// samePicture wants the same size, and pixels that differ by no more than what encoders and filters make of them.
func samePicture(a, b []byte) error {
	one, _, err := image.Decode(bytes.NewReader(a))
	if err != nil {
		return err
	}
	other, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return err
	}
	if one.Bounds() != other.Bounds() {
		return fmt.Errorf("sizes are %v and %v", one.Bounds().Size(), other.Bounds().Size())
	}
	if d := difference(one, other); d > 8 {
		return fmt.Errorf("pixels differ by %.1f of 255", d)
	}
	return nil
}

// difference is the mean one of a part of the pixels.
func difference(a, b image.Image) float64 {
	size := a.Bounds().Size()
	stride := max(1, min(size.X, size.Y)/64)
	sum, n := 0.0, 0
	for y := 0; y < size.Y; y += stride {
		for x := 0; x < size.X; x += stride {
			r1, g1, b1, _ := a.At(x, y).RGBA()
			r2, g2, b2, _ := b.At(x, y).RGBA()
			for _, d := range []int{int(r1) - int(r2), int(g1) - int(g2), int(b1) - int(b2)} {
				sum += float64(max(d, -d)) / 257
				n++
			}
		}
	}
	return sum / float64(n)
}

// sameLength suits documents that differ by their identifiers: those are of the same length, up to the number of the
// copy and the name of the collection.
func sameLength(a, b []byte) error {
	if d := len(a) - len(b); slices.Max([]int{d, -d}) > 32 {
		return fmt.Errorf("lengths are %d and %d", len(a), len(b))
	}
	return nil
}
