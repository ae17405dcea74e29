package collection

import (
	"net/url"
	"path"
	"strings"

	"github.com/gatehouse-server/gatehouse/source"
)

// reserved are the characters that a server may interpret within a path (RFC 3986 §2.2 and §3.3), the percent sign of
// escapes included: ";x=1" is a parameter to many. The slash is the path's own.
const reserved = "%:?#[]@!$&'()*+,;="

// literal writes text, which is decoded, so that an HTTP server reads just that text: encoded, reserved characters are
// data. Else "%73ecret" or "secret;x" in an identifier would be "secret" for a server, and something else for a rule.
func literal(text string) string {
	if !strings.ContainsAny(text, reserved) {
		return text
	}
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(text) {
		if c := text[i]; strings.IndexByte(reserved, c) >= 0 {
			out.Write([]byte{'%', hex[c>>4], hex[c&15]})
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}

// encoded tells whether the place's paths are percent-encoded. A folder and S3 take every character as it is.
func (p Place) encoded() bool { return p.Kind != source.KindFolder && p.Kind != source.KindS3 }

// literal writes text of an identifier, which is decoded, so that the source reads just that text.
func (p Place) literal(text string) string {
	if p.encoded() {
		return literal(text)
	}
	return text
}

// filename is the last element of a path below the place, for people.
func (p Place) filename(below string) string {
	if p.encoded() {
		if decoded, err := url.PathUnescape(below); err == nil {
			below = decoded
		}
	}
	return path.Base(below)
}
