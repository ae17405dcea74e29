package authn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/clock"
)

// errUnknownKey says that the key set holds no key of a token's kid and algorithm.
var errUnknownKey = errors.New("no key has this kid and algorithm")

// keySet keeps the keys of one issuer fresh, in a goroutine between start and stop. Verifying reads an immutable keyring
// and takes no lock; only a kid that is unknown does.
type keySet struct {
	issuer     string
	algorithms []string
	source     keySource
	cache      KeyCache // nil keeps nothing
	clock      clock.Clock
	logger     *slog.Logger

	current atomic.Pointer[keyState]
	last    atomic.Pointer[keyAttempt]

	// wanted carries the wish for a fetch to the goroutine.
	wanted chan *keyFlight
	life   lifetime

	mu         sync.Mutex // guards what follows
	flight     *keyFlight
	pauseUntil time.Time
	unknown    unknownKeys
}

// keyState is a keyring with its origin. A new document makes a new keyring; the same one fetched again only a new state.
type keyState struct {
	ring     *keyring
	document []byte
	fetched  time.Time
	// kept marks a set out of the KeyCache that no fetch has confirmed yet.
	kept bool
}

// keyAttempt is the outcome of the latest fetch.
type keyAttempt struct {
	at  time.Time
	err error
}

// keyFlight is a fetch that several requests wait for.
type keyFlight struct {
	done chan struct{}
}

// usable gives the keyring, unless there is none or the one kept over a restart has become too old.
func (s *keySet) usable() *keyring {
	state := s.current.Load()
	if state == nil || state.kept && s.clock.Now().Sub(state.fetched) > maxCachedAge {
		return nil
	}
	return state.ring
}

// lookup finds the key for a token. A kid that no key has causes one fetch, which everybody who misses a key meanwhile
// waits for; ctx ends the waiting and never the fetch. The keyring is the one that the key is of.
func (s *keySet) lookup(ctx context.Context, id, algorithm string) (any, *keyring, error) {
	ring := s.usable()
	if ring == nil {
		return nil, nil, unavailable(s.lastError())
	}
	if !ring.has(id) {
		if err := s.fetchUnknown(ctx, id); err != nil {
			return nil, nil, err
		}
		// A fetch never takes a good keyring away.
		ring = s.current.Load().ring
	}
	key, ok := ring.find(id, algorithm)
	if !ok {
		return nil, nil, invalid(errUnknownKey)
	}
	return key, ring, nil
}

// fetchUnknown returns nil when a fetch has ended, with or without the kid.
func (s *keySet) fetchUnknown(ctx context.Context, id string) error {
	flight, mine := s.join(id)
	if flight == nil {
		return invalid(errUnknownKey)
	}
	select {
	case <-flight.done:
	case <-ctx.Done():
		return unavailable(ctx.Err())
	case <-s.life.ended():
		return unavailable(errors.New("the key set was stopped"))
	}
	// Who joined a fetch on its way cannot know whether the answer is older than the kid.
	attempt := s.last.Load()
	if mine && attempt != nil && attempt.err == nil && !s.current.Load().ring.has(id) {
		s.mu.Lock()
		s.unknown.add(id, s.clock.Now())
		s.mu.Unlock()
	}
	return nil
}

// join gives the fetch to wait for and whether this call caused it, or nil when the kid is known to be unknown or the
// last such fetch was just now.
func (s *keySet) join(id string) (flight *keyFlight, mine bool) {
	now := s.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unknown.has(id, now) {
		return nil, false
	}
	if s.flight != nil {
		return s.flight, false
	}
	if now.Before(s.pauseUntil) {
		return nil, false
	}
	s.flight = &keyFlight{done: make(chan struct{})}
	s.wanted <- s.flight // has room for the one flight there can be
	return s.flight, true
}

// land ends a flight and begins the pause after it.
func (s *keySet) land(flight *keyFlight) {
	s.mu.Lock()
	s.flight = nil
	s.pauseUntil = s.clock.Now().Add(unknownKeyPause)
	s.mu.Unlock()
	close(flight.done)
}

// refresh fetches once. Only a document with a usable key takes the old one's place.
func (s *keySet) refresh(ctx context.Context) error {
	document, err := s.source.fetch(ctx)
	if err == nil {
		err = s.adopt(document, s.clock.Now(), false)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.report(err)
	s.last.Store(&keyAttempt{at: s.clock.Now(), err: err})
	if err == nil {
		s.save(ctx)
	}
	return err
}

// adopt makes a document the current one. The keyring stays the same object while the document does, and with it what
// was verified by it.
func (s *keySet) adopt(document []byte, fetched time.Time, kept bool) error {
	next := &keyState{document: document, fetched: fetched, kept: kept}
	if old := s.current.Load(); old != nil && string(old.document) == string(document) {
		next.ring = old.ring
		s.current.Store(next)
		return nil
	}
	ring, err := parseKeyring(document, s.algorithms)
	if err != nil {
		return err
	}
	next.ring = ring
	s.current.Store(next)
	s.logger.Info("keys loaded", "issuer", s.issuer, "keys", ring.ids(), "skipped", ring.skipped, "kept", kept)
	return nil
}

// report logs a change between working and failing, and not each try.
func (s *keySet) report(err error) {
	before := s.last.Load()
	failedBefore := before != nil && before.err != nil
	switch {
	case err != nil && !failedBefore:
		s.logger.Warn("keys cannot be fetched", "issuer", s.issuer, "source", s.source.String(), "error", err)
	case err != nil:
		s.logger.Debug("keys cannot be fetched", "issuer", s.issuer, "source", s.source.String(), "error", err)
	case failedBefore:
		s.logger.Info("keys are fetched again", "issuer", s.issuer, "source", s.source.String())
	}
}

// restore takes the set that was kept over a restart, if it is of the same source and not too old.
func (s *keySet) restore(ctx context.Context) {
	if s.cache == nil || s.source.local() {
		return
	}
	keys, err := s.cache.LoadKeys(ctx, s.issuer)
	if errors.Is(err, ErrNoCachedKeys) {
		return
	}
	age := s.clock.Now().Sub(keys.Fetched)
	switch {
	case err != nil:
	case keys.Source != s.source.String():
		return
	case age < 0 || age > maxCachedAge:
		err = fmt.Errorf("it was fetched %s ago", age.Round(time.Second))
	default:
		err = s.adopt(keys.Document, keys.Fetched, true)
	}
	if err != nil {
		s.logger.Warn("the kept key set is not used", "issuer", s.issuer, "error", err)
	}
}

func (s *keySet) save(ctx context.Context) {
	if s.cache == nil || s.source.local() {
		return
	}
	state := s.current.Load()
	keys := CachedKeys{Source: s.source.String(), Document: state.document, Fetched: state.fetched}
	if err := s.cache.SaveKeys(ctx, s.issuer, keys); err != nil && ctx.Err() == nil {
		s.logger.Warn("the key set cannot be kept", "issuer", s.issuer, "error", err)
	}
}

func (s *keySet) lastError() error {
	if attempt := s.last.Load(); attempt != nil && attempt.err != nil {
		return attempt.err
	}
	return errors.New("no key set has been fetched yet")
}
