// Package httpx makes outgoing HTTP clients that speak to one origin and to nothing else.
//
// The operator writes the origin, so it may be loopback or private. Paths below it come out of metadata and requests;
// nothing in them, and nothing that the origin answers, can make the client dial another address or carry a
// credential there.
package httpx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// ErrOrigin says that a request was not for the client's own origin. Nothing was dialled.
var ErrOrigin = errors.New("request for another origin than the configured one")

// Options describe a client. The zero value of each field but Base is a sensible default.
type Options struct {
	// Base is the URL that requests go below: http or https, host, optional port and path.
	Base string
	// Header is added to every request and replaces what the request holds under these names. It is where credentials
	// stand.
	Header http.Header
	// CAFile names a PEM file with the only authorities that may sign the origin's certificate. Empty: the system's.
	CAFile string
	// InsecureSkipVerify accepts any certificate.
	InsecureSkipVerify bool
	// ConnectTimeout bounds dialling, and once more the TLS handshake. Default 10 s.
	ConnectTimeout time.Duration
	// ResponseHeaderTimeout bounds the wait between request and response header. Zero: the request's context alone.
	ResponseHeaderTimeout time.Duration
	// MaxIdleConns is how many connections stay open between requests. Default 32.
	MaxIdleConns int
	// MaxRedirects is how many redirects within the origin are followed for one request. Default none.
	MaxRedirects int
	// MaxHeaderBytes bounds the header of a response. Default 64 KiB.
	MaxHeaderBytes int64
}

const (
	defaultConnectTimeout = 10 * time.Second
	defaultMaxIdleConns   = 32
	defaultMaxHeaderBytes = 64 << 10
	idleConnTimeout       = 90 * time.Second
)

// Client is an HTTP client for one origin. It is safe for concurrent use, keeps no cookies, uses no proxy out of the
// environment, and neither asks for nor undoes content codings.
type Client struct {
	base      *url.URL
	client    *http.Client
	transport *http.Transport
}

// NewClient checks the options and makes the client. It reads CAFile and touches no network.
func NewClient(o Options) (*Client, error) {
	base, err := ParseBase(o.Base)
	if err != nil {
		return nil, fmt.Errorf("base URL: %w", err)
	}
	if err := checkHeader(o.Header); err != nil {
		return nil, err
	}
	tlsConfig, err := o.tlsConfig()
	if err != nil {
		return nil, err
	}
	o.setDefaults()
	dialer := &net.Dialer{Timeout: o.ConnectTimeout}
	address := hostPort(base)
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if !strings.EqualFold(addr, address) {
				return nil, ErrOrigin
			}
			return dialer.DialContext(ctx, network, addr)
		},
		TLSClientConfig:        tlsConfig,
		TLSHandshakeTimeout:    o.ConnectTimeout,
		ResponseHeaderTimeout:  o.ResponseHeaderTimeout,
		MaxIdleConns:           o.MaxIdleConns,
		MaxIdleConnsPerHost:    o.MaxIdleConns,
		IdleConnTimeout:        idleConnTimeout,
		MaxResponseHeaderBytes: o.MaxHeaderBytes,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
	}
	return &Client{
		base:      base,
		transport: transport,
		client: &http.Client{
			Transport:     &lock{base: base, header: o.Header.Clone(), next: transport},
			CheckRedirect: followWithin(base, o.MaxRedirects),
		},
	}, nil
}

func (o *Options) setDefaults() {
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = defaultConnectTimeout
	}
	if o.MaxIdleConns <= 0 {
		o.MaxIdleConns = defaultMaxIdleConns
	}
	if o.MaxHeaderBytes <= 0 {
		o.MaxHeaderBytes = defaultMaxHeaderBytes
	}
}

func (o *Options) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: o.InsecureSkipVerify, //nolint:gosec // The operator asks for it by name.
	}
	if o.CAFile == "" {
		return config, nil
	}
	if o.InsecureSkipVerify {
		return nil, errors.New("a CA file and insecure_skip_verify exclude each other")
	}
	pem, err := os.ReadFile(o.CAFile)
	if err != nil {
		return nil, fmt.Errorf("CA file: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("CA file %s holds no PEM certificate", o.CAFile)
	}
	return config, nil
}

// Base is a copy of the URL that requests go below.
func (c *Client) Base() *url.URL {
	base := *c.base
	return &base
}

// Do sends a request, which must be for the client's origin, else ErrOrigin. A redirect that leaves the origin, or
// exceeds MaxRedirects, is not followed: it is the response.
func (c *Client) Do(r *http.Request) (*http.Response, error) { return c.client.Do(r) }

// HTTPClient is the same client for libraries that want an *http.Client. The lock on the origin holds there too.
func (c *Client) HTTPClient() *http.Client { return c.client }

// CloseIdleConnections closes the connections that no request uses.
func (c *Client) CloseIdleConnections() { c.transport.CloseIdleConnections() }

// lock lets only requests for the base's origin through and gives them the configured header. It stands below the
// redirects, so that a header is added after it is known where the request goes.
type lock struct {
	base   *url.URL
	header http.Header
	next   http.RoundTripper
}

func (l *lock) RoundTrip(r *http.Request) (*http.Response, error) {
	if !SameOrigin(r.URL, l.base) || r.URL.User != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, ErrOrigin
	}
	if len(l.header) > 0 {
		r = r.Clone(r.Context())
		for name, values := range l.header {
			r.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	return l.next.RoundTrip(r)
}

func followWithin(base *url.URL, limit int) func(*http.Request, []*http.Request) error {
	return func(r *http.Request, via []*http.Request) error {
		if len(via) > limit || !SameOrigin(r.URL, base) || r.URL.User != nil {
			return http.ErrUseLastResponse
		}
		return nil
	}
}

// checkHeader refuses what would break the framing of a request or change where it goes.
func checkHeader(h http.Header) error {
	for name, values := range h {
		if name == "" || strings.ContainsFunc(name, func(c rune) bool {
			return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
		}) {
			return fmt.Errorf("header name %q is not a token", name)
		}
		switch http.CanonicalHeaderKey(name) {
		case "Host", "Connection", "Content-Length", "Transfer-Encoding", "Upgrade", "Te", "Trailer", "Accept-Encoding", "Range":
			return fmt.Errorf("header %s cannot be set", http.CanonicalHeaderKey(name))
		}
		for _, v := range values {
			// The value may be a secret, so the error does not repeat it.
			if strings.ContainsFunc(v, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
				return fmt.Errorf("the value of header %s holds a line break or another control character", name)
			}
		}
	}
	return nil
}
