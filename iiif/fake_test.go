package iiif

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// modified is when every fake image changed last.
var modified = time.Date(2026, 3, 4, 5, 6, 7, 800, time.UTC)

// fakeImages has one picture of 6000 by 4000 pixels under every identifier but "missing", and remembers what it was
// asked. A rendered image is its plan in words.
type fakeImages struct {
	version     string
	contentType string
	name        string
	content     func() io.ReadSeekCloser
	notStarted  bool
	// replaced tells that each original is replaced after it was described.
	replaced bool
	// rendered, unless nil, is what every picture looks like.
	rendered []byte

	mu    sync.Mutex
	calls []string
	last  Target
	plan  Plan
}

func (f *fakeImages) note(call string, t Target) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls, f.last = append(f.calls, call), t
	if t.Identifier == "missing" {
		return problem.New(http.StatusNotFound, "not_found", "No source file could be found")
	}
	return nil
}

func (f *fakeImages) called() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.calls, " ")
}

func (f *fakeImages) Capabilities() Capabilities {
	if f.notStarted {
		return Capabilities{}
	}
	return allCapabilities()
}

func (f *fakeImages) Describe(_ context.Context, t Target) (Image, error) {
	if err := f.note("describe", t); err != nil {
		return Image{}, err
	}
	if t.Identifier == "broken" {
		return Image{}, nil
	}
	img := Image{Width: 6000, Height: 4000, Pages: 9, Version: "v" + f.version, Modified: modified, Name: "SU99000147_00001.tif"}
	if t.MaxSide > 0 {
		img.Width, img.Height = t.MaxSide, t.MaxSide*2/3
	}
	return img, nil
}

func (f *fakeImages) Render(_ context.Context, t Target, p Plan) ([]byte, error) {
	if err := f.note("render", t); err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.plan = p
	f.mu.Unlock()
	now := "v" + f.version
	if f.replaced {
		now += "'"
	}
	if p.Version != now {
		e := problem.New(http.StatusServiceUnavailable, "source_changed", "The original changed while it was read")
		e.RetryAfter = time.Second
		return nil, e
	}
	if t.Identifier == "unrenderable" {
		return nil, problem.New(http.StatusServiceUnavailable, "queue_full", "The server is busy")
	}
	if f.rendered != nil {
		return f.rendered, nil
	}
	return fmt.Appendf(nil, "%d %d %+v", t.Page, t.MaxSide, p), nil
}

func (f *fakeImages) Original(_ context.Context, t Target) (Original, error) {
	if err := f.note("original", t); err != nil {
		return Original{}, err
	}
	content := io.ReadSeekCloser(nopCloser{bytes.NewReader([]byte("0123456789"))})
	if f.content != nil {
		content = f.content()
	}
	contentType, name := f.contentType, f.name
	if contentType == "" {
		contentType = "image/tiff"
	}
	if name == "" {
		name = "SU99000147_00001.tif"
	}
	return Original{Content: content, Size: 10, Version: "o" + f.version, Modified: modified, Name: name, ContentType: contentType}, nil
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }

var _ Images = (*fakeImages)(nil)

// served is an answer, written as the house does it.
type served struct {
	*httptest.ResponseRecorder
	err error
}

// ask is one request against a handler for a configuration.
type ask struct {
	config   Config
	images   *fakeImages
	method   string
	target   string
	header   map[string]string
	decision *authz.Decision
}

func (a ask) serve(t testing.TB) served {
	t.Helper()
	if a.config.Collection == "" {
		a.config.Collection = "c"
	}
	if a.images == nil {
		a.images = &fakeImages{}
	}
	h, err := New(a.config, a.images, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a.by(t, h)
}

// by sends the request to a handler.
func (a ask) by(t testing.TB, h *Handler) served {
	t.Helper()
	method := a.method
	if method == "" {
		method = http.MethodGet
	}
	r := httptest.NewRequest(method, "https://archive.example.org"+a.target, nil)
	for name, value := range a.header {
		r.Header.Set(name, value)
	}
	if a.decision != nil {
		r = r.WithContext(authz.NewContext(r.Context(), *a.decision))
	}
	w := httptest.NewRecorder()
	err := h.ServeHTTP(w, r)
	if err != nil {
		var e *problem.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: the error is no problem.Error: %v", a.target, err)
		}
		problem.Write(w, r, err)
	}
	return served{w, err}
}

// chunks is a ResponseWriter that notes how it is written to and breaks off after a number of calls.
type chunks struct {
	*httptest.ResponseRecorder
	sizes []int
	limit int
}

func (w *chunks) Write(p []byte) (int, error) {
	if len(w.sizes) == w.limit {
		return 0, errors.New("broken pipe")
	}
	w.sizes = append(w.sizes, len(p))
	return w.ResponseRecorder.Write(p)
}

func (s served) want(t testing.TB, status int, headers ...string) {
	t.Helper()
	if s.Code != status {
		t.Errorf("the status is %d (%s), want %d", s.Code, s.Body, status)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if got := strings.Join(s.Header().Values(headers[i]), " | "); got != headers[i+1] {
			t.Errorf("%s is %q, want %q", headers[i], got, headers[i+1])
		}
	}
}

// allowed is a decision for the identifier "a" in the collection "c".
func allowed() *authz.Decision {
	return &authz.Decision{Collection: "c", Identifier: "a", Outcome: authz.Allow, CacheFor: 36 * time.Hour}
}

func decided(change func(*authz.Decision)) *authz.Decision {
	d := allowed()
	change(d)
	return d
}

func infoOf(t testing.TB, s served) map[string]any {
	t.Helper()
	var document map[string]any
	if err := json.Unmarshal(s.Body.Bytes(), &document); err != nil {
		t.Fatalf("%v: %s", err, s.Body)
	}
	return document
}
