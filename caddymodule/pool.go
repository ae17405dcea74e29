package caddymodule

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap/exp/zapslog"

	"github.com/gatehouse-server/gatehouse/state/bolt"
)

// pool holds what outlives a reload, keyed by what identifies it and nothing else.
var pool = caddy.NewUsagePool()

// pooled is what one configuration holds of the pool.
type pooled struct{ keys []any }

// share gives the pool's value for key, made by construct when nobody holds it.
func share[T caddy.Destructor](p *pooled, key any, construct func() (T, error)) (T, error) {
	value, _, err := pool.LoadOrNew(key, func() (caddy.Destructor, error) { return construct() })
	if err != nil {
		var none T
		return none, err
	}
	p.keys = append(p.keys, key)
	return value.(T), nil
}

// release gives everything back; what nobody else holds is destructed.
func (p *pooled) release() error {
	var errs []error
	for _, key := range p.keys {
		if _, err := pool.Delete(key); err != nil {
			errs = append(errs, err)
		}
	}
	p.keys = nil
	return errors.Join(errs...)
}

// poolLogger is for what outlives the configuration that made it: it writes to the loggers of whichever configuration
// runs, under a name below gatehouse.
func poolLogger(name string) *slog.Logger { return slog.New(poolHandler{name: name}) }

type poolHandler struct {
	name string
	with []slog.Attr
}

func (h poolHandler) handler() slog.Handler {
	return zapslog.NewHandler(caddy.Log().Core(), zapslog.WithName(h.name)).WithAttrs(h.with)
}

// Enabled implements slog.Handler.
func (h poolHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.handler().Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h poolHandler) Handle(ctx context.Context, record slog.Record) error {
	return h.handler().Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (h poolHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return poolHandler{name: h.name, with: append(h.with[:len(h.with):len(h.with)], attrs...)}
}

// WithGroup implements slog.Handler; groups are not used by what logs here.
func (h poolHandler) WithGroup(string) slog.Handler { return h }

// auditLogger is the name by which an operator sends the audit lines where they belong.
const auditLogger = "gatehouse.audit"

// stateKey identifies an engine by where its state lies.
type stateKey string

// sharedEngine closes the engine with its last holder.
type sharedEngine struct{ *bolt.Engine }

// Destruct implements caddy.Destructor.
func (e sharedEngine) Destruct() error { return e.Close() }

// openState opens the state, or fails fast when another process has it.
func (a *App) openState() error { return a.engine.Open() }

// provisionState finds or makes the engine; nothing is opened.
func (a *App) provisionState() error {
	folder := filepath.Join(caddy.AppDataDir(), "gatehouse")
	if a.State != nil {
		if a.State.Engine != engineBolt && a.State.Engine != "" {
			return fmt.Errorf("state engine %q is not known; choose one of %s", a.State.Engine, engineBolt)
		}
		configured, err := folderOf("state", a.State.Path)
		if err != nil {
			return err
		}
		folder = cmp.Or(configured, folder)
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	// A link and its target are one place.
	if target, err := filepath.EvalSymlinks(folder); err == nil {
		folder = target
	}
	a.stateKey = stateKey(folder)
	a.engine, err = share(&a.pooled, a.stateKey, func() (sharedEngine, error) {
		engine, err := bolt.New(bolt.Config{Directory: folder}, poolLogger("gatehouse.state"))
		return sharedEngine{engine}, err
	})
	return err
}
