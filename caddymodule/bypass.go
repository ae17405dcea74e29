package caddymodule

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatehouse-server/gatehouse/authn/principal"
)

type bypassKey struct{}

// withBypass marks a request whose picture is to be made anew: one with `cache=bypass` in its query, from a caller who may
// ask for that. From others the query means nothing.
func (a *App) withBypass(ctx context.Context, r *http.Request) context.Context {
	if !strings.Contains(r.URL.RawQuery, "cache=") || r.URL.Query().Get("cache") != "bypass" {
		return ctx
	}
	if who, _ := principal.FromContext(r.Context()); !a.mayBypass(who) {
		return ctx
	}
	return context.WithValue(ctx, bypassKey{}, true)
}

func bypasses(ctx context.Context) bool { return ctx.Value(bypassKey{}) != nil }

// cachedIdentifier is the identifier that pictures are kept under: clients may write the same one in several ways.
func cachedIdentifier(raw string) string {
	if decoded, err := url.PathUnescape(raw); err == nil {
		return decoded
	}
	return raw
}
