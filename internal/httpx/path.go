package httpx

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// ErrPath marks a path that must not be joined to any base. Its text never repeats the path.
var ErrPath = errors.New("unusable path")

const (
	// maxPath bounds an untrusted path, in bytes: file systems end at 4096, S3 keys at 1024.
	maxPath = 4096
	// maxDecodings bounds how often a path may be percent-encoded over itself before it counts as an attempt to hide
	// something from the check.
	maxDecodings = 4
)

// CheckPath refuses a path out of untrusted metadata that could mean something else to the server behind the base:
// dot segments, backslashes, NUL and other control characters, also when they are percent-encoded, even repeatedly,
// and dot segments behind which some servers cut off a parameter ("..;x").
func CheckPath(raw string) error {
	if raw == "" {
		return fmt.Errorf("%w: it is empty", ErrPath)
	}
	if len(raw) > maxPath {
		return fmt.Errorf("%w: it is longer than %d bytes", ErrPath, maxPath)
	}
	for range maxDecodings {
		if err := checkDecoded(raw); err != nil {
			return err
		}
		decoded := unescape(raw)
		if decoded == raw {
			return nil
		}
		raw = decoded
	}
	return fmt.Errorf("%w: it is percent-encoded more than %d times", ErrPath, maxDecodings-1)
}

func checkDecoded(path string) error {
	for _, c := range []byte(path) {
		if c == '\\' || c < ' ' || c == 0x7f {
			return fmt.Errorf("%w: it holds a backslash or a control character", ErrPath)
		}
	}
	for segment := range strings.SplitSeq(path, "/") {
		name, _, _ := strings.Cut(segment, ";")
		if name == "." || name == ".." {
			return fmt.Errorf("%w: it holds a dot segment", ErrPath)
		}
	}
	return nil
}

// JoinPath puts a path out of untrusted metadata below base. Leading slashes are dropped, so that "//host" is a folder
// of that name. A percent sign that begins a valid escape is taken as one and stays; every other octet that a path may
// not hold, '?' and '#' among them, is encoded. The error wraps ErrPath.
func JoinPath(base *url.URL, rawPath string) (*url.URL, error) {
	rest := strings.TrimLeft(rawPath, "/")
	if err := CheckPath(rest); err != nil {
		return nil, err
	}
	prefix := strings.TrimRight(base.EscapedPath(), "/") + "/"
	escaped := prefix + escape(rest)
	path, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPath, err)
	}
	joined := &url.URL{Scheme: base.Scheme, Host: base.Host, Path: path, RawPath: escaped}
	// What counts is what a parser on the other side reads, so the check is made on the text that will be sent.
	read, err := url.Parse(joined.String())
	if err != nil {
		return nil, fmt.Errorf("%w: it does not survive as a URL", ErrPath)
	}
	if !SameOrigin(read, base) || read.User != nil || read.RawQuery != "" || read.Fragment != "" || !strings.HasPrefix(read.EscapedPath(), prefix) {
		return nil, fmt.Errorf("%w: it leads out of the base", ErrPath)
	}
	return joined, nil
}

// escape encodes what RFC 3986 §3.3 does not allow in a path and keeps valid escapes.
func escape(path string) string {
	const upperHex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		c := path[i]
		if isPathByte(c) || isEscape(path, i) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(upperHex[c>>4])
		b.WriteByte(upperHex[c&15])
	}
	return b.String()
}

// unescape decodes the valid escapes once and leaves stray percent signs alone.
func unescape(path string) string {
	if !strings.Contains(path, "%") {
		return path
	}
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if isEscape(path, i) {
			b.WriteByte(unhex(path[i+1])<<4 | unhex(path[i+2]))
			i += 2
			continue
		}
		b.WriteByte(path[i])
	}
	return b.String()
}

func isPathByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("/-._~!$&'()*+,;=:@", c) >= 0
}

func isEscape(s string, i int) bool {
	return s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2])
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}
