package caddymodule

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// guardedWriter is what the handlers behind gatehouse_authorize write to. It remembers what was shown. An answer that
// gatehouse_iiif did not write gets the cache headers that the decision allows, whatever the server behind says; for a
// tier it is thrown away, since nobody else makes the smaller image.
//
// Only gatehouse_iiif of the decision's own collection claims an answer. The writer does not unwrap: a connection that
// another handler took over would be past all of this.
type guardedWriter struct {
	http.ResponseWriter
	grant *grant
	// scratch takes the headers of an answer that is thrown away.
	scratch http.Header
	status  int
}

func newGuardedWriter(w http.ResponseWriter, granted *grant) *guardedWriter {
	return &guardedWriter{ResponseWriter: w, grant: granted}
}

// dropped tells whether the answer is thrown away.
func (w *guardedWriter) dropped() bool {
	return w.grant.decision.Outcome == authz.Tier && !w.grant.claimed
}

// Header implements http.ResponseWriter.
func (w *guardedWriter) Header() http.Header {
	if w.dropped() {
		if w.scratch == nil {
			w.scratch = make(http.Header)
		}
		return w.scratch
	}
	return w.ResponseWriter.Header()
}

// WriteHeader implements http.ResponseWriter.
func (w *guardedWriter) WriteHeader(status int) {
	if w.dropped() {
		return
	}
	if status >= 200 && w.status == 0 {
		w.status = status
		if !w.grant.claimed {
			guardHeaders(w.ResponseWriter.Header(), w.grant.decision, status)
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *guardedWriter) Write(p []byte) (int, error) {
	if w.dropped() {
		return len(p), nil
	}
	w.begin()
	return w.ResponseWriter.Write(p)
}

// ReadFrom implements io.ReaderFrom, so that the kernel can send a file by itself.
func (w *guardedWriter) ReadFrom(r io.Reader) (int64, error) {
	if w.dropped() {
		return io.Copy(io.Discard, r)
	}
	w.begin()
	return io.Copy(w.ResponseWriter, r)
}

// FlushError lets http.ResponseController flush.
func (w *guardedWriter) FlushError() error {
	if w.dropped() {
		return nil
	}
	w.begin()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// begin sends the header of a handler that never said a status.
func (w *guardedWriter) begin() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
}

// shown tells whether content went out.
func (w *guardedWriter) shown(r *http.Request) bool {
	return r.Method == http.MethodGet && (w.status == http.StatusOK || w.status == http.StatusPartialContent)
}

// guardHeaders makes the headers of another server's answer fit the decision.
func guardHeaders(h http.Header, decision authz.Decision, status int) {
	for _, name := range []string{"Expires", "Pragma", "Surrogate-Control", "Cdn-Cache-Control", "Access-Control-Allow-Credentials"} {
		h.Del(name)
	}
	// The server behind may have set this one too, and browsers refuse two.
	h.Set("Access-Control-Allow-Origin", "*")
	if decision.CacheFor < time.Second || status >= http.StatusBadRequest {
		h.Set("Cache-Control", problem.NoStore)
		h.Set("Expires", problem.Past)
		return
	}
	scope := "private"
	if decision.Shared {
		scope = "public"
	}
	h.Set("Cache-Control", scope+", max-age="+strconv.FormatInt(int64(decision.CacheFor/time.Second), 10))
}

var _ io.ReaderFrom = (*guardedWriter)(nil)
