package main

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // what answers are compared in
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	_ "golang.org/x/image/webp" // what answers are compared in
)

// mostPixels is how large a picture may be to be asked for in its own size. A JPEG 2000 takes seconds at any size, and
// nearly all of them are OpenJPEG's on either side.
const mostPixels = 40_000_000

// bench is all that takes part.
type bench struct {
	t     testing.TB
	album *album
	raw   *raw
	o     options
	cold  *site
	iip   *iipImage // nil where it is not installed
	all   []*benchCase
}

// add adds a case, unless it has no requests: no whole tile fits into the picture.
func (b *bench) add(name string, connections int, jobs *supply, pairs ...pair) {
	if len(jobs.jobs(0)) > 0 {
		b.all = append(b.all, &benchCase{name: name, connections: connections, jobs: jobs, pairs: pairs, same: alike(name)})
	}
}

// cases are all that is measured, for each picture what suits it.
func cases(t testing.TB, a *album, r *raw, o options) []*benchCase {
	t.Helper()
	b := &bench{t: t, album: a, raw: r, o: o, cold: startSite(t, a, cold)}
	if found, err := findIIPImage(); err != nil {
		say("Without IIPImage: %v", err)
	} else {
		b.iip = &found
	}
	for i, p := range a.pictures {
		b.addPicture(i == 0, p)
	}
	b.addInfo(a.pictures[0])
	b.addWarm(a.pictures[0])
	b.addPyramids()
	return b.all
}

// last is the number of connections of most cases, heavy that where each request keeps a processor busy for long: more
// would only wait.
func (b *bench) last() int  { return b.o.connections[len(b.o.connections)-1] }
func (b *bench) heavy() int { return min(b.last(), runtime.NumCPU()) }

func (p *picture) kind() string {
	if p.drawing {
		return fmt.Sprintf("drawing %d x %d", p.width, p.height)
	}
	return fmt.Sprintf("%s %d x %d", p.extension[1:], p.width, p.height)
}

// addPicture compares what is made of a picture with libvips alone, and where it is a pyramid, with IIPImage.
func (b *bench) addPicture(first bool, p *picture) {
	libvips, kept := baseline{raw: b.raw}, baseline{raw: b.raw, keep: true}
	open, protected := b.cold.open, b.cold.protected
	against := pair{open, libvips}
	peer := func(pairs ...pair) []pair {
		if b.iip == nil || len(p.levels) == 1 || p.extension != ".tif" {
			return pairs
		}
		return append(pairs, pair{protected, b.iipCold()})
	}
	all := func(jobs func(int) []job) *supply { return &supply{jobs: jobs} }
	thumbnails := b.heavy()
	if len(p.levels) > 1 {
		thumbnails = b.last()
		for _, connections := range b.o.connections {
			if first || connections == b.last() {
				b.add("tile 512, "+p.kind(), connections, all(p.tiles(512)), peer(against, pair{open, kept}, pair{protected, open})...)
			}
		}
		if first || p.drawing {
			b.add("tile 256, "+p.kind(), b.last(), all(p.tiles(256)), peer(against, pair{open, kept}, pair{protected, open})...)
		}
	} else {
		b.add("first tile, "+p.kind(), b.heavy(), all(p.firstTiles(512)), against)
	}
	b.add("thumbnail, "+p.kind(), thumbnails, all(p.thumbnails), peer(against)...)
	if p.width*p.height <= mostPixels && p.extension != ".jp2" {
		b.add("full size, "+p.kind()+" to jpg", b.heavy(), all(p.whole("jpg")), against)
		if p.extension == ".jpg" {
			b.add("full size, "+p.kind()+" to webp", b.heavy(), all(p.whole("webp")), against)
		}
	}
}

// iipCold is IIPImage without a cache. It is started once.
func (b *bench) iipCold() *service {
	if b.iip.cold == nil {
		b.iip.cold = b.iip.start(b.t, "IIPImage", b.album.dir, 0)
	}
	return b.iip.cold
}

// addInfo compares info.json, which libvips knows nothing of, with what Caddy itself needs to send the same bytes, and
// with IIPImage.
func (b *bench) addInfo(p *picture) {
	body, err := b.cold.open.first(p.descriptions(0)[0])
	if err != nil {
		b.t.Fatal(err)
	}
	respond, fileServer := startFloor(b.t, "info.json", body)
	pairs := []pair{{b.cold.open, respond}, {b.cold.open, fileServer}, {b.cold.protected, b.cold.open}}
	for _, connections := range b.o.connections {
		b.all = append(b.all, &benchCase{
			name: "info.json", connections: connections, jobs: &supply{jobs: p.descriptions, endless: true}, pairs: pairs, same: sameLength,
		})
	}
	if b.iip != nil {
		b.all = append(b.all, &benchCase{
			name: "info.json", connections: b.last(), jobs: &supply{jobs: p.descriptions, endless: true},
			pairs: []pair{{b.cold.protected, b.iipCold()}}, same: func([]byte, []byte) error { return nil },
		})
	}
}

// addWarm compares what lies in memory: the tiles of one pyramid, asked for again and again, and a single one.
func (b *bench) addWarm(p *picture) {
	if len(p.tiles(512)(0)) == 0 {
		return
	}
	site := startSite(b.t, b.album, warm)
	pairs := []pair{{site.protected, site.open}}
	if b.iip != nil {
		pairs = append(pairs, pair{site.protected, b.iip.start(b.t, "IIPImage, warm", b.album.dir, 256)})
	}
	again := func(jobs func(int) []job) *supply { return &supply{jobs: jobs, endless: true, copies: 1, settle: true} }
	b.add("tile 512 once more, "+p.kind(), b.last(), again(p.tiles(512)), pairs...)
	tile := p.tiles(512)(0)[:1]
	body, err := site.open.first(tile[0])
	if err != nil {
		b.t.Fatal(err)
	}
	_, fileServer := startFloor(b.t, "tile.jpg", body)
	b.add("one hot tile", b.last(), again(func(int) []job { return tile }), append(pairs,
		pair{site.unaudited, site.open}, pair{site.protected, fileServer}, pair{site.unaudited, fileServer}, pair{site.open, fileServer})...)
}

// madePyramids is how many copies of a picture have a pyramid.
const madePyramids = 4

// addPyramids compares tiles and thumbnails of flat and slow originals, once these have their pyramids, with IIPImage
// over the pyramids that our command makes, and with the server over those.
func (b *bench) addPyramids() {
	var flat []*picture
	for _, p := range b.album.pictures {
		if len(p.levels) == 1 || p.extension == ".jp2" {
			flat = append(flat, p)
		}
	}
	if len(flat) == 0 {
		return
	}
	site := startSite(b.t, b.album, pyramids)
	prepared := &album{dir: filepath.Join(b.t.TempDir(), "prepared")}
	files := []string{"gatehouse", "pyramid", "--quiet", "--from", "100000", "--output", prepared.dir}
	for _, p := range flat {
		for i := range madePyramids {
			files = append(files, p.path(i))
			if _, err := site.protected.first(p.thumbnails(i)[0]); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	if _, err := site.server.Command(files...); err != nil {
		b.t.Fatal(err)
	}
	if err := site.settled(); err != nil {
		b.t.Fatal(err)
	}
	asTIFF := func(path string) string {
		file, rest, _ := strings.Cut(path, "/")
		extension := ".tif"
		if filepath.Ext(file) == extension {
			extension = ".pyramid.tif"
		}
		return strings.TrimSuffix(file, filepath.Ext(file)) + extension + "/" + rest
	}
	prepared.pictures = flat
	own := startSite(b.t, prepared, variant{label: ", of a pyramidal TIFF", options: cold.options, rename: asTIFF})
	pairs := []pair{{site.protected, own.protected}}
	if b.iip != nil {
		peer := b.iip.start(b.t, "IIPImage, of a pyramidal TIFF", prepared.dir, 0)
		peer.rename = asTIFF
		pairs = append(pairs, pair{site.protected, peer})
	}
	for _, p := range flat {
		some := func(jobs func(int) []job) *supply { return &supply{jobs: jobs, endless: true, copies: madePyramids} }
		b.add("tile 512 after the first, "+p.kind(), b.last(), some(p.zoomTiles(512)), pairs...)
		b.add("thumbnail after the first, "+p.kind(), b.last(), some(p.thumbnails), pairs...)
	}
}

// alike compares the results of a case. What filters make of thin lines differs more than what they make of photographs.
func alike(name string) func(a, b []byte) error {
	most := 8.0
	if strings.Contains(name, "drawing") {
		most = 32
	}
	return func(a, b []byte) error { return samePicture(a, b, most) }
}

// samePicture wants the same size, and pixels that differ by no more than so much of 255 in the mean.
func samePicture(a, b []byte, most float64) error {
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
	if d := difference(one, other); d > most {
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
