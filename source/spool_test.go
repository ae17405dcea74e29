package source_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/internal/testkit"
	"github.com/gatehouse-server/gatehouse/source"
)

// flat lets an archive answer without ranges.
func flat(w http.ResponseWriter, r *http.Request) bool {
	r.Header.Del("Range")
	return false
}

func TestSimultaneousOpensShareOneDownload(t *testing.T) {
	data := testBytes(3 << 20)
	a := newArchive(t, data)
	release := make(chan struct{})
	a.answer(func(w http.ResponseWriter, r *http.Request) bool {
		<-release
		return flat(w, r)
	})
	spool := newSpool(t, 0)
	s := a.open(t, source.HTTPConfig{}, source.Deps{Spool: spool})
	var readers sync.WaitGroup
	started := make(chan struct{}, 20)
	for range 20 {
		readers.Go(func() {
			started <- struct{}{}
			o, err := s.Open(t.Context(), "x.jpg")
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = o.Close() }()
			if !bytes.Equal(contents(t, o), data) {
				t.Error("other bytes")
			}
		})
	}
	for range 20 {
		<-started
	}
	close(release)
	readers.Wait()
	if n := len(a.asked()); n != 1 {
		t.Errorf("%d downloads", n)
	}
	if spool.Used() != int64(len(data)) {
		t.Errorf("%d bytes in the spool", spool.Used())
	}
}

func TestASpooledOriginalServesTheNextRequests(t *testing.T) {
	a := newArchive(t, testBytes(3<<20))
	a.answer(flat)
	s := a.open(t, source.HTTPConfig{}, source.Deps{})
	for range 40 {
		must(t, mustOpen(t, s, "x.jpg").Close())
	}
	if n := len(a.asked()); n != 1 {
		t.Errorf("%d downloads for 40 tiles", n)
	}
}

func TestAPlaceWithoutConditionsIsNotReadAgainForTheSameTag(t *testing.T) {
	data := testBytes(3 << 20)
	a := newArchive(t, data)
	a.answer(func(w http.ResponseWriter, r *http.Request) bool {
		r.Header.Del("If-None-Match")
		return false
	})
	clock := testkit.NewFakeClock(time.Now())
	s := a.open(t, source.HTTPConfig{}, source.Deps{Clock: clock})
	mustOpen(t, s, "x.jpg")
	clock.Advance(time.Hour)
	a.sent.Store(0)
	mustOpen(t, s, "x.jpg")
	if n := a.sent.Load(); n > int64(blocksOf(1)) {
		t.Errorf("%d bytes came again", n)
	}
}

func TestKeptOriginalsMakeRoom(t *testing.T) {
	a := newArchive(t, testBytes(1<<20))
	spool := newSpool(t, 4<<20)
	s := a.open(t, source.HTTPConfig{}, source.Deps{Spool: spool})
	for i := range 10 {
		must(t, mustOpen(t, s, fmt.Sprint(i)).Close())
		if spool.Used() > 4<<20 {
			t.Fatalf("%d bytes in the spool", spool.Used())
		}
	}
	a.asked()
	must(t, mustOpen(t, s, "9").Close())
	if n := len(a.asked()); n != 0 {
		t.Error("the last one was given up")
	}
	must(t, mustOpen(t, s, "0").Close())
	if n := len(a.asked()); n == 0 {
		t.Error("the first one is still there")
	}
}

func TestAFullSpoolRefusesAndRecovers(t *testing.T) {
	a := newArchive(t, testBytes(3<<20))
	spool := newSpool(t, 4<<20)
	s := a.open(t, source.HTTPConfig{}, source.Deps{Spool: spool})
	first := mustOpen(t, s, "1")
	_, err := s.Open(t.Context(), "2")
	wantProblem(t, err, http.StatusServiceUnavailable, "There is no room to fetch the original now", a.url)
	if e := problem.From(err); e.Code != "spool_full" || e.RetryAfter <= 0 {
		t.Errorf("code %q, retry after %s", e.Code, e.RetryAfter)
	}
	if !bytes.Equal(contents(t, first), testBytes(3<<20)) {
		t.Error("the open one suffered")
	}
	must(t, first.Close())
	mustOpen(t, s, "2")
}

func TestNotTooManyFilesAreKept(t *testing.T) {
	a := newArchive(t, testBytes(1000))
	spool, err := source.NewSpool(source.SpoolConfig{Dir: t.TempDir(), MaxKept: 3}, nil)
	must(t, err)
	s := a.open(t, source.HTTPConfig{}, source.Deps{Spool: spool})
	for i := range 10 {
		must(t, mustOpen(t, s, fmt.Sprint(i)).Close())
	}
	if spool.Used() != 3000 {
		t.Errorf("%d bytes are kept", spool.Used())
	}
}

func TestSpoolFilesHaveNoNamesAndLeftoversGo(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "original-123"), []byte("of a crash"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("of somebody else"), 0o600))
	spool, err := source.NewSpool(source.SpoolConfig{Dir: dir}, nil)
	must(t, err)
	a := newArchive(t, testBytes(1000))
	mustOpen(t, a.open(t, source.HTTPConfig{}, source.Deps{Spool: spool}), "x.jpg")
	entries, err := os.ReadDir(dir)
	must(t, err)
	if len(entries) != 1 || entries[0].Name() != "notes.txt" {
		t.Errorf("in the folder: %v", entries)
	}
}

// A download that nobody waits for any more ends and gives its room back.
func TestAnAbandonedDownloadEnds(t *testing.T) {
	a := newArchive(t, nil)
	ended := make(chan struct{})
	began := make(chan struct{})
	a.always(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000000")
		_, _ = w.Write(make([]byte, 1000))
		_ = http.NewResponseController(w).Flush()
		close(began)
		<-r.Context().Done()
		close(ended)
	})
	spool := newSpool(t, 0)
	s := a.open(t, source.HTTPConfig{}, source.Deps{Spool: spool})
	ctx, cancel := context.WithCancel(t.Context())
	var waiters sync.WaitGroup
	for range 3 {
		waiters.Go(func() {
			if _, err := s.Open(ctx, "x.jpg"); !errors.Is(err, context.Canceled) {
				t.Errorf("%v, want Canceled", err)
			}
		})
	}
	<-began
	cancel()
	waiters.Wait()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the download goes on")
	}
	for deadline := time.Now().Add(10 * time.Second); spool.Used() != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes stay in the spool", spool.Used())
		}
	}
}

func TestADeadlineOfTheCallerIsATimeout(t *testing.T) {
	a := newArchive(t, nil)
	a.always(fault(testkit.Hang()))
	s := a.open(t, source.HTTPConfig{}, source.Deps{})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := s.Open(ctx, "x.jpg")
	wantProblem(t, err, http.StatusBadGateway, unreachable("timeout"), a.url)
}

func TestAClosedSourceGivesEverythingBack(t *testing.T) {
	a := newArchive(t, testBytes(1<<20))
	spool := newSpool(t, 0)
	s := a.open(t, source.HTTPConfig{}, source.Deps{Spool: spool})
	o := mustOpen(t, s, "1")
	must(t, mustOpen(t, s, "2").Close())
	must(t, s.Close())
	if spool.Used() != 2<<20 {
		t.Errorf("%d bytes while one is open", spool.Used())
	}
	must(t, o.Close())
	if spool.Used() != 0 {
		t.Errorf("%d bytes after all was closed", spool.Used())
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	before := goleak.IgnoreCurrent()
	server := httptest.NewServer(&archive{data: testBytes(9 << 20), etag: `"1"`})
	s := newSource(t, &source.HTTPConfig{Base: server.URL}, source.Deps{})
	for _, path := range []string{"1", "2"} {
		o, err := s.Open(t.Context(), path)
		must(t, err)
		_, err = o.ReadAt(t.Context(), make([]byte, 10), 5<<20)
		must(t, err)
		must(t, o.Close())
	}
	must(t, s.Close())
	server.Close()
	goleak.VerifyNone(t, before)
}

func TestSpoolUnderPressureKeepsItsBudgetAndItsBytes(t *testing.T) {
	const budget = 300_000
	a := newArchive(t, nil)
	a.always(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		n := int(r.URL.Path[len(r.URL.Path)-1]-'0')*10_000 + 1
		_, _ = w.Write(bytes.Repeat([]byte(r.URL.Path[len(r.URL.Path)-1:]), n))
	})
	rapid.Check(t, func(rt *rapid.T) {
		spool := newSpool(t, budget)
		s := a.open(t, source.HTTPConfig{}, source.Deps{Spool: spool})
		var opened []source.Original
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			if len(opened) > 0 && rapid.Bool().Draw(rt, "close") {
				must(t, opened[0].Close())
				opened = opened[1:]
				continue
			}
			name := rapid.SampledFrom(strings.Split("123456789", "")).Draw(rt, "name")
			o, err := s.Open(t.Context(), name)
			switch {
			case err == nil:
				opened = append(opened, o)
				if got := contents(t, o); strings.Trim(string(got), name) != "" {
					rt.Fatalf("%s holds other bytes", name)
				}
			case problem.From(err).Code != "spool_full":
				rt.Fatal(err)
			}
			if spool.Used() > budget {
				rt.Fatalf("%d bytes in the spool", spool.Used())
			}
		}
		for _, o := range opened {
			must(t, o.Close())
		}
		must(t, s.Close())
		if spool.Used() != 0 {
			rt.Fatalf("%d bytes stay", spool.Used())
		}
	})
}

func TestSpoolConfigIsChecked(t *testing.T) {
	for _, c := range []source.SpoolConfig{{}, {Dir: "relative"}, {Dir: "/tmp/x", MaxBytes: -1}, {Dir: "/tmp/x", MaxKept: -1}} {
		if _, err := source.NewSpool(c, nil); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}

func TestAnUnwritableSpoolIsOurFailure(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	spool, err := source.NewSpool(source.SpoolConfig{Dir: filepath.Join(file, "below")}, nil)
	must(t, err)
	a := newArchive(t, testBytes(10))
	_, err = a.open(t, source.HTTPConfig{}, source.Deps{Spool: spool}).Open(t.Context(), "x.jpg")
	wantProblem(t, err, http.StatusInternalServerError, "An internal error occurred", file)
}
