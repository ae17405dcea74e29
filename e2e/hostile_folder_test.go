package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// What stands in a folder under the name of a picture need not be a file.
func TestWhatIsNoFile(t *testing.T) {
	h := hostileSite(t, "")
	path := func(name string) string { return filepath.Join(h.server.Dir(), "images", name) }
	for _, err := range []error{
		os.Mkdir(path("folder.jpg"), 0o700),
		syscall.Mkfifo(path("pipe.jpg"), 0o600),
		os.Symlink("loop.jpg", path("loop.jpg")),
		os.Symlink("nowhere.jpg", path("dangling.jpg")),
		os.Symlink("/dev/zero", path("zero.jpg")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"folder.jpg", "pipe.jpg", "loop.jpg", "dangling.jpg", "zero.jpg", "seed.png%2Fx.jpg"} {
		for _, tail := range []string{"/info.json", imageTail, "?source_file=true"} {
			a := h.get("/open/3/" + name + tail)
			if a.status != http.StatusNotFound && a.status != http.StatusBadGateway || a.took > answerWithin {
				t.Errorf("%s%s: got %d %q after %v", name, tail, a.status, a.body, a.took)
			}
		}
	}
	h.calm()
}

// Files of a terabyte of nothing behind the start of a picture.
func TestSparseFiles(t *testing.T) {
	const terabyte = 1 << 40
	h := hostileSite(t, "")
	jpeg, png := testkit.JPEG(t, 300, 200), testkit.PNG(t, 300, 200)
	for _, file := range []hostile{
		{what: "nothing at all", ext: ".jpg", end: stands},
		{what: "JPEG and nothing", ext: ".jpg", data: jpeg, end: shown, width: 300, height: 200},
		{what: "half a JPEG and nothing", ext: ".jpg", data: jpeg[:len(jpeg)/2], end: either},
		{what: "the start of a JPEG and nothing", ext: ".jpg", data: []byte("\xff\xd8\xff\xe0\x00\x10JFIF"), end: refused},
		{what: "a comment and nothing", ext: ".jpg", data: joined(soi, segment(0xFE, "x")), end: refused},
		{what: "PNG and nothing", ext: ".png", data: png, end: shown, width: 300, height: 200},
		{what: "half a PNG and nothing", ext: ".png", data: png[:len(png)/2], end: refused},
		{what: "the start of a PNG and nothing", ext: ".png", data: png[:16], end: refused},
		{what: "a strip of nothing", ext: ".tif", data: lying(fields{tagStripOffsets: one(kindLong, 1<<31)}), end: shown, width: 64, height: 64},
		{what: "directories of nothing", ext: ".tif", data: []byte("II*\x00\x00\x00\x00\x80"), end: refused},
		{what: "GIF and nothing", ext: ".gif", data: gifFile(16, 16, gifImage(t, 0, 0, 16, 16)), end: refused},
		{what: "WebP and nothing", ext: ".webp", data: webpFile(webpFlood(16, 16)), end: refused},
		{what: "JP2 and nothing", ext: ".jp2", data: []byte(jp2Mark), end: refused},
		{what: "PDF and nothing", ext: ".pdf", data: []byte("%PDF-1.7\n"), end: refused},
	} {
		h.place(file)
		if err := os.Truncate(filepath.Join(h.server.Dir(), "images", file.name()), terabyte); err != nil {
			t.Fatal(err)
		}
		tails := []string{"/3/info.json", "/2" + imageTail, "/3/tile"}
		if file.end == refused {
			// Some are looked through until the time is over.
			tails = tails[1:2]
		}
		for _, tail := range tails {
			version, rest := tail[:2], tail[2:]
			if rest == "/tile" {
				rest = "/0,0,256,256/max/0/default.png"
			}
			a, err := h.patiently("/open" + version + "/" + file.name() + rest)
			if err != nil {
				t.Errorf("%s, %s: %v", file.what, tail, err)
			} else if fault := file.judge(tail, a); fault != "" {
				t.Errorf("%s, %s: %s", file.what, tail, fault)
			}
		}
		h.remove(file)
	}
	h.calm()
	if peak := h.peakMemory(); peak > mostMemory {
		t.Errorf("the server had up to %d MB in memory", peak>>20)
	}
}

// Files that are written while they are read are shown, refused, or asked for again, and harm nobody.
func TestFilesThatChangeWhileTheyAreRead(t *testing.T) {
	h := hostileSite(t, "")
	files := []hostile{
		{what: "changing", ext: ".jpg", data: testkit.JPEG(t, 900, 700)},
		{what: "changing", ext: ".png", data: testkit.PNG(t, 900, 700)},
		{what: "changing", ext: ".tif", data: testkit.PyramidTIFF(t, 900, 700)},
		{what: "changing", ext: ".gif", data: gifFile(900, 700, gifImage(t, 0, 0, 900, 700))},
		{what: "changing", ext: ".pdf", data: pdfPage("0 0 300 200", "", "1 0 0 rg 0 0 150 100 re f")},
	}
	done := make(chan struct{})
	var writers, readers sync.WaitGroup
	for i, file := range files {
		h.place(file)
		writers.Go(func() { meddle(filepath.Join(h.server.Dir(), "images", file.name()), file.data, uint64(i), done) })
	}
	var mu sync.Mutex
	seen := map[int]int{}
	for i := range 4 {
		readers.Go(func() {
			for n := range 60 {
				file := files[(n+i)%len(files)]
				tail := []string{imageTail, "/0,0,256,256/max/0/default.png", "/info.json", "?source_file=true"}[n%4]
				a, err := exchange(t, h.client, http.MethodGet, h.server.URL()+"/open/3/"+file.name()+tail)
				if err != nil && n%4 == 3 {
					continue // an original that changed while it was sent is cut off, so that nobody takes it for whole
				}
				fault := fmt.Sprint(err)
				if err == nil {
					fault = ""
					if a.status >= 400 {
						fault = sentence(a)
					}
				}
				if fault != "" {
					t.Errorf("%s%s: %s", file.name(), tail, fault)
				}
				mu.Lock()
				seen[a.status]++
				mu.Unlock()
			}
		})
	}
	readers.Wait()
	close(done)
	writers.Wait()
	t.Logf("answers by status: %v", seen)
	for _, file := range files {
		h.place(file)
		h.get("/open/3/"+file.name()+imageTail).is(t, http.StatusOK)
	}
	h.calm()
}

// meddle lets a file grow, shrink, vanish and come back, until done.
func meddle(path string, whole []byte, seed uint64, done <-chan struct{}) {
	dice := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // not for secrets
	for {
		select {
		case <-done:
			return
		case <-time.After(time.Duration(dice.IntN(3000)) * time.Microsecond):
		}
		switch dice.IntN(6) {
		case 0:
			_ = os.Truncate(path, dice.Int64N(int64(len(whole))))
		case 1:
			_ = os.Truncate(path, int64(len(whole))+dice.Int64N(1<<20))
		case 2:
			_ = os.Remove(path)
		case 3:
			if f, err := os.OpenFile(path, os.O_WRONLY, 0); err == nil {
				_, _ = f.WriteAt([]byte("scribble"), dice.Int64N(int64(len(whole))))
				_ = f.Close()
			}
		default:
			_ = os.WriteFile(path, whole, 0o600)
		}
	}
}
