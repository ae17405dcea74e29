package caddymodule

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// rebuiltContext makes Caddy's placeholders and its "original request" those of the rebuilt request, so that {uri} in a
// rewrite, or a FastCGI server, does not bring back what the caller sent. Everything else is the outer context's. They are
// made when somebody asks for them: gatehouse_iiif does not.
type rebuiltContext struct {
	context.Context
	server *caddyhttp.Server
	writer http.ResponseWriter
	// request is the rebuilt one.
	request *http.Request

	once               sync.Once
	replacer, original any
}

// Value implements context.Context.
func (c *rebuiltContext) Value(key any) any {
	if c.server == nil {
		return c.Context.Value(key)
	}
	switch key {
	case caddy.ReplacerCtxKey:
		c.once.Do(c.prepare)
		return c.replacer
	case caddyhttp.OriginalRequestCtxKey:
		c.once.Do(c.prepare)
		return c.original
	}
	return c.Context.Value(key)
}

// prepare makes what Caddy would have made if the rebuilt request had come in.
func (c *rebuiltContext) prepare() {
	outer := c.Context
	replacer := caddy.NewReplacer()
	if known, ok := outer.Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		replacer.Map(func(key string) (any, bool) {
			if strings.HasPrefix(key, "http.request.") {
				return nil, false
			}
			return known.Get(key)
		})
	}
	prepared := caddyhttp.PrepareRequest(c.request.WithContext(outer), replacer, c.writer, c.server)
	if vars, ok := outer.Value(caddyhttp.VarsCtxKey).(map[string]any); ok {
		if fresh, ok := prepared.Context().Value(caddyhttp.VarsCtxKey).(map[string]any); ok {
			maps.Copy(fresh, vars)
		}
	}
	c.replacer, c.original = replacer, prepared.Context().Value(caddyhttp.OriginalRequestCtxKey)
}

// forgetOriginal gives the context of a request that is cut off from what the caller sent. The request is to be set in it
// before anybody gets it.
func forgetOriginal(outer context.Context, w http.ResponseWriter) *rebuiltContext {
	server, _ := outer.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	return &rebuiltContext{Context: outer, server: server, writer: w}
}
