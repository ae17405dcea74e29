package caddymodule

import (
	"errors"
	"net/http"

	"github.com/caddyserver/caddy/v2"

	"github.com/gatehouse-server/gatehouse/authn/principal"
)

// Admin adds routes below /gatehouse/ to Caddy's admin endpoint. It looks the app up for each request, since Caddy keeps
// the routes of a configuration that failed to load.
type Admin struct{}

// CaddyModule gives the module's name.
func (Admin) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "admin.api.gatehouse", New: func() caddy.Module { return new(Admin) }}
}

// Routes implements caddy.AdminRouter.
func (a *Admin) Routes() []caddy.AdminRoute {
	return []caddy.AdminRoute{
		{Pattern: "/gatehouse/status", Handler: readOnly(a.status)},
		{Pattern: "/gatehouse/explain", Handler: readOnly(a.explain)},
		{Pattern: "/gatehouse/cache/purge", Handler: posted(a.purge)},
		{Pattern: "/gatehouse/cache/warm", Handler: posted(a.warm)},
	}
}

var errNoApp = errors.New("the running configuration has no gatehouse block")

// running gives the app of the configuration that runs now.
func running() (*App, error) {
	app, err := caddy.ActiveContext().AppIfConfigured(appID)
	if err != nil {
		return nil, caddy.APIError{HTTPStatus: http.StatusServiceUnavailable, Err: errNoApp}
	}
	return app.(*App), nil
}

func readOnly(handle caddy.AdminHandlerFunc) caddy.AdminHandler {
	return caddy.AdminHandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			return caddy.APIError{HTTPStatus: http.StatusMethodNotAllowed, Err: errors.New("use GET")}
		}
		return handle(w, r)
	})
}

func (*Admin) status(w http.ResponseWriter, _ *http.Request) error {
	app, err := running()
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, app.status())
}

// explain takes collection, identifier, and scope (any number), and kind or mail=true for the sort of credential.
func (*Admin) explain(w http.ResponseWriter, r *http.Request) error {
	app, err := running()
	if err != nil {
		return err
	}
	query := r.URL.Query()
	who := &principal.Principal{Kind: principal.Anonymous}
	if scopes := query["scope"]; len(scopes) > 0 {
		who = explainedCaller(scopes, query.Get("mail") == "true")
	}
	explanation, err := app.explain(r.Context(), query.Get("collection"), query.Get("identifier"), who)
	if err != nil {
		return caddy.APIError{HTTPStatus: http.StatusBadRequest, Err: err}
	}
	return writeJSON(w, http.StatusOK, explanation)
}

var _ caddy.AdminRouter = (*Admin)(nil)
