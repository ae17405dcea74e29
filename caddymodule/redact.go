package caddymodule

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/logging"
	"go.uber.org/zap/zapcore"
)

// RedactFilter is the log filter `gatehouse_redact`. It takes out of an address, in whatever field it stands, each
// query value and each path segment that is a credential of Gatehouse, and everything that looks like a signed token; it
// also works on full addresses, as in Location and Referer. What cannot be parsed loses its whole query.
type RedactFilter struct{}

// CaddyModule gives the module's name.
func (RedactFilter) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "caddy.logging.encoders.filter.gatehouse_redact",
		New: func() caddy.Module { return new(RedactFilter) },
	}
}

// UnmarshalCaddyfile takes no arguments.
func (f *RedactFilter) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if d.NextArg() {
		return d.ArgErr()
	}
	return nil
}

// Filter implements logging.LogFieldFilter, for a text and for the list of texts of a header.
func (f RedactFilter) Filter(in zapcore.Field) zapcore.Field {
	if in.Type == zapcore.ArrayMarshalerType {
		// Caddy's own list type is internal; its texts are had by encoding it.
		encoder := zapcore.NewMapObjectEncoder()
		in.AddTo(encoder)
		list, _ := encoder.Fields[in.Key].([]any)
		redacted := make(redactedList, 0, len(list))
		for _, item := range list {
			if s, ok := item.(string); ok {
				redacted = append(redacted, redactURL(s))
			}
		}
		in.Interface = redacted
		return in
	}
	in.String = redactURL(in.String)
	return in
}

type redactedList []string

// MarshalLogArray implements zapcore.ArrayMarshaler.
func (l redactedList) MarshalLogArray(encoder zapcore.ArrayEncoder) error {
	for _, s := range l {
		encoder.AppendString(s)
	}
	return nil
}

const redacted = "REDACTED"

// secretKeys are the query parameters that carry credentials: login and map tokens, API keys, OAuth answers.
var secretKeys = map[string]bool{
	"auth": true, "auth_token": true, "api_key": true, "map_key": true, "token": true, "access_token": true,
	"id_token": true, "refresh_token": true, "code": true, "session": true, "signature": true, "sig": true,
}

// secretPaths are path segments that are capabilities: a signed grant before an identifier, a job's or an upload's id.
var secretPaths = regexp.MustCompile(`(/~)[^/?#]+|(/zip/)[^/?#]+|(/uploads/)[^/?#]+`)

// signedTokens are compact JWS (RFC 7515 §7.1): what looks like one is a credential wherever a caller has put it, such
// as after an ampersand in the path, or inside an address within the query.
var signedTokens = regexp.MustCompile(`eyJ[A-Za-z0-9_-]+(?:(?:\.|%2[eE])[A-Za-z0-9_-]*)+`)

func redactURL(s string) string {
	s = signedTokens.ReplaceAllString(s, redacted)
	rest, fragment, hasFragment := strings.Cut(s, "#")
	path, query, hasQuery := strings.Cut(rest, "?")
	path = secretPaths.ReplaceAllString(path, "${1}${2}${3}"+redacted)
	if at := strings.Index(path, "@"); at >= 0 {
		if scheme := strings.Index(path, "://"); scheme >= 0 && scheme < at && !strings.Contains(path[scheme+3:at], "/") {
			path = path[:scheme+3] + redacted + path[at:]
		}
	}
	if hasQuery {
		path += "?" + redactQuery(query)
	}
	if hasFragment {
		path += "#" + redactQuery(fragment)
	}
	return path
}

// redactQuery keeps the order and the spelling of all parameters that are no secret; whatever parts them becomes "&".
func redactQuery(query string) string {
	// A question mark or a semicolon may be read as another separator by what stands behind us.
	parts := strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' || r == '?' })
	for i, part := range parts {
		key, _, hasValue := strings.Cut(part, "=")
		name, err := url.QueryUnescape(key)
		switch {
		case err != nil:
			parts[i] = redacted
		case hasValue && secretKeys[strings.ToLower(strings.TrimSpace(name))]:
			parts[i] = key + "=" + redacted
		}
	}
	return strings.Join(parts, "&")
}

var (
	_ logging.LogFieldFilter = (*RedactFilter)(nil)
	_ caddyfile.Unmarshaler  = (*RedactFilter)(nil)
)
