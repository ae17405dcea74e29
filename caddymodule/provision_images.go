package caddymodule

import (
	"log/slog"
	"net/http"
	"sync"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/render/storedtile"
	"github.com/gatehouse-server/gatehouse/render/vips"
)

// lazyRenderer starts the renderer at its first use, so that a configuration can be validated without it.
type lazyRenderer struct {
	mu     sync.Mutex
	make   func() (*renderer, error)
	made   *renderer
	err    error
	closed bool
}

// renderer is what makes pictures: stored tiles in front, where they are wanted, and libvips behind.
type renderer struct {
	render.Renderer
	library *vips.Renderer
	// tiles is nil where stored tiles are switched off.
	tiles *storedtile.Renderer
}

// newRenderer starts the library.
func newRenderer(library vips.Config, tiles *storedtile.Config, logger *slog.Logger) (*renderer, error) {
	made, err := vips.New(library, logger)
	if err != nil {
		return nil, err
	}
	r := &renderer{Renderer: made, library: made}
	if tiles != nil {
		r.tiles = storedtile.New(made, *tiles)
		r.Renderer = r.tiles
	}
	return r, nil
}

// get gives the renderer, or a *problem.Error that tells the caller nothing but that there is none.
func (l *lazyRenderer) get() (*renderer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made == nil && l.err == nil && !l.closed {
		l.made, l.err = l.make()
	}
	switch {
	case l.err != nil:
		return nil, problem.Wrap(l.err, http.StatusServiceUnavailable, "no_renderer", "Images cannot be rendered now")
	case l.closed:
		return nil, problem.Wrap(errStopped, http.StatusServiceUnavailable, "stopped", "Images cannot be rendered now")
	}
	return l.made, nil
}

func (l *lazyRenderer) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.made == nil {
		return nil
	}
	return l.made.Close()
}

const (
	defaultMaxOutput = 8192 // pixels
	defaultMemory    = 1 << 30
)

// imagesConfig is the configured limits with what must be known outside the renderer filled in.
func (a *App) imagesConfig() ImagesConfig {
	var config ImagesConfig
	if a.Images != nil {
		config = *a.Images
	}
	if config.MaxOutput.Width == 0 || config.MaxOutput.Height == 0 {
		config.MaxOutput = Dimensions{Width: defaultMaxOutput, Height: defaultMaxOutput}
	}
	if config.Memory == 0 {
		config.Memory = defaultMemory
	}
	return config
}

// provisionImages checks the limits; libvips starts when somebody first needs the renderer.
func (a *App) provisionImages() error {
	c := a.imagesConfig()
	config := vips.Config{
		Loaders: c.Loaders, Workers: c.Workers, Queue: c.Queue, MaxPixels: int64(c.MaxPixels), MaxSourcePixels: int64(c.MaxSourcePixels),
		MaxWidth: c.MaxOutput.Width, MaxHeight: c.MaxOutput.Height, TimeLimit: c.TimeLimit.std(), PDFDPI: c.PDFDPI,
		Memory: int64(c.Memory), JPEGQuality: c.JPEGQuality, WebPQuality: c.WebPQuality,
		AVIFQuality: c.AVIFQuality, JXLQuality: c.JXLQuality, JP2Quality: c.JP2Quality, Observer: observeRender,
	}
	if err := config.Validate(); err != nil {
		return err
	}
	a.answers = newAnswerBudget(int64(c.Memory))
	var tiles *storedtile.Config
	if c.StoredTiles != choiceOff {
		tiles = &storedtile.Config{
			MaxWidth: c.MaxOutput.Width, MaxHeight: c.MaxOutput.Height, Memory: int64(c.Memory) / 8,
			Observer: func(seconds float64) { observeRender(seconds, vips.OutcomeOK) },
		}
	}
	a.renderer = &lazyRenderer{make: func() (*renderer, error) { return newRenderer(config, tiles, a.logger) }}
	return nil
}

func observeRender(seconds float64, outcome string) {
	metrics.renderSeconds.WithLabelValues(outcome).Observe(seconds)
}
