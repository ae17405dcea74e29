package authn

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestKeysThatAreSkipped(t *testing.T) {
	good, rsa2048 := newSigner("ES256", "good"), newSigner("RS256", "r")
	p256 := newSigner("ES256", "k").public()
	zeros := base64.RawURLEncoding.EncodeToString(make([]byte, 32))
	weak := func(bits int) object {
		// crypto/rsa makes no key this weak, and a verifier needs only n and e.
		n := base64.RawURLEncoding.EncodeToString(append([]byte{0x80}, bytes.Repeat([]byte{1}, bits/8-1)...))
		return object{"kty": "RSA", "kid": "k", "n": n, "e": "AQAB"}
	}
	for name, key := range map[string]object{
		"an unknown type":             {"kty": "XYZ", "kid": "k"},
		"no type":                     {"kid": "k"},
		"a secret":                    {"kty": "oct", "kid": "k", "k": zeros},
		"a secret for HS256":          {"kty": "oct", "kid": "k", "k": zeros, "alg": "HS256"},
		"for encryption":              merged(p256, object{"use": "enc"}),
		"for something unknown":       merged(p256, object{"use": "tls"}),
		"for signing alone":           merged(p256, object{"key_ops": []string{"sign"}}),
		"for deriving":                merged(p256, object{"key_ops": []string{"deriveKey"}}),
		"for an encryption algorithm": merged(rsa2048.public(), object{"alg": "RSA-OAEP"}),
		"for HS256":                   merged(p256, object{"alg": "HS256"}),
		"for none":                    merged(p256, object{"alg": "none"}),
		"for another type's":          merged(p256, object{"alg": "RS256"}),
		"for one not configured":      merged(rsa2048.public(), object{"alg": "RS384"}),
		"a curve not configured":      newSigner("ES384", "k").public(),
		"no kid":                      merged(p256, object{"kid": nil}),
		"an empty kid":                merged(p256, object{"kid": ""}),
		"a kid that is a number":      merged(p256, object{"kid": 1}),
		"a huge kid":                  merged(p256, object{"kid": strings.Repeat("k", maxKeyIDBytes+1)}),
		"a private key":               jwkObject(rsaKey(), object{"kid": "k"}),
		"a private EC key":            jwkObject(newSigner("ES256", "k").private, object{"kid": "k"}),
		"a point off the curve":       merged(p256, object{"y": zeros}),
		"the point at infinity":       merged(p256, object{"x": zeros, "y": zeros}),
		"a coordinate that is longer": merged(p256, object{"x": base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{255}, 40))}),
		"an unknown curve":            merged(p256, object{"crv": "P-192"}),
		"the curve of Bitcoin":        merged(p256, object{"crv": "secp256k1"}),
		"no x":                        merged(p256, object{"x": nil}),
		"x that is no text":           merged(p256, object{"x": 5}),
		"RSA of 1024 bits":            weak(1024),
		"RSA of 16384 bits":           weak(16384),
		"RSA with exponent 1":         merged(rsa2048.public(), object{"e": "AQ"}),
		"RSA with an even exponent":   merged(rsa2048.public(), object{"e": "AQAA"}),
		"RSA with nothing":            {"kty": "RSA", "kid": "k"},
		"an Ed25519 key not asked":    newSigner("EdDSA", "k").public(),
		"an X25519 key":               {"kty": "OKP", "crv": "X25519", "kid": "k", "x": zeros},
	} {
		t.Run(name, func(t *testing.T) {
			algorithms := []string{"RS256", "ES256"}
			if _, err := parseKeyring(document(key), algorithms); !errors.Is(err, errNoUsableKey) {
				t.Errorf("alone: got %v, want errNoUsableKey", err)
			}
			ring, err := parseKeyring(document(key, good.public()), algorithms)
			if err != nil || !slices.Equal(ring.ids(), []string{"good"}) || ring.skipped != 1 {
				t.Errorf("beside a good one: got %+v, %v", ring, err)
			}
		})
	}
}

func TestDocumentsThatAreRefused(t *testing.T) {
	good := newSigner("ES256", "k")
	var many []object
	for range maxKeys + 1 {
		many = append(many, good.public())
	}
	for name, doc := range map[string][]byte{
		"empty":             nil,
		"HTML":              []byte("<html>maintenance</html>"),
		"cut off":           document(good.public())[:50],
		"null":              []byte("null"),
		"a list":            []byte("[]"),
		"an empty object":   []byte("{}"),
		"no keys":           document(),
		"keys as object":    []byte(`{"keys":{}}`),
		"keys as text":      []byte(`{"keys":"x"}`),
		"null keys":         []byte(`{"keys":[null,null]}`),
		"a key as text":     []byte(`{"keys":["x",1,[],true]}`),
		"a single key":      must(json.Marshal(good.public())),
		"something after":   append(document(good.public()), '{'),
		"too many keys":     document(many...),
		"too many bytes":    append(document(good.public()), bytes.Repeat([]byte(" "), maxDocumentBytes)...),
		"deep nesting":      []byte(`{"keys":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "}"),
		"a PEM certificate": []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
	} {
		if ring, err := parseKeyring(doc, asymmetricAlgorithms()); err == nil {
			t.Errorf("%s: got %v", name, ring.ids())
		}
	}
}

// RFC 7517 §4.5 lets keys of different types share a kid.
func TestKeysThatShareAnID(t *testing.T) {
	ring, err := parseKeyring(document(newSigner("ES256", "k").public(), newSigner("RS256", "k").public()), []string{"RS256", "ES256"})
	if err != nil {
		t.Fatal(err)
	}
	ec, okEC := ring.find("k", "ES256")
	r, okRSA := ring.find("k", "RS256")
	if _, isEC := ec.(*ecdsa.PublicKey); !isEC || !okEC {
		t.Errorf("ES256: got %T", ec)
	}
	if _, isRSA := r.(*rsa.PublicKey); !isRSA || !okRSA {
		t.Errorf("RS256: got %T", r)
	}
	if key, ok := ring.find("k", "PS256"); ok {
		t.Errorf("PS256 is not configured: got %T", key)
	}
}

func TestMembersThatAreIgnored(t *testing.T) {
	key := merged(newSigner("ES256", "k").public(), object{"x-own": object{"a": 1}, "use": "sig", "exp": 1})
	doc := must(json.Marshal(object{"keys": []object{key}, "other": []int{1}}))
	if ring, err := parseKeyring(doc, []string{"ES256"}); err != nil || !ring.has("k") {
		t.Errorf("got %v", err)
	}
}

func TestAlgorithmsOfUnknownKeys(t *testing.T) {
	p224 := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	for _, key := range []any{nil, "text", []byte("secret"), rsaKey(), &p224.PublicKey, 5} {
		if got := algorithmsOf(key); len(got) != 0 {
			t.Errorf("%T: got %v", key, got)
		}
	}
}
