package httpx

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// ParseBase reads a base URL as an operator writes it: http or https, an ASCII host, an optional port and path. User
// info, query and fragment are refused, since they would be lost or leak; so is a path that CheckPath refuses.
func ParseBase(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		// The error of url.Parse repeats the whole URL, which may hold a password.
		return nil, errors.New("not a URL; write http://host/path or https://host/path")
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("the scheme must be http or https")
	case u.Opaque != "" || u.Hostname() == "":
		return nil, errors.New("the host is missing; write http://host/path or https://host/path")
	case u.User != nil:
		return nil, errors.New("user info in a URL is refused; send credentials in a header")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("a base URL has neither query nor fragment")
	}
	for _, c := range []byte(u.Host) {
		if c <= ' ' || c >= 0x7f {
			return nil, errors.New("the host must be ASCII; write an international name in its xn-- form")
		}
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 {
			return nil, fmt.Errorf("port %q is not between 1 and 65535", p)
		}
	}
	if rest := strings.Trim(u.EscapedPath(), "/"); rest != "" {
		if err := CheckPath(rest); err != nil {
			return nil, fmt.Errorf("the path of the base: %w", err)
		}
	}
	return u, nil
}

// SameOrigin compares scheme, host and port (RFC 6454 §5), the default port being equal to none.
func SameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(hostPort(a), hostPort(b))
}

// hostPort is the address that an HTTP client dials for u.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "80"
		if strings.EqualFold(u.Scheme, "https") {
			port = "443"
		}
	}
	return net.JoinHostPort(u.Hostname(), port)
}
