package authn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// fetchTimeout bounds one fetch of a key set, body included. With the longest pause between two tries it keeps recovery
// within keysRetryAfter.
const fetchTimeout = 5 * time.Second

// keySource is where a JWKS document comes from.
type keySource interface {
	// fetch reads the document, at most maxDocumentBytes.
	fetch(ctx context.Context) ([]byte, error)
	// changed tells cheaply whether the document may differ from the one fetched last.
	changed() bool
	// local tells that a fetch takes no time and needs nobody else.
	local() bool
	// String names the source for the status page and the log.
	String() string
}

// urlSource fetches by HTTP.
type urlSource struct {
	uri    string
	client *http.Client
}

// newURLSource takes base's transport and follows no redirect: the configured host alone vouches for the keys.
func newURLSource(uri string, base *http.Client) *urlSource {
	client := &http.Client{
		Timeout:       fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if base != nil {
		client.Transport = base.Transport
	} else {
		// One request in minutes needs no connection that stays open.
		client.Transport = &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: 64 << 10,
			ForceAttemptHTTP2:      true,
		}
	}
	return &urlSource{uri: uri, client: client}
}

func (s *urlSource) fetch(ctx context.Context) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.uri, nil)
	if err != nil {
		return nil, fmt.Errorf("fetch keys: %w", err)
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetch keys: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch keys: status %d, not 200", resp.StatusCode)
	}
	return readDocument(resp.Body)
}

func (s *urlSource) changed() bool  { return false }
func (s *urlSource) local() bool    { return false }
func (s *urlSource) String() string { return s.uri }

// fileSource reads a file. Only the goroutine that refreshes the keys uses it.
type fileSource struct {
	path string
	// convert makes the public document of what lies in the file; nil leaves it as it is.
	convert func([]byte) ([]byte, error)
	seen    os.FileInfo
}

func (s *fileSource) fetch(context.Context) ([]byte, error) {
	info, err := os.Stat(s.path)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	// Opening a named pipe would wait for somebody to write.
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read keys: %s is no regular file", s.path)
	}
	s.seen = info
	file, err := os.Open(s.path)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	defer func() { _ = file.Close() }()
	document, err := readDocument(file)
	if err != nil || s.convert == nil {
		return document, err
	}
	return s.convert(document)
}

// changed also sees a file that was put in the old one's place.
func (s *fileSource) changed() bool {
	info, err := os.Stat(s.path)
	if err != nil {
		return false
	}
	return s.seen == nil || !os.SameFile(info, s.seen) || !info.ModTime().Equal(s.seen.ModTime()) || info.Size() != s.seen.Size()
}

func (s *fileSource) local() bool    { return true }
func (s *fileSource) String() string { return s.path }

func readDocument(r io.Reader) ([]byte, error) {
	document, err := io.ReadAll(io.LimitReader(r, maxDocumentBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	if len(document) > maxDocumentBytes {
		return nil, fmt.Errorf("read keys: more than %d bytes", maxDocumentBytes)
	}
	return document, nil
}

// checkKeyURI wants an absolute https URL. Plain http is for the same machine, or where the operator allows it in plain
// sight.
func checkKeyURI(uri string, allowHTTP bool) error {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		return errors.New("jwks_uri is not an absolute URL")
	}
	if u.User != nil || u.Fragment != "" {
		return errors.New("jwks_uri holds user info or a fragment")
	}
	switch {
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return fmt.Errorf("jwks_uri has the scheme %q, not https", u.Scheme)
	case allowHTTP || isLoopback(u.Hostname()):
		return nil
	}
	return errors.New("jwks_uri is plain http off this machine: use https, or allow_http")
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
