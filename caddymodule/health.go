package caddymodule

import (
	"encoding/json"
	"net/http"
	"path"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// HealthHandler is the directive `gatehouse_health`. By the last part of the path it answers
//
//   - health: 200 "Connectivity OK" while this node can do its work, else 503;
//   - ready: the same as JSON with each part by name, for load balancers;
//   - live: 200 as long as the process answers at all, for supervisors.
type HealthHandler struct {
	app *App
}

// CaddyModule gives the module's name.
func (HealthHandler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.gatehouse_health", New: func() caddy.Module { return new(HealthHandler) }}
}

// Provision finds the app.
func (h *HealthHandler) Provision(ctx caddy.Context) (err error) {
	h.app, err = appOf(ctx)
	return err
}

// ServeHTTP implements caddyhttp.MiddlewareHandler.
func (h *HealthHandler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	kind := path.Base(r.URL.Path)
	if kind != "health" && kind != "ready" && kind != "live" {
		return next.ServeHTTP(w, r)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		problem.Write(w, r, problem.New(http.StatusMethodNotAllowed, "method", "Use GET or HEAD"))
		return nil
	}
	w.Header().Set("Cache-Control", problem.NoStore)
	if kind == "live" {
		return writeText(w, r, http.StatusOK, "OK")
	}
	parts, ready := h.app.health()
	status := http.StatusOK
	if !ready {
		status = http.StatusServiceUnavailable
	}
	if kind == "ready" {
		return writeJSON(w, status, map[string]any{"ready": ready, "parts": parts})
	}
	if !ready {
		problem.Write(w, r, problem.New(status, "not_ready", "This service cannot do its work now"))
		return nil
	}
	return writeText(w, r, status, "Connectivity OK")
}

func writeText(w http.ResponseWriter, r *http.Request, status int, text string) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return nil
	}
	_, err := w.Write([]byte(text))
	return err
}

func writeJSON(w http.ResponseWriter, status int, value any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(value)
}

func parseHealth(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	h.Next()
	if h.NextArg() || h.NextBlock(0) {
		return nil, h.Err("gatehouse_health takes no arguments and no block")
	}
	return new(HealthHandler), nil
}
