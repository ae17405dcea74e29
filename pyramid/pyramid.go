// Package pyramid keeps tiled pyramids of originals from which a tile costs much, and has them made in the background,
// each once. Who asks for a tile meanwhile is answered from the original, and does not wait.
//
// It is asked after authorization, and knows nothing of callers.
package pyramid

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/diskcache"
	"github.com/gatehouse-server/gatehouse/internal/lru"
	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render/tiffwrite"
)

// Config is the settings of a Store.
type Config struct {
	// Folder is an absolute path below which pyramids are kept, Bytes bounds them. Everything in it may be removed.
	Folder string
	Bytes  int64
	// TimeLimit bounds the making of one pyramid. Default 10 minutes.
	TimeLimit time.Duration
}

// ErrOutdated says that a pyramid is not wanted any more: that is no failure, and not remembered.
var ErrOutdated = errors.New("the pyramid is not wanted any more")

// Make writes a pyramid. It ends soon when ctx does.
type Make func(ctx context.Context, file *os.File, order Order) error

// Order is what a Make has to keep to.
type Order struct {
	// Limit is how many bytes the pyramid may have.
	Limit int64
	// Urgent tells that somebody looks at the original in parts meanwhile.
	Urgent bool
}

// Store keeps pyramids. It is safe for concurrent use.
type Store struct {
	config Config
	folder *diskcache.Folder
	log    *slog.Logger
	// failed is what could not be made, and until when it is not tried again.
	failed *lru.Cache[diskcache.Name, time.Time]
	// purges counts purges: what was begun before one must not come in after it. purging is held for reading by what
	// comes in, and by a purge for itself.
	purging sync.RWMutex
	purges  uint64

	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu sync.Mutex
	// wanted are those that wait and the one that is being made; urgent and idle are the former, in the order of asking.
	wanted       map[diskcache.Name]*wish
	urgent, idle []*wish
	working      bool
	closed       bool

	made, failures, skipped atomic.Int64
}

const (
	// maxWishes bounds each of the queues: a crawler names more than can ever be made.
	maxWishes = 1024
	// failedTime is how long what failed is not tried again, hopelessTime the same for what will fail again: the name holds
	// the version of the original.
	failedTime   = 10 * time.Minute
	hopelessTime = 24 * time.Hour
	maxFailed    = 4096
	// share is the part of the folder that one pyramid may take.
	share = 8
	// idlePercent is how full the folder may be for what nobody is in need of: it must not push others out.
	idlePercent = 80
)

// New makes a Store. The folder is touched when it is first used.
func New(c Config, logger *slog.Logger) *Store {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	if c.TimeLimit == 0 {
		c.TimeLimit = 10 * time.Minute
	}
	s := &Store{
		config: c, folder: diskcache.New(c.Folder, c.Bytes, share, logger), log: logger,
		failed: lru.New[diskcache.Name, time.Time](maxFailed), wanted: map[diskcache.Name]*wish{},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// fulfil makes one pyramid.
func (s *Store) fulfil(w *wish) {
	if file, _, ok := s.folder.Open(w.name); ok {
		_ = file.Close()
		return
	}
	if !w.urgent && s.folder.Used() > s.folder.Limit()/100*idlePercent || !s.folder.HasRoom(1) {
		s.skipped.Add(1)
		return
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.config.TimeLimit)
	defer cancel()
	err := s.build(ctx, w)
	switch {
	case s.ctx.Err() != nil, errors.Is(err, ErrOutdated):
	case err != nil:
		s.failures.Add(1)
		wait, level := pause(err), slog.LevelWarn
		if wait == hopelessTime {
			// The original's fault, of which its requests tell.
			level = slog.LevelDebug
		}
		s.failed.Put(w.name, time.Now().Add(wait), 1)
		s.log.Log(ctx, level, "a pyramid could not be made", "error", diskcache.Pathless(err))
	default:
		s.made.Add(1)
	}
}

// pause is how long what failed with err is not tried again.
func pause(err error) time.Duration {
	known := new(problem.Error)
	refused := errors.As(err, &known) && known.Status < http.StatusInternalServerError
	if refused || errors.Is(err, tiffwrite.ErrTooLong) || errors.Is(err, context.DeadlineExceeded) {
		return hopelessTime
	}
	return failedTime
}

func (s *Store) build(ctx context.Context, w *wish) error {
	s.purging.RLock()
	purges := s.purges
	s.purging.RUnlock()
	draft, err := s.folder.Create()
	if err != nil {
		return err
	}
	// It has no checksum: what a crash of the machine tears must not come to its place.
	if err := errors.Join(guarded(ctx, w, draft.File, Order{Limit: s.folder.Largest(), Urgent: w.urgent}), draft.Sync()); err != nil {
		draft.Discard()
		return err
	}
	s.purging.RLock()
	defer s.purging.RUnlock()
	if s.purges != purges {
		draft.Discard()
		return ErrOutdated
	}
	return draft.Keep(w.name)
}

// guarded makes a pyramid; a fault in one ends that one alone.
func guarded(ctx context.Context, w *wish, file *os.File, order Order) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = problem.Panicked(fault)
		}
	}()
	return w.make(ctx, file, order)
}

// Remove forgets a pyramid that is of no use.
func (s *Store) Remove(name diskcache.Name) { s.folder.Remove(name) }

// Purge forgets the pyramids of one identifier, of a collection where that is empty, or all where both are. When it
// returns, none of them is opened any more, also none that was being made.
func (s *Store) Purge(collection, identifier string) error {
	if collection == "" && identifier != "" {
		return errors.New("an identifier is one of a collection, which must be named")
	}
	s.purging.Lock()
	defer s.purging.Unlock()
	s.purges++
	s.failed.Clear()
	whole, item := diskcache.SumOf(collection), diskcache.SumOf(collection, identifier)
	switch {
	case collection == "":
		return s.folder.Purge(nil, nil)
	case identifier == "":
		return s.folder.Purge(&whole, nil)
	}
	return s.folder.Purge(&whole, &item)
}

// Stats are counts for metrics.
type Stats struct {
	// Made, Failed and Skipped (for which there was no room) since the start, Removed that made room for others.
	Made, Failed, Skipped, Removed int64
	// Waiting at this moment, the one that is being made included.
	Waiting int
	// Bytes of pyramids that are kept.
	Bytes int64
}

// Stats counts what was done.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	waiting := len(s.wanted)
	s.mu.Unlock()
	return Stats{
		Made: s.made.Load(), Failed: s.failures.Load(), Skipped: s.skipped.Load(), Removed: s.folder.Removed(),
		Waiting: waiting, Bytes: s.folder.Used(),
	}
}

// Close ends what goes on in the background. What is kept stays.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.urgent, s.idle = nil, nil
	s.mu.Unlock()
	s.cancel()
	s.done.Wait()
	s.folder.Close()
	return nil
}
