// Package caddymodule is the door between Caddy and Gatehouse, and the only package that imports Caddy. It turns
// Caddyfile and JSON into the parts that the other packages make, mounts them as handlers, and keeps them alive over
// reloads.
package caddymodule

import (
	"encoding/json"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
)

func init() {
	for _, module := range []caddy.Module{
		new(App), AuthHandler{}, AuthorizeHandler{}, ImagesHandler{}, HealthHandler{}, RedactFilter{}, Admin{},
	} {
		caddy.RegisterModule(module)
	}
	httpcaddyfile.RegisterGlobalOption(appID, parseApp)

	// In the order in which a request meets them: each Before puts a directive behind the ones that were registered
	// before it. The first two work on what `handle` and its siblings then answer.
	for _, directive := range []struct {
		name   string
		parse  httpcaddyfile.UnmarshalHandlerFunc
		before string
	}{
		{"gatehouse_auth", parseAuth, "invoke"},
		{"gatehouse_authorize", parseAuthorize, "invoke"},
		{"gatehouse_health", parseHealth, "respond"},
		{"gatehouse_iiif", parseImages, "respond"},
	} {
		httpcaddyfile.RegisterHandlerDirective(directive.name, directive.parse)
		httpcaddyfile.RegisterDirectiveOrder(directive.name, httpcaddyfile.Before, directive.before)
	}
	registerCommands()
}

// parseApp reads the global option `gatehouse`.
func parseApp(d *caddyfile.Dispenser, existing any) (any, error) {
	if existing != nil {
		return nil, d.Err("the gatehouse block is given twice")
	}
	var config Config
	if err := config.UnmarshalCaddyfile(d); err != nil {
		return nil, err
	}
	return httpcaddyfile.App{Name: appID, Value: caddyconfig.JSON(config, nil)}, nil
}

// authorizedKey is where a block remembers which collections its requests are authorized for.
const authorizedKey = "gatehouse_authorized"

// noteAuthorized remembers that what follows in this block, and in the blocks inside it, is authorized.
func noteAuthorized(h httpcaddyfile.Helper, collection string) {
	if h.BlockState == nil {
		return
	}
	known, _ := h.BlockState[authorizedKey].([]string)
	h.BlockState[authorizedKey] = append(known[:len(known):len(known)], collection)
}

// warnUnauthorized adds a warning where a collection with a policy is served without a decision before it. Every request
// for it would be answered 500.
func warnUnauthorized(h httpcaddyfile.Helper, collection string) {
	app, ok := h.Option(appID).(httpcaddyfile.App)
	if !ok {
		return
	}
	var config Config
	if json.Unmarshal(app.Value, &config) != nil {
		return
	}
	c, found := config.Collections[collection]
	if !found || c.public() {
		return
	}
	known, _ := h.BlockState[authorizedKey].([]string)
	for _, name := range known {
		if name == collection {
			return
		}
	}
	// Turning this value into JSON is the way a directive has to add a warning.
	h.JSON(warning{file: h.File(), line: h.Line(), collection: collection})
}
