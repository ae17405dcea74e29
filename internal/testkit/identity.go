package testkit

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// realm is the path of the issuer, as Keycloak has it.
const realm = "/realms/city"

// IdentityProvider stands in for Keycloak: it publishes keys and issues access tokens.
type IdentityProvider struct {
	*StandIn
	mu         sync.Mutex
	generation int
	rsa        *rsa.PrivateKey
	p256, p384 *ecdsa.PrivateKey
	ed25519    ed25519.PrivateKey
	lie        []byte
}

// NewIdentityProvider starts one with an RSA key, two EC keys and an Ed25519 key.
func NewIdentityProvider(t testing.TB) *IdentityProvider {
	t.Helper()
	p := &IdentityProvider{}
	p.Rotate()
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+realm+"/protocol/openid-connect/certs", p.serveKeys)
	p.StandIn = NewStandIn(t, mux)
	return p
}

// Issuer is the iss claim.
func (p *IdentityProvider) Issuer() string { return p.URL() + realm }

// JWKSURL is where the keys are published.
func (p *IdentityProvider) JWKSURL() string { return p.Issuer() + "/protocol/openid-connect/certs" }

// Rotate makes new keys, with new key ids, and publishes only these.
func (p *IdentityProvider) Rotate() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.generation++
	p.rsa = must(rsa.GenerateKey(rand.Reader, 2048))
	p.p256 = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	p.p384 = must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	_, private, err := ed25519.GenerateKey(rand.Reader)
	p.ed25519 = must(private, err)
}

// Lie publishes these bytes in place of the keys; nil ends the lie.
func (p *IdentityProvider) Lie(keySet []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lie = slices.Clone(keySet)
}

// Claims are those of an access token as Keycloak issues it, for an hour, with realm roles. Tests change what they
// want to see refused.
func (p *IdentityProvider) Claims(roles ...string) Claims {
	now := time.Now()
	if roles == nil {
		roles = []string{}
	}
	return Claims{
		"iss": p.Issuer(), "sub": "f3a1c0de-0000-4000-8000-000000000001", "aud": "gatehouse", "azp": "dossier-frontend", "typ": "Bearer",
		"exp": now.Add(time.Hour).Unix(), "iat": now.Unix(), "jti": rand.Text(),
		"preferred_username": "j.vanderberg", "email": "j.vanderberg@example.org", "email_verified": true,
		"scope":        "openid profile email",
		"realm_access": map[string]any{"roles": roles},
	}
}

// Token signs claims by an algorithm of JOSE: RS*, PS*, ES256, ES384 or EdDSA, with the key that is published for it.
func (p *IdentityProvider) Token(alg string, claims Claims) string {
	key, kid := p.Key(alg)
	return SignToken(map[string]any{"alg": alg, "kid": kid, "typ": "JWT"}, claims, key)
}

// RoleToken is an RS256 token with realm roles, such as BD/R.
func (p *IdentityProvider) RoleToken(roles ...string) string {
	return p.Token("RS256", p.Claims(roles...))
}

// Key gives the private key for an algorithm, and its key id.
func (p *IdentityProvider) Key(alg string) (key any, kid string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch alg {
	case "ES256":
		return p.p256, p.kid("p256")
	case "ES384":
		return p.p384, p.kid("p384")
	case "EdDSA":
		return p.ed25519, p.kid("ed25519")
	}
	return p.rsa, p.kid("rsa")
}

func (p *IdentityProvider) kid(name string) string { return name + "-" + strconv.Itoa(p.generation) }

// KeySet is the true key set (RFC 7517 §5), for tests to spoil and give to Lie, or to write to a file.
func (p *IdentityProvider) KeySet() map[string]any {
	p.mu.Lock()
	defer p.mu.Unlock()
	return map[string]any{"keys": []map[string]any{
		{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": p.kid("rsa"),
			"n": encode(p.rsa.N.Bytes()), "e": encode(big.NewInt(int64(p.rsa.E)).Bytes()),
		},
		ecKey(&p.p256.PublicKey, "P-256", "ES256", p.kid("p256")),
		ecKey(&p.p384.PublicKey, "P-384", "ES384", p.kid("p384")),
		{
			"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": p.kid("ed25519"),
			"x": encode(p.ed25519.Public().(ed25519.PublicKey)),
		},
	}}
}

func ecKey(key *ecdsa.PublicKey, curve, alg, kid string) map[string]any {
	// The uncompressed point is 4, x, y (SEC 1 §2.3.3).
	point := must(key.Bytes())
	size := (len(point) - 1) / 2
	return map[string]any{
		"kty": "EC", "crv": curve, "use": "sig", "alg": alg, "kid": kid,
		"x": encode(point[1 : 1+size]), "y": encode(point[1+size:]),
	}
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (p *IdentityProvider) serveKeys(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	body := p.lie
	p.mu.Unlock()
	if body == nil {
		body = must(json.Marshal(p.KeySet()))
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

// MailToken signs claims as the mail login does: HS256, without a key id.
func MailToken(secret string, claims Claims) string {
	return SignToken(map[string]any{"alg": "HS256", "typ": "JWT"}, claims, []byte(secret))
}

// MailClaims are those of a mail login token for an address, for 24 hours, with the citizen's scope.
func MailClaims(address string) Claims {
	return Claims{"sub": address, "exp": time.Now().Add(24 * time.Hour).Unix(), "scopes": []string{"BD/P"}}
}
