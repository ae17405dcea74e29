package source_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
	"github.com/gatehouse-server/gatehouse/source"
)

// partial answers a range with a header of the test's choice.
func partial(contentRange, etag string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Range", contentRange)
		w.Header().Set("ETag", etag)
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(body)
	}
}

func fault(f testkit.Fault) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { f(w, r, nil, nil) }
}

// A server that answers with anything but the original or its absence is a bad gateway, with the texts of the dossier
// contract §6, and its address is told to nobody.
func TestFailingServers(t *testing.T) {
	block := make([]byte, 256<<10)
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		detail string
	}{
		"500":                   {fault(testkit.Status(500)), "We had a problem retrieving the image. We got status code 500"},
		"403":                   {fault(testkit.Status(403)), "We had a problem retrieving the image. We got status code 403"},
		"410":                   {fault(testkit.Status(410)), "We had a problem retrieving the image. We got status code 410"},
		"204":                   {fault(testkit.Status(204)), "We had a problem retrieving the image. We got status code 204"},
		"304 unasked":           {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }, "We had a problem retrieving the image. We got status code 304"},
		"412 unasked":           {fault(testkit.Status(412)), "We had a problem retrieving the image. We got status code 412"},
		"416 for the whole":     {fault(testkit.Status(416)), "We had a problem retrieving the image. We got status code 416"},
		"hangs":                 {fault(testkit.Hang()), unreachable("timeout")},
		"trickles":              {fault(testkit.Trickle(10 * time.Millisecond)), unreachable("timeout")},
		"resets":                {fault(testkit.Reset()), unreachable("connection reset")},
		"ends early":            {fault(testkit.WrongLength()), unreachable("connection reset")},
		"is not HTTP":           {notHTTP, unreachable("protocol")},
		"redirects in a circle": {fault(testkit.Redirect("/rest/x")), "We had a problem retrieving the image. We got status code 302"},
		"compresses": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(block)
		}, unreachable("protocol")},
		"another range":       {partial("bytes 10-262153/9000000", `"1"`, block), unreachable("protocol")},
		"a longer range":      {partial("bytes 0-262144/9000000", `"1"`, append(block, 0)), unreachable("protocol")},
		"a shorter range":     {partial("bytes 0-99/9000000", `"1"`, block[:100]), unreachable("protocol")},
		"beyond the end":      {partial("bytes 0-262143/100", `"1"`, block), unreachable("protocol")},
		"backwards":           {partial("bytes 9-0/100", `"1"`, block), unreachable("protocol")},
		"negative":            {partial("bytes -1-262142/9000000", `"1"`, block), unreachable("protocol")},
		"huge numbers":        {partial("bytes 0-99999999999999999999/*", `"1"`, block), unreachable("protocol")},
		"no range":            {partial("", `"1"`, block), unreachable("protocol")},
		"other unit":          {partial("pages 0-262143/9000000", `"1"`, block), unreachable("protocol")},
		"length contradicts":  {partial("bytes 0-262143/9000000", `"1"`, block[:1000]), unreachable("protocol")},
		"chunks: too short":   {chunked("bytes 0-262143/9000000", block[:1000]), unreachable("connection reset")},
		"chunks: too long":    {chunked("bytes 0-262143/9000000", append(block, 1)), unreachable("protocol")},
		"a part of the whole": {partial("bytes 0-262143/*", `"1"`, block), unreachable("protocol")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newArchive(t, nil)
			a.always(c.answer)
			spool := newSpool(t, 0)
			s := a.open(t, impatient(c.detail), source.Deps{Spool: spool})
			o, err := s.Open(t.Context(), "x.tif")
			if err == nil {
				_ = o.Close()
			}
			wantProblem(t, err, http.StatusBadGateway, c.detail, a.url)
			if spool.Used() != 0 {
				t.Errorf("%d bytes stay in the spool", spool.Used())
			}
		})
	}
}

func notHTTP(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(conn, "220 mail.test ESMTP\r\n\r\n")
	_ = conn.Close()
}

// chunked answers a range without a Content-Length.
func chunked(contentRange string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Range", contentRange)
		w.Header().Set("ETag", `"1"`)
		w.WriteHeader(http.StatusPartialContent)
		_ = http.NewResponseController(w).Flush()
		_, _ = w.Write(body)
	}
}

func TestUnreachableServers(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	_ = listener.Close()
	plain := strings.TrimPrefix(serve(t, http.NotFoundHandler()), "http://")
	for base, kind := range map[string]string{
		"http://" + closed:          "connection refused",
		"http://archive.invalid/":   "name not found",
		"https://" + plain + "/x/y": "tls",
	} {
		c := asking()
		c.Base, c.Timeout = base, 5*time.Second
		_, err := newSource(t, &c, source.Deps{}).Open(t.Context(), "x.tif")
		wantProblem(t, err, http.StatusBadGateway, unreachable(kind), strings.TrimPrefix(base, "https://"))
	}
}

// All spellings of a name share one budget.
func TestSpellingsShareOneBudget(t *testing.T) {
	a := newArchive(t, nil)
	a.always(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(time.Second):
		case <-r.Context().Done():
		}
		w.WriteHeader(http.StatusNotFound)
	})
	c := asking()
	c.NameVariants, c.Timeout = true, 1500*time.Millisecond
	_, err := a.open(t, c, source.Deps{}).Open(t.Context(), "Scan.JPG")
	wantProblem(t, err, http.StatusBadGateway, unreachable("timeout"), a.url)
	if n := len(a.asked()); n != 2 {
		t.Errorf("%d spellings were tried", n)
	}
}

func TestEachSpellingIsAskedForOnce(t *testing.T) {
	a := newArchive(t, nil)
	a.always(http.NotFound)
	c := asking()
	c.NameVariants, c.Timeout = true, time.Minute
	s := a.open(t, c, source.Deps{})
	for path, want := range map[string]string{
		"SU/Scan 1.Jpg": "/rest/SU/Scan%201.Jpg /rest/SU/scan%201.jpg /rest/SU/SCAN%201.Jpg",
		"SU/scan.jpg":   "/rest/SU/scan.jpg /rest/SU/SCAN.jpg",
	} {
		_, err := s.Open(t.Context(), path)
		wantProblem(t, err, http.StatusNotFound, "No source file could be found", a.url)
		var paths []string
		for _, r := range a.asked() {
			paths = append(paths, r.URL.EscapedPath())
		}
		if got := strings.Join(paths, " "); got != want {
			t.Errorf("%q asked for %s, want %s", path, got, want)
		}
	}
}

// The spelling that answers with something else than 404 ends the search.
func TestAnotherStatusEndsTheSearch(t *testing.T) {
	a := newArchive(t, nil)
	a.always(func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusNotFound
		if strings.HasSuffix(r.URL.Path, "scan.jpg") {
			status = http.StatusServiceUnavailable
		}
		w.WriteHeader(status)
	})
	c := asking()
	c.NameVariants = true
	_, err := a.open(t, c, source.Deps{}).Open(t.Context(), "Scan.jpg")
	wantProblem(t, err, http.StatusBadGateway, "We had a problem retrieving the image. We got status code 503", a.url)
	if n := len(a.asked()); n != 2 {
		t.Errorf("%d requests", n)
	}
}

func TestRedirectsDoNotReachOtherServers(t *testing.T) {
	var visits atomic.Int32
	victim := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		visits.Add(1)
		_, _ = io.WriteString(w, "secret")
	}))
	for _, target := range []string{victim + "/internal", strings.TrimPrefix(victim, "http:"), "http://169.254.169.254/latest"} {
		a := newArchive(t, nil)
		a.always(fault(testkit.Redirect(target)))
		c := asking()
		c.Header = http.Header{"Authorization": {"secret"}}
		_, err := a.open(t, c, source.Deps{}).Open(t.Context(), "x.tif")
		wantProblem(t, err, http.StatusBadGateway, "We had a problem retrieving the image. We got status code 302", a.url)
	}
	if visits.Load() != 0 {
		t.Error("a redirect was followed to another server")
	}
}

func TestRedirectsWithinTheOriginAreFollowed(t *testing.T) {
	data := testBytes(1000)
	a := newArchive(t, data)
	a.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/rest/x.tif" {
			http.Redirect(w, r, "/store/1234", http.StatusFound)
			return true
		}
		return false
	})
	c := asking()
	c.Header = http.Header{"Authorization": {"secret"}}
	o := mustOpen(t, a.open(t, c, source.Deps{}), "x.tif")
	if !bytes.Equal(contents(t, o), data) || o.Info().Name != "x.tif" {
		t.Errorf("other bytes, or name %q", o.Info().Name)
	}
	for _, r := range a.asked() {
		if r.Header.Get("Authorization") != "secret" || r.Header.Get("Range") == "" {
			t.Errorf("%s lost its header", r.URL)
		}
	}
	c.MaxRedirects = -1
	_, err := a.open(t, c, source.Deps{}).Open(t.Context(), "x.tif")
	wantProblem(t, err, http.StatusBadGateway, "We had a problem retrieving the image. We got status code 302", a.url)
}

// An endless body ends at MaxSize, or where the spool ends, and leaves nothing behind.
func TestEndlessBody(t *testing.T) {
	a := newArchive(t, nil)
	a.always(fault(testkit.Endless()))
	spool := newSpool(t, 64<<20)
	c := source.HTTPConfig{Remote: source.Remote{MaxSize: 10 << 20}}
	_, err := a.open(t, c, source.Deps{Spool: spool}).Open(t.Context(), "x.tif")
	wantProblem(t, err, http.StatusRequestEntityTooLarge, "The original is larger than what can be fetched whole", a.url)
	_, err = a.open(t, source.HTTPConfig{}, source.Deps{Spool: spool}).Open(t.Context(), "x.tif")
	wantProblem(t, err, http.StatusServiceUnavailable, "There is no room to fetch the original now", a.url)
	if spool.Used() != 0 {
		t.Errorf("%d bytes stay in the spool", spool.Used())
	}
}

func TestAnnouncedSizeIsRefusedBeforeItComes(t *testing.T) {
	a := newArchive(t, nil)
	a.always(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strconv.FormatInt(1<<50, 10))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	_, err := a.open(t, source.HTTPConfig{}, source.Deps{}).Open(t.Context(), "x.tif")
	wantProblem(t, err, http.StatusRequestEntityTooLarge, "The original is larger than what can be fetched whole", a.url)
}

// A download may take longer than the budget for the answer as long as it keeps its rate; a steady drip does not.
func TestDownloadKeepsItsRate(t *testing.T) {
	data := testBytes(3 << 20)
	a := newArchive(t, nil)
	drip := func(pieces int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(data)))
			size := len(data) / pieces
			for part := range pieces {
				if _, err := w.Write(data[part*size : (part+1)*size]); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
				select {
				case <-r.Context().Done():
					return
				case <-time.After(200 * time.Millisecond):
				}
			}
		}
	}
	c := asking()
	c.Timeout, c.MinRate = time.Second, 300<<10
	a.always(drip(8))
	if o := mustOpen(t, a.open(t, c, source.Deps{}), "x.tif"); !bytes.Equal(contents(t, o), data) {
		t.Error("other bytes")
	}
	a.always(drip(1 << 10))
	_, err := a.open(t, c, source.Deps{}).Open(t.Context(), "x.tif")
	wantProblem(t, err, http.StatusBadGateway, unreachable("timeout"), a.url)
	c.MinRate, c.DownloadTimeout = 1, 500*time.Millisecond
	_, err = a.open(t, c, source.Deps{}).Open(t.Context(), "x.tif")
	wantProblem(t, err, http.StatusBadGateway, unreachable("timeout"), a.url)
}

// What cannot be read by ranges of one certain state is fetched whole.
func TestServersWithoutDependableRangesAreReadWhole(t *testing.T) {
	data := testBytes(9 << 20)
	old, recent := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	for name, answer := range map[string]func(w http.ResponseWriter, r *http.Request) bool{
		"ignores ranges": func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("ETag", `"1"`)
			_, _ = w.Write(data)
			return true
		},
		"no validator": func(w http.ResponseWriter, r *http.Request) bool {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
			return true
		},
		"weak entity tag": func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("ETag", `W/"1"`)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
			return true
		},
		"modified just now": func(w http.ResponseWriter, r *http.Request) bool {
			http.ServeContent(w, r, "", recent, bytes.NewReader(data))
			return true
		},
		"size unknown": func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Range") == "" {
				_, _ = w.Write(data)
				return true
			}
			partial("bytes 0-262143/*", `"1"`, data[:262144])(w, r)
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newArchive(t, data)
			a.answer(answer)
			o := mustOpen(t, a.open(t, source.HTTPConfig{}, source.Deps{}), "x.tif")
			if o.File() == nil {
				t.Error("it is read by ranges")
			}
			if !bytes.Equal(contents(t, o), data) {
				t.Error("other bytes")
			}
			if n := len(a.asked()); n > 2 {
				t.Errorf("%d requests", n)
			}
		})
	}
	t.Run("weak entity tag and old date", func(t *testing.T) {
		a := newArchive(t, data)
		a.answer(func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("ETag", `W/"1"`)
			http.ServeContent(w, r, "", old, bytes.NewReader(data))
			return true
		})
		o := mustOpen(t, a.open(t, source.HTTPConfig{}, source.Deps{}), "x.tif")
		if o.File() != nil {
			t.Error("it was fetched whole")
		}
		if !bytes.Equal(contents(t, o), data) {
			t.Error("other bytes")
		}
	})
}

// A server whose original changes under a reader is found out, whether it knows preconditions or not.
func TestChangesUnderAReader(t *testing.T) {
	data := testBytes(9 << 20)
	part := make([]byte, 100)
	for name, answer := range map[string]func(a *archive) func(http.ResponseWriter, *http.Request) bool{
		"412":                    func(*archive) func(http.ResponseWriter, *http.Request) bool { return nil },
		"ignores preconditions":  func(*archive) func(http.ResponseWriter, *http.Request) bool { return deaf },
		"is gone":                func(*archive) func(http.ResponseWriter, *http.Request) bool { return gone },
		"another size, same tag": func(a *archive) func(http.ResponseWriter, *http.Request) bool { a.replace(data[1:], `"1"`); return nil },
		"now shorter": func(a *archive) func(http.ResponseWriter, *http.Request) bool {
			a.replace(data[:1000], `"1"`)
			return nil
		},
		"no tag any more": func(a *archive) func(http.ResponseWriter, *http.Request) bool { a.replace(data, ""); return deaf },
	} {
		t.Run(name, func(t *testing.T) {
			a := newArchive(t, data)
			s := a.open(t, source.HTTPConfig{}, source.Deps{})
			o := mustOpen(t, s, "x.tif")
			a.replace(testBytes(10 << 20)[1<<20:], `"2"`)
			a.answer(answer(a))
			if _, err := o.ReadAt(t.Context(), part, 5<<20); !errors.Is(err, source.ErrChanged) {
				t.Errorf("%v, want ErrChanged", err)
			}
			a.answer(nil)
			a.replace(data[:1<<20], `"3"`)
			if again := mustOpen(t, s, "x.tif"); again.Info().Size != 1<<20 {
				t.Error("the next Open did not ask anew")
			}
		})
	}
}

func deaf(_ http.ResponseWriter, r *http.Request) bool {
	r.Header.Del("If-Match")
	r.Header.Del("If-Unmodified-Since")
	return false
}

func gone(w http.ResponseWriter, _ *http.Request) bool {
	w.WriteHeader(http.StatusNotFound)
	return true
}

func TestFailuresUnderAReader(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		detail string
	}{
		"500":        {fault(testkit.Status(500)), "We had a problem retrieving the image. We got status code 500"},
		"hangs":      {fault(testkit.Hang()), unreachable("timeout")},
		"resets":     {fault(testkit.Reset()), unreachable("connection reset")},
		"the whole":  {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(testBytes(9 << 20)) }, unreachable("protocol")},
		"ends early": {partial(fmt.Sprintf("bytes %d-%d/%d", 5<<20, 5<<20+262143, 9<<20), `"1"`, nil), unreachable("protocol")},
		"trickles": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", 5<<20, 5<<20+262143, 9<<20))
			w.Header().Set("ETag", `"1"`)
			w.WriteHeader(http.StatusPartialContent)
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte{0})
				_ = http.NewResponseController(w).Flush()
				time.Sleep(5 * time.Millisecond)
			}
		}, unreachable("timeout")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newArchive(t, testBytes(9<<20))
			s := a.open(t, impatient(c.detail), source.Deps{})
			o := mustOpen(t, s, "x.tif")
			a.always(c.answer)
			part := make([]byte, 100)
			_, err := o.ReadAt(t.Context(), part, 5<<20)
			wantProblem(t, err, http.StatusBadGateway, c.detail, a.url)
			a.answer(nil)
			if _, err := mustOpen(t, s, "x.tif").ReadAt(t.Context(), part, 5<<20); err != nil {
				t.Errorf("after it healed: %v", err)
			}
		})
	}
}

// An entity tag is the place's own text: it must not get into a version, where it would reach callers.
func TestVersionTellsNothing(t *testing.T) {
	a := newArchive(t, testBytes(9<<20))
	a.replace(a.data, `"/srv/secret/path"`)
	for _, c := range []source.HTTPConfig{{}, {Remote: source.Remote{WholeBelow: 1 << 30}}} {
		version := mustOpen(t, a.open(t, c, source.Deps{}), "x.tif").Info().Version
		if strings.Trim(version, "0123456789abcdef") != "" || version == "" {
			t.Errorf("version %q", version)
		}
	}
}

// Work that panics ends that work: whoever waits for it hears of a failure, and the server goes on.
func TestAPanicEndsOneRead(t *testing.T) {
	a := newArchive(t, testBytes(9<<20))
	var panics atomic.Bool
	s := a.open(t, asking(), source.Deps{Observe: func(source.Kind, float64, int64, string) {
		if panics.Load() {
			panic("of the observer")
		}
	}})
	o := mustOpen(t, s, "x.tif")
	panics.Store(true)
	a.always(http.NotFound)
	_, err := s.Open(t.Context(), "x.tif")
	wantProblem(t, err, http.StatusInternalServerError, "An internal error occurred", a.url)
	_, err = o.ReadAt(t.Context(), make([]byte, 10), 5<<20)
	wantProblem(t, err, http.StatusInternalServerError, "An internal error occurred", a.url)
	panics.Store(false)
	a.answer(nil)
	if _, err := mustOpen(t, s, "x.tif").ReadAt(t.Context(), make([]byte, 10), 5<<20); err != nil {
		t.Error(err)
	}
}
