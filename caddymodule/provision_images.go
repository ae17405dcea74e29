package caddymodule

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-server/gatehouse/iiif"
	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/render/admission"
	"github.com/gatehouse-server/gatehouse/render/child"
	"github.com/gatehouse-server/gatehouse/render/storedtile"
	"github.com/gatehouse-server/gatehouse/render/vips"
)

// lazyRenderer starts the renderer at its first use, so that a configuration can be validated without it. It is shared
// by the configurations that have the same settings, one after the other.
type lazyRenderer struct {
	// ready is what was made, until it is closed: requests need no lock.
	ready atomic.Pointer[renderer]

	mu   sync.Mutex
	make func() (*renderer, error)
	made *renderer
	err  error
	// failed is when the start failed.
	failed time.Time
	closed bool
}

// renderer is what makes pictures: stored tiles in front, where they are wanted, and libvips behind.
type renderer struct {
	render.Renderer
	library *vips.Renderer
	// tiles is nil where stored tiles are switched off.
	tiles *storedtile.Renderer
	// children is nil where libvips runs in this process.
	children *child.Pool
	// can is what it can do, and offered the same for the protocol. They are not to be changed.
	can     render.Capabilities
	offered iiif.Capabilities
}

// newRenderer starts the library, in processes of its own unless isolation is nil.
func newRenderer(library vips.Config, isolation *child.Config, tiles *storedtile.Config, logger *slog.Logger) (*renderer, error) {
	r := &renderer{}
	if isolation != nil {
		config := *isolation
		config.Setup, config.Logger = library.Setup(), logger
		var err error
		if r.children, err = child.New(config); err != nil {
			return nil, err
		}
		library.Children = r.children
	}
	made, err := vips.New(library, logger)
	if err != nil {
		if r.children != nil {
			_ = r.children.Close()
		}
		return nil, err
	}
	r.Renderer, r.library = made, made
	if tiles != nil {
		r.tiles = storedtile.New(made, *tiles)
		r.Renderer = r.tiles
	}
	r.can = r.Capabilities()
	r.offered = iiif.Capabilities{
		Formats: words(r.can.Formats), Qualities: words(r.can.Qualities), AnyRotation: r.can.AnyRotation, Encoding: r.can.Encoding,
	}
	return r, nil
}

// startAgain is how long a start that failed is not tried anew. What keeps processes from being started may pass.
const startAgain = time.Second

// get gives the renderer, or a *problem.Error that tells the caller nothing but that there is none.
func (l *lazyRenderer) get() (*renderer, error) {
	if made := l.ready.Load(); made != nil {
		return made, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil && time.Since(l.failed) > startAgain {
		l.err = nil
	}
	if l.made == nil && l.err == nil && !l.closed {
		if l.made, l.err = l.make(); l.err != nil {
			l.failed = time.Now()
		}
	}
	switch {
	case l.closed:
		return nil, problem.Wrap(errStopped, http.StatusServiceUnavailable, "stopped", "Images cannot be rendered now")
	case l.err != nil:
		return nil, problem.Wrap(l.err, http.StatusServiceUnavailable, "no_renderer", "Images cannot be rendered now")
	}
	l.ready.Store(l.made)
	return l.made, nil
}

// begin starts the renderer in the background, so that the first request need not wait for it.
func (l *lazyRenderer) begin() { go func() { _, _ = l.get() }() }

// Destruct implements caddy.Destructor.
func (l *lazyRenderer) Destruct() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.ready.Store(nil)
	if l.made == nil {
		return nil
	}
	return l.made.Close()
}

// rendererKey identifies a renderer by all of its settings: a reload that changes none keeps its processes, and what it
// remembers of originals.
type rendererKey struct{ settings string }

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
		AVIFQuality: c.AVIFQuality, JXLQuality: c.JXLQuality, JP2Quality: c.JP2Quality,
		Shadow: c.Admission == admissionShadow,
	}
	if err := config.Validate(); err != nil {
		return err
	}
	a.answers = newAnswerBudget(int64(c.Memory))
	var tiles *storedtile.Config
	if c.StoredTiles != choiceOff {
		tiles = &storedtile.Config{MaxWidth: c.MaxOutput.Width, MaxHeight: c.MaxOutput.Height, Memory: int64(c.Memory) / 8}
	}
	isolation := c.isolation()
	settings := fmt.Sprintf("%+v", config)
	if tiles != nil {
		settings += fmt.Sprintf(" %+v", *tiles)
		tiles.Observer = func(seconds float64) { observeRender(seconds, vips.OutcomeOK) }
	}
	if isolation != nil {
		settings += fmt.Sprintf(" %+v", *isolation)
		isolation.Observer = observeChild
		// No more at once than there are processes.
		config.Workers = min(cmp.Or(config.Workers, isolation.Children), isolation.Children)
	}
	config.Observer, config.Admission = observeRender, observeAdmission
	var err error
	a.renderer, err = share(&a.pooled, rendererKey{settings}, func() (*lazyRenderer, error) {
		return &lazyRenderer{make: func() (*renderer, error) {
			return newRenderer(config, isolation, tiles, poolLogger("gatehouse.render"))
		}}, nil
	})
	return err
}

// isolation is the settings of the processes that libvips runs in, nil for none.
func (c *ImagesConfig) isolation() *child.Config {
	if !c.Isolation.isolated() {
		return nil
	}
	config := &child.Config{Args: childArgs(), Children: cmp.Or(c.Workers, runtime.GOMAXPROCS(0))}
	if i := c.Isolation; i != nil {
		config.Children = cmp.Or(i.Processes, config.Children)
		config.Memory, config.CPU, config.Recycle = int64(i.Memory), i.CPU.std(), i.Recycle
	}
	return config
}

func observeRender(seconds float64, outcome string) {
	metrics.renderSeconds.WithLabelValues(outcome).Observe(seconds)
}

func observeChild(reason string) { metrics.childEnds.WithLabelValues(reason).Inc() }

func observeAdmission(event admission.Event, lane admission.Lane) {
	if event == admission.Shed {
		metrics.shed.WithLabelValues(lane.String()).Inc()
		return
	}
	metrics.shadow.WithLabelValues(string(event), lane.String()).Inc()
}
