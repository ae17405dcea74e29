package authn

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

func developmentConfig(t *testing.T) IssuerConfig {
	t.Helper()
	return IssuerConfig{Name: "dev", Development: true, SigningKeyFile: filepath.Join(t.TempDir(), "keys", "signing.json"), DropScopes: []string{"BD/P"}}
}

func TestDevelopmentTokensAreAccepted(t *testing.T) {
	for name, change := range map[string]func(*IssuerConfig){
		"the defaults":     func(*IssuerConfig) {},
		"all the checks":   func(c *IssuerConfig) { c.Issuer, c.Audience, c.AZP = "https://a", []string{"b", "c"}, []string{"d"} },
		"a nested claim":   func(c *IssuerConfig) { c.ScopeClaims = []string{"resource_access.my.client.roles", "scope"} },
		"ES256":            func(c *IssuerConfig) { c.Algorithms = []string{"ES256"} },
		"ES384":            func(c *IssuerConfig) { c.Algorithms = []string{"ES384"} },
		"ES512":            func(c *IssuerConfig) { c.Algorithms = []string{"ES512"} },
		"EdDSA":            func(c *IssuerConfig) { c.Algorithms = []string{"EdDSA"} },
		"PS256 and others": func(c *IssuerConfig) { c.Algorithms = []string{"PS256", "EdDSA"} },
	} {
		t.Run(name, func(t *testing.T) {
			clk, config := newClock(), developmentConfig(t)
			change(&config)
			issuer, err := NewIssuer(config, Dependencies{Clock: clk})
			if err != nil {
				t.Fatal(err)
			}
			start(t, issuer)
			token, err := DevelopmentToken(config, DevelopmentClaims{Subject: "dev", Email: "dev@example.org", Scopes: []string{"BD/R", "BD/X"}}, clk)
			if err != nil {
				t.Fatal(err)
			}
			who, err := issuer.Verify(t.Context(), token)
			if err != nil || who.Subject != "dev" || who.Email != "dev@example.org" || !slices.Equal(who.Scopes, []string{"BD/R", "BD/X"}) || !who.Expires.Equal(noon.Add(time.Hour)) {
				t.Errorf("got %+v, %v", who, err)
			}
		})
	}
}

func TestADevelopmentTokenWithoutScopesAndForAWhile(t *testing.T) {
	clk, config := newClock(), developmentConfig(t)
	config.Algorithms = []string{"ES256"}
	token, err := DevelopmentToken(config, DevelopmentClaims{Subject: "a", Lifetime: time.Minute}, clk)
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := NewIssuer(config, Dependencies{Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	start(t, issuer)
	if who, err := issuer.Verify(t.Context(), token); err != nil || len(who.Scopes) != 0 || !who.Expires.Equal(noon.Add(time.Minute)) {
		t.Errorf("got %+v, %v", who, err)
	}
}

func TestDevelopmentTokenRefusals(t *testing.T) {
	config := developmentConfig(t)
	change := func(f func(*IssuerConfig)) IssuerConfig { c := config; f(&c); return c }
	for want, test := range map[string]struct {
		config IssuerConfig
		claims DevelopmentClaims
	}{
		"is not marked development with":          {config: IssuerConfig{Name: "a", JWKSFile: "f"}},
		"not marked development with a signi":     {config: IssuerConfig{Name: "a", JWKSFile: "f", Development: true}},
		"for an issuer marked development":        {config: change(func(c *IssuerConfig) { c.Development = false })},
		"BD/P counts from a mail token alone":     {config: config, claims: DevelopmentClaims{Scopes: []string{"BD/P"}}},
		`the scope "" is no word`:                 {config: config, claims: DevelopmentClaims{Scopes: []string{""}}},
		`the scope "a b" is no word`:              {config: config, claims: DevelopmentClaims{Scopes: []string{"a b"}}},
		"make signing keys: stat /dev/null":       {config: change(func(c *IssuerConfig) { c.SigningKeyFile = "/dev/null/x/keys" })},
		"read signing keys: read " + os.TempDir(): {config: change(func(c *IssuerConfig) { c.SigningKeyFile = os.TempDir() })},
	} {
		if _, err := DevelopmentToken(test.config, test.claims, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %q", err, want)
		}
	}
	if _, err := os.Stat(config.SigningKeyFile); err == nil {
		t.Error("a refusal made a key")
	}
}

func TestSigningKeyFilesThatDoNotFit(t *testing.T) {
	public, symmetric := newSigner("RS256", "k").public(), object{"kty": "oct", "k": "AAAA", "kid": "k", "alg": "HS256"}
	private := jwkObject(newSigner("ES256", "k").private, object{"kid": "k", "alg": "ES384"})
	for name, data := range map[string][]byte{
		"no JSON": []byte("x"), "no keys": document(), "a public key": document(merged(public, object{"alg": "RS256"})),
		"a secret": document(symmetric), "another algorithm": document(private), "no alg": document(merged(private, object{"alg": nil})),
		"no kid": document(merged(private, object{"kid": nil, "alg": "ES256"})),
	} {
		t.Run(name, func(t *testing.T) {
			config := developmentConfig(t)
			config.SigningKeyFile = filepath.Join(t.TempDir(), "k")
			writeFile(t, config.SigningKeyFile, data)
			_, err := DevelopmentToken(config, DevelopmentClaims{}, nil)
			if err == nil || !strings.Contains(err.Error(), "read signing keys") {
				t.Errorf("got %v", err)
			}
			if after := must(os.ReadFile(config.SigningKeyFile)); !bytes.Equal(after, data) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestTheSigningKeyFileIsMadeOnceAndForItsOwner(t *testing.T) {
	config := developmentConfig(t).WithDefaults()
	config.Algorithms = []string{"ES256"}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if err := ensureSigningKeys(config); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	before := must(os.ReadFile(config.SigningKeyFile))
	if err := ensureSigningKeys(config); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, must(os.ReadFile(config.SigningKeyFile))) {
		t.Error("the key was replaced")
	}
	if mode := must(os.Stat(config.SigningKeyFile)).Mode().Perm(); mode != 0o600 {
		t.Errorf("the mode is %v", mode)
	}
	entries := must(os.ReadDir(filepath.Dir(config.SigningKeyFile)))
	if len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

// What verifies must not hold what signs.
func TestThePublicPartIsPublic(t *testing.T) {
	for _, algorithm := range asymmetricAlgorithms() {
		private := must(newSigningKeys(algorithm))
		public := must(publicDocument(private))
		for _, member := range []string{"d", "p", "q", "dp", "dq", "qi"} {
			if bytes.Contains(public, []byte(`"`+member+`":`)) {
				t.Errorf("%s: the public part has %s", algorithm, member)
			}
		}
		if ring, err := parseKeyring(public, []string{algorithm}); err != nil || len(ring.ids()) != 1 {
			t.Errorf("%s: got %v", algorithm, err)
		}
	}
	for _, doc := range []string{"x", `{"keys":[{"kty":"oct","k":"AAAA"}]}`} {
		if got, err := publicDocument([]byte(doc)); err == nil {
			t.Errorf("%s: got %s", doc, got)
		}
	}
}

func TestStartTellsThatNoDevelopmentKeyCanBeMade(t *testing.T) {
	config := developmentConfig(t)
	config.SigningKeyFile = "/dev/null/x/keys"
	issuer, err := NewIssuer(config, Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	if err := issuer.Start(t.Context()); err == nil || !strings.Contains(err.Error(), `issuer "dev"`) {
		t.Errorf("got %v", err)
	}
}

func TestATokenOfAnotherDevelopmentKeyIsRefused(t *testing.T) {
	clk, config, other := newClock(), developmentConfig(t), developmentConfig(t)
	config.Algorithms, other.Algorithms = []string{"ES256"}, []string{"ES256"}
	issuer, err := NewIssuer(config, Dependencies{Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	start(t, issuer)
	token, err := DevelopmentToken(other, DevelopmentClaims{Subject: "a"}, clk)
	if err != nil {
		t.Fatal(err)
	}
	_, err = issuer.Verify(t.Context(), token)
	wantCode(t, err, CodeTokenInvalid)
	forged := testkit.SignToken(object{"alg": "ES256", "kid": issuer.Status().KeyIDs[0]}, goodClaims(nil), newSigner("ES256", "x").private)
	_, err = issuer.Verify(t.Context(), forged)
	wantCode(t, err, CodeTokenSignature)
}
