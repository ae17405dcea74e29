package source_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/internal/testkit"
	"github.com/gatehouse-server/gatehouse/source"
)

// archive is an HTTP server with one original under any path. It remembers what it was asked for, and a test can
// change how it answers.
type archive struct {
	url string

	mu       sync.Mutex
	data     []byte
	etag     string
	requests []*http.Request
	// before answers in place of the archive and tells so with true; nil lets it answer by itself.
	before func(w http.ResponseWriter, r *http.Request) bool
	sent   atomic.Int64
}

func newArchive(t testing.TB, data []byte) *archive {
	t.Helper()
	a := &archive{data: data, etag: `"1"`}
	a.url = serve(t, a)
	return a
}

func (a *archive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.requests = append(a.requests, r)
	before, data, etag := a.before, a.data, a.etag
	a.mu.Unlock()
	w = &countingWriter{w, a}
	if before != nil && before(w, r) {
		return
	}
	if etag != "" {
		w.Header().Set("ETag", etag)
	}
	w.Header().Set("Content-Type", "image/tiff")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

type countingWriter struct {
	http.ResponseWriter
	archive *archive
}

func (w *countingWriter) Write(p []byte) (int, error) {
	// Counted before they go out, so that who has read them finds them counted.
	w.archive.sent.Add(int64(len(p)))
	return w.ResponseWriter.Write(p)
}

func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (a *archive) answer(before func(w http.ResponseWriter, r *http.Request) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.before = before
}

// always answers every request the same way.
func (a *archive) always(h http.HandlerFunc) {
	a.answer(func(w http.ResponseWriter, r *http.Request) bool { h(w, r); return true })
}

func (a *archive) replace(data []byte, etag string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.data, a.etag = data, etag
}

// asked gives the requests since the last call.
func (a *archive) asked() []*http.Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.requests
	a.requests = nil
	return r
}

// ranges gives the Range headers since the last call of asked.
func (a *archive) ranges() []string {
	var ranges []string
	for _, r := range a.asked() {
		ranges = append(ranges, strings.TrimPrefix(r.Header.Get("Range"), "bytes="))
	}
	return ranges
}

func (a *archive) open(t testing.TB, c source.HTTPConfig, d source.Deps) source.Source {
	t.Helper()
	c.Base = a.url + "/rest/"
	return newSource(t, &c, d)
}

// asking asks the place at each Open.
func asking() source.HTTPConfig {
	return source.HTTPConfig{Remote: source.Remote{Fresh: -1}}
}

// impatient also gives a slow place up soon, where that is what the test waits for.
func impatient(detail string) source.HTTPConfig {
	c := asking()
	if detail == unreachable("timeout") {
		c.Timeout = time.Second
	}
	return c
}

func mustOpen(t testing.TB, s source.Source, path string) source.Original {
	t.Helper()
	o, err := s.Open(t.Context(), path)
	if err != nil {
		t.Fatalf("Open(%q): %v", path, err)
	}
	t.Cleanup(func() { _ = o.Close() })
	return o
}

func contents(t testing.TB, o source.Original) []byte {
	t.Helper()
	data, err := io.ReadAll(io.NewSectionReader(source.ReaderAt(context.Background(), o), 0, o.Info().Size))
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	return data
}

// wantProblem checks status and text of an answer, and that the text tells nothing of the place.
func wantProblem(t testing.TB, err error, status int, detail, place string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %d %q", status, detail)
		return
	}
	e := problem.From(err)
	if e.Status != status || e.Detail != detail {
		t.Errorf("answer %d %q, want %d %q (%v)", e.Status, e.Detail, status, detail, err)
	}
	if host := strings.TrimPrefix(place, "http://"); strings.Contains(e.Detail, host) {
		t.Errorf("%q names the place", e.Detail)
	}
}

func unreachable(kind string) string {
	return "The image-server cannot be reached because the following error occurred: " + kind
}

func blocksOf(n int) int { return n * 256 << 10 }

func TestTilesOfALargeOriginalCostFewRequests(t *testing.T) {
	data := testBytes(blocksOf(40))
	a := newArchive(t, data)
	s := a.open(t, source.HTTPConfig{}, source.Deps{})
	o := mustOpen(t, s, "big.tif")
	if got := a.ranges(); !slices.Equal(got, []string{"0-262143"}) {
		t.Fatalf("opening asked for %q", got)
	}
	part := make([]byte, 20_000)
	read := func(off int) {
		t.Helper()
		if _, err := o.ReadAt(t.Context(), part, int64(off)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(part, data[off:off+len(part)]) {
			t.Fatalf("other bytes at %d", off)
		}
	}
	read(8)
	read(100_000)
	if got := a.ranges(); len(got) != 0 {
		t.Errorf("the header was asked for again: %q", got)
	}
	read(blocksOf(20) + 5)
	read(blocksOf(20) + 50_000)
	if got, want := a.ranges(), []string{fmt.Sprintf("%d-%d", blocksOf(20), blocksOf(21)-1)}; !slices.Equal(got, want) {
		t.Errorf("two tiles of one block asked for %q, want %q", got, want)
	}
	read(blocksOf(31) - 10_000)
	if got, want := a.ranges(), []string{fmt.Sprintf("%d-%d", blocksOf(30), blocksOf(32)-1)}; !slices.Equal(got, want) {
		t.Errorf("a tile over two blocks asked for %q, want %q", got, want)
	}
	again := mustOpen(t, s, "big.tif")
	if _, err := again.ReadAt(t.Context(), part, int64(blocksOf(20))); err != nil {
		t.Fatal(err)
	}
	if got := a.ranges(); len(got) != 0 {
		t.Errorf("a second opening within a minute asked for %q", got)
	}
}

func TestReadingStraightOnAsksForMoreAtATime(t *testing.T) {
	data := testBytes(blocksOf(100) + 77)
	a := newArchive(t, data)
	o := mustOpen(t, a.open(t, source.HTTPConfig{}, source.Deps{}), "big.tif")
	if !bytes.Equal(contents(t, o), data) {
		t.Fatal("other bytes")
	}
	if n := len(a.asked()); n > 16 {
		t.Errorf("%d requests for 101 blocks", n)
	}
}

func TestSimultaneousReadersShareOneRequest(t *testing.T) {
	a := newArchive(t, testBytes(blocksOf(40)))
	s := a.open(t, source.HTTPConfig{}, source.Deps{})
	o := mustOpen(t, s, "big.tif")
	a.asked()
	arrived, release := make(chan struct{}, 100), make(chan struct{})
	a.answer(func(http.ResponseWriter, *http.Request) bool {
		arrived <- struct{}{}
		<-release
		return false
	})
	var readers sync.WaitGroup
	for range 20 {
		readers.Go(func() {
			if _, err := o.ReadAt(t.Context(), make([]byte, 10), int64(blocksOf(7))); err != nil {
				t.Error(err)
			}
		})
	}
	<-arrived
	close(release)
	readers.Wait()
	if n := len(a.asked()); n != 1 {
		t.Errorf("%d requests for one block", n)
	}
}

func TestBlocksAreKeptWithinTheirBound(t *testing.T) {
	a := newArchive(t, testBytes(blocksOf(60)))
	s := a.open(t, source.HTTPConfig{Remote: source.Remote{CacheBytes: int64(blocksOf(8))}}, source.Deps{})
	o := mustOpen(t, s, "big.tif")
	part := make([]byte, 10)
	for range 2 {
		for i := 0; i < 60; i += 3 {
			if _, err := o.ReadAt(t.Context(), part, int64(blocksOf(i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := len(a.asked()); n < 39 {
		t.Errorf("%d requests: more was kept than there is room for", n)
	}
}

func TestAnOriginalIsAskedForAgainWhenItIsNoLongerFresh(t *testing.T) {
	for _, size := range []int{1000, blocksOf(3) + 5, blocksOf(40)} {
		data := testBytes(size)
		a := newArchive(t, data)
		clock := testkit.NewFakeClock(time.Now())
		s := a.open(t, source.HTTPConfig{Remote: source.Remote{Fresh: time.Minute}}, source.Deps{Clock: clock})
		version := mustOpen(t, s, "x.tif").Info().Version
		a.asked()
		clock.Advance(59 * time.Second)
		mustOpen(t, s, "x.tif")
		if n := len(a.asked()); n != 0 {
			t.Errorf("%d bytes: %d requests while fresh", size, n)
		}
		clock.Advance(time.Second)
		a.sent.Store(0)
		if got := mustOpen(t, s, "x.tif").Info().Version; got != version {
			t.Errorf("%d bytes: another version of the same bytes", size)
		}
		if got := a.asked(); len(got) != 1 || got[0].Header.Get("If-None-Match") != `"1"` {
			t.Errorf("%d bytes: %d requests, want a conditional one", size, len(got))
		}
		if n := a.sent.Load(); n != 0 {
			t.Errorf("%d bytes: %d bytes came again", size, n)
		}
		a.replace(data[1:], `"2"`)
		clock.Advance(time.Minute)
		o := mustOpen(t, s, "x.tif")
		if o.Info().Version == version || !bytes.Equal(contents(t, o), data[1:]) {
			t.Errorf("%d bytes: the new state was not seen", size)
		}
	}
}

func TestObserverHearsOfEachExchange(t *testing.T) {
	data := testBytes(blocksOf(40))
	a := newArchive(t, data)
	var mu sync.Mutex
	heard := map[string]int64{}
	c := impatient(unreachable("timeout"))
	s := a.open(t, c, source.Deps{Observe: func(kind source.Kind, seconds float64, bytes int64, outcome string) {
		mu.Lock()
		defer mu.Unlock()
		if kind != source.KindHTTP || seconds < 0 {
			t.Errorf("kind %q, %f s", kind, seconds)
		}
		heard[outcome] += 1 + bytes*1000
	}})
	mustOpen(t, s, "big.tif")
	mustOpen(t, s, "big.tif")
	for _, status := range []int{404, 500} {
		a.always(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		if _, err := s.Open(t.Context(), strconv.Itoa(status)); err == nil {
			t.Error("no error")
		}
	}
	a.always(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	if _, err := s.Open(t.Context(), "slow"); err == nil {
		t.Error("no error")
	}
	mu.Lock()
	defer mu.Unlock()
	want := map[string]int64{
		source.OutcomeOK: 1 + int64(blocksOf(1))*1000, source.OutcomeNotModified: 1, source.OutcomeNotFound: 1,
		source.OutcomeStatus: 1, source.OutcomeUnreachable: 1,
	}
	if fmt.Sprint(heard) != fmt.Sprint(want) {
		t.Errorf("heard %v, want %v", heard, want)
	}
}

// testBytes makes bytes that differ from offset to offset.
func testBytes(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i>>16) ^ byte(i>>8) ^ byte(i)*31
	}
	return data
}

var _ http.Handler = (*archive)(nil)
