package e2e_test

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	_ "image/gif" // decoders of what the server sends
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

const (
	// answerWithin is how long any answer may take, the time that the machine gave to others not counted.
	answerWithin = 5 * time.Second
	// mostMemory is what the server may have in memory at any time: its budget for renders, what it has besides, and what
	// the estimate of a render leaves out, which is that OpenJPEG holds eight bytes for each sample, and Poppler the
	// pictures of a page.
	mostMemory = 2560 << 20
)

// hostileSite shows a folder to everybody. Its time limit leaves room for a wait, a header and a picture, each of which
// may take as long, within answerWithin.
func hostileSite(t *testing.T, images string) *house {
	t.Helper()
	h := site(t, "images {\ntime_limit 1500ms\nmemory 1GiB\nworkers 2\n"+images+"\n}\ncollection open {\nprefix /open\nsource main folder {$DIR}/images\n}",
		"handle /open/* {\ngatehouse_iiif open\n}")
	h.place(hostile{what: "seed", ext: ".png", data: testkit.PNG(t, 300, 200)})
	return h
}

// place puts a file into the folder and gives its address, without a version.
func (h *house) place(file hostile) (tail string) {
	h.t.Helper()
	writeFile(h.t, filepath.Join(h.server.Dir(), "images", file.name()), file.data)
	return "/" + file.name()
}

func (h *house) remove(file hostile) {
	_ = os.Remove(filepath.Join(h.server.Dir(), "images", file.name()))
}

// hostileFiles are all kinds, in the order of their names.
func hostileFiles(t *testing.T, h *house) []hostile {
	t.Helper()
	webp := h.get("/open/3/seed.png/full/max/0/default.webp")
	webp.is(t, http.StatusOK)
	all := slices.Concat(hostilePNGs(t), hostileJPEGs(t), hostileTIFFs(t), hostileGIFs(t), hostileWebPs(t, webp.body),
		hostileJP2s(t), hostilePDFs(t), strangers(t))
	slices.SortFunc(all, func(a, b hostile) int { return cmp.Compare(a.what, b.what) })
	for i := 1; i < len(all); i++ {
		if all[i].name() == all[i-1].name() {
			t.Fatalf("two files are named %s", all[i].name())
		}
	}
	return all
}

// Whatever lies in an archive, a request for it is answered soon, by a picture, by a placeholder, or by a sentence that
// says what is wrong, and the server goes on as before.
func TestHostileFiles(t *testing.T) {
	h := hostileSite(t, "")
	files := hostileFiles(t, h)
	if len(files) < 300 {
		t.Fatalf("only %d kinds", len(files))
	}
	var streams sync.WaitGroup
	todo := make(chan hostile)
	for range 2 {
		streams.Go(func() {
			for file := range todo {
				h.tryHostile(t, file)
			}
		})
	}
	for i, file := range files {
		if !testing.Short() || i%10 == 0 {
			todo <- file
		}
	}
	close(todo)
	streams.Wait()
	eventually(t, "a worker", func() bool { return h.get("/open/3/seed.png"+imageTail).status == http.StatusOK })
	h.calm()
	peak := h.peakMemory()
	t.Logf("%d kinds; the server had up to %d MB in memory; of its processes it replaced %v", len(files), peak>>20, h.isolation().Replaced)
	if peak > mostMemory {
		t.Errorf("that is more than %d MB", mostMemory>>20)
	}
}

// tryHostile asks for all that a viewer asks for.
func (h *house) tryHostile(t *testing.T, file hostile) {
	at := h.place(file)
	defer h.remove(file)
	tails := []string{"/2/info.json", "/3/info.json", "/2" + imageTail, "/3" + imageTail, "/2/!200,200", "/3/!200,200", "/2/tile", "/3/tile", "/2/page", "/3/page"}
	if file.slow {
		tails = []string{"/3/info.json", "/2" + imageTail, "/3/tile"}
	}
	for _, tail := range tails {
		version, rest := tail[:2], tail[2:]
		switch rest {
		case "/!200,200":
			rest = "/full/!200,200/0/default.jpg"
		case "/tile":
			rest = "/0,0,256,256/max/0/default.png"
		case "/page":
			rest = ";p=2/full/!200,200/0/default.jpg"
		}
		a, err := h.patiently("/open" + version + at + rest)
		if err != nil {
			t.Errorf("%s, %s: %v", file.what, tail, err)
			continue
		}
		if fault := file.judge(tail, a); fault != "" {
			t.Errorf("%s, %s: %s", file.what, tail, fault)
		}
		if strings.Contains(string(a.body), h.server.Dir()) {
			t.Errorf("%s, %s: the answer tells where the files lie: %.200q", file.what, tail, a.body)
		}
	}
}

// patiently asks once more where the answer came late or was put off: another process may have had the machine.
func (h *house) patiently(path string) (a answer, err error) {
	for range 3 {
		before := h.starved()
		a, err = exchange(h.t, h.client, http.MethodGet, h.server.URL()+path)
		took := a.took - waited(before, h.starved())
		if err != nil {
			return a, err
		}
		if took <= answerWithin {
			if a.status == http.StatusServiceUnavailable && a.took > took+took/2 {
				continue
			}
			return a, nil
		}
		err = fmt.Errorf("the answer %d took %v, and %v in all", a.status, took, a.took)
	}
	return a, err
}

// judge tells what is wrong with an answer, or nothing.
func (file hostile) judge(tail string, a answer) string {
	description, whole := strings.HasSuffix(tail, "info.json"), strings.HasSuffix(tail, imageTail)
	switch {
	case a.status >= 400:
		if fault := sentence(a); fault != "" {
			return fault
		}
		page := strings.HasSuffix(tail, "/page")
		if (file.end == shown || file.end == stands) && !page && a.status != http.StatusServiceUnavailable {
			return fmt.Sprintf("got %d %q", a.status, a.body)
		}
		if file.end == large && description {
			return fmt.Sprintf("got %d %q", a.status, a.body)
		}
		return ""
	case a.status != http.StatusOK:
		return fmt.Sprintf("got %d", a.status)
	case description:
		return file.judgeDescription(a)
	case whole && (file.end == refused || file.end == large):
		return "it was shown"
	}
	m, format, err := image.DecodeConfig(bytes.NewReader(a.body))
	if err != nil || "image/"+format != a.header.Get("Content-Type") {
		return fmt.Sprintf("got %s, %v as %s", format, err, a.header.Get("Content-Type"))
	}
	if file.end == stands && whole && (m.Width != 360 || m.Height != 360) {
		return fmt.Sprintf("the placeholder is %d by %d", m.Width, m.Height)
	}
	if file.end == shown && whole && (m.Width != file.width || m.Height != file.height) {
		return fmt.Sprintf("the picture is %d by %d", m.Width, m.Height)
	}
	return ""
}

func (file hostile) judgeDescription(a answer) string {
	width, height := file.width, file.height
	if file.end == stands {
		width, height = 360, 360
	}
	if width == 0 {
		return ""
	}
	if mark := fmt.Sprintf(`"width":%d,"height":%d`, width, height); !bytes.Contains(a.body, []byte(mark)) {
		return fmt.Sprintf("info.json does not tell %d by %d: %.300s", width, height, a.body)
	}
	return ""
}

// sentence tells what is wrong with a refusal: it must be a 4xx, or 503 with a time to come back, in a clear sentence
// that holds nothing of what is inside.
func sentence(a answer) string {
	switch {
	case a.status >= 500 && a.status != http.StatusServiceUnavailable:
		return fmt.Sprintf("got %d %.200q", a.status, a.body)
	case a.status == http.StatusServiceUnavailable && a.header.Get("Retry-After") == "":
		return "503 without Retry-After"
	case a.header.Get("Content-Type") != plainText || len(a.body) < 15 || len(a.body) > 250:
		return fmt.Sprintf("got %s %.300q", a.header.Get("Content-Type"), a.body)
	}
	lower := strings.ToLower(string(a.body))
	for _, inside := range []string{"/", "\\", "\n", "0x", "vips", "lib", "poppler", "openjp", "cairo", "glib", "tiff2", "pread", "eof", ".go", "panic", "goroutine", "invalid", "error"} {
		if strings.Contains(lower, inside) {
			return fmt.Sprintf("the sentence holds %q: %q", inside, a.body)
		}
	}
	return ""
}
