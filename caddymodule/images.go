package caddymodule

import (
	"context"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/iiif"
	"github.com/gatehouse-server/gatehouse/render"
)

// ImagesHandler is the directive `gatehouse_iiif`: it serves a collection by the IIIF Image API, 2.1.1 below PREFIX/2/
// and 3.0 below PREFIX/3/. A collection with a policy needs `gatehouse_authorize` for the same collection before it;
// without its decision the answer is 500. A path outside the prefix goes on to the next handler.
type ImagesHandler struct{ collectionHandler }

// CaddyModule gives the module's name.
func (ImagesHandler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.gatehouse_iiif", New: func() caddy.Module { return new(ImagesHandler) }}
}

// ServeHTTP implements caddyhttp.MiddlewareHandler.
func (h *ImagesHandler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	granted, authorized := r.Context().Value(grantKey{}).(*grant)
	// A grant for another collection is none of ours: its request stays as it was rebuilt for whoever it is for.
	authorized = authorized && granted.decision.Collection == h.Collection
	if authorized && h.collection.handler.Match(granted.original) {
		granted.claimed = true
		r = granted.original
	} else if !h.collection.handler.Match(r) {
		return next.ServeHTTP(w, r)
	}
	if !h.app.acquire() {
		return caddyhttp.Error(http.StatusServiceUnavailable, errStopped)
	}
	defer h.app.release()
	r, t, end := withTrace(r)
	defer end()
	t.name = h.Collection

	ctx := r.Context()
	var request iiif.Request
	ours, badAddress := true, error(nil)
	if authorized {
		// The address is what was decided about, and not read again.
		request = granted.request
		ctx = withLookup(authz.NewContext(ctx, granted.decision), granted.lookup)
	} else if request, ours, badAddress = h.collection.parse(r); badAddress == nil && h.collection.public() {
		decision := authz.Public(h.Collection, request.RawIdentifier, h.collection.maxAge)
		t.decided(decision)
		ctx = withLookup(authz.NewContext(ctx, decision), h.collection.lookup(request))
	}
	ctx = render.WithCaller(h.app.withBypass(ctx, r), callerOf(r))
	ctx, endAnswer := h.app.answers.begin(ctx)
	defer endAnswer()
	writeWholeTiles(ctx)
	r = r.WithContext(ctx)
	if err := h.collection.handler.ServeParsed(w, r, request, ours, badAddress); err != nil {
		t.failed(err)
		h.app.refuse(w, r, err)
	}
	return nil
}

// tileBytes is what most tiles of 512 pixels fit into.
const tileBytes = 128 << 10

// writeWholeTiles lets a tile go out at once. Caddy cuts answers into pieces of 64 KB, for each of which a slow caller has
// a minute, and many tiles are a little larger. Where somebody configured another piece, it stays.
func writeWholeTiles(ctx context.Context) {
	if _, writer := caddyhttp.IdleTimeoutsFromContext(ctx); writer != nil && writer.MaxChunk == caddyhttp.DefaultMaxWriteChunk {
		writer.MaxChunk = tileBytes
	}
}

func parseImages(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	handler := new(ImagesHandler)
	if err := handler.parse(h); err != nil {
		return nil, err
	}
	warnUnauthorized(h, handler.Collection)
	return handler, nil
}

var _ iiif.Images = (*pipeline)(nil)
