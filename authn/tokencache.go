package authn

import (
	"crypto/sha256"
	"encoding/binary"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/gatehouse-server/gatehouse/authn/principal"
)

const (
	// defaultVerifiedTokens is how many tokens are remembered where nothing else is said: some 2 MB when all are in use.
	defaultVerifiedTokens = 4096
	// tokenWays is how many places a token can lie in.
	tokenWays = 4
)

// tokenSum names a token without holding it.
type tokenSum [sha256.Size]byte

func sumOf(raw string) tokenSum {
	// As bytes without a copy: a token is read with each request.
	return sha256.Sum256(unsafe.Slice(unsafe.StringData(raw), len(raw)))
}

// verifiedToken is a token that was verified with the keys of ring. It is never changed after it was made.
type verifiedToken struct {
	sum  tokenSum
	ring *keyring
	who  *principal.Principal
}

// tokenCache remembers verified tokens in a table of constant size. A token has a few places, by its hash; when all are
// taken it displaces one, by its hash too. Nothing is locked: a lost race costs one more verification.
type tokenCache struct {
	slots []atomic.Pointer[verifiedToken]
}

// newTokenCache makes a cache for about n tokens, at least tokenWays.
func newTokenCache(n int) *tokenCache {
	if n <= 0 {
		n = defaultVerifiedTokens
	}
	sets := (n + tokenWays - 1) / tokenWays
	return &tokenCache{slots: make([]atomic.Pointer[verifiedToken], sets*tokenWays)}
}

func (c *tokenCache) set(sum tokenSum) []atomic.Pointer[verifiedToken] {
	sets := uint64(len(c.slots) / tokenWays)
	first := binary.LittleEndian.Uint64(sum[:]) % sets * tokenWays
	return c.slots[first : first+tokenWays]
}

// get answers for a token that was verified with exactly these keys and has not reached its exp. ring is nil for keys
// that never change.
func (c *tokenCache) get(sum tokenSum, ring *keyring, now time.Time) (*principal.Principal, bool) {
	set := c.set(sum)
	for i := range set {
		if t := set[i].Load(); t != nil && t.sum == sum {
			if t.ring != ring || !now.Before(t.who.Expires) {
				return nil, false
			}
			return t.who, true
		}
	}
	return nil, false
}

// put remembers a token in its old place, one that is free or out of use, or else in another's.
func (c *tokenCache) put(sum tokenSum, ring *keyring, who *principal.Principal) {
	set := c.set(sum)
	place := int(sum[len(sum)-1]) % tokenWays
	for i := range set {
		t := set[i].Load()
		if t != nil && t.sum == sum {
			place = i
			break
		}
		if t == nil || t.ring != ring {
			place = i
		}
	}
	set[place].Store(&verifiedToken{sum: sum, ring: ring, who: who})
}
