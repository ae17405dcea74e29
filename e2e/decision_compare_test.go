package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"net/http"
	"strings"
	"time"
)

// compare tells what in an answer is not as the model says.
func (c *tableCaller) compare(n int, q question, want verdict, a answer, conditional bool) (complaints []string) {
	complain := func(format string, args ...any) { complaints = append(complaints, fmt.Sprintf(format, args...)) }
	header := func(name, value string) {
		if got := strings.Join(a.header.Values(name), ", "); got != value {
			complain("%s is %q, want %q", name, got, value)
		}
	}
	status := want.status
	tagged := want.kept && !q.endpoint.redirects
	if tagged && conditional {
		status = http.StatusNotModified
	}
	if a.status != status {
		complain("status %d %.100q, want %d %q", a.status, a.body, status, want.text)
		return complaints
	}
	header("Access-Control-Allow-Origin", "*")
	if !a.varies("Authorization") {
		complain("Vary is %q", a.header.Values("Vary"))
	}
	if q.caller.query != "" {
		header("Referrer-Policy", "no-referrer")
	}
	if want.kept {
		header("Cache-Control", keep36Hours)
		header("Expires", "")
	} else {
		header("Cache-Control", noStore)
		if expires, err := http.ParseTime(a.header.Get("Expires")); err != nil || !expires.Before(time.Now()) {
			complain("Expires is %q", a.header.Get("Expires"))
		}
	}
	if got := a.header.Get("ETag"); (got != "") != tagged || strings.HasPrefix(got, "W/") {
		complain("ETag is %q, want a strong one: %t", got, tagged)
	}
	switch status {
	case http.StatusOK:
		header("Content-Type", q.endpoint.contentType)
		if err := c.content(q, a.body); err != nil {
			complain("%v in %.100q", err, a.body)
		}
	case http.StatusSeeOther:
		location := fmt.Sprintf("http://%s/iiif/%s/%s:SU_%d~D_0/info.json", c.address, q.endpoint.version, q.source, n)
		if q.caller.query != "" {
			location += "?auth=" + q.caller.query
		}
		header("Location", location)
	case http.StatusNotModified:
		if len(a.body) > 0 {
			complain("a body of %d bytes", len(a.body))
		}
	default:
		header("Content-Type", plainText)
		header("X-Content-Type-Options", "nosniff")
		if string(a.body) != want.text {
			complain("text %q, want %q", a.body, want.text)
		}
	}
	return complaints
}

// content checks that the body is what was asked for.
func (c *tableCaller) content(q question, body []byte) error {
	switch {
	case strings.HasPrefix(q.endpoint.name, "info"):
		var got info
		if err := json.Unmarshal(body, &got); err != nil {
			return err
		}
		if got.Width != tablePictureWidth || got.Height != tablePictureHeight {
			return fmt.Errorf("a size of %d by %d", got.Width, got.Height)
		}
	case strings.HasPrefix(q.endpoint.name, "image"):
		got, err := jpeg.DecodeConfig(bytes.NewReader(body))
		if err != nil {
			return err
		}
		if got.Width != tablePictureWidth || got.Height != tablePictureHeight {
			return fmt.Errorf("a size of %d by %d", got.Width, got.Height)
		}
	case !bytes.Equal(body, c.picture):
		return fmt.Errorf("%d bytes that are not the original", len(body))
	}
	return nil
}
