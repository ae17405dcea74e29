package caddymodule

import (
	"net/http"
	"slices"
	"strings"
)

// identityPrefix begins every header by which Gatehouse tells a server behind it who asks.
const identityPrefix = "X-Gatehouse-"

// heldBack are the headers that a server behind gets from nobody who came through here: credentials, and addresses
// that may hold some; what makes some servers act on another address or method than the one that was authorized; and
// what belongs to a body or to another protocol on the same connection, in which further requests could hide.
var heldBack = []string{
	"Authorization", "Cookie", "X-Auth-Token", "X-User-Token", "X-Api-Token", "Referer",
	"X-Original-Url", "X-Rewrite-Url", "X-Original-Uri", "X-Http-Method-Override", "X-Http-Method", "X-Method-Override",
	"X-Forwarded-Path", "X-Forwarded-Prefix", "X-Forwarded-Uri", "X-Forwarded-Id", "X-Iiif-Id",
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

// removeHeldBack takes away what the server behind must not see, or must not act on.
func removeHeldBack(h http.Header) {
	for name := range h {
		if slices.Contains(heldBack, asGateways(name)) {
			delete(h, name)
		}
	}
}

// asGateways is a header's name as servers behind a CGI-like gateway read it, for whom an underscore is a hyphen.
func asGateways(name string) string {
	return http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-"))
}
