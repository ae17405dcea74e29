package iiif

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/internal/problem"
)

const (
	allowedMethods = "GET, HEAD, OPTIONS"
	// preflightSeconds is how long a browser keeps the answer to a preflight: a day, which browsers shorten themselves.
	preflightSeconds = "86400"
)

// setCommon sets what every answer carries, errors included: any page may read it, without the caller's cookies.
func setCommon(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Link, ETag, Last-Modified, Content-Disposition, Content-Range, Accept-Ranges, Retry-After, WWW-Authenticate")
	h.Set("X-Content-Type-Options", "nosniff")
}

// answerPreflight answers OPTIONS (Fetch standard §3.2): callers may send Authorization.
func answerPreflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Allow", allowedMethods)
	h.Set("Access-Control-Allow-Methods", allowedMethods)
	h.Set("Access-Control-Allow-Headers", "Authorization, Accept, Range, If-Range, If-None-Match, If-Modified-Since")
	h.Set("Access-Control-Max-Age", preflightSeconds)
	w.WriteHeader(http.StatusNoContent)
}

// addVary adds a name to Vary unless it is there.
func addVary(h http.Header, name string) {
	for _, line := range h.Values("Vary") {
		for listed := range strings.SplitSeq(line, ",") {
			if listed = strings.TrimSpace(listed); listed == "*" || strings.EqualFold(listed, name) {
				return
			}
		}
	}
	h.Add("Vary", name)
}

// cacheable tells whether anybody may keep what was decided. Less than a second is nothing that a header can say.
func cacheable(d authz.Decision) bool { return d.CacheFor >= time.Second }

// setCaching says who may keep the answer, and how long.
func setCaching(h http.Header, d authz.Decision) {
	if !cacheable(d) {
		h.Set("Cache-Control", problem.NoStore)
		h.Set("Expires", problem.Past)
		return
	}
	scope := "private"
	if d.Shared {
		scope = "public"
	}
	h.Set("Cache-Control", scope+", max-age="+strconv.FormatInt(int64(d.CacheFor/time.Second), 10))
}

// setValidators sets ETag and, where it is known, Last-Modified.
func setValidators(h http.Header, etag string, modified time.Time) {
	h.Set("ETag", etag)
	if !modified.IsZero() {
		h.Set("Last-Modified", modified.UTC().Format(http.TimeFormat))
	}
}

// tag hashes parts into a strong entity tag. Each part is preceded by its length, so that no two lists of parts read
// the same.
func tag(parts ...string) string {
	room := 0
	for _, part := range parts {
		room += len(part) + 8
	}
	text := make([]byte, 0, room)
	for _, part := range parts {
		text = strconv.AppendInt(text, int64(len(part)), 10)
		text = append(append(text, ':'), part...)
	}
	sum := sha256.Sum256(text)
	out := make([]byte, 0, 24)
	out = base64.RawURLEncoding.AppendEncode(append(out, '"'), sum[:16])
	return string(append(out, '"'))
}

// unchanged evaluates If-None-Match and, without it, If-Modified-Since (RFC 9110 §13.2.2).
func unchanged(r *http.Request, etag string, modified time.Time) bool {
	if lines := r.Header.Values("If-None-Match"); len(lines) > 0 {
		for _, line := range lines {
			for listed := range strings.SplitSeq(line, ",") {
				listed = strings.TrimSpace(listed)
				// Our tags hold no comma; the comparison is weak (§13.1.2).
				if listed == "*" || strings.TrimPrefix(listed, "W/") == etag {
					return true
				}
			}
		}
		return false
	}
	asked := r.Header.Get("If-Modified-Since")
	if asked == "" {
		return false // most requests; parsing nothing makes an error for each form of a date
	}
	since, err := http.ParseTime(asked)
	return err == nil && !modified.IsZero() && !modified.Truncate(time.Second).After(since)
}
