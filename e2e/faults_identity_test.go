package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// oneDossier makes a dossier that needs BD/R, and gives its info.json's path.
func (h *house) oneDossier() string {
	h.t.Helper()
	h.put("1", map[string][]byte{"a.jpg": testkit.JPEG(h.t, 4, 4)}, "a.jpg")
	return "/iiif/2/" + edepotID("1", 0) + "/info.json"
}

// A server whose identity provider is down starts, says when to try again, serves those who need no provider, and
// heals by itself.
func TestIdentityProviderIsDownAtTheStart(t *testing.T) {
	h := newHouse(t, plan{before: func(h *house) { h.idp.Down() }})
	path := h.oneDossier()
	a := h.get(path, h.roles("BD/R")...)
	a.text(t, http.StatusServiceUnavailable, "The keys of the identity provider are not available yet")
	a.headers(t, "Retry-After", "15")
	h.get(path).text(t, http.StatusUnauthorized, "No token supplied")
	h.get(path, "Authorization", "Bearer garbage").text(t, http.StatusUnauthorized, "Invalid JWT token")
	h.get(path+mailQuery()).size(t, 4, 4)
	h.calm()

	h.idp.Up()
	back := time.Now()
	token := h.roles("BD/R")
	eventually(t, "the server to heal", func() bool { return h.get(path, token...).status == http.StatusOK })
	if took := time.Since(back); took > 15*time.Second {
		t.Errorf("it took %s", took)
	}
}

// New keys are fetched when the first token with one of them comes: once, for all who come at the same time. A key
// that is nobody's causes no fetch after that.
func TestIdentityProviderRotates(t *testing.T) {
	h := newHouse(t, plan{})
	path := h.oneDossier()
	old := h.roles("BD/R")
	h.get(path, old...).size(t, 4, 4)
	h.idp.Rotate()
	h.idp.Forget()
	var callers sync.WaitGroup
	for i := range 20 {
		token := "Bearer " + h.idp.Token([]string{"RS256", "ES256"}[i%2], h.idp.Claims("BD/R"))
		callers.Go(func() {
			a, err := exchange(t, h.client, http.MethodGet, h.server.URL()+path, "Authorization", token)
			if err != nil || a.status != http.StatusOK {
				t.Errorf("a new token gives %d %q, %v", a.status, a.body, err)
			}
		})
	}
	callers.Wait()
	if n := h.idp.Count(); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
	h.get(path, old...).text(t, http.StatusUnauthorized, "Invalid JWT token")

	for i := range 50 {
		key, _ := h.idp.Key("ES256")
		token := testkit.SignToken(map[string]any{"alg": "ES256", "kid": fmt.Sprint("stranger-", i)}, h.idp.Claims("BD/X"), key)
		h.get(path, "Authorization", "Bearer "+token).text(t, http.StatusUnauthorized, "Invalid JWT token")
	}
	if n := h.idp.Count(); n != 1 {
		t.Errorf("%d fetches for keys that are nobody's", n-1)
	}
}

// unusableKeySets are documents that a provider, or who stands in its place, might publish.
func unusableKeySets(idp *testkit.IdentityProvider) map[string][]byte {
	encode := func(v any) []byte {
		data, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return data
	}
	altered := func(change func(key map[string]any)) []byte {
		set := idp.KeySet()
		for _, key := range set["keys"].([]map[string]any) {
			change(key)
		}
		return encode(set)
	}
	return map[string][]byte{
		"no keys":            []byte(`{"keys":[]}`),
		"another object":     []byte(`{"error":"maintenance"}`),
		"a page":             []byte("<html>maintenance</html>"),
		"cut off":            []byte(`{"keys":[{"kty":"RSA","kid":"rsa-1"`),
		"for encryption":     altered(func(key map[string]any) { key["use"] = "enc" }),
		"without ids":        altered(func(key map[string]any) { delete(key, "kid") }),
		"of a symmetric key": encode(map[string]any{"keys": []any{map[string]any{"kty": "oct", "kid": "rsa-1", "k": "AAAA"}}}),
		"too long":           []byte(`{"keys":[],"x":"` + strings.Repeat("x", 2<<20) + `"}`),
	}
}

// A set without a usable key does not take a good one's place.
func TestIdentityProviderLies(t *testing.T) {
	sets := unusableKeySets(testkit.NewIdentityProvider(t))
	for name := range sets {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, plan{})
			path := h.oneDossier()
			h.get(path, h.roles("BD/R")...).size(t, 4, 4)
			h.idp.Forget()
			h.idp.Lie(unusableKeySets(h.idp)[name])
			key, _ := h.idp.Key("ES256")
			stranger := testkit.SignToken(map[string]any{"alg": "ES256", "kid": "stranger"}, h.idp.Claims("BD/X"), key)
			h.get(path, "Authorization", "Bearer "+stranger).text(t, http.StatusUnauthorized, "Invalid JWT token")
			if n := h.idp.Count(); n != 1 {
				t.Errorf("%d fetches, want 1", n)
			}
			h.get(path, h.roles("BD/R")...).size(t, 4, 4)
			h.get(path, "Authorization", "Bearer "+h.idp.Token("ES256", h.idp.Claims("BD/R"))).size(t, 4, 4)
		})
	}
}

// Faults of the line are no different: the keys that are there stay.
func TestIdentityProviderFails(t *testing.T) {
	elsewhere := testkit.NewIdentityProvider(t)
	for name, fault := range map[string]testkit.Fault{
		"down": nil, "failing": testkit.Status(500), "resetting": testkit.Reset(), "endless": testkit.Endless(),
		"leading elsewhere": testkit.Redirect(elsewhere.JWKSURL()),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, plan{})
			path := h.oneDossier()
			h.get(path, h.roles("BD/R")...).size(t, 4, 4)
			if fault == nil {
				h.idp.Down()
			} else {
				h.idp.Fail(fault)
			}
			key, _ := elsewhere.Key("ES256")
			stranger := testkit.SignToken(map[string]any{"alg": "ES256", "kid": "p256-elsewhere"}, h.idp.Claims("BD/X"), key)
			if a := h.get(path, "Authorization", "Bearer "+stranger); a.status == http.StatusOK {
				t.Error("a token of nobody's key was taken")
			}
			// Tokens that were never seen before: what is remembered of verified ones does not answer for the keys.
			for range 5 {
				h.get(path, h.roles("BD/R")...).size(t, 4, 4)
			}
		})
	}
	if n := elsewhere.Count(); n > 0 {
		t.Errorf("%d requests followed a redirect", n)
	}
}

// The last good set survives a restart, also when the provider does not answer any more; a kill is no different.
func TestKeysSurviveARestart(t *testing.T) {
	for name, end := range map[string]func(*testkit.Server){"stopped": (*testkit.Server).Stop, "killed": (*testkit.Server).Kill} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, plan{})
			path := h.oneDossier()
			h.get(path, h.roles("BD/R")...).size(t, 4, 4)
			end(h.server)
			h.idp.Down()
			h.server.Restart(h.caddyfile)
			h.get(path, h.roles("BD/R")...).size(t, 4, 4)
			h.calm()

			// It is a help until the provider is back, and no more than that: new keys are fetched as ever.
			h.idp.Rotate()
			h.idp.Up()
			token := h.roles("BD/R")
			eventually(t, "the new keys", func() bool { return h.get(path, token...).status == http.StatusOK })
		})
	}
}
