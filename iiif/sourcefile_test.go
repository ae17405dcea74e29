package iiif

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/internal/problem"
)

const original = "/iiif/2/a?source_file=true"

func TestSourceFile(t *testing.T) {
	t.Parallel()
	for _, target := range []string{original, "/iiif/2/a/info.json?source_file=true", "/iiif/3/a/full/max/0/default.jpg?source_file=true"} {
		images := &fakeImages{}
		s := ask{images: images, target: target}.serve(t)
		s.want(t, http.StatusOK,
			"Content-Type", "image/tiff",
			"Content-Length", "10",
			"Content-Disposition", `inline; filename="SU99000147_00001.tif"`,
			"Content-Security-Policy", "default-src 'none'; sandbox",
			"X-Content-Type-Options", "nosniff",
			"Accept-Ranges", "bytes",
			"Last-Modified", "Wed, 04 Mar 2026 05:06:07 GMT",
			"Cache-Control", "public, max-age=3600",
			"Access-Control-Allow-Origin", "*")
		if s.Body.String() != "0123456789" || images.called() != "original" {
			t.Errorf("%s gives %q after %s", target, s.Body, images.called())
		}
	}
}

func TestSourceFileRanges(t *testing.T) {
	t.Parallel()
	etag := ask{target: original}.serve(t).Header().Get("ETag")
	noStore := decided(func(d *authz.Decision) { d.CacheFor = 0 })
	for _, c := range []struct {
		header   map[string]string
		decision *authz.Decision
		status   int
		body     string
	}{
		{map[string]string{"Range": "bytes=2-4"}, nil, 206, "234"},
		{map[string]string{"Range": "bytes=-3"}, nil, 206, "789"},
		{map[string]string{"Range": "bytes=2-4", "If-Range": etag}, nil, 206, "234"},
		{map[string]string{"Range": "bytes=2-4", "If-Range": `"other"`}, nil, 200, "0123456789"},
		{map[string]string{"Range": "bytes=2-4", "If-Match": `"other"`}, nil, 412, ""},
		{map[string]string{"Range": "bytes=2-4"}, noStore, 206, "234"},
		{map[string]string{"Range": "bytes=2-4", "If-Range": etag}, noStore, 200, "0123456789"},
		{map[string]string{"If-None-Match": "*"}, noStore, 200, "0123456789"},
		{map[string]string{"If-Match": `"other"`}, noStore, 200, "0123456789"},
	} {
		s := ask{target: original, header: c.header, decision: c.decision}.serve(t)
		if s.Code != c.status || s.Body.String() != c.body {
			t.Errorf("%v gives %d %q, want %d %q", c.header, s.Code, s.Body, c.status, c.body)
		}
	}
	s := ask{target: original, header: map[string]string{"Range": "bytes=20-"}}.serve(t)
	s.want(t, http.StatusRequestedRangeNotSatisfiable,
		"Cache-Control", problem.NoStore, "Expires", problem.Past, "ETag", "", "Content-Range", "bytes */10", "Access-Control-Allow-Origin", "*")
}

func TestSourceFileShowsOnlyPicturesInPlace(t *testing.T) {
	t.Parallel()
	for contentType, want := range map[string][2]string{
		"image/jpeg":                {"image/jpeg", "inline"},
		"IMAGE/JPEG":                {"image/jpeg", "inline"},
		"application/pdf":           {"application/pdf", "inline"},
		"image/svg+xml":             {"image/svg+xml", "attachment"},
		"image/svg":                 {"image/svg", "attachment"},
		"text/html; charset=utf-8":  {"text/html; charset=utf-8", "attachment"},
		"text/plain; charset=utf-8": {"text/plain; charset=utf-8", "attachment"},
		"application/zip":           {"application/zip", "attachment"},
		"":                          {"image/tiff", "inline"},
		"nonsense":                  {"application/octet-stream", "attachment"},
		"image/png\r\nX: y":         {"application/octet-stream", "attachment"},
		"image/png;;;=":             {"application/octet-stream", "attachment"},
	} {
		s := ask{images: &fakeImages{contentType: contentType, name: "x.bin"}, target: original}.serve(t)
		s.want(t, http.StatusOK, "Content-Type", want[0], "Content-Disposition", want[1]+`; filename="x.bin"`)
	}
	s := ask{target: original + "&download=1"}.serve(t)
	s.want(t, http.StatusOK, "Content-Disposition", `attachment; filename="SU99000147_00001.tif"`)
}

func TestSourceFileOfATierIsDenied(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change func(*authz.Decision)
		status int
		body   string
	}{
		{func(d *authz.Decision) { d.Outcome, d.MaxSide = authz.Tier, 800 }, 403, "Only a smaller image of this document may be seen, not the original file."},
		{func(d *authz.Decision) { d.Outcome, d.MaxSide, d.Status, d.Reason = authz.Tier, 800, 401, "Log in" }, 401, "Log in"},
		{func(d *authz.Decision) { d.MaxSide = 800 }, 403, "Only a smaller image of this document may be seen, not the original file."},
	} {
		images := &fakeImages{}
		s := ask{config: Config{Protected: true}, images: images, target: original, decision: decided(c.change)}.serve(t)
		s.want(t, c.status, "Cache-Control", problem.NoStore)
		var e *problem.Error
		if !errors.As(s.err, &e) || !e.Denial || s.Body.String() != c.body || images.called() != "" {
			t.Errorf("the answer is %v %s after %q", s.err, s.Body, images.called())
		}
	}
}

// failing breaks off after some bytes.
type failing struct {
	io.ReadSeeker
	left   int
	closed *bool
}

func (f *failing) Read(p []byte) (int, error) {
	if f.left == 0 {
		return 0, errors.New("connection reset")
	}
	n, err := f.ReadSeeker.Read(p[:min(len(p), f.left)])
	f.left -= n
	return n, err
}

func (f *failing) Close() error { *f.closed = true; return errors.New("already gone") }

func TestSourceFileThatBreaksOffIsLoggedAndClosed(t *testing.T) {
	t.Parallel()
	closed := false
	images := &fakeImages{content: func() io.ReadSeekCloser {
		return &failing{ReadSeeker: strings.NewReader("0123456789"), left: 4, closed: &closed}
	}}
	var log bytes.Buffer
	h, err := New(Config{Collection: "c"}, images, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, original, nil)); err != nil {
		t.Fatal(err)
	}
	if !closed || !strings.Contains(log.String(), "connection reset") || !strings.Contains(log.String(), "already gone") {
		t.Errorf("closed: %t, log: %s", closed, log.String())
	}
	if w.Body.String() != "0123" {
		t.Errorf("sent %q", w.Body)
	}
}

// TestSourceFileThatCannotBeReadIsLogged, whatever kind of reader it is.
func TestSourceFileThatCannotBeReadIsLogged(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "x.tif"))
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	h, err := New(Config{Collection: "c"}, &fakeImages{content: func() io.ReadSeekCloser { return file }}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, original, nil)); err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusInternalServerError || !strings.Contains(log.String(), "an original broke off") {
		t.Errorf("%d, log: %s", w.Code, log.String())
	}
}

// TestSourceFileIsSentInPieces, so that who stands in front can see that it goes on.
func TestSourceFileIsSentInPieces(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("0123456789"), 100_000)
	h, err := New(Config{Collection: "c"}, &fakeImages{content: func() io.ReadSeekCloser { return nopCloser{bytes.NewReader(content)} }}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &chunks{ResponseRecorder: httptest.NewRecorder(), limit: len(content)}
	if err := h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, original, nil)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(w.Body.Bytes(), content) || slices.Max(w.sizes) > piece {
		t.Errorf("%d bytes in pieces of %v", w.Body.Len(), w.sizes)
	}
}

// TestSourceFileOverTheWire sends a file from disk through a real server.
func TestSourceFileOverTheWire(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
	path := filepath.Join(t.TempDir(), "x.tif")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	images := &fakeImages{content: func() io.ReadSeekCloser {
		file, err := os.Open(path)
		if err != nil {
			t.Error(err)
		}
		return file
	}}
	h, err := New(Config{Collection: "c"}, images, nil)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h.ServeHTTP(w, r); err != nil {
			problem.Write(w, r, err)
		}
	}))
	defer server.Close()
	response, err := server.Client().Get(server.URL + original)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	got, err := io.ReadAll(response.Body)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes came, %v; want %d", len(got), err, len(content))
	}
}
