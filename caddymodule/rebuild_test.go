package caddymodule

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/iiif"
)

// What goes on to a server behind us is made from what was authorized, whatever the caller's spelling was.
func TestRebuiltRequest(t *testing.T) {
	tests := map[string]string{
		"/iiif/2/a/full/full/0/default.jpg":                     "/iiif/2/a/full/full/0/default.jpg",
		"/iiif/2/a/full/full/0/default.jpg?auth=S&x=1":          "/iiif/2/a/full/full/0/default.jpg",
		"/iiif/2/%61/full/full/0/default.jpg":                   "/iiif/2/a/full/full/0/default.jpg",
		"/iiif/2/a%2Fb/info.json":                               "/iiif/2/a%2Fb/info.json",
		"/iiif/2/a%253Cb/info.json":                             "/iiif/2/a%253Cb/info.json",
		"/iiif/3/edepot:ST_1~B%20(2)_0/0,0,10,10/5,/0/gray.png": "/iiif/3/edepot:ST_1~B%20%282%29_0/0,0,10,10/5,/0/gray.png",
		"/iiif/3/a/pct:0.50,0,10,10/max/90.0/default.jpg":       "/iiif/3/a/pct:0.5,0,10,10/max/90/default.jpg",
		"/iiif/2/a?source_file=true&auth=S":                     "/iiif/2/a?source_file=true",
		"/iiif/3/a/info.json?page=3":                            "/iiif/3/a;p=3/info.json",
		"/iiif/3/a%2Fb/full/^max/0/default.jpg":                 "/iiif/3/a%2Fb/full/%5Emax/0/default.jpg",
		"/iiif/3/a%2Fb/full/%5Emax/0/default.jpg":               "/iiif/3/a%2Fb/full/%5Emax/0/default.jpg",
		"/iiif/3/a;p=2;p=1/info.json":                           "/iiif/3/a%3Bp=2;p=1/info.json",
		"/%69iif/3/a/info.json":                                 "/iiif/3/a/info.json",
	}
	for in, want := range tests {
		r := httptest.NewRequest(http.MethodGet, in, strings.NewReader("_method=DELETE"))
		for name, value := range map[string]string{
			"Authorization": "Bearer S", "Cookie": "s=1", "X-Original-Url": "/iiif/2/b/info.json", "X-Rewrite-Url": "/b",
			"X-Forwarded-Id": "b", "X-Http-Method-Override": "DELETE", "Accept": "image/webp", "Referer": "/?auth=S",
			"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings", "Http2-Settings": "AA", "X-Gatehouse-Subject": "me",
			"Content-Type": "application/x-www-form-urlencoded",
		} {
			r.Header.Set(name, value)
		}
		r.Header["X_original_url"] = []string{"/b"}
		request, ours, err := iiif.ParsePath("/iiif", iiif.RawPath(r.URL), r.URL.RawQuery)
		if err != nil || !ours {
			t.Errorf("%s: %t, %v", in, ours, err)
			continue
		}
		out, err := rebuilt(r.Context(), r, "/iiif", request)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := out.URL.RequestURI(); got != want || out.RequestURI != want {
			t.Errorf("%s became %s and %s, want %s", in, got, out.RequestURI, want)
		}
		if out.Body != http.NoBody || out.ContentLength != 0 {
			t.Errorf("%s: the body goes on", in)
		}
		if len(out.Header) != 1 || out.Header.Get("Accept") == "" {
			t.Errorf("%s: headers %v, want Accept alone", in, out.Header)
		}
	}
}

func TestMayReach(t *testing.T) {
	tests := map[string]bool{
		"/iiif": true, "/iiif/": true, "/iiif/4/a": true, "/iiif/admin": true, "/IIIF/2/a/info.json": true,
		"//iiif/2/a": true, "/x/../iiif/2/a": true, "/x/%2e%2e/iiif/2/a": true, "/%69iif/2/a": true, "/%2569iif/2/a": true,
		"/x%5c..%5ciiif/2/a": true, "/iiif%2f2%2fa": true,
		"/%256daps": false, "/%2569iif/2/a/info.json%25": true, "/%25252569iif/2/a": true, "/%25252525252569iif": true,
		"/iiif;x=1/2/a": true, "/;x/iiif/2/a": true, "/x/..;/iiif/2/a": true, "/x/..;a=b/iiif/2/a": true, "/iiif%3bx/2/a": true,
		"/": false, "/other": false, "/iiifx/2/a": false, "/x/iiif/2/a": false, "/other?x=/iiif/2/a": false,
	}
	for in, want := range tests {
		u, err := url.ParseRequestURI(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := mayReach("/iiif", u); got != want {
			t.Errorf("mayReach(%s) = %t", in, got)
		}
	}
}

func TestIdentityHeadersOfClientsAreRemoved(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header["X-Gatehouse-Subject"] = []string{"me"}
	r.Header["x-gatehouse-signer"] = []string{"me"}
	r.Header["X_gatehouse_scopes"] = []string{"BD/X"}
	r.Header.Set("X-Other", "1")
	removeIdentityHeaders(r.Header)
	if len(r.Header) != 1 {
		t.Errorf("left are %v", r.Header)
	}
}

func TestHeadersPassedOnAreACopy(t *testing.T) {
	h := http.Header{"Accept": {"a", "b"}, "Via": {"c"}, "Cookie": {"secret"}, "x_gatehouse_subject": {"me"}, "X-Original-URL": {"/other"}}
	before := h.Clone()
	out := passedOn(h)
	if want := (http.Header{"Accept": {"a", "b"}, "Via": {"c"}}); !reflect.DeepEqual(out, want) {
		t.Errorf("passed on are %v, want %v", out, want)
	}
	out.Add("Accept", "d")
	out.Add("Via", "e")
	out["Via"][0] = "f"
	if !reflect.DeepEqual(h, before) || !slices.Equal(out["Accept"], []string{"a", "b", "d"}) || !slices.Equal(out["Via"], []string{"f", "e"}) {
		t.Errorf("changed to %v, the caller's are %v", out, h)
	}
}

func TestValidHost(t *testing.T) {
	for host, want := range map[string]bool{
		"example.org": true, "example.org:8443": true, "[::1]:80": true,
		"": false, "a/b": false, "a@b": false, "a b": false, "a?b": false, "http://a": false, ":80": false, "a:b": false,
	} {
		if got := validHost(host); got != want {
			t.Errorf("validHost(%q) = %t", host, got)
		}
	}
}
