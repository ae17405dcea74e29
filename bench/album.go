package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// album is a folder of originals.
type album struct {
	dir      string
	pictures []*picture
}

// picture is one original, under many names: a link costs nothing, and no request has to be made twice, whatever a
// cache would keep.
type picture struct {
	dir, name, extension string
	width, height        int
	levels               []scaled
	// drawing tells a line drawing without loss.
	drawing bool
}

// copies is how many names a picture has.
const copies = 1000

// scaled is an image in the file that has one pixel for each square of scale x scale pixels.
type scaled struct {
	level
	scale int
}

// openAlbum makes the originals, or links own ones.
func openAlbum(t testing.TB, r *raw, o options) *album {
	t.Helper()
	a := &album{dir: filepath.Join(t.TempDir(), "originals")}
	if err := os.Mkdir(a.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	var err error
	if o.pictures != "" {
		err = a.addOwn(r, o.pictures)
	} else {
		err = a.addGenerated(t.TempDir(), r, o.divisor)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// addGenerated adds one picture of each kind that archives have. No side is a multiple of anything, as in real scans.
func (a *album) addGenerated(dir string, r *raw, divisor int) error {
	for _, kind := range []struct {
		file          string
		width, height int
		saving        string
	}{
		{"pyramid.tif", 12_345, 9_249, "[tile,tile-width=256,tile-height=256,pyramid,compression=jpeg,Q=85]"},
		{"flat.jpg", 5_185, 3_457, "[Q=90]"},
		{"flat.png", 4_001, 3_001, ""},
		{"tiled.jp2", 4_001, 3_001, "[tile-width=512,tile-height=512]"},
		{"strips.tif", 4_001, 3_001, "[compression=lzw]"},
		{"large.jpg", 10_001, 8_001, "[Q=85]"},
	} {
		path := filepath.Join(dir, kind.file)
		if err := r.make(kind.width/divisor, kind.height/divisor, path+kind.saving); err != nil {
			return err
		}
		if err := a.add(r, path); err != nil {
			return err
		}
	}
	path := filepath.Join(dir, "drawing.tif")
	if err := r.draw(19_867/divisor, 14_043/divisor, path+"[tile,tile-width=256,tile-height=256,pyramid,compression=deflate]"); err != nil {
		return err
	}
	if err := a.add(r, path); err != nil {
		return err
	}
	a.pictures[len(a.pictures)-1].drawing = true
	return nil
}

// addOwn adds the files of a folder.
func (a *album) addOwn(r *raw, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Type().IsRegular() {
			if err := a.add(r, filepath.Join(dir, entry.Name())); err != nil {
				return err
			}
		}
	}
	if len(a.pictures) == 0 {
		return fmt.Errorf("%s holds no files", dir)
	}
	return nil
}

// add links a file into the folder under all its names.
func (a *album) add(r *raw, path string) error {
	levels, err := r.describe(path)
	if err != nil {
		return err
	}
	p := &picture{
		dir: a.dir, name: fmt.Sprintf("picture%d", len(a.pictures)), extension: strings.ToLower(filepath.Ext(path)),
		width: levels[0].width, height: levels[0].height,
	}
	p.levels = scales(levels)
	if err := linkOrCopy(path, p.path(0)); err != nil {
		return err
	}
	for i := range copies - 1 {
		if err := os.Link(p.path(0), p.path(i+1)); err != nil {
			return err
		}
	}
	a.pictures = append(a.pictures, p)
	return nil
}

// linkOrCopy copies what lies on another disk.
func linkOrCopy(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

func (p *picture) file(copied int) string {
	return fmt.Sprintf("%s-%d%s", p.name, copied, p.extension)
}

func (p *picture) path(copied int) string { return filepath.Join(p.dir, p.file(copied)) }

// scales finds the levels of a pyramid among the images in a file: the first and its half, quarter and so on, whichever
// way they were rounded. Other images are pages.
func scales(levels []level) []scaled {
	var found []scaled
	full := levels[0]
	for scale := 1; scale <= full.width && scale <= full.height; scale *= 2 {
		part := func(whole, side int) bool { return side == whole/scale || side == (whole+scale-1)/scale }
		for _, l := range levels {
			if part(full.width, l.width) && part(full.height, l.height) {
				found = append(found, scaled{l, scale})
				break
			}
		}
	}
	return found
}

// job is one request and the same work for libvips.
type job struct {
	// path is what follows the version in the request's path.
	path string
	// raw is a line for rawvips.
	raw string
}

func (p *picture) job(copied int, parameters, format, raw, option string) job {
	file := p.path(copied)
	if option != "" {
		file += "[" + option + "]"
	}
	kind, rectangle, _ := strings.Cut(raw, " ")
	return job{
		path: p.file(copied) + "/" + parameters + "." + format,
		raw:  fmt.Sprintf("%s %s %s %s", kind, format, rectangle, file),
	}
}

// tiles are all whole tiles of one copy, at all levels that are in the file.
func (p *picture) tiles(side int) func(copied int) []job {
	return func(copied int) []job {
		var all []job
		for _, l := range p.levels {
			span := side * l.scale
			for y := 0; (y+1)*span <= p.height && (y+1)*side <= l.height; y++ {
				for x := 0; (x+1)*span <= p.width && (x+1)*side <= l.width; x++ {
					all = append(all, p.job(copied,
						fmt.Sprintf("%d,%d,%d,%d/%d,%d/0/default", x*span, y*span, span, span, side, side), "jpg",
						fmt.Sprintf("tile %d %d %d %d", x*side, y*side, side, side), l.option))
				}
			}
		}
		return all
	}
}

// firstTiles are tiles of the full size of a picture that has no tiles, for which libvips reads no further than it has to.
func (p *picture) firstTiles(side int) func(copied int) []job {
	return func(copied int) []job {
		var all []job
		for y := 0; y+side <= p.height; y += side {
			for x := 0; x+side <= p.width; x += side {
				all = append(all, p.job(copied,
					fmt.Sprintf("%d,%d,%d,%d/%d,%d/0/default", x, y, side, side, side, side), "jpg",
					fmt.Sprintf("part %d %d %d %d", x, y, side, side), ""))
			}
		}
		return all
	}
}

// zoomTiles are whole tiles at all sizes that viewers ask for, whatever lies in the file.
func (p *picture) zoomTiles(side int) func(copied int) []job {
	return func(copied int) []job {
		var all []job
		for scale := 1; side*scale <= min(p.width, p.height); scale *= 2 {
			span := side * scale
			for y := 0; y+span <= p.height; y += span {
				for x := 0; x+span <= p.width; x += span {
					all = append(all, p.job(copied, fmt.Sprintf("%d,%d,%d,%d/%d,%d/0/default", x, y, span, span, side, side), "jpg",
						fmt.Sprintf("part %d %d %d %d", x, y, span, span), ""))
				}
			}
		}
		return all
	}
}

// thumbnails are the whole picture of one copy in many small widths.
func (p *picture) thumbnails(copied int) []job {
	var all []job
	for width := 120; width < 320; width++ {
		height := int(math.Round(float64(width) * float64(p.height) / float64(p.width)))
		all = append(all, p.job(copied, fmt.Sprintf("full/%d,%d/0/default", width, height), "jpg",
			fmt.Sprintf("thumbnail 0 0 %d %d", width, height), ""))
	}
	return all
}

// whole is the whole picture in its own size.
func (p *picture) whole(format string) func(copied int) []job {
	return func(copied int) []job {
		return []job{p.job(copied, "full/max/0/default", format, "full 0 0 0 0", "")}
	}
}

// descriptions are requests for info.json.
func (p *picture) descriptions(copied int) []job { return []job{{path: p.file(copied) + "/info.json"}} }

// supply hands out jobs in random order, none of them twice unless it is endless.
type supply struct {
	jobs func(copied int) []job
	// endless begins anew after the last copy. copies, unless 0, is how many there are.
	endless bool
	copies  int
	// settle wants all of them made once before anything is measured.
	settle bool
	next   int
	ready  []job
}

// mixed is how many copies are opened in the same stretch of time.
const mixed = 8

func (s *supply) take(n int) ([]job, error) {
	for len(s.ready) < n {
		all := cmp.Or(s.copies, copies)
		for range mixed {
			s.ready = append(s.ready, s.jobs(s.next%all)...)
			s.next++
		}
		if s.next > all && !s.endless {
			return nil, errors.New("every request was made already; take fewer or shorter rounds")
		}
		rand.Shuffle(len(s.ready), func(i, j int) { s.ready[i], s.ready[j] = s.ready[j], s.ready[i] })
	}
	taken := s.ready[:n:n]
	s.ready = s.ready[n:]
	return taken, nil
}
