package iiif

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// sourceFile hands out the original, untouched. It comes from who knows where: nothing in it may run in our origin.
func (c *call) sourceFile() error {
	if c.decision.Outcome != authz.Allow || c.decision.Limited() {
		kind := "a smaller"
		if c.decision.MaxSide == 0 {
			kind = "an"
		}
		return denial(c.decision, codeTier, "Only "+kind+" image of this document may be seen, not the original file.")
	}
	original, err := c.images.Original(c.r.Context(), c.target())
	if err != nil {
		return err
	}
	defer func() {
		if err := original.Content.Close(); err != nil {
			c.log.WarnContext(c.r.Context(), "closing an original", "collection", c.config.Collection, "error", err)
		}
	}()
	header := c.w.Header()
	contentType := cleanType(original.ContentType)
	header.Set("Content-Type", contentType)
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	header.Set("Content-Disposition", disposition(c.req.Download || !inlineType(contentType), originalName(original, c.req)))
	setCaching(header, c.decision)
	r, modified := c.r, original.Modified
	if cacheable(c.decision) {
		header.Set("ETag", tag("original", original.Version, c.outcome()))
	} else {
		// What nobody may keep, nobody can have: there is nothing to compare with.
		r, modified = unconditional(r), time.Time{}
	}
	content := &watched{ReadSeekCloser: original.Content}
	http.ServeContent(&guarded{ResponseWriter: c.w}, r, "", modified, content)
	if content.err != nil {
		c.log.ErrorContext(c.r.Context(), "an original broke off while it was sent", "collection", c.config.Collection,
			"identifier", c.req.RawIdentifier, "error", content.err)
	}
	return nil
}

// cleanType is a media type fit for a header.
func cleanType(contentType string) string {
	name, params, err := mime.ParseMediaType(contentType)
	if err != nil || !strings.Contains(name, "/") {
		return "application/octet-stream"
	}
	if formatted := mime.FormatMediaType(name, params); formatted != "" {
		return formatted
	}
	return name
}

// inlineType tells whether a browser may show it in place: pictures but SVG, which can hold scripts, and PDF.
func inlineType(contentType string) bool {
	name, _, _ := strings.Cut(contentType, ";")
	return strings.HasPrefix(name, "image/") && !strings.HasPrefix(name, "image/svg") || name == "application/pdf"
}

// unconditional is r without preconditions. A range that depends on one that cannot hold is dropped with it.
func unconditional(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	if r.Header.Get("If-Range") != "" {
		r.Header.Del("Range")
	}
	for _, name := range []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"} {
		r.Header.Del(name)
	}
	return r
}

// guarded makes errors that ServeContent answers (412, 416) carry the headers of an error.
type guarded struct{ http.ResponseWriter }

func (g *guarded) WriteHeader(status int) {
	if status >= 400 {
		h := g.Header()
		h.Set("Cache-Control", problem.NoStore)
		h.Set("Expires", problem.Past)
		h.Del("Content-Disposition")
		h.Del("ETag")
		h.Del("Last-Modified")
	}
	g.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController through.
func (g *guarded) Unwrap() http.ResponseWriter { return g.ResponseWriter }

// watched remembers what went wrong while reading, which ServeContent tells nobody.
type watched struct {
	io.ReadSeekCloser
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadSeekCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

func (w *watched) Seek(offset int64, whence int) (int64, error) {
	at, err := w.ReadSeekCloser.Seek(offset, whence)
	if err != nil {
		w.err = err
	}
	return at, err
}
