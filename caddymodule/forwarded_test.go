package caddymodule

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// What handlers before ours took off the path still stands in the addresses that the client is given.
func TestBaseURLKeepsTheStrippedPrefix(t *testing.T) {
	for original, want := range map[string]string{
		"/archive/iiif/3/a%2Fb/info.json": "http://example.com/archive",
		"/iiif/3/a%2Fb/info.json":         "http://example.com",
		"/rewritten/elsewhere":            "http://example.com",
	} {
		before, err := url.ParseRequestURI(original)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "/iiif/3/a%2Fb/info.json", nil)
		ctx := context.WithValue(r.Context(), caddyhttp.OriginalRequestCtxKey, http.Request{URL: before})
		ctx = context.WithValue(ctx, caddyhttp.VarsCtxKey, map[string]any{caddyhttp.TrustedProxyVarKey: false})
		if got := requestBaseURL(r.WithContext(ctx)); got != want {
			t.Errorf("%s: %s, want %s", original, got, want)
		}
	}
}
