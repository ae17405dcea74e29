package authn

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// maxCachedAge is how old a key set may be that was kept over a restart. Keys that the identity provider has withdrawn
// would live on in it.
const maxCachedAge = 24 * time.Hour

// ErrNoCachedKeys is what a KeyCache answers for an issuer of which it keeps nothing.
var ErrNoCachedKeys = errors.New("no key set is kept for this issuer")

// CachedKeys is a key set as it was fetched.
type CachedKeys struct {
	// Source tells where it came from. A set of another source than the configured one is not used.
	Source string
	// Document is the JWKS as received.
	Document []byte
	// Fetched is when it was received.
	Fetched time.Time
}

// KeyCache keeps the last good key set of each issuer, by the issuer's configured name, so that a restart or a reload
// does not depend on the identity provider. Implementations lock for themselves and keep no reference to what they are
// given or hand out.
type KeyCache interface {
	// LoadKeys gives what was saved last, or ErrNoCachedKeys; any other error means that the store failed.
	LoadKeys(ctx context.Context, issuer string) (CachedKeys, error)
	// SaveKeys replaces what is kept for the issuer. It returns when the set is as durable as the store makes it.
	SaveKeys(ctx context.Context, issuer string, keys CachedKeys) error
}

// MemoryKeys is a KeyCache that lives as long as the process: enough for reloads.
type MemoryKeys struct {
	mu   sync.Mutex
	sets map[string]CachedKeys
}

// NewMemoryKeys makes an empty one.
func NewMemoryKeys() *MemoryKeys {
	return &MemoryKeys{sets: make(map[string]CachedKeys)}
}

// LoadKeys implements KeyCache.
func (m *MemoryKeys) LoadKeys(ctx context.Context, issuer string) (CachedKeys, error) {
	if err := ctx.Err(); err != nil {
		return CachedKeys{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	keys, ok := m.sets[issuer]
	if !ok {
		return CachedKeys{}, ErrNoCachedKeys
	}
	keys.Document = slices.Clone(keys.Document)
	return keys, nil
}

// SaveKeys implements KeyCache.
func (m *MemoryKeys) SaveKeys(ctx context.Context, issuer string, keys CachedKeys) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	keys.Document = slices.Clone(keys.Document)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sets[issuer] = keys
	return nil
}

var _ KeyCache = (*MemoryKeys)(nil)
