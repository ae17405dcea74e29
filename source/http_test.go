package source_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
	"github.com/gatehouse-server/gatehouse/source"
)

func TestHTTPSendsItsHeaderWithEveryRequest(t *testing.T) {
	for _, size := range []int{1000, blocksOf(3), blocksOf(40)} {
		a := newArchive(t, testBytes(size))
		o := mustOpen(t, a.open(t, source.HTTPConfig{Header: http.Header{"Authorization": {"Basic abc"}, "X-Tenant": {"city"}}}, source.Deps{}), "x.tif")
		contents(t, o)
		for _, r := range a.asked() {
			if r.Method != http.MethodGet || r.Header.Get("Authorization") != "Basic abc" || r.Header.Get("X-Tenant") != "city" {
				t.Errorf("%s %s without its header", r.Method, r.Header.Get("Range"))
			}
			if got := r.Header.Get("Accept-Encoding"); got != "identity" {
				t.Errorf("Accept-Encoding %q", got)
			}
			if got := r.Header.Get("Referer"); got != "" {
				t.Errorf("Referer %q", got)
			}
		}
	}
}

func TestHTTPRequestsPerSize(t *testing.T) {
	for _, c := range []struct {
		size, requests int
		file           bool
	}{
		{0, 1, true},
		{1, 1, true},
		{blocksOf(1), 1, true},
		{blocksOf(1) + 1, 2, true},
		{8 << 20, 2, true},
		{8<<20 + 1, 1, false},
	} {
		data := testBytes(c.size)
		a := newArchive(t, data)
		o := mustOpen(t, a.open(t, source.HTTPConfig{}, source.Deps{}), "x.tif")
		if n := len(a.asked()); n != c.requests {
			t.Errorf("%d bytes: %d requests, want %d", c.size, n, c.requests)
		}
		if (o.File() != nil) != c.file {
			t.Errorf("%d bytes: a local file: %v", c.size, o.File() != nil)
		}
		if got := o.Info().ContentType; got != "image/tiff" {
			t.Errorf("content type %q", got)
		}
		if !bytes.Equal(contents(t, o), data) {
			t.Errorf("%d bytes: other bytes", c.size)
		}
	}
}

// Some servers refuse every range of an empty file.
func TestHTTPEmptyOriginal(t *testing.T) {
	a := newArchive(t, nil)
	a.answer(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Range") == "" {
			return false
		}
		w.Header().Set("Content-Range", "bytes */0")
		w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		return true
	})
	o := mustOpen(t, a.open(t, source.HTTPConfig{}, source.Deps{}), "x.txt")
	if o.Info().Size != 0 {
		t.Errorf("size %d", o.Info().Size)
	}
	if n, err := o.ReadAt(t.Context(), make([]byte, 1), 0); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("ReadAt = %d, %v", n, err)
	}
}

func TestHTTPSByItsOwnAuthority(t *testing.T) {
	server := httptest.NewUnstartedServer(&archive{data: testBytes(9 << 20), etag: `"1"`})
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	must(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))

	for name, c := range map[string]*source.HTTPConfig{
		"its CA file": {Base: server.URL, CAFile: ca},
		"unverified":  {Base: server.URL, InsecureSkipVerify: true},
	} {
		if got := contents(t, mustOpen(t, newSource(t, c, source.Deps{}), "x.tif")); !bytes.Equal(got, testBytes(9<<20)) {
			t.Errorf("%s: other bytes", name)
		}
	}
	_, err := newSource(t, &source.HTTPConfig{Base: server.URL}, source.Deps{}).Open(t.Context(), "x.tif")
	wantProblem(t, err, http.StatusBadGateway, unreachable("tls"), server.URL)
}

func TestHTTPDateThatIsOldEnoughPinsTheBytes(t *testing.T) {
	data := testBytes(9 << 20)
	modified := time.Now().Add(-time.Hour).Truncate(time.Second)
	var current atomic.Int64
	current.Store(modified.Unix())
	a := newArchive(t, nil)
	a.answer(func(w http.ResponseWriter, r *http.Request) bool {
		http.ServeContent(w, r, "", time.Unix(current.Load(), 0), bytes.NewReader(data))
		return true
	})
	s := a.open(t, asking(), source.Deps{})
	o := mustOpen(t, s, "x.tif")
	if o.File() != nil || !o.Info().Modified.Equal(modified) {
		t.Errorf("file %v, modified %s", o.File(), o.Info().Modified)
	}
	if _, err := o.ReadAt(t.Context(), make([]byte, 10), 5<<20); err != nil {
		t.Fatal(err)
	}
	a.sent.Store(0)
	mustOpen(t, s, "x.tif")
	if n := a.sent.Load(); n != 0 {
		t.Errorf("%d bytes came again for the same date", n)
	}
	current.Add(1)
	if _, err := o.ReadAt(t.Context(), make([]byte, 10), 7<<20); !errors.Is(err, source.ErrChanged) {
		t.Errorf("%v, want ErrChanged", err)
	}
}

// An original that changes between the first answer and the rest is fetched again, a few times.
func TestHTTPOriginalThatChangesWhileItIsFetched(t *testing.T) {
	data := testBytes(1 << 20)
	a := newArchive(t, data)
	var changes atomic.Int32
	a.answer(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("If-Match") != "" && changes.Add(1) == 1 {
			a.replace(data[1:], `"2"`)
			r.Header.Set("If-Match", `"never"`)
		}
		return false
	})
	if o := mustOpen(t, a.open(t, source.HTTPConfig{}, source.Deps{}), "x.tif"); !bytes.Equal(contents(t, o), data[1:]) {
		t.Error("not the new state")
	}
	a.answer(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("If-Match") != "" {
			r.Header.Set("If-Match", `"never"`)
		}
		return false
	})
	if _, err := a.open(t, source.HTTPConfig{}, source.Deps{}).Open(t.Context(), "x.tif"); !errors.Is(err, source.ErrChanged) {
		t.Errorf("%v, want ErrChanged", err)
	}
}

// Many readers of originals that come, change and go, against what the archive held: whatever is read is all of one
// state that was there between opening and reading.
func TestHTTPReadersOfAChangingArchive(t *testing.T) {
	for _, size := range []int{1000, 9 << 20} {
		rapid.Check(t, func(rt *rapid.T) {
			a := newArchive(t, bytes.Repeat([]byte{0}, size))
			clock := testkit.NewFakeClock(time.Now())
			s := a.open(t, source.HTTPConfig{Remote: source.Remote{Fresh: time.Minute}}, source.Deps{Clock: clock})
			state := byte(0)
			var readers sync.WaitGroup
			for range rapid.IntRange(1, 6).Draw(rt, "steps") {
				switch rapid.IntRange(0, 2).Draw(rt, "step") {
				case 0:
					state++
					a.replace(bytes.Repeat([]byte{state}, size), `"`+string(rune('a'+state))+`"`)
				case 1:
					clock.Advance(time.Minute)
				}
				off := rapid.Int64Range(0, int64(size)-1).Draw(rt, "off")
				readers.Go(func() { readOneState(t, s, off, size) })
			}
			readers.Wait()
			clock.Advance(time.Minute)
			o := mustOpen(t, s, "x.tif")
			part := make([]byte, 1)
			if _, err := o.ReadAt(t.Context(), part, int64(size-1)); err != nil || part[0] != state {
				rt.Fatalf("state %d, %v, want %d", part[0], err, state)
			}
			must(t, s.Close())
		})
	}
}

func readOneState(t *testing.T, s source.Source, off int64, size int) {
	o, err := s.Open(t.Context(), "x.tif")
	if errors.Is(err, source.ErrChanged) {
		return
	}
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = o.Close() }()
	a, b := make([]byte, 1), make([]byte, 1)
	_, errA := o.ReadAt(t.Context(), a, off)
	_, errB := o.ReadAt(t.Context(), b, int64(size)-1-off)
	for _, err := range []error{errA, errB} {
		if err != nil && !errors.Is(err, source.ErrChanged) {
			t.Error(err)
		}
	}
	if errA == nil && errB == nil && a[0] != b[0] {
		t.Errorf("bytes of the states %d and %d in one original", a[0], b[0])
	}
}
