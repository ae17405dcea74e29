package testkit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Archive stands in for a server that keeps originals. It refuses requests without its Authorization header.
type Archive struct {
	*StandIn
	authorization string
	sent          atomic.Int64

	mu       sync.Mutex
	files    map[string]file
	noRanges bool
}

type file struct {
	content     []byte
	contentType string
	modified    time.Time
}

// NewArchive starts one. authorization is the exact header value that it wants; empty lets everybody in.
func NewArchive(t testing.TB, authorization string) *Archive {
	t.Helper()
	a := &Archive{authorization: authorization, files: map[string]file{}}
	a.StandIn = NewStandIn(t, http.HandlerFunc(a.serve))
	return a
}

// Put keeps content under a path, without a slash in front, and replaces what was there.
func (a *Archive) Put(path, contentType string, content []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.files[path] = file{content, contentType, time.Date(2020, 2, 2, 20, 20, 20, 0, time.UTC)}
}

// Remove forgets a path: 404.
func (a *Archive) Remove(path string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.files, path)
}

// RefuseRanges makes it answer range requests with the whole file, as HTTP allows.
func (a *Archive) RefuseRanges() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.noRanges = true
}

// BytesSent counts the bytes of originals that were sent.
func (a *Archive) BytesSent() int64 { return a.sent.Load() }

func (a *Archive) serve(w http.ResponseWriter, r *http.Request) {
	if a.authorization != "" && r.Header.Get("Authorization") != a.authorization {
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	a.mu.Lock()
	f, ok := a.files[strings.TrimPrefix(r.URL.Path, "/")]
	noRanges := a.noRanges
	a.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	sum := sha256.Sum256(f.content)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	if f.contentType != "" {
		w.Header().Set("Content-Type", f.contentType)
	}
	if noRanges {
		r.Header.Del("Range")
	}
	http.ServeContent(&countingWriter{w, &a.sent}, r, "", f.modified, bytes.NewReader(f.content))
}

type countingWriter struct {
	http.ResponseWriter
	sent *atomic.Int64
}

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.sent.Add(int64(n))
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
