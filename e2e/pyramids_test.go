package e2e_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

type pyramidsStatus struct {
	On                                      bool
	Bytes                                   int64
	Waiting, Made, Failed, Skipped, Removed int
}

func (h *house) pyramids() pyramidsStatus {
	h.t.Helper()
	var status struct{ Pyramids pyramidsStatus }
	h.commandJSON(&status, "status")
	return status.Pyramids
}

// pyramidMade waits until so many have been made.
func (h *house) pyramidMade(n int) {
	h.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		s := h.pyramids()
		if s.Made >= n && s.Waiting == 0 {
			return
		}
		if time.Now().After(deadline) || s.Failed > 0 {
			h.t.Fatalf("%d pyramids were to be made: %+v", n, s)
		}
	}
}

// landscape is a picture with something to see at every size.
func landscape(width, height int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			wave := 60 * math.Sin(float64(x)/37) * math.Cos(float64(y)/53)
			m.SetRGBA(x, y, color.RGBA{
				uint8(128 + wave), uint8(255 * x / width), uint8(255 * y / height), 255,
			})
		}
	}
	return m
}

func jpegOf(t *testing.T, m image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func pyramidSite(t *testing.T, options string) *house {
	t.Helper()
	h := site(t, "cache {\nmemory off\n}\n"+options+"\ncollection open {\nprefix /open\nsource main folder {$DIR}/images\n}",
		"handle /open/* {\ngatehouse_iiif open\n}")
	return h
}

const pyramidOptions = "pyramids {\nfolder {$DIR}/pyramids 64MiB\n}"

// A flat original that is looked at in tiles has a pyramid soon, whose tiles go out as they lie and show the same.
func TestFlatOriginalsGetPyramids(t *testing.T) {
	h := pyramidSite(t, pyramidOptions)
	m := landscape(2000, 1500)
	writeFile(t, filepath.Join(h.server.Dir(), "images/flat.jpg"), jpegOf(t, m))
	var asPNG bytes.Buffer
	if err := png.Encode(&asPNG, m); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(h.server.Dir(), "images/flat.png"), asPNG.Bytes())
	stored := func() float64 { return h.metrics()[`gatehouse_stored_tiles_total{way="stored"}`] }
	for i, name := range []string{"flat.jpg", "flat.png"} {
		tiles := []string{"/open/3/" + name + "/512,512,512,512/512,512/0/default.jpg", "/open/3/" + name + "/0,0,1024,1024/512,512/0/default.jpg"}
		var before []answer
		for _, tile := range tiles {
			first := h.get(tile)
			first.is(t, http.StatusOK)
			before = append(before, first)
		}
		h.pyramidMade(i + 1)
		was := stored()
		for k, tile := range tiles {
			again := h.get(tile)
			if !again.is(t, http.StatusOK) {
				continue
			}
			if again.header.Get("ETag") != before[k].header.Get("ETag") {
				t.Errorf("%s: another tag", tile)
			}
			if most, mean := apart(t, again.body, before[k].body); most > 40 || mean > 1.5 {
				t.Errorf("%s: the pyramid's differs by %d, mean %.2f", tile, most, mean)
			}
		}
		if n := stored() - was; n != 2 {
			t.Errorf("%s: %g of 2 tiles went out as they lie", name, n)
		}
	}
	// A conversion is made of the original.
	whole := h.get("/open/3/flat.png/full/max/0/default.png")
	if whole.is(t, http.StatusOK) {
		if most, _ := apart(t, whole.body, asPNG.Bytes()); most > 0 {
			t.Errorf("a conversion without loss differs by %d", most)
		}
	}
}

// apart is how far two pictures are from each other.
func apart(t *testing.T, a, b []byte) (most int, mean float64) {
	t.Helper()
	x, _, err := image.Decode(bytes.NewReader(a))
	if err != nil {
		t.Fatal(err)
	}
	y, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if x.Bounds().Size() != y.Bounds().Size() {
		t.Fatalf("%v and %v", x.Bounds(), y.Bounds())
	}
	sum, n := 0, 0
	for v := range x.Bounds().Dy() {
		for u := range x.Bounds().Dx() {
			r, g, b, _ := x.At(u, v).RGBA()
			r2, g2, b2, _ := y.At(u, v).RGBA()
			for _, pair := range [][2]uint32{{r, r2}, {g, g2}, {b, b2}} {
				d := int(pair[0]>>8) - int(pair[1]>>8)
				d = max(d, -d)
				most, sum, n = max(most, d), sum+d, n+1
			}
		}
	}
	return most, float64(sum) / float64(n)
}

// A pyramid outlives reloads and restarts, follows its original, and goes with a purge.
func TestPyramidsFollowTheirOriginals(t *testing.T) {
	h := pyramidSite(t, pyramidOptions)
	path := filepath.Join(h.server.Dir(), "images/flat.jpg")
	writeFile(t, path, jpegOf(t, landscape(2000, 1500)))
	const tile = "/open/3/flat.jpg/0,0,512,512/512,512/0/default.jpg"
	h.get(tile).is(t, http.StatusOK)
	h.pyramidMade(1)
	if err := h.server.Reload(strings.Replace(h.caddyfile, "collection open {", "collection open {\nupscaling off", 1)); err != nil {
		t.Fatal(err)
	}
	was := h.metrics()[`gatehouse_stored_tiles_total{way="stored"}`]
	kept := h.get(tile)
	kept.is(t, http.StatusOK)
	if now := h.metrics()[`gatehouse_stored_tiles_total{way="stored"}`]; now != was+1 {
		t.Error("after a reload the tile is not the pyramid's")
	}
	// White now.
	writeFile(t, path, jpegOf(t, image.NewGray(image.Rect(0, 0, 2000, 1500))))
	changed := h.get(tile)
	if changed.is(t, http.StatusOK) && bytes.Equal(changed.body, kept.body) {
		t.Error("the old original's tile is still there")
	}
	h.pyramidMade(2)
	h.command("cache", "purge", "--collection", "open", "--identifier", "flat.jpg")
	files := 0
	_ = filepath.WalkDir(filepath.Join(h.server.Dir(), "pyramids"), func(_ string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			files++
		}
		return nil
	})
	if files != 0 {
		t.Errorf("%d files after a purge", files)
	}
}

// Small originals, tiled ones, conversions and a switch leave originals without pyramids.
func TestNoPyramids(t *testing.T) {
	t.Run("small", func(t *testing.T) {
		h := pyramidSite(t, pyramidOptions)
		writeFile(t, filepath.Join(h.server.Dir(), "images/small.jpg"), jpegOf(t, landscape(1000, 800)))
		writeFile(t, filepath.Join(h.server.Dir(), "images/flat.jpg"), jpegOf(t, landscape(2000, 1500)))
		for _, path := range []string{"small.jpg/0,0,512,512/512,512/0/default.jpg", "flat.jpg/full/max/0/default.jpg", "flat.jpg/0,0,512,512/512,512/0/default.png"} {
			h.get("/open/3/"+path).is(t, http.StatusOK)
		}
		if s := h.pyramids(); s.Made+s.Waiting+s.Failed > 0 {
			t.Errorf("%+v", s)
		}
	})
	t.Run("off", func(t *testing.T) {
		h := pyramidSite(t, "pyramids off")
		writeFile(t, filepath.Join(h.server.Dir(), "images/flat.jpg"), jpegOf(t, landscape(2000, 1500)))
		h.get("/open/3/flat.jpg/0,0,512,512/512,512/0/default.jpg").is(t, http.StatusOK)
		if s := h.pyramids(); s.On {
			t.Errorf("%+v", s)
		}
	})
	t.Run("broken below", func(t *testing.T) {
		h := pyramidSite(t, pyramidOptions)
		data := jpegOf(t, landscape(2000, 1500))
		writeFile(t, filepath.Join(h.server.Dir(), "images/cut.jpg"), data[:len(data)*2/3])
		const tile = "/open/3/cut.jpg/0,0,512,512/512,512/0/default.jpg"
		for range 3 {
			h.get(tile).is(t, http.StatusOK)
		}
		for deadline := time.Now().Add(20 * time.Second); h.pyramids().Failed == 0; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%+v", h.pyramids())
			}
		}
		h.get(tile).is(t, http.StatusOK)
		if s := h.pyramids(); s.Failed != 1 || s.Waiting != 0 {
			t.Errorf("what failed is tried again: %+v", s)
		}
	})
}

// A caller who may see a small image only gets no more of a pyramid, and its mark.
func TestPyramidsKeepToDecisions(t *testing.T) {
	h := site(t, "cache {\nmemory off\n}\n"+pyramidOptions+`
collection guarded {
	prefix /guarded
	source main folder {$DIR}/images
	rule tier 300 `+"`true`"+`
}`, "handle /guarded/* {\ngatehouse_authorize guarded\ngatehouse_iiif guarded\n}")
	writeFile(t, filepath.Join(h.server.Dir(), "images/flat.jpg"), jpegOf(t, landscape(2000, 1500)))
	small := h.get("/guarded/3/flat.jpg/full/max/0/default.jpg")
	if !small.is(t, http.StatusOK) {
		return
	}
	h.pyramidMade(1)
	again := h.get("/guarded/3/flat.jpg/full/max/0/default.jpg")
	if again.is(t, http.StatusOK) {
		config, err := jpeg.DecodeConfig(bytes.NewReader(again.body))
		if err != nil || config.Width != 300 {
			t.Errorf("%+v: %v", config, err)
		}
	}
	for _, region := range []string{"0,0,512,512/512,512", "0,0,300,225/600,"} {
		if got := h.get(fmt.Sprintf("/guarded/3/flat.jpg/%s/0/default.jpg", region)); got.status == http.StatusOK {
			config, err := jpeg.DecodeConfig(bytes.NewReader(got.body))
			if err != nil || config.Width > 300 {
				t.Errorf("%s: %+v: %v", region, config, err)
			}
		}
	}
}

// The command makes what a collection can serve in place of its originals.
func TestPyramidsInAdvance(t *testing.T) {
	h := pyramidSite(t, "pyramids off")
	in, images := filepath.Join(h.server.Dir(), "in"), filepath.Join(h.server.Dir(), "images")
	writeFile(t, filepath.Join(in, "flat.jpg"), jpegOf(t, landscape(2000, 1500)))
	writeFile(t, filepath.Join(in, "deep/small.jpg"), jpegOf(t, landscape(600, 400)))
	writeFile(t, filepath.Join(in, "deep/notes.txt"), []byte("no picture"))
	said := h.command("pyramid", "--quiet", "--output", images, "--same-names", "--copy-others", in)
	for _, want := range []string{"1 made", "1 fine as it is", "1 no picture"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q lacks %q", said, want)
		}
	}
	h.get("/open/3/flat.jpg/512,512,512,512/512,512/0/default.jpg").is(t, http.StatusOK)
	h.get("/open/3/deep%2Fsmall.jpg/full/max/0/default.jpg").is(t, http.StatusOK)
	if n := h.metrics()[`gatehouse_stored_tiles_total{way="stored"}`]; n != 1 {
		t.Errorf("%g tiles went out as they lie", n)
	}
	if again := h.command("pyramid", "--quiet", "--output", images, "--same-names", in); !strings.Contains(again, "3 there already") {
		t.Errorf("again: %q", again)
	}
}

// A bucket is prepared as a folder is.
func TestPyramidsOfABucket(t *testing.T) {
	g := gateway.Get(t)
	env, block := bucket(t, "pyramids", map[string][]byte{
		"scans/flat.jpg": jpegOf(t, landscape(2000, 1500)), "scans/deep/small.jpg": jpegOf(t, landscape(300, 200)),
	})
	h := site(t, "pyramids off\ncache {\nmemory off\n}\ncollection open {\nprefix /open\nsource main s3 s3://pyramids/made "+block+"\n}",
		"handle /open/* {\ngatehouse_iiif open\n}", env...)
	arguments := []string{
		"pyramid", "--quiet", "--endpoint", g.Endpoint, "--key-file", g.UserFile, "--path-style", "--same-names",
		"--output", "s3://pyramids/made", "s3://pyramids/scans",
	}
	if said := h.command(append(arguments, "--copy-others")...); !strings.Contains(said, "1 made") || !strings.Contains(said, "1 fine as it is") {
		t.Errorf("said %q", said)
	}
	h.get("/open/3/flat.jpg/512,512,512,512/512,512/0/default.jpg").is(t, http.StatusOK)
	h.get("/open/3/deep%2Fsmall.jpg/full/max/0/default.jpg").is(t, http.StatusOK)
	if n := h.metrics()[`gatehouse_stored_tiles_total{way="stored"}`]; n != 1 {
		t.Errorf("%g tiles went out as they lie", n)
	}
	if again := h.command(arguments...); !strings.Contains(again, "2 there already") {
		t.Errorf("again: %q", again)
	}
	// Pyramids never take the places of their originals.
	if out, err := h.server.Command("gatehouse", "pyramid", "--endpoint", g.Endpoint, "--key-file", g.UserFile, "--path-style", "--same-names",
		"--output", "s3://pyramids/scans/", "s3://pyramids/scans"); err == nil {
		t.Errorf("originals are replaced: %q", out)
	}
}
