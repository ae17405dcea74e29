package caddymodule

import (
	"net/http"
	"net/netip"

	"github.com/gatehouse-server/gatehouse/authn/principal"
)

// callerOf is who renders are shared out among: a person wherever they ask from, or else an address. An IPv6 client has a
// whole network of addresses to choose from, and counts as that.
func callerOf(r *http.Request) string {
	if who, _ := principal.FromContext(r.Context()); who != nil && who.Subject != "" {
		return string(who.Kind) + " " + who.Issuer + " " + who.Subject
	}
	text := clientAddress(r)
	address, err := netip.ParseAddr(text)
	if err != nil {
		return text
	}
	if address = address.Unmap().WithZone(""); address.Is6() {
		const network = 64
		if prefix, err := address.Prefix(network); err == nil {
			return prefix.String()
		}
	}
	return address.String()
}
