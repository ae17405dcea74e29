package testkit_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

func trusting(t *testing.T, caFile string) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(caFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate in the file")
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
}

type publishedKeys struct {
	Keys []struct{ Kty, Kid, Alg, Crv, N, E, X, Y string }
}

func published(t *testing.T, p *testkit.IdentityProvider) publishedKeys {
	t.Helper()
	_, body, err := get(t, p.JWKSURL())
	if err != nil {
		t.Fatal(err)
	}
	var keys publishedKeys
	if err := json.Unmarshal([]byte(body), &keys); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return keys
}

func decode(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTokensVerifyWithThePublishedKey(t *testing.T) {
	p := testkit.NewIdentityProvider(t)
	token := p.RoleToken("BD/R")
	parts := strings.Split(token, ".")
	var header struct{ Alg, Kid string }
	if err := json.Unmarshal(decode(t, parts[0]), &header); err != nil {
		t.Fatal(err)
	}
	for _, key := range published(t, p).Keys {
		if key.Kid != header.Kid {
			continue
		}
		public := rsa.PublicKey{N: new(big.Int).SetBytes(decode(t, key.N)), E: int(new(big.Int).SetBytes(decode(t, key.E)).Int64())}
		sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		if err := rsa.VerifyPKCS1v15(&public, crypto.SHA256, sum[:], decode(t, parts[2])); err != nil {
			t.Error(err)
		}
		return
	}
	t.Errorf("no key %q is published", header.Kid)
}

func TestTokenCarriesRolesAsKeycloakDoes(t *testing.T) {
	p := testkit.NewIdentityProvider(t)
	var claims struct {
		Iss, Typ    string
		Exp         int64
		RealmAccess struct{ Roles []string } `json:"realm_access"`
	}
	if err := json.Unmarshal(decode(t, strings.Split(p.RoleToken("BD/X", "other"), ".")[1]), &claims); err != nil {
		t.Fatal(err)
	}
	if claims.Iss != p.Issuer() || claims.Typ != "Bearer" || claims.Exp == 0 || strings.Join(claims.RealmAccess.Roles, " ") != "BD/X other" {
		t.Errorf("claims are %+v", claims)
	}
}

func TestEachAlgorithmHasAPublishedKeyOfItsKind(t *testing.T) {
	p := testkit.NewIdentityProvider(t)
	kinds := map[string]string{}
	for _, key := range published(t, p).Keys {
		kinds[key.Kid] = key.Kty + key.Crv
	}
	for alg, want := range map[string]string{
		"RS256": "RSA", "RS384": "RSA", "RS512": "RSA", "PS256": "RSA", "PS384": "RSA", "PS512": "RSA",
		"ES256": "ECP-256", "ES384": "ECP-384", "EdDSA": "OKPEd25519",
	} {
		_, kid := p.Key(alg)
		if kinds[kid] != want {
			t.Errorf("%s: key %q is %q, want %q", alg, kid, kinds[kid], want)
		}
		if n := strings.Count(p.Token(alg, p.Claims()), "."); n != 2 {
			t.Errorf("%s: token with %d dots", alg, n)
		}
	}
}

func TestRotationReplacesEveryKey(t *testing.T) {
	p := testkit.NewIdentityProvider(t)
	before := map[string]bool{}
	for _, key := range published(t, p).Keys {
		before[key.Kid] = true
	}
	p.Rotate()
	for _, key := range published(t, p).Keys {
		if before[key.Kid] {
			t.Errorf("key %q is still there", key.Kid)
		}
	}
}

func TestLiesArePublishedUntilTheyEnd(t *testing.T) {
	p := testkit.NewIdentityProvider(t)
	p.Lie([]byte(`{"keys":[]}`))
	if n := len(published(t, p).Keys); n != 0 {
		t.Errorf("%d keys during the lie", n)
	}
	p.Lie(nil)
	if n := len(published(t, p).Keys); n != 4 {
		t.Errorf("%d keys after the lie, want 4", n)
	}
}

func TestMailTokenIsSignedWithItsSecret(t *testing.T) {
	parts := strings.Split(testkit.MailToken("secret", testkit.MailClaims("a@example.org")), ".")
	mac := hmac.New(sha256.New, []byte("secret"))
	mac.Write([]byte(parts[0] + "." + parts[1]))
	if !hmac.Equal(mac.Sum(nil), decode(t, parts[2])) {
		t.Error("the signature is another one")
	}
}

func TestUnsignedTokensCanBeMade(t *testing.T) {
	token := testkit.SignToken(map[string]any{"alg": "none"}, testkit.Claims{"sub": "x"}, nil)
	if !strings.HasSuffix(token, ".") {
		t.Errorf("%q has a signature", token)
	}
}
