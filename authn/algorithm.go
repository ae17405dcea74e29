package authn

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v3/jwa"
)

// Bounds on RSA keys, in bits: shorter ones can be broken, longer ones make each verification expensive.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// asymmetricAlgorithms are the signature algorithms that an issuer may use (RFC 7518 §3.1, RFC 8037 §3.1). HS* and none
// are not among them: the key of a public key set is no secret.
func asymmetricAlgorithms() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

func checkAlgorithms(names []string) error {
	for _, name := range names {
		if !slices.Contains(asymmetricAlgorithms(), name) {
			return fmt.Errorf("algorithm %q is not one of %s", name, strings.Join(asymmetricAlgorithms(), ", "))
		}
	}
	return nil
}

// algorithmsOf lists what a public key may verify by its type alone; none for a key that is too weak, too long or unknown.
func algorithmsOf(public any) []string {
	switch key := public.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSABits || bits > maxRSABits || key.E < 3 || key.E%2 == 0 {
			return nil
		}
		return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256():
			return []string{"ES256"}
		case elliptic.P384():
			return []string{"ES384"}
		case elliptic.P521():
			return []string{"ES512"}
		}
	case ed25519.PublicKey:
		if len(key) == ed25519.PublicKeySize {
			return []string{"EdDSA"}
		}
	}
	return nil
}

// signatureAlgorithm finds jwx's name for one that checkAlgorithms has let through, or for HS256.
func signatureAlgorithm(name string) (jwa.SignatureAlgorithm, error) {
	alg, ok := jwa.LookupSignatureAlgorithm(name)
	if !ok {
		return jwa.EmptySignatureAlgorithm(), fmt.Errorf("algorithm %q is unknown", name)
	}
	return alg, nil
}
