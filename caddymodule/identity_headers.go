package caddymodule

import (
	"net/http"
	"strings"
)

// identityPrefix begins every header by which Gatehouse tells a server behind it who asks.
const identityPrefix = "X-Gatehouse-"

// rewriteHeaders make some servers act on another address than the one that was authorized.
var rewriteHeaders = []string{
	"X-Original-Url", "X-Rewrite-Url", "X-Original-Uri", "X-Http-Method-Override", "X-Http-Method", "X-Method-Override",
	"X-Forwarded-Path", "X-Forwarded-Prefix", "X-Forwarded-Uri", "X-Forwarded-Id", "X-Iiif-Id",
}

// removeIdentityHeaders takes away what only Gatehouse may say.
func removeIdentityHeaders(h http.Header) {
	for name := range h {
		// Servers behind a CGI-like gateway read an underscore as a hyphen.
		if strings.HasPrefix(http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-")), identityPrefix) {
			delete(h, name)
		}
	}
}

// removeCredentials takes away what the server behind must not see, or must not act on.
func removeCredentials(h http.Header) {
	for _, name := range []string{"Authorization", "Cookie", "X-Auth-Token", "X-User-Token", "X-Api-Token"} {
		h.Del(name)
	}
	for _, name := range rewriteHeaders {
		h.Del(name)
	}
	// A connection that became another protocol would be past the decision.
	h.Del("Upgrade")
	h.Del("Connection")
}
