package caddymodule

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/gatehouse-server/gatehouse/authn/principal"
)

func TestCallersAreToldApart(t *testing.T) {
	from := func(address string, who *principal.Principal) string {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		ctx := context.WithValue(r.Context(), caddyhttp.VarsCtxKey, map[string]any{caddyhttp.ClientIPVarKey: address})
		if who != nil {
			ctx = principal.NewContext(ctx, who)
		}
		return callerOf(r.WithContext(ctx))
	}
	ann := &principal.Principal{Kind: principal.Bearer, Issuer: "city", Subject: "ann"}
	for _, test := range []struct {
		what string
		a, b string
		same bool
	}{
		{"two addresses", from("192.0.2.1", nil), from("192.0.2.2", nil), false},
		{"one address", from("192.0.2.1", nil), from("::ffff:192.0.2.1", principal.Nobody()), true},
		{"one network", from("2001:db8:1:2::3", nil), from("2001:db8:1:2:ffff::9%eth0", nil), true},
		{"two networks", from("2001:db8:1:2::3", nil), from("2001:db8:1:3::3", nil), false},
		{"a person at two places", from("192.0.2.1", ann), from("192.0.2.2", ann), true},
		{"a person and the neighbour", from("192.0.2.1", ann), from("192.0.2.1", nil), false},
		{"subjects of two issuers", from("192.0.2.1", ann), from("192.0.2.1", &principal.Principal{Kind: principal.Bearer, Issuer: "state", Subject: "ann"}), false},
		{"no address", from("", nil), from("nonsense", nil), false},
	} {
		if (test.a == test.b) != test.same {
			t.Errorf("%s: %q and %q", test.what, test.a, test.b)
		}
	}
}
