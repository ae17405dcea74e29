package authn

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwk"
	"go.uber.org/goleak"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// rsaKey is shared, since making one takes long.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

type object = map[string]any

// signer is a private key with the kid that it is published under.
type signer struct {
	algorithm, id string
	private       crypto.Signer
}

func newSigner(algorithm, id string) signer {
	s := signer{algorithm: algorithm, id: id}
	switch algorithm {
	case "ES256":
		s.private = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	case "ES384":
		s.private = must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	case "ES512":
		s.private = must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	case "EdDSA":
		_, private, err := ed25519.GenerateKey(rand.Reader)
		s.private = must(private, err)
	default:
		s.private = rsaKey()
	}
	return s
}

// header is a fitting one; more replaces and adds to it, and nil takes out.
func (s signer) header(more object) object {
	return merged(object{"alg": s.algorithm, "kid": s.id, "typ": "JWT"}, more)
}

func (s signer) token(c object) string {
	return testkit.SignToken(s.header(nil), c, s.private)
}

// public is the JWK, without alg and use.
func (s signer) public() object {
	return jwkObject(s.private.Public(), object{"kid": s.id})
}

// jwkObject writes a key as JWK with further members.
func jwkObject(key any, more object) object {
	var o object
	data := must(json.Marshal(must(jwk.Import(key))))
	if err := json.Unmarshal(data, &o); err != nil {
		panic(err)
	}
	return merged(o, more)
}

func merged(o, more object) object {
	o = maps.Clone(o)
	maps.Copy(o, more)
	maps.DeleteFunc(o, func(_ string, v any) bool { return v == nil })
	return o
}

func document(keys ...object) []byte {
	if keys == nil {
		keys = []object{}
	}
	return must(json.Marshal(object{"keys": keys}))
}

// noon is when the tests with a clock of their own begin.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newClock() *testkit.FakeClock { return testkit.NewFakeClock(noon) }

// goodClaims are those of a token at noon, for an hour; more replaces and adds to them, and nil takes out.
func goodClaims(more object) object {
	return merged(object{
		"iss": "https://login.example.org/realms/city", "sub": "u-1", "aud": "gatehouse", "azp": "frontend", "typ": "Bearer",
		"iat": noon.Unix(), "exp": noon.Add(time.Hour).Unix(), "realm_access": object{"roles": []string{"BD/R"}},
	}, more)
}

// startIssuer makes a started issuer whose keys lie in a file.
func startIssuer(t testing.TB, config IssuerConfig, clk *testkit.FakeClock, keys ...object) *Issuer {
	t.Helper()
	if config.Name == "" {
		config.Name = "city"
	}
	config.JWKSFile = filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(config.JWKSFile, document(keys...), 0o600); err != nil {
		t.Fatal(err)
	}
	issuer, err := NewIssuer(config, Dependencies{Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	start(t, issuer)
	return issuer
}

func start(t testing.TB, issuer *Issuer) {
	t.Helper()
	if err := issuer.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(issuer.Stop)
}

func newSecret(fill byte) []byte { return slices.Repeat([]byte{fill}, minSecretBytes) }

func newLogin(t testing.TB, clk *testkit.FakeClock, secrets ...[]byte) *MailLogin {
	t.Helper()
	login, err := NewMailLogin(MailLoginConfig{Secrets: secrets}, clk)
	if err != nil {
		t.Fatal(err)
	}
	return login
}

func newAuthenticator(t testing.TB, login *MailLogin, issuers ...*Issuer) *Authenticator {
	t.Helper()
	config := AuthenticatorConfig{Issuers: issuers, MailLogin: login}
	if len(issuers) > 0 {
		config.Credentials = append(config.Credentials, principal.Bearer)
	}
	if login != nil {
		config.Credentials = append(config.Credentials, principal.MailLogin)
	}
	a, err := NewAuthenticator(config)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func request(query string, authorization ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/iiif/2/x/info.json", nil)
	r.URL.RawQuery = query
	if authorization != nil {
		r.Header["Authorization"] = authorization
	}
	return r
}

// wantCode checks that err is a refusal with the code, and that the public text is the code's own.
func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	texts := map[string]string{
		CodeTokenExpired:    "Expired JWT token signature",
		CodeTokenSignature:  "Invalid JWT token signature",
		CodeTokenInvalid:    "Invalid JWT token",
		CodeScopeInvalid:    "Invalid scope",
		CodeKeysUnavailable: "The keys of the identity provider are not available yet",
	}
	var e *problem.Error
	if !errors.As(err, &e) {
		t.Errorf("got %v; want the code %s", err, code)
		return
	}
	status := http.StatusUnauthorized
	if code == CodeKeysUnavailable {
		status = http.StatusServiceUnavailable
	}
	if e.Code != code || e.Detail != texts[code] || e.Status != status || e.Denial != (status == http.StatusUnauthorized) {
		t.Errorf("got %d %s %q, denial %t (%v); want %d %s", e.Status, e.Code, e.Detail, e.Denial, e.Err, status, code)
	}
	if (e.RetryAfter == 15*time.Second) != (status == http.StatusServiceUnavailable) {
		t.Errorf("%s: Retry-After %s", code, e.RetryAfter)
	}
}
