package caddymodule

import (
	"net/url"
	"strings"
)

// firstOf is the first of a list in a header: what the proxy nearest to the client said.
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
