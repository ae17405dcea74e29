package caddymodule

import (
	"net/http"
	"slices"
	"strings"
)

// identityPrefix begins every header by which Gatehouse tells a server behind it who asks.
const identityPrefix = "X-Gatehouse-"

// overrides make some servers act on another address or method than the request's own.
var overrides = []string{
	"X-Original-Url", "X-Rewrite-Url", "X-Original-Uri", "X-Http-Method-Override", "X-Http-Method", "X-Method-Override",
	"X-Forwarded-Path", "X-Forwarded-Prefix", "X-Forwarded-Uri", "X-Forwarded-Id", "X-Iiif-Id",
}

// heldBack are the other headers that a server behind gets from nobody who came through here: credentials, and
// addresses that may hold some; what belongs to a body or to another protocol on the same connection, in which further
// requests could hide.
var heldBack = []string{
	"Authorization", "Cookie", "X-Auth-Token", "X-User-Token", "X-Api-Token", "Referer",
	"Connection", "Upgrade", "Http2-Settings", "Te", "Trailer", "Expect",
	"Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding",
}

// removeIdentityHeaders takes away what only Gatehouse may say.
func removeIdentityHeaders(h http.Header) {
	for name := range h {
		if strings.HasPrefix(asGateways(name), identityPrefix) {
			delete(h, name)
		}
	}
}

// passedOn are the headers that the server behind may see and act on, as a map of its own.
func passedOn(h http.Header) http.Header {
	out := make(http.Header, len(h))
	values := make([]string, 0, len(h))
	for name := range h {
		known := asGateways(name)
		if !strings.HasPrefix(known, identityPrefix) && !slices.Contains(heldBack, known) && !slices.Contains(overrides, known) {
			// Without room behind them, so that who adds a value to one does not write over the next.
			first := len(values)
			values = append(values, h[name]...)
			out[name] = slices.Clip(values[first:])
		}
	}
	return out
}

// removeOverrides takes away what could turn a request that nobody judged into one that somebody has to.
func removeOverrides(h http.Header) { removeAll(h, overrides) }

func removeAll(h http.Header, names []string) {
	for name := range h {
		if slices.Contains(names, asGateways(name)) {
			delete(h, name)
		}
	}
}

// asGateways is a header's name as servers behind a CGI-like gateway read it, for whom an underscore is a hyphen.
func asGateways(name string) string {
	return http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-"))
}
