package problem

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// document is the body of RFC 9457 §3.
type document struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
}

// Write answers with err: as application/problem+json where Accept names it, else as plain text that is exactly the
// Detail. Errors are never stored by a cache, and the headers of a success that will not come are taken back.
func Write(w http.ResponseWriter, r *http.Request, err error) {
	e := From(err)
	h := w.Header()
	for _, name := range []string{"ETag", "Last-Modified", "Content-Length", "Content-Disposition", "Content-Encoding", "Link"} {
		h.Del(name)
	}
	h.Set("Cache-Control", NoStore)
	h.Set("Expires", Past)
	h.Set("X-Content-Type-Options", "nosniff")
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((e.RetryAfter+time.Second-1)/time.Second), 10))
	}
	if e.Status == http.StatusUnauthorized && h.Get("WWW-Authenticate") == "" {
		h.Set("WWW-Authenticate", "Bearer")
	}
	body := []byte(e.Detail)
	if acceptsProblem(r) {
		h.Set("Content-Type", "application/problem+json")
		// A struct of strings and an int always marshals.
		body, _ = json.Marshal(document{Type: "about:blank", Title: http.StatusText(e.Status), Status: e.Status, Detail: e.Detail, Code: e.Code})
	} else {
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(e.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// NoStore and Past are the cache headers of everything that must not be kept by anybody.
const (
	NoStore = "max-age=0, no-cache, no-store, must-revalidate, private"
	Past    = "Thu, 01 Jan 1970 00:00:00 GMT"
)

// acceptsProblem tells whether Accept names the problem type itself; wildcards keep the plain text that frontends show.
func acceptsProblem(r *http.Request) bool {
	for _, line := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(line, ",") {
			mediaType, params, _ := strings.Cut(part, ";")
			if strings.EqualFold(strings.TrimSpace(mediaType), "application/problem+json") && !refusedByQuality(params) {
				return true
			}
		}
	}
	return false
}

// refusedByQuality tells whether the parameters of a media range hold q=0 (RFC 9110 §12.4.2).
func refusedByQuality(params string) bool {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return err == nil && q == 0
		}
	}
	return false
}
