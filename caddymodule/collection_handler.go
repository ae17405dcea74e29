package caddymodule

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
)

// collectionHandler is what the handlers of one collection have in common.
type collectionHandler struct {
	// The name of the collection.
	Collection string `json:"collection"`

	app        *App
	collection *collectionRuntime
}

// Provision finds the collection.
func (h *collectionHandler) Provision(ctx caddy.Context) (err error) {
	if h.app, err = appOf(ctx); err != nil {
		return err
	}
	h.collection, err = h.app.collectionByName(h.Collection)
	return err
}

// parse reads `DIRECTIVE COLLECTION`.
func (h *collectionHandler) parse(helper httpcaddyfile.Helper) error {
	helper.Next()
	directive := helper.Val()
	if !helper.AllArgs(&h.Collection) {
		return helper.Errf("%s takes the name of a collection: %s COLLECTION", directive, directive)
	}
	if helper.NextBlock(0) {
		return helper.Errf("%s takes no block", directive)
	}
	return nil
}

var _ caddy.Provisioner = (*collectionHandler)(nil)
