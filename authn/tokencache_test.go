package authn

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/authn/principal"
)

func until(d time.Duration) *principal.Principal { return &principal.Principal{Expires: noon.Add(d)} }

func TestRememberedTokens(t *testing.T) {
	c, ring, other := newTokenCache(8), &keyring{}, &keyring{}
	sum, who := sumOf("a"), until(time.Minute)
	if _, ok := c.get(sum, ring, noon); ok {
		t.Error("an empty cache knows a token")
	}
	c.put(sum, ring, who)
	for name, test := range map[string]struct {
		sum  tokenSum
		ring *keyring
		at   time.Time
		want bool
	}{
		"it":                   {sum, ring, noon, true},
		"just before its end":  {sum, ring, noon.Add(time.Minute - 1), true},
		"at its end":           {sum, ring, noon.Add(time.Minute), false},
		"with other keys":      {sum, other, noon, false},
		"with keys of no ring": {sum, nil, noon, false},
		"another token":        {sumOf("b"), ring, noon, false},
	} {
		if got, ok := c.get(test.sum, test.ring, test.at); ok != test.want || ok && got != who {
			t.Errorf("%s: got %v, %t", name, got, ok)
		}
	}
	newer := until(time.Hour)
	c.put(sum, other, newer)
	if got, ok := c.get(sum, other, noon); !ok || got != newer {
		t.Error("verified anew, it must be known anew")
	}
}

func TestTheTableNeverGrows(t *testing.T) {
	for want, n := range map[int]int{4: 1, 8: 5, 4096: 0, 100: 100} {
		if got := len(newTokenCache(n).slots); got != want {
			t.Errorf("for %d tokens: %d places, want %d", n, got, want)
		}
	}
	c, ring := newTokenCache(16), &keyring{}
	for n := range 1000 {
		sum := sumOf(fmt.Sprint(n))
		c.put(sum, ring, until(time.Minute))
		if _, ok := c.get(sum, ring, noon); !ok {
			t.Fatalf("token %d is not known right after", n)
		}
	}
	known := 0
	for n := range 1000 {
		if _, ok := c.get(sumOf(fmt.Sprint(n)), ring, noon); ok {
			known++
		}
	}
	if known == 0 || known > len(c.slots) {
		t.Errorf("%d tokens are known in %d places", known, len(c.slots))
	}
}

// Tokens of keys that are gone make room first.
func TestOldKeysMakeRoom(t *testing.T) {
	c, old, ring := newTokenCache(tokenWays), &keyring{}, &keyring{}
	for n := range tokenWays {
		c.put(sumOf(fmt.Sprint("old", n)), old, until(time.Minute))
	}
	for n := range tokenWays {
		c.put(sumOf(fmt.Sprint(n)), ring, until(time.Minute))
	}
	for n := range tokenWays {
		if _, ok := c.get(sumOf(fmt.Sprint(n)), ring, noon); !ok {
			t.Errorf("token %d was displaced though old ones were there", n)
		}
	}
}

func TestTheTableFromManySides(t *testing.T) {
	c, ring := newTokenCache(8), &keyring{}
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for n := range 500 {
				ends := time.Duration(n%50+1) * time.Second
				sum := sumOf(fmt.Sprint(n % 50))
				if (n+worker)%2 == 0 {
					c.put(sum, ring, until(ends))
				} else if who, ok := c.get(sum, ring, noon); ok && !who.Expires.Equal(noon.Add(ends)) {
					t.Errorf("token %d is taken for another's", n%50)
				}
			}
		})
	}
	group.Wait()
}
