package caddymodule

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/gatehouse-server/gatehouse/iiif"
)

// rebuilt makes the request for whatever stands behind gatehouse_authorize: its address is put together from our own
// parse, so that a server that reads addresses in another way cannot find another image in it, and it carries neither a
// credential nor a body.
func rebuilt(ctx context.Context, r *http.Request, prefix string, request iiif.Request) *http.Request {
	out := r.Clone(ctx)
	removeIdentityHeaders(out.Header)
	removeHeldBack(out.Header)
	out.Body, out.ContentLength, out.TransferEncoding = http.NoBody, 0, nil
	identifier := request.Identifier
	suffix := ""
	if request.Page > 1 {
		suffix = ";p=" + strconv.Itoa(request.Page)
	}
	out.URL = &url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host}
	head := prefix + "/" + strconv.Itoa(request.Version) + "/"
	tail := ""
	switch request.Kind {
	case iiif.Info:
		tail = "/info.json"
	case iiif.ImageRequest:
		tail = "/" + request.Params.String()
	case iiif.SourceFile:
		out.URL.RawQuery = "source_file=true"
	}
	out.URL.Path = head + identifier + suffix + tail
	out.URL.RawPath = head + url.PathEscape(identifier) + suffix + tail
	out.RequestURI = out.URL.RequestURI()
	return out
}

// pathParameters are what Java servers cut off each path segment before they look at it.
var pathParameters = regexp.MustCompile(`;[^/]*`)

// mayReach tells whether a path that is no request of ours could still be read as one below prefix by what stands
// behind: with another case, encoded, with dots and doubled slashes, or with path parameters in it.
func mayReach(prefix string, u *url.URL) bool {
	decoded := u.Path
	// Twice decoded is what a careless server makes of it.
	if again, err := url.PathUnescape(decoded); err == nil {
		decoded = again
	}
	prefix = strings.ToLower(prefix)
	for _, p := range []string{u.Path, decoded} {
		p = strings.ToLower(strings.ReplaceAll(p, `\`, "/"))
		for _, p := range []string{p, pathParameters.ReplaceAllString(p, "")} {
			if below(prefix, p) || below(prefix, path.Clean("/"+p)) {
				return true
			}
		}
	}
	return false
}

func below(prefix, p string) bool {
	rest, found := strings.CutPrefix(p, prefix)
	return found && (rest == "" || rest[0] == '/')
}

// hasSecretQuery tells whether the address carries a credential.
func hasSecretQuery(u *url.URL) bool {
	if u.RawQuery == "" {
		return false
	}
	for key := range u.Query() {
		if secretKeys[strings.ToLower(key)] {
			return true
		}
	}
	return false
}
