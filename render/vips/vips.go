// Package vips makes pictures with libvips.
//
// Go decides what is to be done: which of the forms of an original to open, where on it each sample lies, what that
// may cost. One call into C then does the whole of it, so that no object of the library is ever held here. libvips
// decodes, transforms colours, rotates and encodes; the resampling is this package's own, since a viewer's tiles must
// fall on one grid.
//
// libvips is started once in a process and never shut down. Its vector code is switched off, all loaders are blocked
// but those that are allowed, and nothing is cached in it.
package vips

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/gatehouse-server/gatehouse/internal/lru"
	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/render/admission"
	"github.com/gatehouse-server/gatehouse/source"
)

// Renderer implements render.Renderer.
type Renderer struct {
	config       Config
	logger       *slog.Logger
	capabilities render.Capabilities
	admission    *admission.Queue
	headers      *lru.Cache[headerKey, *header]
	strays       strays
	// heads is the memory that reading headers may take at the same time.
	heads *semaphore.Weighted
	seed  maphash.Seed
	// engine makes the library's calls.
	engine engine

	rendered, failed, shed, stopped atomic.Int64
}

// Stats are counts for metrics.
type Stats struct {
	// Queued and Running at this moment.
	Queued, Running int64
	// Queue tells the same by lane.
	Queue admission.Stats
	// Rendered, Failed, Shed (refused by a full queue) and Stopped (by the time limit, or because the caller left) since
	// the start.
	Rendered, Failed, Shed, Stopped int64
	// Strays is how many pages of PDFs are drawn that nobody waits for.
	Strays int64
	// LibraryBytes is what libvips holds for pixels, in this process.
	LibraryBytes int64
}

// New starts the library, if this process has not yet, and makes a Renderer. A loader that the configuration names and
// this libvips lacks is logged and left out of Capabilities.
func New(c Config, logger *slog.Logger) (*Renderer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	c = c.withDefaults()
	engine, can, err := c.engine()
	if err != nil {
		return nil, err
	}
	for _, name := range c.Loaders {
		if !slices.Contains(can.Loaders, name) {
			logger.Warn("this libvips cannot read a format that is configured", "format", name, "library", can.Version)
		}
	}
	can.Encoding = fmt.Sprintf("%s %d %d %d %d %d", can.Version, c.JPEGQuality, c.WebPQuality, c.AVIFQuality, c.JXLQuality, c.JP2Quality)
	return &Renderer{
		config: c, logger: logger, capabilities: can, admission: c.newQueue(), headers: lru.New[headerKey, *header](c.HeaderCache),
		seed: maphash.MakeSeed(), strays: newStrays(c.Workers), heads: semaphore.NewWeighted(c.Memory),
		engine: engine,
	}, nil
}

// startLimit is how long children may take until the first one is up.
const startLimit = 30 * time.Second

// engine starts the library, or finds out what it can do where children run it.
func (c Config) engine() (engine, render.Capabilities, error) {
	if c.Children == nil {
		if err := start(); err != nil {
			return nil, render.Capabilities{}, err
		}
		can, err := capabilities(c.Loaders)
		return here{}, can, err
	}
	tune()
	// Children take a moment to come up, however little a render may take.
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	can, err := capabilitiesOf(ctx, c.Children)
	return remote{c.Children}, can, err
}

// Capabilities implements render.Renderer.
func (r *Renderer) Capabilities() render.Capabilities {
	c := r.capabilities
	c.Formats, c.Qualities, c.Loaders = slices.Clone(c.Formats), slices.Clone(c.Qualities), slices.Clone(c.Loaders)
	return c
}

// Stats counts what was done.
func (r *Renderer) Stats() Stats {
	library, queue := int64(0), r.admission.Stats()
	if r.config.Children == nil {
		library = trackedBytes()
	}
	return Stats{
		Queued: int64(queue.Queued()), Running: int64(queue.Running), Queue: queue,
		Rendered: r.rendered.Load(), Failed: r.failed.Load(), Shed: r.shed.Load(), Stopped: r.stopped.Load(),
		Strays:       r.strays.count.Load(),
		LibraryBytes: library,
	}
}

// Close implements render.Renderer.
func (r *Renderer) Close() error {
	r.headers.Clear()
	if r.config.Children != nil {
		return r.config.Children.Close()
	}
	return nil
}

// Describe implements render.Renderer.
func (r *Renderer) Describe(ctx context.Context, original source.Original, page int) (render.Info, error) {
	limited, cancel := context.WithTimeout(ctx, r.config.TimeLimit)
	defer cancel()
	h, _, err := r.header(limited, original, page)
	if err != nil {
		return render.Info{}, r.refusal(ctx, limited, err)
	}
	return h.info(), nil
}

// header gives the header of a page, from memory if it is there.
func (r *Renderer) header(ctx context.Context, original source.Original, page int) (*header, headerKey, error) {
	info := original.Info()
	var buffer [render.SniffSize]byte
	n, err := original.ReadAt(ctx, buffer[:min(int64(len(buffer)), max(info.Size, 0))], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, headerKey{}, err
	}
	head := buffer[:n]
	key := headerKey{version: info.Version, name: info.Name, size: info.Size, head: maphash.Bytes(r.seed, head), page: page}
	if h, ok := r.headers.Get(key); ok {
		return h, key, nil
	}
	format, kind := render.Sniff(head, info.Name)
	if format == "" || !slices.Contains(r.capabilities.Loaders, format) {
		return nil, key, notAnImage(kind)
	}
	if readsWhole(format) && info.Size > maxWholeFile {
		return nil, key, tooLarge("The original has %d MB; at most %d MB are allowed for its format", info.Size>>20, maxWholeFile>>20)
	}
	h, err := r.readHeader(ctx, original, format, page)
	if err != nil {
		return nil, key, err
	}
	if pixels := int64(h.width) * int64(h.height); pixels > r.config.MaxSourcePixels {
		return nil, key, tooLarge("The original has %d million pixels; at most %d million are allowed", pixels/1e6, r.config.MaxSourcePixels/1e6)
	}
	r.headers.Put(key, h, h.cost()+key.cost())
	return h, key, nil
}

// maxWholeFile is the size in bytes up to which a file is read whole.
const maxWholeFile = 256 << 20

// readsWhole tells the formats whose files the library takes into memory as they are, whatever part is asked for. Poppler
// takes as much memory as a PDF is long before it reads any of it, and where there is not as much, it ends the process.
func readsWhole(format string) bool { return format == "gif" || format == "webp" || format == "pdf" }

func tooLarge(format string, args ...any) error {
	return problem.New(http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf(format, args...))
}

// headBytes is about what the library takes to read a header of any format.
const headBytes = 1 << 20

// enterHead waits for the memory that reading a header takes: where the library takes the whole file, that, and what
// OpenJPEG makes tables of. Workers are not asked for: a slow archive must not keep pictures from being made.
func (r *Renderer) enterHead(ctx context.Context, format string, size int64, shape jp2Shape) (leave func(), err error) {
	need := headBytes + shape.tables
	if readsWhole(format) {
		need += size
	}
	need = min(need, r.config.Memory)
	if err := r.heads.Acquire(ctx, need); err != nil {
		return nil, err
	}
	return func() { r.heads.Release(need) }, nil
}

// readHeader reads the header of a page that is not in memory.
func (r *Renderer) readHeader(ctx context.Context, original source.Original, format string, page int) (*header, error) {
	switch {
	case page < 0:
		return nil, &noPageError{page: page, pages: 1}
	case format == "tiff":
		return readTIFF(ctx, original, page)
	case page > 0:
		// The library's error for a page that is not there cannot be told from that for a broken file.
		first, _, err := r.header(ctx, original, 0)
		if err != nil {
			return nil, err
		}
		if page >= first.pages {
			return nil, &noPageError{page: page, pages: first.pages}
		}
	}
	var shape jp2Shape
	if format == "jp2" {
		var err error
		if shape, err = readJP2Shape(source.ReaderAt(ctx, original), original.Info().Size); err != nil {
			return nil, err
		}
		if shape.tables > maxJP2Tables {
			return nil, tooLarge("The tiles of the original need tables of %d MB; at most %d MB are allowed", shape.tables>>20, maxJP2Tables>>20)
		}
	}
	leave, err := r.enterHead(ctx, format, original.Info().Size, shape)
	if err != nil {
		return nil, err
	}
	said, err := r.engine.head(ctx, original, &slot{leave: leave}, headLoad(format, page, r.config.PDFDPI))
	if err != nil {
		return nil, err
	}
	h, err := headerOf(format, page, said)
	if err != nil {
		return nil, err
	}
	switch format {
	case "jp2":
		h.jp2 = shape
		if len(h.profile) == 0 {
			if h.profile, err = readJP2Profile(source.ReaderAt(ctx, original), original.Info().Size); err != nil {
				return nil, err
			}
		}
		h.held = !h.jp2.tiled()
		h.pages = 1
	case "jpeg", "png", "jxl":
		h.pages = 1
	}
	return h, nil
}

var _ render.Renderer = (*Renderer)(nil)
