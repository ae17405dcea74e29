package e2e_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
	"github.com/gatehouse-server/gatehouse/render/tiffwrite"
)

// holes writes a file in which long runs of zeros take no room on the disk.
type holes struct{ *os.File }

func (h holes) Write(p []byte) (int, error) {
	content := bytes.TrimRight(p, "\x00")
	if _, err := h.File.Write(content); err != nil {
		return 0, err
	}
	end, err := h.Seek(int64(len(p)-len(content)), io.SeekCurrent)
	return len(p), errors.Join(err, h.Truncate(end))
}

// giant makes a pyramid of more than two gigabytes: each tile is as long as one of a scan in the best quality, for the most
// part with nothing after its picture.
func giant(t *testing.T, name string, page tiffwrite.Page) {
	t.Helper()
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	picture := testkit.JPEG(t, page.TileWidth, page.TileHeight)
	tile := append(picture, make([]byte, 256<<10-len(picture))...)
	w, err := tiffwrite.New(holes{file}, page, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	for i, size := range page.Sizes() {
		across, down := (size.X+page.TileWidth-1)/page.TileWidth, (size.Y+page.TileHeight-1)/page.TileHeight
		for range across * down {
			if err := w.Tile(i, tile); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Finish(tiffwrite.Finish{Halved: true, Tables: tablesOf(picture)}); err != nil {
		t.Fatal(err)
	}
}

// tablesOf are the tables of a JPEG, as a JPEG without a picture.
func tablesOf(picture []byte) []byte {
	tables := []byte("\xff\xd8")
	for rest := picture[2:]; rest[1] != 0xda; {
		segment := rest[:2+binary.BigEndian.Uint16(rest[2:])]
		if rest[1] == 0xdb || rest[1] == 0xc4 {
			tables = append(tables, segment...)
		}
		rest = rest[len(segment):]
	}
	return append(tables, "\xff\xd9"...)
}

// rangeCounter serves a folder and counts what is asked of it.
type rangeCounter struct {
	mu     sync.Mutex
	ranges []string
	bytes  int64
}

func (c *rangeCounter) handler(dir string) http.Handler {
	files := http.FileServer(http.Dir(dir))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		counted := &countedAnswer{ResponseWriter: w}
		files.ServeHTTP(counted, r)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.ranges = append(c.ranges, r.Header.Get("Range"))
		c.bytes += counted.bytes
	})
}

func (c *rangeCounter) take() (ranges []string, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ranges, bytes = c.ranges, c.bytes
	c.ranges, c.bytes = nil, 0
	return ranges, bytes
}

type countedAnswer struct {
	http.ResponseWriter
	bytes int64
}

func (w *countedAnswer) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// A tile of a pyramid that lies elsewhere costs a few ranges, however large the pyramid is and wherever the tile lies.
func TestTilesOfAGiantPyramidTakeFewRanges(t *testing.T) {
	dir := t.TempDir()
	page := tiffwrite.Page{Width: 50000, Height: 50000, TileWidth: 512, TileHeight: 512}
	name := filepath.Join(dir, "giant.tif")
	giant(t, name, page)
	info, err := os.Stat(name)
	if err != nil || info.Size() < 2<<30 {
		t.Fatalf("%v, %v", info, err)
	}
	if err := os.Chtimes(name, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	counter := &rangeCounter{}
	archive := testkit.NewStandIn(t, counter.handler(dir))
	h := site(t, "cache {\nmemory off\n}\ncollection open {\nprefix /open\nsource main http "+archive.URL()+"/\n}",
		"handle /open/* {\ngatehouse_iiif open\n}")

	h.get("/open/3/giant.tif/info.json").is(t, http.StatusOK)
	ranges, read := counter.take()
	t.Logf("header: %d requests, %d bytes", len(ranges), read)
	if read > 4<<20 {
		t.Errorf("%d bytes were read for the header", read)
	}
	most := 0
	for range 40 {
		level := rand.IntN(6)
		side := 512 << level
		x, y := side*rand.IntN(page.Width/side), side*rand.IntN(page.Height/side)
		if !h.get(fmt.Sprintf("/open/3/giant.tif/%d,%d,%d,%d/512,512/0/default.jpg", x, y, side, side)).is(t, http.StatusOK) {
			t.Errorf("the tile at %d,%d of level %d", x, y, level)
		}
		ranges, read := counter.take()
		most = max(most, len(ranges))
		if len(ranges) > 3 || read > 2<<20 {
			t.Errorf("%d bytes in %d requests for the tile at %d,%d of level %d: %s", read, len(ranges), x, y, level, strings.Join(ranges, ", "))
		}
	}
	t.Logf("at most %d requests for a tile", most)
}
