package source

import (
	"container/list"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/clock"
	"github.com/gatehouse-server/gatehouse/internal/flight"
	"github.com/gatehouse-server/gatehouse/internal/httpx"
)

const (
	// maxFound bounds how many originals a source remembers.
	maxFound = 8192
	// openTries is how often Open looks again when what it found goes before it could be used: when a spool under
	// pressure gave it up, or the original was replaced between two requests.
	openTries = 3
)

// remote is a Source whose originals come over a network. It remembers for a while what it found, reads large
// originals by ranges through a cache of blocks, and keeps the others whole in the spool.
type remote struct {
	kind     Kind
	place    place
	conf     Remote
	log      *slog.Logger
	clock    clock.Clock
	observe  Observer
	spool    *Spool
	blocks   *blockCache
	searches flight.Group[*found]

	mu sync.Mutex
	// found holds what is remembered, by the path that was asked for; recent orders it, the last used first.
	found  map[string]*list.Element
	recent *list.List
	// users counts those who are opening or have open an original. life is the context of what is done for them.
	users  int
	closed bool
	life   context.Context
	stop   context.CancelFunc
}

// found is an original that was found. It does not change.
type found struct {
	// asked is the path that was asked for, path the spelling under which the original lies.
	asked, path string
	info        Info
	validator   validator
	// recheck is what to ask with whether the original is still the same; zero where that cannot be asked.
	recheck validator
	checked time.Time
	// file has the bytes; nil when they are read by ranges.
	file *spoolFile
}

func newRemote(kind Kind, p place, c Remote, d Deps) (*remote, error) {
	if d.Spool == nil {
		return nil, errors.New("a source that is not a folder needs a spool")
	}
	c = c.withDefaults()
	return &remote{
		kind: kind, place: p, conf: c, log: d.Logger, clock: d.Clock, observe: d.Observe, spool: d.Spool,
		blocks: newBlockCache(c.CacheBytes),
		found:  map[string]*list.Element{},
		recent: list.New(),
	}, nil
}

// Open implements Source.
func (r *remote) Open(ctx context.Context, path string) (Original, error) {
	defer timed(ctx)()
	if err := ctx.Err(); err != nil {
		return nil, waited(err)
	}
	path = strings.TrimLeft(path, "/")
	if err := httpx.CheckPath(path); err != nil {
		return nil, notFound(err)
	}
	life := r.enter()
	o, err := r.open(ctx, life, path)
	if err != nil {
		r.leave()
		return nil, err
	}
	return o, nil
}

func (r *remote) open(ctx, life context.Context, path string) (Original, error) {
	for range openTries {
		f := r.remembered(path)
		if f == nil || r.clock.Now().Sub(f.checked) >= r.conf.Fresh {
			// The search may outlive this call, so that it gets a variable that nobody writes to any more.
			before := f
			var err error
			f, err = r.searches.Do(ctx, life, path, func(ctx context.Context) (*found, error) { return r.search(ctx, path, before) })
			if err != nil {
				return nil, waited(err)
			}
		}
		if f.file == nil {
			return &rangedOriginal{remote: r, found: f, life: life}, nil
		}
		if f.file.acquire() {
			return &spooledOriginal{remote: r, found: f}, nil
		}
		r.forget(f)
	}
	return nil, spoolFull(nil)
}

// waited is the error of one who waited for work: running out of time is the place's slowness, going away is not.
func waited(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return unreachable(httpx.KindTimeout, err)
	}
	return err
}

// search looks for an original under all its spellings. What was found before, if anything, is asked for with a
// condition.
func (r *remote) search(ctx context.Context, path string, before *found) (*found, error) {
	ctx, patience := newPatience(ctx, r.conf.Timeout)
	defer patience.end()
	names := []string{path}
	if r.conf.NameVariants {
		names = NameVariants(path)
	}
	for _, name := range names {
		f, err := r.find(ctx, patience, name, before)
		switch {
		case err == nil:
			f.asked = path
		case errors.Is(err, errAbsent):
			continue
		case errors.Is(err, errNotModified):
			again := *before
			f = &again
		default:
			return nil, failure(ctx, err)
		}
		f.checked = r.clock.Now()
		r.remember(f)
		return f, nil
	}
	if before != nil {
		r.forget(before)
	}
	return nil, notFound(nil)
}

// fetch asks the place and tells the observer.
func (r *remote) fetch(ctx context.Context, path string, a ask) (*reply, error) {
	start := time.Now()
	reply, err := r.place.fetch(ctx, path, a)
	if err != nil {
		became := outcome(err)
		if became == OutcomeUnreachable || became == OutcomeCancelled {
			became = outcome(failure(ctx, err))
		}
		r.observe(r.kind, time.Since(start).Seconds(), 0, became)
		return nil, err
	}
	reply.body = &observedBody{ReadCloser: reply.body, remote: r, start: start}
	return reply, nil
}

// observedBody tells the observer how a transfer went.
type observedBody struct {
	io.ReadCloser
	remote *remote
	start  time.Time
	bytes  int64
	failed bool
}

func (b *observedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.bytes += int64(n)
	b.failed = b.failed || err != nil && !errors.Is(err, io.EOF)
	return n, err
}

func (b *observedBody) Close() error {
	became := OutcomeOK
	if b.failed {
		became = OutcomeUnreachable
	}
	b.remote.observe(b.remote.kind, time.Since(b.start).Seconds(), b.bytes, became)
	return b.ReadCloser.Close()
}

func (r *remote) remembered(path string) *found {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.found[path]
	if !ok {
		return nil
	}
	r.recent.MoveToFront(e)
	return e.Value.(*found)
}

func (r *remote) remember(f *found) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.found[f.asked]; ok {
		old := e.Value.(*found)
		e.Value = f
		r.recent.MoveToFront(e)
		if old.file != nil && old.file != f.file {
			old.file.discard()
		}
		return
	}
	r.found[f.asked] = r.recent.PushFront(f)
	if r.recent.Len() > maxFound {
		r.drop(r.recent.Back())
	}
}

// forget makes the next Open ask the place, unless somebody found something newer meanwhile.
func (r *remote) forget(f *found) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.found[f.asked]; ok && e.Value == f {
		r.drop(e)
	}
}

// drop removes what is remembered. The caller holds mu.
func (r *remote) drop(e *list.Element) {
	f := r.recent.Remove(e).(*found)
	delete(r.found, f.asked)
	if f.file != nil {
		f.file.discard()
	}
}

// enter counts a user and gives the context of what is done for users.
func (r *remote) enter() context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users++
	if r.life == nil {
		r.life, r.stop = context.WithCancel(context.Background())
	}
	return r.life
}

func (r *remote) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users--
	r.freeUnused()
}

// Close implements Source. A request that is still under way when a configuration is replaced can go on opening
// originals; the last one to leave frees everything.
func (r *remote) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.freeUnused()
	return nil
}

// freeUnused gives everything up once the source is closed and nobody uses it. The caller holds mu.
func (r *remote) freeUnused() {
	if !r.closed || r.users > 0 {
		return
	}
	if r.stop != nil {
		r.stop()
		r.life, r.stop = nil, nil
	}
	for r.recent.Len() > 0 {
		r.drop(r.recent.Back())
	}
	r.blocks.clear()
	r.place.closeIdle()
}
