package vips

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-server/gatehouse/render/admission"
	"github.com/gatehouse-server/gatehouse/render/child"
)

// Config is the settings of a Renderer. The zero value of each field means its default.
type Config struct {
	// Loaders are the formats of originals that are allowed, out of LoaderNames. Default DefaultLoaders.
	Loaders []string
	// Workers is how many pictures are made at once. Default: the number of processors that Go may use.
	Workers int
	// Queue is how many requests may wait for a worker; what comes on top is refused. Default 64; negative: none.
	Queue int
	// Memory in bytes is what all renders that run at once may need by estimate. One that needs more runs alone.
	// Default 1 GiB.
	Memory int64
	// MaxPixels is how many pixels one request may decode: of the tiles that it touches, or where there are no tiles, of
	// all rows down to the last that it needs. Default 400 million.
	MaxPixels int64
	// MaxHeldPixels is the same where a format must be held in memory as a whole: interlaced PNG, progressive JPEG,
	// WebP, GIF, HEIF, AVIF, JXL, JP2 without tiles. Default 100 million.
	MaxHeldPixels int64
	// MaxSourcePixels is how large an original may be. Default 100,000 million.
	MaxSourcePixels int64
	// MaxWidth and MaxHeight bound the picture that is made, in pixels, before rotation. Default 8192 each.
	MaxWidth, MaxHeight int
	// TimeLimit bounds one render, reading the original included, and the wait for it likewise. Default 30 s.
	TimeLimit time.Duration
	// PDFDPI is the resolution in which a page of a PDF has its full size. Default 150.
	PDFDPI int
	// JPEGQuality, WebPQuality, AVIFQuality and JXLQuality are 1 to 100. Default 85, 80, 60 and 85.
	JPEGQuality, WebPQuality, AVIFQuality, JXLQuality int
	// JP2Quality is the ratio of signal to noise in dB, 1 to 100. Default 48.
	JP2Quality int
	// HeaderCache in bytes bounds what is remembered of originals' headers. Default 16 MiB; negative: nothing.
	HeaderCache int64
	// Shadow lets work in by the order of asking, and only counts what the lanes would have done instead.
	Shadow bool
	// Admission, when set, is told of work that was refused, and in shadow mode of what would have been done to it. It must
	// not block.
	Admission func(event admission.Event, lane admission.Lane)
	// Children, when set, run the library; the Renderer closes them. Otherwise it runs in this process.
	Children *child.Pool
	// Observer, when set, is told of each render: its seconds, the wait not included, and its outcome, one of the
	// Outcome constants. It must not block.
	Observer func(seconds float64, outcome string)
}

// LoaderNames are the formats that may be allowed, in the order of Capabilities.
var loaderNames = [...]string{"jpeg", "png", "tiff", "webp", "gif", "jp2", "pdf", "heif", "avif", "jxl"}

// LoaderNames lists the formats that Config.Loaders may name.
func LoaderNames() []string { return slices.Clone(loaderNames[:]) }

// DefaultLoaders lists the formats that are allowed when Config.Loaders is empty.
func DefaultLoaders() []string { return slices.Clone(loaderNames[:7]) }

// What becomes of a render.
const (
	OutcomeOK          = "ok"
	OutcomeCancelled   = "cancelled"
	OutcomeTimeout     = "timeout"
	OutcomeQueueFull   = "queue_full"
	OutcomeTooLarge    = "too_large"
	OutcomeUnsupported = "not_an_image"
	OutcomeBroken      = "broken_image"
	OutcomeRefused     = "refused"
	OutcomeSource      = "source"
	OutcomeError       = "error"
)

// side is the longest side that may be configured; JPEG cannot hold a longer one.
const maxSide = 65535

// Validate finds wrong values. It touches no library.
func (c Config) Validate() error {
	for _, name := range c.Loaders {
		if !slices.Contains(loaderNames[:], name) {
			return fmt.Errorf("unknown loader %q: choose from %s", name, strings.Join(loaderNames[:], ", "))
		}
	}
	for _, bound := range [...]struct {
		name          string
		value         int64
		least, atMost int64
	}{
		{"workers", int64(c.Workers), 1, 1024},
		{"queue", int64(c.Queue), -1, 1 << 20},
		{"memory", c.Memory, 1 << 20, 1 << 50},
		{"max_pixels", c.MaxPixels, 1, 1 << 50},
		{"max_held_pixels", c.MaxHeldPixels, 1, 1 << 50},
		{"max_source_pixels", c.MaxSourcePixels, 1, 1 << 50},
		{"max_output width", int64(c.MaxWidth), 1, maxSide},
		{"max_output height", int64(c.MaxHeight), 1, maxSide},
		{"time_limit in milliseconds", c.TimeLimit.Milliseconds(), 1, int64(time.Hour / time.Millisecond)},
		{"pdf_dpi", int64(c.PDFDPI), 10, 2400},
		{"jpeg_quality", int64(c.JPEGQuality), 1, 100},
		{"webp_quality", int64(c.WebPQuality), 1, 100},
		{"avif_quality", int64(c.AVIFQuality), 1, 100},
		{"jxl_quality", int64(c.JXLQuality), 1, 100},
		{"jp2_quality", int64(c.JP2Quality), 1, 100},
	} {
		if bound.value != 0 && (bound.value < bound.least || bound.value > bound.atMost) {
			return fmt.Errorf("%s is %d: it must be from %d to %d", bound.name, bound.value, bound.least, bound.atMost)
		}
	}
	if c.TimeLimit < 0 {
		return fmt.Errorf("time_limit is %v: it must be positive", c.TimeLimit)
	}
	return nil
}

// withDefaults fills in what is not set.
func (c Config) withDefaults() Config {
	if len(c.Loaders) == 0 {
		c.Loaders = DefaultLoaders()
	}
	set(&c.Workers, runtime.GOMAXPROCS(0))
	set(&c.Queue, 64)
	set(&c.Memory, 1<<30)
	set(&c.MaxPixels, 400_000_000)
	set(&c.MaxHeldPixels, 100_000_000)
	set(&c.MaxSourcePixels, 100_000_000_000)
	set(&c.MaxWidth, 8192)
	set(&c.MaxHeight, 8192)
	set(&c.TimeLimit, 30*time.Second)
	set(&c.PDFDPI, 150)
	set(&c.JPEGQuality, 85)
	set(&c.WebPQuality, 80)
	set(&c.AVIFQuality, 60)
	set(&c.JXLQuality, 85)
	set(&c.JP2Quality, 48)
	set(&c.HeaderCache, 16<<20)
	c.Queue = max(c.Queue, 0)
	if c.Observer == nil {
		c.Observer = func(float64, string) {}
	}
	return c
}

func (c Config) newQueue() *admission.Queue {
	return admission.New(admission.Config{
		Workers: c.Workers, Memory: c.Memory, Queue: c.Queue, Patience: c.TimeLimit, Shadow: c.Shadow, Observer: c.Admission,
	})
}

func set[T comparable](value *T, fallback T) {
	var zero T
	if *value == zero {
		*value = fallback
	}
}
