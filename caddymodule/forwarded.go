package caddymodule

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/gatehouse-server/gatehouse/iiif"
)

// requestBaseURL is scheme and host as the client saw them. Forwarded headers count only from the proxies that the
// server is configured to trust.
func requestBaseURL(r *http.Request) string {
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if trusted, _ := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool); trusted {
		if proto := firstOf(r.Header.Get("X-Forwarded-Proto")); proto == "http" || proto == "https" {
			scheme = proto
		}
		if forwarded := firstOf(r.Header.Get("X-Forwarded-Host")); validHost(forwarded) {
			host = forwarded
		}
	}
	return scheme + "://" + host + strippedPrefix(r)
}

// strippedPrefix is what handlers such as handle_path took off the path before us, which the client still sees.
func strippedPrefix(r *http.Request) string {
	original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request)
	if !ok || original.URL == nil {
		return ""
	}
	prefix, found := strings.CutSuffix(iiif.RawPath(original.URL), iiif.RawPath(r.URL))
	if !found {
		return ""
	}
	return strings.TrimSuffix(prefix, "/")
}

// firstOf is the first of a list in a header: what the client itself asked for, where each proxy adds to the list.
func firstOf(header string) string {
	first, _, _ := strings.Cut(header, ",")
	return strings.TrimSpace(first)
}

// validHost tells whether a forwarded host is a host with an optional port and nothing else.
func validHost(host string) bool {
	if host == "" || strings.ContainsAny(host, "/\\?#@ \t") {
		return false
	}
	u, err := url.Parse("http://" + host)
	return err == nil && u.Host == host && u.Hostname() != ""
}
