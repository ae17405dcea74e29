package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/clock"
	"github.com/gatehouse-server/gatehouse/internal/httpx"
)

// HTTPConfig is an HTTP server with originals.
type HTTPConfig struct {
	// Base is the URL that paths go below.
	Base string
	// Header is sent with every request, as Authorization for instance.
	Header http.Header
	// CAFile names a PEM file with the only authorities that may sign the server's certificate. Empty: the system's.
	CAFile string
	// InsecureSkipVerify accepts any certificate.
	InsecureSkipVerify bool
	// MaxRedirects is how many redirects within the origin are followed. Default 5; negative none.
	MaxRedirects int
	Remote
}

const defaultMaxRedirects = 5

// Validate implements Config.
func (c *HTTPConfig) Validate() error {
	if _, err := httpx.ParseBase(c.Base); err != nil {
		return fmt.Errorf("source URL: %w", err)
	}
	if c.CAFile != "" && c.InsecureSkipVerify {
		return errors.New("a CA file and insecure_skip_verify exclude each other")
	}
	return c.validate()
}

func (c *HTTPConfig) build(d Deps) (Source, error) {
	redirects := c.MaxRedirects
	setDefault(&redirects, defaultMaxRedirects)
	client, err := httpx.NewClient(httpx.Options{
		Base:               c.Base,
		Header:             c.Header,
		CAFile:             c.CAFile,
		InsecureSkipVerify: c.InsecureSkipVerify,
		MaxIdleConns:       c.MaxIdleConns,
		MaxRedirects:       redirects,
	})
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	return newRemote(KindHTTP, &httpPlace{client: client, base: client.Base(), clock: d.Clock}, c.Remote, d)
}

type httpPlace struct {
	client *httpx.Client
	base   *url.URL
	clock  clock.Clock
}

func (h *httpPlace) closeIdle() { h.client.CloseIdleConnections() }

func (h *httpPlace) fetch(ctx context.Context, path string, a ask) (*reply, error) {
	u, err := httpx.JoinPath(h.base, path)
	if err != nil {
		return nil, errors.Join(errAbsent, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errors.Join(errAbsent, err)
	}
	setAsk(request.Header, a)
	response, err := h.client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusPartialContent {
		_ = response.Body.Close()
		return nil, knownStatus(response.StatusCode, a)
	}
	r, err := h.read(response)
	if err == nil {
		err = r.check(a)
	}
	if err != nil {
		_ = response.Body.Close()
		return nil, err
	}
	return r, nil
}

// setAsk puts range and preconditions into a request (RFC 9110 §13.1). The bytes are wanted as they lie there:
// identity is the only content coding.
func setAsk(h http.Header, a ask) {
	h.Set("Accept-Encoding", "identity")
	h.Set("User-Agent", "Gatehouse")
	if r := a.rangeHeader(); r != "" {
		h.Set("Range", r)
	}
	switch {
	case a.unless.etag != "":
		h.Set("If-None-Match", a.unless.etag)
	case a.unless.modified != "":
		h.Set("If-Modified-Since", a.unless.modified)
	}
	switch {
	case a.only.strong():
		h.Set("If-Match", a.only.etag)
	case a.only.modified != "":
		h.Set("If-Unmodified-Since", a.only.modified)
	}
}

func (h *httpPlace) read(response *http.Response) (*reply, error) {
	if coding := response.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, fmt.Errorf("%w: content coding %q was not asked for", errLie, coding)
	}
	r := &reply{
		length:      response.ContentLength,
		size:        response.ContentLength,
		validator:   validator{etag: response.Header.Get("ETag"), modified: response.Header.Get("Last-Modified")},
		contentType: response.Header.Get("Content-Type"),
		body:        response.Body,
	}
	r.modified, _ = http.ParseTime(r.validator.modified)
	r.validator, r.exact = exactPart(r.validator, r.modified, h.answered(response))
	if response.StatusCode == http.StatusOK {
		return r, nil
	}
	r.partial = true
	off, length, size, err := parseContentRange(response.Header.Get("Content-Range"))
	if err != nil {
		return nil, err
	}
	if response.ContentLength >= 0 && response.ContentLength != length {
		return nil, errLie
	}
	r.off, r.length, r.size = off, length, size
	return r, nil
}

// answered is when the place says that it answered, by its own clock, which Last-Modified speaks of too.
func (h *httpPlace) answered(response *http.Response) time.Time {
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		return date
	}
	return h.clock.Now()
}

var _ Config = (*HTTPConfig)(nil)
