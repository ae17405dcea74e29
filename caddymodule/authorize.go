package caddymodule

import (
	"context"
	"errors"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/iiif"
	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// AuthorizeHandler is the directive `gatehouse_authorize`: it decides by a collection's policy whether the caller that
// `gatehouse_auth` found may have the image that the address names. What it lets through carries the decision to
// `gatehouse_iiif`; to any other handler behind it, such as `reverse_proxy` to an existing image server, it goes without
// credentials, as an address made anew from what was authorized.
//
// Below the collection's prefix it passes nothing on that is not a request of the Image API; outside the prefix it does
// nothing.
type AuthorizeHandler struct{ collectionHandler }

// CaddyModule gives the module's name.
func (AuthorizeHandler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.gatehouse_authorize", New: func() caddy.Module { return new(AuthorizeHandler) }}
}

// ServeHTTP implements caddyhttp.MiddlewareHandler.
func (h *AuthorizeHandler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	request, ours, err := h.collection.parse(r)
	if err == nil && !ours {
		if !mayReach(h.collection.prefix, r.URL) {
			removeOverrides(r.Header)
			return next.ServeHTTP(w, r)
		}
		err = problem.New(http.StatusNotFound, "not_found", "This address is no request of the IIIF Image API")
	}
	if !h.app.acquire() {
		return caddyhttp.Error(http.StatusServiceUnavailable, errStopped)
	}
	defer h.app.release()
	r, t, end := withTrace(r)
	defer end()
	t.name = h.Collection
	allowAnyOrigin(w.Header())

	var granted *grant
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		granted, err = h.decide(r, request, err)
	} else if err = h.collection.handler.ServeHTTP(w, r); err == nil {
		// A preflight needs no decision.
		return nil
	}
	if err != nil {
		t.failed(err)
		h.app.refuse(w, r, err)
		return nil
	}
	t.decided(granted.decision)
	if granted.request.Kind == iiif.Base {
		// Ours to answer: the query, which may hold the caller's token, goes on with the redirect.
		return h.redirect(w, r, granted)
	}
	writer := newGuardedWriter(w, granted)
	err = h.passOn(writer, r, granted, next)
	if granted.decision.Restricted && writer.shown(r) {
		h.app.audit(r, granted)
	}
	return err
}

// redirect leads from the bare identifier to its info.json.
func (h *AuthorizeHandler) redirect(w http.ResponseWriter, r *http.Request, granted *grant) error {
	err := h.collection.handler.ServeHTTP(w, r.WithContext(authz.NewContext(r.Context(), granted.decision)))
	if err != nil {
		h.app.refuse(w, r, err)
	}
	return nil
}

// grant is what an authorized request carries to gatehouse_iiif.
type grant struct {
	decision authz.Decision
	lookup   lookup
	request  iiif.Request
	// original is the request as the caller sent it.
	original *http.Request
	// claimed is set by gatehouse_iiif, the only handler that can show a smaller image.
	claimed bool
}

type grantKey struct{}

// decide answers whether the caller may have what was asked for; a denial is an error. An address that cannot be read
// is refused with badAddress, unless the caller is refused for a reason that needs no address.
func (h *AuthorizeHandler) decide(r *http.Request, request iiif.Request, badAddress error) (*grant, error) {
	who, _ := principal.FromContext(r.Context())
	if who == nil {
		who = principal.Nobody()
	}
	found := h.collection.lookup(request)
	var facts authz.Facts = found
	if badAddress != nil {
		facts = malformed{lookup: h.collection.items.Lookup(request.RefusedIdentifier), identifier: request.RefusedIdentifier != "", err: badAddress}
	}
	decision, err := h.collection.decide(r.Context(), who, request, facts)
	if err != nil {
		return nil, err
	}
	if decision.RuleError != nil {
		h.app.logger.Warn("a rule could not be evaluated", "collection", h.Collection, "rule", decision.Rule, "error", decision.RuleError)
	}
	if decision.Allowed() && badAddress != nil {
		return nil, badAddress
	}
	if !decision.Allowed() {
		return nil, &problem.Error{Status: decision.Status, Code: decision.Code, Detail: decision.Reason, Denial: true}
	}
	return &grant{decision: decision, lookup: found, request: request, original: r}, nil
}

// passOn calls the next handler. A tier is a smaller image, which only gatehouse_iiif can make: any other handler gets a
// request that has already ended, and its answer is replaced by a refusal. So is any failure behind, which could else
// reach an error route with the request as the caller sent it.
func (h *AuthorizeHandler) passOn(w *guardedWriter, r *http.Request, granted *grant, next caddyhttp.Handler) error {
	ctx := context.WithValue(authz.NewContext(r.Context(), granted.decision), grantKey{}, granted)
	tier := granted.decision.Outcome == authz.Tier
	if tier {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		cancel()
	}
	cut := forgetOriginal(ctx, w)
	out, err := rebuilt(cut, r, h.collection.prefix, granted.request)
	if err == nil {
		cut.request = out
		err = next.ServeHTTP(w, out)
	}
	switch {
	case granted.claimed:
		return err
	case tier:
		err = &problem.Error{
			Status: http.StatusForbidden, Code: "tier_not_enforceable", Denial: true,
			Detail: tierDetail(granted.decision),
		}
	case err == nil:
		return nil
	default:
		err = behindFailed(err)
	}
	traceFrom(r.Context()).failed(err)
	if w.status == 0 {
		h.app.refuse(w.ResponseWriter, r, err)
	}
	return nil
}

func tierDetail(decision authz.Decision) string {
	if decision.MaxSide > 0 {
		return "Only a smaller image may be shown, which this server cannot make"
	}
	return "Only a changed image may be shown, which this server cannot make"
}

// behindFailed is what the caller is told of a failure of the handlers behind.
func behindFailed(err error) error {
	var known *problem.Error
	if errors.As(err, &known) {
		return err
	}
	status := http.StatusBadGateway
	var handlerError caddyhttp.HandlerError
	if errors.As(err, &handlerError) && handlerError.StatusCode >= http.StatusBadRequest {
		status = handlerError.StatusCode
	}
	return problem.Wrap(err, status, "behind_failed", "The image server cannot answer this request")
}

func parseAuthorize(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	handler := new(AuthorizeHandler)
	if err := handler.parse(h); err != nil {
		return nil, err
	}
	noteAuthorized(h, handler.Collection)
	return handler, nil
}
