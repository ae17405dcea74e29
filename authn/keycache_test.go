package authn

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// afterRestart runs a test with a provider that is down and a cache that holds keys.
func afterRestart(t *testing.T, keys func() CachedKeys, test func(*testing.T, *provider, *Issuer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cache := NewMemoryKeys()
		if err := cache.SaveKeys(t.Context(), "city", keys()); err != nil {
			t.Fatal(err)
		}
		p := &provider{fail: refused}
		issuer := p.newIssuer(t, cache, nil)
		start(t, issuer)
		test(t, p, issuer)
	})
}

func TestTheLastGoodSetSurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key, cache := newSigner("ES256", "k"), NewMemoryKeys()
		p := &provider{}
		p.publish(key.public())
		first := p.newIssuer(t, cache, nil)
		start(t, first)
		synctest.Wait()
		p.publish() // a bad one is not kept
		time.Sleep(time.Hour)
		first.Stop()

		p.failWith(silent)
		second := p.newIssuer(t, cache, nil)
		start(t, second)
		wantFine(t, second, key)
		status := second.Status()
		if age, ok := second.Age(time.Now()); !ok || age != time.Hour || !status.Kept || !status.Ready {
			t.Errorf("the age is %s, the status %+v", age, status)
		}
		p.publish(key.public())
		time.Sleep(time.Minute)
		if status := second.Status(); status.Kept || status.LastError != "" || time.Since(status.Fetched) > time.Minute {
			t.Errorf("once fetched: %+v", status)
		}
	})
}

func TestAKeptSetEndsAfterADay(t *testing.T) {
	key := newSigner("ES256", "k")
	kept := func() CachedKeys {
		return CachedKeys{Source: "https://login.example.org/certs", Document: document(key.public()), Fetched: time.Now().Add(-23 * time.Hour)}
	}
	afterRestart(t, kept, func(t *testing.T, p *provider, issuer *Issuer) {
		token := key.token(nowClaims())
		time.Sleep(time.Hour)
		if _, err := issuer.Verify(t.Context(), token); err != nil {
			t.Fatalf("within the day: %v", err)
		}
		time.Sleep(time.Second)
		_, err := issuer.Verify(t.Context(), token)
		wantCode(t, err, CodeKeysUnavailable)
		if issuer.Status().Ready {
			t.Error("it says that it is ready")
		}
		p.publish(key.public())
		time.Sleep(15 * time.Second)
		if _, err := issuer.Verify(t.Context(), token); err != nil {
			t.Errorf("healed: %v", err)
		}
	})
}

// Keys that a fetch of this process brought serve for as long as the provider is down.
func TestAFetchedSetOutlastsADayOfOutage(t *testing.T) {
	key := newSigner("ES256", "k")
	inBubble(t, func(p *provider) { p.publish(key.public()) }, func(t *testing.T, p *provider, issuer *Issuer) {
		p.failWith(refused)
		time.Sleep(25 * time.Hour)
		wantFine(t, issuer, key)
	})
}

func TestKeptSetsThatAreNotUsed(t *testing.T) {
	key := newSigner("ES256", "k")
	const source = "https://login.example.org/certs"
	for name, keys := range map[string]func() CachedKeys{
		"older than a day": func() CachedKeys { return CachedKeys{source, document(key.public()), time.Now().Add(-25 * time.Hour)} },
		"from the future":  func() CachedKeys { return CachedKeys{source, document(key.public()), time.Now().Add(time.Hour)} },
		"of another source": func() CachedKeys {
			return CachedKeys{"https://old.example.org/certs", document(key.public()), time.Now()}
		},
		"damaged":        func() CachedKeys { return CachedKeys{source, []byte(`{"keys":[`), time.Now()} },
		"without a key":  func() CachedKeys { return CachedKeys{source, document(), time.Now()} },
		"without a time": func() CachedKeys { return CachedKeys{Source: source, Document: document(key.public())} },
	} {
		t.Run(name, func(t *testing.T) {
			afterRestart(t, keys, func(t *testing.T, p *provider, issuer *Issuer) {
				wantRefused(t, issuer, key, CodeKeysUnavailable)
				p.publish(key.public())
				time.Sleep(15 * time.Second)
				wantFine(t, issuer, key)
			})
		})
	}
}

var errDisk = errors.New("the disk is gone")

type brokenCache struct{}

func (brokenCache) LoadKeys(context.Context, string) (CachedKeys, error) {
	return CachedKeys{}, errDisk
}
func (brokenCache) SaveKeys(context.Context, string, CachedKeys) error { return errDisk }

func TestACacheThatFailsIsLoggedAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key, log := newSigner("ES256", "k"), newLogWatch()
		p := &provider{}
		p.publish(key.public())
		issuer := p.newIssuer(t, brokenCache{}, log)
		start(t, issuer)
		synctest.Wait()
		wantFine(t, issuer, key)
		if log.count("the kept key set is not used") != 1 || log.count("the key set cannot be kept") != 1 || log.count(errDisk.Error()) != 2 {
			t.Errorf("got\n%s", log.text())
		}
	})
}

func TestKeysAreKeptWithTheirSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key, cache := newSigner("ES256", "k"), NewMemoryKeys()
		p := &provider{}
		p.publish(key.public())
		start(t, p.newIssuer(t, cache, nil))
		synctest.Wait()
		got, err := cache.LoadKeys(t.Context(), "city")
		if err != nil || got.Source != "https://login.example.org/certs" || !slices.Equal(got.Document, p.document) || !got.Fetched.Equal(time.Now()) {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

// Files are as near as the cache; a copy in it could only be older.
func TestFilesAreNotKept(t *testing.T) {
	clk, key := newClock(), newSigner("ES256", "k")
	issuer := startIssuer(t, IssuerConfig{}, clk, key.public())
	config := issuer.Config()
	cached, err := NewIssuer(config, Dependencies{Clock: clk, Cache: panicCache{}})
	if err != nil {
		t.Fatal(err)
	}
	start(t, cached)
	if !cached.Status().Ready {
		t.Error("it is not ready")
	}
}

// panicCache must not be used.
type panicCache struct{ KeyCache }
