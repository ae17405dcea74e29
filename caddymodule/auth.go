package caddymodule

import (
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/gatehouse-server/gatehouse/authn"
	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// The kinds of credential that a route may read.
const (
	credentialBearer    = "bearer"
	credentialMailLogin = "mail_login"
)

// AuthHandler is the directive `gatehouse_auth`. It verifies the credential that a request carries, refuses a bad one,
// and lets a request without one through as anonymous: what an anonymous caller may do is decided further on. It removes
// the headers by which only Gatehouse may say who asks.
//
// It sets the placeholders {gatehouse.principal.kind}, and for bearer tokens {http.auth.user.id}, which Caddy's access
// log shows; a mail address never goes into that log.
type AuthHandler struct {
	// Which credentials count: "bearer" for the Authorization header, "mail_login" for `?auth=`. A request with a bearer
	// header is judged by it alone.
	Credentials []string `json:"credentials"`

	app           *App
	authenticator *authn.Authenticator
}

// CaddyModule gives the module's name.
func (AuthHandler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.gatehouse_auth", New: func() caddy.Module { return new(AuthHandler) }}
}

// Provision finds the app and what verifies the credentials.
func (h *AuthHandler) Provision(ctx caddy.Context) (err error) {
	if h.app, err = appOf(ctx); err != nil {
		return err
	}
	h.authenticator, err = h.app.authenticator(h.Credentials)
	return err
}

// ServeHTTP implements caddyhttp.MiddlewareHandler.
func (h *AuthHandler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	r, t, end := withTrace(r)
	defer end()
	removeIdentityHeaders(r.Header)
	if hasSecretQuery(r.URL) {
		// The address of this answer must not go on as the Referer of whatever the page loads next.
		w.Header().Set("Referrer-Policy", "no-referrer")
	}
	who, err := h.authenticator.Authenticate(r)
	if err != nil {
		t.failed(err)
		allowAnyOrigin(w.Header())
		h.app.refuse(w, r, err)
		return nil
	}
	t.kind = who.Kind
	if replacer, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		replacer.Set("gatehouse.principal.kind", string(who.Kind))
		if who.Kind == principal.Bearer && !strings.Contains(who.Subject, "@") {
			replacer.Set("http.auth.user.id", who.Subject)
		}
	}
	return next.ServeHTTP(w, r.WithContext(principal.NewContext(r.Context(), who)))
}

// allowAnyOrigin lets the scripts of any site read an answer. It is given to image routes, whose credentials are never
// sent by a browser on its own.
func allowAnyOrigin(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	if !slices.Contains(h.Values("Vary"), "Authorization") {
		h.Add("Vary", "Authorization")
	}
}

// refuse answers with err, and logs it when it is somebody's fault.
func (a *App) refuse(w http.ResponseWriter, r *http.Request, err error) {
	a.logProblem(r, err)
	problem.Write(w, r, err)
}

func parseAuth(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	h.Next()
	handler := &AuthHandler{Credentials: h.RemainingArgs()}
	known := []string{credentialBearer, credentialMailLogin}
	if len(handler.Credentials) == 0 {
		return nil, h.Errf("gatehouse_auth needs the kinds of credential to read; choose from %s", choices(known))
	}
	for i, kind := range handler.Credentials {
		if !slices.Contains(known, kind) {
			return nil, h.Errf("credential %q is not known; choose from %s", kind, choices(known))
		}
		if slices.Contains(handler.Credentials[:i], kind) {
			return nil, h.Errf("credential %q is given twice", kind)
		}
	}
	if h.NextBlock(0) {
		return nil, h.Err("gatehouse_auth takes no block")
	}
	return handler, nil
}
