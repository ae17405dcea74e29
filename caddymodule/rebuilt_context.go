package caddymodule

import (
	"context"
	"maps"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// rebuiltContext makes Caddy's placeholders and its "original request" those of the rebuilt request, so that {uri} in a
// rewrite, or a FastCGI server, does not bring back what the caller sent. Everything else is the outer context's.
type rebuiltContext struct {
	context.Context
	replacer, original any
}

// Value implements context.Context.
func (c rebuiltContext) Value(key any) any {
	switch key {
	case caddy.ReplacerCtxKey:
		return c.replacer
	case caddyhttp.OriginalRequestCtxKey:
		return c.original
	}
	return c.Context.Value(key)
}

// forgetOriginal cuts the rebuilt request off from what the caller sent.
func forgetOriginal(out *http.Request, w http.ResponseWriter) *http.Request {
	outer := out.Context()
	server, ok := outer.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if !ok {
		return out
	}
	replacer := caddy.NewReplacer()
	if known, ok := outer.Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		replacer.Map(func(key string) (any, bool) {
			if strings.HasPrefix(key, "http.request.") {
				return nil, false
			}
			return known.Get(key)
		})
	}
	prepared := caddyhttp.PrepareRequest(out, replacer, w, server)
	if vars, ok := outer.Value(caddyhttp.VarsCtxKey).(map[string]any); ok {
		if fresh, ok := prepared.Context().Value(caddyhttp.VarsCtxKey).(map[string]any); ok {
			maps.Copy(fresh, vars)
		}
	}
	return prepared.WithContext(rebuiltContext{
		Context:  outer,
		replacer: replacer,
		original: prepared.Context().Value(caddyhttp.OriginalRequestCtxKey),
	})
}
