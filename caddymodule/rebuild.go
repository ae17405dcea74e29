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
	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// rebuilt makes the request for whatever stands behind gatehouse_authorize: its address is put together from our own
// parse, so that a server that reads addresses in another way cannot find another image in it, and it carries neither a
// credential nor a body. It is an error when the address would not arrive as it was judged.
func rebuilt(ctx context.Context, r *http.Request, prefix string, request iiif.Request) (*http.Request, error) {
	out := r.WithContext(ctx)
	out.Header = passedOn(r.Header)
	out.Body, out.GetBody, out.ContentLength, out.TransferEncoding, out.Trailer = http.NoBody, nil, 0, nil, nil
	out.Form, out.PostForm, out.MultipartForm = nil, nil, nil
	head := prefix + "/" + strconv.Itoa(request.Version) + "/"
	tail := pageSuffixOf(request)
	out.URL = &url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host}
	switch request.Kind {
	case iiif.Info:
		tail += "/info.json"
	case iiif.ImageRequest:
		tail += "/" + request.Params.String()
	case iiif.SourceFile:
		out.URL.RawQuery = "source_file=true"
	}
	out.URL.Path = head + request.Identifier + tail
	// Of all that parameters hold, only the caret is not allowed in a path.
	out.URL.RawPath = head + url.PathEscape(request.Identifier) + strings.ReplaceAll(tail, "^", "%5E")
	if out.URL.EscapedPath() != out.URL.RawPath {
		return nil, problem.New(http.StatusBadRequest, "address", "The address cannot be passed on to the image server")
	}
	out.RequestURI = out.URL.RequestURI()
	return out, nil
}

// pageSuffix is how an identifier names a page.
var pageSuffix = regexp.MustCompile(`;p=[0-9]+$`)

// pageSuffixOf names the page, and also the first one where the identifier itself ends as if it named another.
func pageSuffixOf(request iiif.Request) string {
	if request.Page > 1 || pageSuffix.MatchString(request.Identifier) {
		return ";p=" + strconv.Itoa(request.Page)
	}
	return ""
}

// pathParameters are what Java servers cut off each path segment before they look at it.
var pathParameters = regexp.MustCompile(`;[^/]*`)

// mayReach tells whether a path that is no request of ours could still be read as one below prefix by what stands
// behind: with another case, encoded, with dots and doubled slashes, or with path parameters in it.
func mayReach(prefix string, u *url.URL) bool {
	if u.Opaque != "" || !strings.HasPrefix(u.Path, "/") && u.Path != "*" {
		// No address of a page, whatever a server may make of it.
		return true
	}
	prefix = strings.ToLower(prefix)
	decoded := u.Path
	for range maxDecodings {
		p := strings.ToLower(strings.ReplaceAll(decoded, `\`, "/"))
		for _, p := range []string{p, pathParameters.ReplaceAllString(p, "")} {
			if below(prefix, p) || below(prefix, path.Clean("/"+p)) {
				return true
			}
		}
		again := decodeLeniently(decoded)
		if again == decoded {
			return false
		}
		decoded = again
	}
	return true
}

// maxDecodings is how often a careless chain of servers may decode an address. What is still encoded then is meant to
// get past somebody.
const maxDecodings = 5

var escapes = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// decodeLeniently undoes what is percent-encoded and leaves alone what only looks so.
func decodeLeniently(s string) string {
	return escapes.ReplaceAllStringFunc(s, func(escape string) string {
		b, err := strconv.ParseUint(escape[1:], 16, 8)
		if err != nil {
			return escape
		}
		return string([]byte{byte(b)})
	})
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
