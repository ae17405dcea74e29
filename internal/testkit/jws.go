package testkit

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // the hashes of the algorithms below
	_ "crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// Claims are the claims of a token.
type Claims = map[string]any

// SignToken makes a compact JWS out of any header and claims: header["alg"] says how, and may be a lie about key's
// kind as long as key can sign that way ([]byte for HS*, and nothing for "none"). It knows nothing of what is allowed,
// so that tests can make the tokens that must be refused.
//
// It panics where the key cannot sign by the algorithm: that is a mistake in the test.
func SignToken(header map[string]any, claims any, key any) string {
	input := segment(header) + "." + segment(claims)
	alg, _ := header["alg"].(string)
	return input + "." + base64.RawURLEncoding.EncodeToString(signature(alg, []byte(input), key))
}

func segment(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("testkit: %v", err))
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// signature follows RFC 7518 §3 and RFC 8037 §3.1.
func signature(alg string, input []byte, key any) []byte {
	if alg == "none" {
		return nil
	}
	if alg == "EdDSA" {
		return ed25519.Sign(key.(ed25519.PrivateKey), input)
	}
	if len(alg) != len("RS256") {
		panic("testkit: unknown algorithm " + alg)
	}
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[alg[2:]]
	if hash == 0 {
		panic("testkit: unknown algorithm " + alg)
	}
	switch alg[:2] {
	case "HS":
		mac := hmac.New(hash.New, key.([]byte))
		mac.Write(input)
		return mac.Sum(nil)
	case "RS":
		return must(rsa.SignPKCS1v15(rand.Reader, key.(*rsa.PrivateKey), hash, digest(hash, input)))
	case "PS":
		options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
		return must(rsa.SignPSS(rand.Reader, key.(*rsa.PrivateKey), hash, digest(hash, input), options))
	case "ES":
		return signECDSA(key.(*ecdsa.PrivateKey), digest(hash, input))
	}
	panic("testkit: unknown algorithm " + alg)
}

// signECDSA gives r and s side by side, each as long as the curve's order (RFC 7518 §3.4).
func signECDSA(key *ecdsa.PrivateKey, hashed []byte) []byte {
	r, s, err := ecdsa.Sign(rand.Reader, key, hashed)
	if err != nil {
		panic(fmt.Sprintf("testkit: %v", err))
	}
	size := (key.Params().BitSize + 7) / 8
	out := make([]byte, 2*size)
	r.FillBytes(out[:size])
	s.FillBytes(out[size:])
	return out
}

func digest(hash crypto.Hash, input []byte) []byte {
	h := hash.New()
	h.Write(input)
	return h.Sum(nil)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("testkit: %v", err))
	}
	return v
}
