// Package storedtile answers what lies in a tiled TIFF as JPEG already: a tile goes out as it lies, neighbours are joined
// without being decoded, and in both cases the pixels are those of the file, no generation later. Whatever else is asked
// for, and whatever a file has that is not plain, goes to the renderer behind.
//
// Nothing here is C, and nothing here decodes a picture: what a file claims is checked, copied or refused.
package storedtile

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/gatehouse-server/gatehouse/internal/lru"
	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/source"
)

// Config is the settings of a Renderer. The zero value of each field means its default.
type Config struct {
	// MaxWidth and MaxHeight bound the picture that is made, in pixels. Default 8192 each.
	MaxWidth, MaxHeight int
	// Memory in bytes bounds what all tiles that are joined at once take; what does not fit goes to the renderer behind,
	// which queues. Default 128 MiB.
	Memory int64
	// Index in bytes bounds what is remembered of where tiles lie. Default 64 MiB.
	Index int64
	// Observer, when set, is told the seconds of each picture that was answered. It must not block.
	Observer func(seconds float64)
}

func (c Config) withDefaults() Config {
	for value, fallback := range map[*int]int{&c.MaxWidth: 8192, &c.MaxHeight: 8192} {
		if *value == 0 {
			*value = fallback
		}
	}
	for value, fallback := range map[*int64]int64{&c.Memory: 128 << 20, &c.Index: 64 << 20} {
		if *value == 0 {
			*value = fallback
		}
	}
	if c.Observer == nil {
		c.Observer = func(float64) {}
	}
	return c
}

// Renderer implements render.Renderer over another one.
type Renderer struct {
	render.Renderer
	config Config
	files  *lru.Cache[fileKey, *file]
	memory *semaphore.Weighted
	seed   maphash.Seed

	stored, joined, cut, passed atomic.Int64
}

// Stats are counts for metrics, since the start.
type Stats struct {
	// Stored are tiles that went out as they lie, Joined pictures made of parts of tiles, Cut those that the renderer behind
	// made of no more than the tiles that were needed, Passed those that it made of the original.
	Stored, Joined, Cut, Passed int64
	// IndexBytes is what is remembered of where tiles lie.
	IndexBytes int64
}

// New puts a Renderer before another one, whose Close closes both.
func New(behind render.Renderer, config Config) *Renderer {
	config = config.withDefaults()
	return &Renderer{
		Renderer: behind, config: config, files: lru.New[fileKey, *file](config.Index),
		memory: semaphore.NewWeighted(config.Memory), seed: maphash.MakeSeed(),
	}
}

// Capabilities implements render.Renderer: pictures come out in other bytes than without stored tiles.
func (r *Renderer) Capabilities() render.Capabilities {
	c := r.Renderer.Capabilities()
	c.Encoding += " stored"
	return c
}

// Stats counts what was done.
func (r *Renderer) Stats() Stats {
	return Stats{Stored: r.stored.Load(), Joined: r.joined.Load(), Cut: r.cut.Load(), Passed: r.passed.Load(), IndexBytes: r.files.Used()}
}

// Close implements render.Renderer.
func (r *Renderer) Close() error {
	r.files.Clear()
	return r.Renderer.Close()
}

// errPass says that a job is one for the renderer behind.
var errPass = errors.New("not for stored tiles")

// Render implements render.Renderer.
func (r *Renderer) Render(ctx context.Context, original source.Original, job render.Job) ([]byte, error) {
	start := time.Now()
	// Whatever goes wrong, also where the original cannot be read: the renderer behind has the words for it.
	if f, err := r.file(ctx, original); err == nil {
		if picture, err := r.answer(ctx, original, f, job); err == nil {
			elapsed := time.Since(start)
			render.TimerFrom(ctx).Add(elapsed)
			r.config.Observer(elapsed.Seconds())
			return picture, nil
		}
		if part, cutOut, err := r.cutOut(ctx, original, f, job); err == nil {
			render.TimerFrom(ctx).Add(time.Since(start))
			picture, err := r.Renderer.Render(ctx, cutOut, part)
			if known := new(problem.Error); !errors.As(err, &known) || known.Status != http.StatusUnprocessableEntity {
				r.cut.Add(1)
				return picture, err
			}
		}
	}
	r.passed.Add(1)
	return r.Renderer.Render(ctx, original, job)
}

// answer makes a picture whose pixels are in the file as they are asked for.
func (r *Renderer) answer(ctx context.Context, original source.Original, f *file, job render.Job) ([]byte, error) {
	if !r.plain(job) {
		return nil, errPass
	}
	w, err := f.find(job)
	if err != nil {
		return nil, err
	}
	picture, err := r.join(ctx, original, w)
	switch {
	case err != nil:
	case w.oneTile():
		r.stored.Add(1)
	default:
		r.joined.Add(1)
	}
	return picture, err
}

// cutOut makes an original of no more than a job needs, and the job for that.
func (r *Renderer) cutOut(ctx context.Context, original source.Original, f *file, job render.Job) (render.Job, source.Original, error) {
	w, part, err := f.around(job)
	if err != nil {
		return part, nil, err
	}
	if w.page.packing != nil {
		data, err := r.take(ctx, original, w)
		return part, newMemory(data), err
	}
	data, err := r.join(ctx, original, w)
	return part, newMemory(data), err
}

// plain tells the jobs that stored tiles may answer: nothing is done to the pixels.
func (r *Renderer) plain(job render.Job) bool {
	return job.Format == "jpg" && job.Watermark == nil && job.Rotation == 0 && !job.Mirror && job.Quality != "bitonal" &&
		job.Size.X <= r.config.MaxWidth && job.Size.Y <= r.config.MaxHeight
}

// fileKey names one state of an original. The version alone does not: it may be no more than a size and a time, which
// two originals can share, and then the first bytes tell them apart.
type fileKey struct {
	version, name string
	size          int64
	head          uint64
}

// headSize is how much of an original is looked at to tell it from others.
const headSize = 512

// file gives where the tiles of an original lie, from memory if it is there.
func (r *Renderer) file(ctx context.Context, original source.Original) (*file, error) {
	info := original.Info()
	var buffer [headSize]byte
	n, err := original.ReadAt(ctx, buffer[:min(headSize, max(info.Size, 0))], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	head := buffer[:n]
	if format, _ := render.Sniff(head, ""); format != "tiff" {
		return nil, errPass
	}
	key := fileKey{version: info.Version, name: info.Name, size: info.Size, head: maphash.Bytes(r.seed, head)}
	if f, ok := r.files.Get(key); ok {
		return f, nil
	}
	f, err := readFile(ctx, original)
	if err != nil {
		return nil, err
	}
	r.files.Put(key, f, f.cost+int64(len(key.version)+len(key.name)))
	return f, nil
}

var _ render.Renderer = (*Renderer)(nil)
