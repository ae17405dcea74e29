package authn

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestAProviderThatIsDownAtTheStart(t *testing.T) {
	for name, down := range map[string]func(*http.Request) (*http.Response, error){"refuses": refused, "hangs": silent} {
		for _, outage := range []time.Duration{0, time.Second, 7 * time.Second, time.Minute, time.Hour} {
			t.Run(fmt.Sprintf("%s for %s", name, outage), func(t *testing.T) {
				key := newSigner("ES256", "k")
				inBubble(t, func(p *provider) { p.failWith(down) }, func(t *testing.T, p *provider, issuer *Issuer) {
					wantRefused(t, issuer, key, CodeKeysUnavailable)
					time.Sleep(outage)
					wantRefused(t, issuer, key, CodeKeysUnavailable)
					p.publish(key.public())
					time.Sleep(15 * time.Second)
					wantFine(t, issuer, key)
				})
			})
		}
	}
}

func TestRequestsFetchNothingWhileKeysAreMissing(t *testing.T) {
	key := newSigner("ES256", "k")
	inBubble(t, func(p *provider) { p.failWith(silent) }, func(t *testing.T, p *provider, issuer *Issuer) {
		for range 100 {
			wantRefused(t, issuer, key, CodeKeysUnavailable)
		}
		if p.count() != 1 {
			t.Errorf("%d fetches", p.count())
		}
		time.Sleep(time.Hour)
		if n := p.count(); n > 3600/9 {
			t.Errorf("%d fetches in an hour of silence", n)
		}
	})
}

func TestKeysRotateByThemselves(t *testing.T) {
	old, next := newSigner("ES256", "old"), newSigner("ES256", "new")
	inBubble(t, func(p *provider) { p.publish(old.public()) }, func(t *testing.T, p *provider, issuer *Issuer) {
		wantFine(t, issuer, old)
		p.publish(next.public())
		time.Sleep(refreshPeriod + refreshPeriod/5)
		if n := p.count(); n != 2 {
			t.Errorf("%d fetches, want 2", n)
		}
		wantFine(t, issuer, next)
		wantRefused(t, issuer, old, CodeTokenInvalid)
	})
}

// What was verified with a key does not outlive it, in the memory of verified tokens either.
func TestAWithdrawnKeyEndsRememberedTokens(t *testing.T) {
	old, next := newSigner("ES256", "k"), newSigner("ES256", "k")
	inBubble(t, func(p *provider) { p.publish(old.public()) }, func(t *testing.T, p *provider, issuer *Issuer) {
		token := old.token(nowClaims())
		for range 2 {
			if _, err := issuer.Verify(t.Context(), token); err != nil {
				t.Fatal(err)
			}
		}
		p.publish(next.public())
		time.Sleep(refreshPeriod + refreshPeriod/5)
		_, err := issuer.Verify(t.Context(), token)
		wantCode(t, err, CodeTokenSignature)
	})
}

func TestTheSameDocumentKeepsRememberedTokens(t *testing.T) {
	key := newSigner("ES256", "k")
	inBubble(t, func(p *provider) { p.publish(key.public()) }, func(t *testing.T, p *provider, issuer *Issuer) {
		token := key.token(nowClaims())
		first, err := issuer.Verify(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if again, err := issuer.Verify(t.Context(), token); err != nil || again != first {
			t.Errorf("it was verified again after %d fetches: %v", p.count(), err)
		}
	})
}

func TestAnUnknownKidCausesOneSharedFetch(t *testing.T) {
	old, next := newSigner("ES256", "old"), newSigner("ES256", "new")
	inBubble(t, func(p *provider) { p.publish(old.public()) }, func(t *testing.T, p *provider, issuer *Issuer) {
		p.publish(old.public(), next.public())
		p.beSlow(2 * time.Second)
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() { wantFine(t, issuer, next) })
		}
		synctest.Wait()
		wantFine(t, issuer, old) // does not wait
		group.Wait()
		if n := p.count(); n != 2 {
			t.Errorf("%d fetches, want 2", n)
		}
	})
}

func TestThePauseAfterAnUnknownKid(t *testing.T) {
	key := newSigner("ES256", "k")
	unknown := func(n int) signer {
		return signer{algorithm: "ES256", id: fmt.Sprint("unknown-", n), private: key.private}
	}
	inBubble(t, func(p *provider) { p.publish(key.public()) }, func(t *testing.T, p *provider, issuer *Issuer) {
		step := func(what string, s signer, want int) {
			t.Helper()
			wantRefused(t, issuer, s, CodeTokenInvalid)
			if n := p.count(); n != want {
				t.Errorf("%s: %d fetches, want %d", what, n, want)
			}
		}
		step("the first", unknown(1), 2)
		for n := range 100 {
			step("at once", unknown(n), 2)
		}
		time.Sleep(unknownKeyPause - time.Millisecond)
		step("within the pause", unknown(200), 2)
		time.Sleep(time.Millisecond)
		step("the known unknown, after the pause", unknown(1), 2)
		step("another, after the pause", unknown(2), 3)
		time.Sleep(unknownKeyPause)
		step("the second, after its pause", unknown(2), 3)
		time.Sleep(unknownKeyLife)
		step("the first, forgotten", unknown(1), 4)
		// The keys that are known serve all the while, and a new one is found.
		wantFine(t, issuer, key)
		next := newSigner("ES256", "next")
		p.publish(key.public(), next.public())
		time.Sleep(unknownKeyPause)
		wantFine(t, issuer, next)
	})
}

func TestAKidThatAppearsIsFoundThoughItWasUnknown(t *testing.T) {
	key, late := newSigner("ES256", "k"), newSigner("ES256", "late")
	inBubble(t, func(p *provider) { p.publish(key.public()) }, func(t *testing.T, p *provider, issuer *Issuer) {
		wantRefused(t, issuer, late, CodeTokenInvalid)
		p.publish(key.public(), late.public())
		time.Sleep(unknownKeyPause)
		wantRefused(t, issuer, late, CodeTokenInvalid)
		wantRefused(t, issuer, newSigner("ES256", "other"), CodeTokenInvalid) // fetches
		wantFine(t, issuer, late)
	})
}

// A fetch that failed says nothing about the kid.
func TestAnUnknownKidWhileTheProviderIsDown(t *testing.T) {
	key, next := newSigner("ES256", "k"), newSigner("ES256", "next")
	inBubble(t, func(p *provider) { p.publish(key.public()) }, func(t *testing.T, p *provider, issuer *Issuer) {
		p.failWith(silent)
		wantRefused(t, issuer, next, CodeTokenInvalid)
		wantFine(t, issuer, key)
		p.publish(key.public(), next.public())
		time.Sleep(unknownKeyPause + staleRetry)
		wantFine(t, issuer, next)
	})
}

func TestUnknownKidsAreBounded(t *testing.T) {
	var u unknownKeys
	for n := range 10 * maxUnknownKeys {
		u.add(fmt.Sprint(n), noon.Add(time.Duration(n)*time.Second))
	}
	if len(u.until) != maxUnknownKeys {
		t.Errorf("%d are kept", len(u.until))
	}
	last, now := 10*maxUnknownKeys-1, noon.Add(10*maxUnknownKeys*time.Second)
	if !u.has(fmt.Sprint(last), now) || u.has("0", now) {
		t.Error("the latest must stay and the first must go")
	}
	if u.has(fmt.Sprint(last), now.Add(unknownKeyLife)) {
		t.Error("it is kept for ever")
	}
}

func TestTheCallerEndsTheWaitingNotTheFetch(t *testing.T) {
	key, next := newSigner("ES256", "k"), newSigner("ES256", "next")
	inBubble(t, func(p *provider) { p.publish(key.public()) }, func(t *testing.T, p *provider, issuer *Issuer) {
		p.publish(key.public(), next.public())
		p.beSlow(3 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := issuer.Verify(ctx, next.token(nowClaims()))
		wantCode(t, err, CodeKeysUnavailable)
		time.Sleep(3 * time.Second)
		wantFine(t, issuer, next)
		if p.count() != 2 {
			t.Errorf("%d fetches, want 2", p.count())
		}
	})
}

func TestABadDocumentDoesNotReplaceAGoodOne(t *testing.T) {
	key := newSigner("ES256", "k")
	bad := map[string][]byte{
		"no keys": document(), "HTML": []byte("<html>"), "nothing": nil,
		"only for encryption": document(merged(key.public(), object{"use": "enc"})),
		"only unknown types":  document(object{"kty": "XYZ", "kid": "k"}),
	}
	for name, doc := range bad {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(p *provider) { p.publish(key.public()) }, func(t *testing.T, p *provider, issuer *Issuer) {
				p.mu.Lock()
				p.document = doc
				p.mu.Unlock()
				time.Sleep(time.Hour)
				wantFine(t, issuer, key)
				status := issuer.Status()
				if !status.Ready || status.LastError == "" || !slices.Equal(status.KeyIDs, []string{"k"}) {
					t.Errorf("got %+v", status)
				}
				if age, ok := issuer.Age(time.Now()); !ok || age < time.Hour-time.Minute {
					t.Errorf("the age is %s", age)
				}
			})
		})
	}
}

func TestStop(t *testing.T) {
	key := newSigner("ES256", "k")
	inBubble(t, func(p *provider) { p.publish(key.public()) }, func(t *testing.T, p *provider, issuer *Issuer) {
		p.failWith(silent)
		waited := make(chan error)
		go func() {
			_, err := issuer.Verify(t.Context(), newSigner("ES256", "x").token(nowClaims()))
			waited <- err
		}()
		synctest.Wait()
		issuer.Stop()
		issuer.Stop()
		wantCode(t, <-waited, CodeKeysUnavailable)
		if err := issuer.Start(t.Context()); err != nil {
			t.Error(err)
		}
		n := p.count()
		wantFine(t, issuer, key)
		wantRefused(t, issuer, newSigner("ES256", "y"), CodeKeysUnavailable)
		time.Sleep(time.Hour)
		if p.count() != n {
			t.Error("it fetches after Stop")
		}
	})
}

func TestTheContextOfStartEndsTheFetching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{fail: silent}
		issuer := p.newIssuer(t, nil, nil)
		ctx, cancel := context.WithCancel(t.Context())
		if err := issuer.Start(ctx); err != nil {
			t.Fatal(err)
		}
		if err := issuer.Start(ctx); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if p.count() != 1 {
			t.Errorf("two starts: %d fetches", p.count())
		}
		cancel()
		synctest.Wait()
		<-issuer.keys.life.ended()
		issuer.Stop()
	})
}

func TestTheLogTellsChangesOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, log := &provider{fail: refused}, newLogWatch()
		issuer := p.newIssuer(t, nil, log)
		start(t, issuer)
		time.Sleep(10 * time.Minute)
		if log.count("level=WARN") != 1 || log.count("level=DEBUG") < 10 {
			t.Errorf("ten minutes without keys:\n%s", log.text())
		}
		p.publish(newSigner("ES256", "k").public())
		time.Sleep(time.Hour)
		if log.count("level=WARN") != 1 || log.count("keys are fetched again") != 1 || log.count("keys loaded") != 1 {
			t.Errorf("an hour later:\n%s", log.text())
		}
	})
}
