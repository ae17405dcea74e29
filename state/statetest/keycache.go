package statetest

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/authn"
)

// RunKeyCache tests an authn.KeyCache.
func RunKeyCache(t *testing.T, open func(t *testing.T) authn.KeyCache) {
	t.Helper()
	tests := map[string]func(*testing.T, func() authn.KeyCache){
		"nothing is kept at first":             keysAbsent,
		"what was saved is loaded":             keysLoaded,
		"issuers are kept apart":               keysApart,
		"the latest save counts":               keysLatest,
		"a restart loses nothing":              keysReopened,
		"savers at the same time mix nothing":  keysConcurrent,
		"buffers are not shared":               keysCopied,
		"a full-sized document is kept":        keysLarge,
		"an ended context is an error":         keysEndedContext,
		"an ended context changes nothing":     keysEndedContextKeeps,
		"a name with odd characters is a name": keysOddNames,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var current authn.KeyCache
			test(t, func() authn.KeyCache {
				if closer, ok := current.(io.Closer); ok {
					if err := closer.Close(); err != nil {
						t.Fatalf("close before the restart: %v", err)
					}
				}
				current = open(t)
				return current
			})
		})
	}
}

// fetched has a fraction and a zone, which a store may drop and change but not shift.
func fetched(n int) time.Time {
	return time.Date(2026, 3, 1, 12, 0, n, 123_456_000, time.FixedZone("", 3600))
}

func sample(n int) authn.CachedKeys {
	return authn.CachedKeys{
		Source:   fmt.Sprintf("https://login.example.org/%d", n),
		Document: fmt.Appendf(nil, `{"keys":[%d]}`, n),
		Fetched:  fetched(n),
	}
}

func save(t *testing.T, cache authn.KeyCache, issuer string, keys authn.CachedKeys) {
	t.Helper()
	if err := cache.SaveKeys(t.Context(), issuer, keys); err != nil {
		t.Fatalf("save %q: %v", issuer, err)
	}
}

func wantKeys(t *testing.T, cache authn.KeyCache, issuer string, want authn.CachedKeys) {
	t.Helper()
	got, err := cache.LoadKeys(t.Context(), issuer)
	if err != nil {
		t.Fatalf("load %q: %v", issuer, err)
	}
	if !same(got, want) {
		t.Errorf("load %q: got %.200v, want %.200v", issuer, got, want)
	}
}

func same(a, b authn.CachedKeys) bool {
	return a.Source == b.Source && string(a.Document) == string(b.Document) &&
		a.Fetched.Truncate(time.Millisecond).Equal(b.Fetched.Truncate(time.Millisecond))
}

func wantNothing(t *testing.T, cache authn.KeyCache, issuer string) {
	t.Helper()
	if got, err := cache.LoadKeys(t.Context(), issuer); !errors.Is(err, authn.ErrNoCachedKeys) {
		t.Errorf("load %q: got %v, %v; want ErrNoCachedKeys", issuer, got, err)
	}
}

func keysAbsent(t *testing.T, open func() authn.KeyCache) {
	wantNothing(t, open(), "city")
}

func keysLoaded(t *testing.T, open func() authn.KeyCache) {
	cache := open()
	save(t, cache, "city", sample(1))
	wantKeys(t, cache, "city", sample(1))
}

func keysApart(t *testing.T, open func() authn.KeyCache) {
	cache := open()
	save(t, cache, "city", sample(1))
	save(t, cache, "partner", sample(2))
	wantKeys(t, cache, "city", sample(1))
	wantKeys(t, cache, "partner", sample(2))
	wantNothing(t, cache, "cit")
	wantNothing(t, cache, "City")
}

func keysLatest(t *testing.T, open func() authn.KeyCache) {
	cache := open()
	save(t, cache, "city", sample(2))
	save(t, cache, "city", sample(1))
	wantKeys(t, cache, "city", sample(1))
	wantKeys(t, open(), "city", sample(1))
}

func keysReopened(t *testing.T, open func() authn.KeyCache) {
	save(t, open(), "city", sample(1))
	again := open()
	wantKeys(t, again, "city", sample(1))
	save(t, again, "partner", sample(2))
	third := open()
	wantKeys(t, third, "city", sample(1))
	wantKeys(t, third, "partner", sample(2))
}

func keysConcurrent(t *testing.T, open func() authn.KeyCache) {
	cache := open()
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for n := range 8 {
				issuer := fmt.Sprintf("issuer-%d", n%2)
				if err := cache.SaveKeys(t.Context(), issuer, sample(worker*8+n)); err != nil {
					t.Errorf("save: %v", err)
				}
				got, err := cache.LoadKeys(t.Context(), issuer)
				if err != nil || !oneOf(got, 32) {
					t.Errorf("load %s: got %v, %v; want a set that somebody saved", issuer, got, err)
				}
			}
		})
	}
	group.Wait()
}

// oneOf tells whether the set is whole: one of the first n samples.
func oneOf(keys authn.CachedKeys, n int) bool {
	for i := range n {
		if same(keys, sample(i)) {
			return true
		}
	}
	return false
}

func keysCopied(t *testing.T, open func() authn.KeyCache) {
	cache := open()
	given := sample(1)
	save(t, cache, "city", given)
	given.Document[0] = 'X'
	got, err := cache.LoadKeys(t.Context(), "city")
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	got.Document[0] = 'Y'
	wantKeys(t, cache, "city", sample(1))
}

func keysLarge(t *testing.T, open func() authn.KeyCache) {
	large := sample(1)
	large.Document = make([]byte, 1<<20)
	for i := range large.Document {
		large.Document[i] = byte(i * 7)
	}
	save(t, open(), "city", large)
	wantKeys(t, open(), "city", large)
}

func keysOddNames(t *testing.T, open func() authn.KeyCache) {
	cache := open()
	names := []string{"a.b", "a_b", "a-b", "A.B", "1"}
	for n, name := range names {
		save(t, cache, name, sample(n))
	}
	for n, name := range names {
		wantKeys(t, cache, name, sample(n))
	}
}
