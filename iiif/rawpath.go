package iiif

import (
	"net/url"
	"strings"
)

// RawPath is a URL's path as it was sent, for ParsePath. Bytes that should have been percent-encoded and were not (a
// caret, a quotation mark) are encoded and change nothing about the others: because of them, URL.EscapedPath forgets
// which slashes were written %2F. It falls back to that where RawPath no longer says the same as Path.
func RawPath(u *url.URL) string {
	if u.RawPath == "" {
		return u.EscapedPath()
	}
	if decoded, err := url.PathUnescape(u.RawPath); err != nil || decoded != u.Path {
		return u.EscapedPath()
	}
	return percentEncode(u.RawPath, func(c byte) bool { return !isPathByte(c) })
}

// isPathByte tells what may stand in an encoded path: pchar, slash and percent sign (RFC 3986 §3.3), and brackets, which
// net/url lets through.
func isPathByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c) || strings.IndexByte("/-._~!$&'()*+,;=:@%[]", c) >= 0
}

// percentEncode encodes some bytes and leaves the others as they are.
func percentEncode(s string, must func(c byte) bool) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(s) {
		if c := s[i]; must(c) {
			out.Write([]byte{'%', hex[c>>4], hex[c&15]})
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}
