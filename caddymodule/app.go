package caddymodule

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/gatehouse-server/gatehouse/authn"
	"github.com/gatehouse-server/gatehouse/iiif"
	"github.com/gatehouse-server/gatehouse/internal/lru"
	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
)

// appID is the module's name, which is also its key under "apps" in JSON.
const appID = "gatehouse"

var errStopped = errors.New("this configuration has been replaced")

// App is Gatehouse in Caddy: what the handlers of all routes share.
//
// Caddy provisions a new configuration before it stops the old one, and cleans the old one up while its last requests
// are still being answered. So what must outlive a reload (state, keys, originals on disk) is pooled by what identifies
// it, and the rest is closed by whoever uses it last.
type App struct {
	Config

	ctx     caddy.Context
	logger  *slog.Logger
	auditor *zap.Logger

	pooled      pooled
	stateKey    stateKey
	engine      sharedEngine
	spool       sharedSpool
	issuers     []sharedIssuer
	mailLogin   *authn.MailLogin
	renderer    *lazyRenderer
	watermarks  map[string]*render.Watermark
	answers     *answerBudget
	cache       sharedCache
	described   *lru.Cache[describedKey, *described]
	pyramids    sharedPyramids
	collections map[string]*collectionRuntime
	uses        useCounter
	started     bool
}

// CaddyModule gives the module's name.
func (*App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: appID, New: func() caddy.Module { return new(App) }}
}

// Provision builds everything and touches neither network nor state, so that `caddy validate` works beside a running
// server.
func (a *App) Provision(ctx caddy.Context) error {
	a.ctx = ctx
	a.logger = ctx.Slogger()
	a.auditor = zap.New(ctx.Logger().Core()).Named(auditLogger)
	a.uses.onLast = a.close
	if err := a.validate(); err != nil {
		return err
	}
	if err := metrics.register(ctx); err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	if err := a.provisionState(); err != nil {
		return err
	}
	if err := a.provisionAuth(); err != nil {
		return err
	}
	if err := a.provisionSpool(); err != nil {
		return err
	}
	if err := a.provisionImages(); err != nil {
		return err
	}
	if err := a.provisionCache(); err != nil {
		return err
	}
	if err := a.provisionPyramids(); err != nil {
		return err
	}
	a.described = lru.New[describedKey, *described](describedBytes)
	if err := a.provisionWatermarks(); err != nil {
		return err
	}
	a.collections = make(map[string]*collectionRuntime, len(a.Collections))
	for _, name := range slices.Sorted(maps.Keys(a.Collections)) {
		c, err := a.newCollection(name, a.Collections[name])
		if err != nil {
			return fmt.Errorf("collection %q: %w", name, err)
		}
		a.collections[name] = c
	}
	return nil
}

// Start opens the state and begins to fetch keys.
func (a *App) Start() error {
	a.started = true
	sparse()
	if err := a.openState(); err != nil {
		return err
	}
	for _, issuer := range a.issuers {
		if err := issuer.start(); err != nil {
			return err
		}
	}
	a.renderer.begin()
	return nil
}

// Stop does nothing: requests may still be in flight, and Cleanup follows.
func (*App) Stop() error { return nil }

// lateRequests is how long a replaced configuration goes on to answer. Cleanup does not wait for requests that were read
// before it and come to our handlers after it, as when another handler before ours asks somebody.
const lateRequests = 5 * time.Second

// Cleanup gives up what this configuration holds, once its last request is answered. Caddy also calls it for a
// configuration that failed half-way, or was only validated.
func (a *App) Cleanup() error {
	if !a.started || caddy.Exiting() {
		a.uses.retire()
		return nil
	}
	time.AfterFunc(lateRequests, a.uses.retire)
	return nil
}

// close frees what belongs to this configuration alone and its shares of what is pooled.
func (a *App) close() {
	var errs []error
	for _, c := range a.collections {
		errs = append(errs, c.close())
	}
	errs = append(errs, a.pooled.release())
	if err := errors.Join(errs...); err != nil && a.logger != nil {
		a.logger.Error("closing a replaced configuration", "error", err)
	}
}

// acquire holds the configuration open for a request; it fails after the last one was answered.
func (a *App) acquire() bool { return a.uses.acquire() }

func (a *App) release() { a.uses.release() }

// appOf finds the app for a module of the same configuration.
func appOf(ctx caddy.Context) (*App, error) {
	app, err := ctx.App(appID)
	if err != nil {
		return nil, fmt.Errorf("gatehouse: %w", err)
	}
	return app.(*App), nil
}

func (a *App) collectionByName(name string) (*collectionRuntime, error) {
	c, found := a.collections[name]
	if !found {
		return nil, fmt.Errorf("collection %q is not configured; choose one of: %s", name, choices(slices.Collect(maps.Keys(a.collections))))
	}
	return c, nil
}

// logProblem writes faults to the log: ours and those of servers behind us as errors, other refusals for who debugs.
func (a *App) logProblem(r *http.Request, err error) {
	e := problem.From(err)
	if r.Context().Err() != nil {
		return
	}
	attributes := []any{"code", e.Code, "status", e.Status}
	if e.Err != nil {
		attributes = append(attributes, "cause", e.Err.Error())
	}
	switch {
	case e.Denial || e.Status < http.StatusInternalServerError || e.Code == iiif.CodeUpscaling:
		// 501 is what the Image API has for enlarging where it is off: nothing failed.
		a.logger.Debug("refused", attributes...)
	case e.Status == http.StatusServiceUnavailable:
		a.logger.Warn("cannot answer now", attributes...)
	default:
		a.logger.Error("failed", attributes...)
	}
}

var (
	_ caddy.App          = (*App)(nil)
	_ caddy.Provisioner  = (*App)(nil)
	_ caddy.CleanerUpper = (*App)(nil)
)
