package iiif

import (
	"net/url"
	"testing"
)

// TestRawPath: what one byte of a path is written as changes nothing about the others.
func TestRawPath(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{
		"/iiif/3/a/info.json":                              "/iiif/3/a/info.json",
		"/iiif/3/a%2Fb/info.json":                          "/iiif/3/a%2Fb/info.json",
		"/iiif/3/a%2fb%3bp=2/info.json":                    "/iiif/3/a%2fb%3bp=2/info.json",
		"/iiif/3/sub%2Fa.png/full/^max/0/default.jpg":      "/iiif/3/sub%2Fa.png/full/%5Emax/0/default.jpg",
		"/iiif/3/sub%2Fa.png/full/%5Emax/0/default.jpg":    "/iiif/3/sub%2Fa.png/full/%5Emax/0/default.jpg",
		`/iiif/3/a%2F"b"|c^d` + "`e`" + `{f}<g>/info.json`: "/iiif/3/a%2F%22b%22%7Cc%5Ed%60e%60%7Bf%7D%3Cg%3E/info.json",
		"/iiif/3/a%2F#b/info.json":                         "/iiif/3/a%2F%23b/info.json",
		"/iiif/3/a%2F\u00e9/info.json":                     "/iiif/3/a%2F%C3%A9/info.json",
		"/iiif/3/a%2F\xff/info.json":                       "/iiif/3/a%2F%FF/info.json",
		`/iiif/3/a%2F\b/info.json`:                         "/iiif/3/a%2F%5Cb/info.json",
		"/iiif/3/a%2F[x]~!$&'()*+,;=:@/info.json":          "/iiif/3/a%2F[x]~!$&'()*+,;=:@/info.json",
		"/iiif/3/a^b/info.json":                            "/iiif/3/a%5Eb/info.json",
	} {
		u, err := url.ParseRequestURI(sent)
		if err != nil {
			t.Errorf("%q: %v", sent, err)
			continue
		}
		got := RawPath(u)
		if decoded, err := url.PathUnescape(got); got != want || err != nil || decoded != u.Path {
			t.Errorf("RawPath of %q is %q, want %q", sent, got, want)
		}
		if again, err := url.ParseRequestURI(got); err != nil || again.EscapedPath() != got {
			t.Errorf("%q does not stay as it is as a URL", got)
		}
	}
}

// TestRawPathOfARewrittenURL: a handler in front that changes the path alone is obeyed.
func TestRawPathOfARewrittenURL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		u    url.URL
		want string
	}{
		{url.URL{Path: "/iiif/2/a b"}, "/iiif/2/a%20b"},
		{url.URL{Path: "/iiif/2/a^b", RawPath: "/x/iiif/2/a^b"}, "/iiif/2/a%5Eb"},
		{url.URL{Path: "/iiif/2/a/b", RawPath: "/iiif/2/a%2Fc^"}, "/iiif/2/a/b"},
		{url.URL{Path: "/iiif/2/a", RawPath: "/iiif/2/a%zz"}, "/iiif/2/a"},
		{url.URL{Path: "/iiif/2/a\nb", RawPath: "/iiif/2/a\nb"}, "/iiif/2/a%0Ab"},
		{url.URL{Path: "/iiif/2/a?b", RawPath: "/iiif/2/a?b"}, "/iiif/2/a%3Fb"},
		{url.URL{}, ""},
	} {
		if got := RawPath(&c.u); got != c.want {
			t.Errorf("RawPath of %q (%q) is %q, want %q", c.u.Path, c.u.RawPath, got, c.want)
		}
	}
}
