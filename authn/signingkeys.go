package authn

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v3/jwk"
)

// readSigningKey gives the first key of the file with a kid and an algorithm that the issuer accepts.
func readSigningKey(config IssuerConfig) (jwk.Key, error) {
	document, err := os.ReadFile(config.SigningKeyFile)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	set, err := jwk.Parse(document)
	if err != nil {
		return nil, errors.New("read signing keys: the file is no JWK set")
	}
	for i := range set.Len() {
		key, _ := set.Key(i)
		private, err := jwk.IsPrivateKey(key)
		alg, found := key.Algorithm()
		id, _ := key.KeyID()
		if err == nil && private && found && id != "" && slices.Contains(config.Algorithms, alg.String()) {
			return key, nil
		}
	}
	return nil, fmt.Errorf("read signing keys: no private key with kid and alg for %s", strings.Join(config.Algorithms, ", "))
}

// publicDocument makes the JWKS of a set of private keys.
func publicDocument(document []byte) ([]byte, error) {
	set, err := jwk.Parse(document)
	if err != nil {
		return nil, errors.New("the signing keys are no JWK set")
	}
	public, err := jwk.PublicSetOf(set)
	if err != nil {
		return nil, fmt.Errorf("take the public part of the signing keys: %w", err)
	}
	return json.Marshal(public)
}

// ensureSigningKeys makes the file with one key of the issuer's first algorithm, readable by its owner alone. A file that
// is there is left as it is, also when another process makes it at the same moment.
func ensureSigningKeys(config IssuerConfig) error {
	path := config.SigningKeyFile
	if _, err := os.Stat(path); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("make signing keys: %w", err)
	}
	document, err := newSigningKeys(config.Algorithms[0])
	if err != nil {
		return fmt.Errorf("make signing keys: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make signing keys: %w", err)
	}
	// CreateTemp makes the file with mode 0600; a link appears whole and never in an existing file's place.
	file, err := os.CreateTemp(filepath.Dir(path), ".signing-*")
	if err != nil {
		return fmt.Errorf("make signing keys: %w", err)
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.Write(document)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("make signing keys: %w", err)
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make signing keys: %w", err)
	}
	return nil
}

func newSigningKeys(algorithm string) ([]byte, error) {
	private, err := newPrivateKey(algorithm)
	if err != nil {
		return nil, err
	}
	key, err := jwk.Import(private)
	if err != nil {
		return nil, err
	}
	thumbprint, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, err
	}
	fields := map[string]any{jwk.KeyIDKey: base64.RawURLEncoding.EncodeToString(thumbprint), jwk.AlgorithmKey: algorithm, jwk.KeyUsageKey: "sig"}
	for name, value := range fields {
		if err := key.Set(name, value); err != nil {
			return nil, err
		}
	}
	set := jwk.NewSet()
	if err := set.AddKey(key); err != nil {
		return nil, err
	}
	return json.MarshalIndent(set, "", "  ")
}

func newPrivateKey(algorithm string) (any, error) {
	switch algorithm {
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ES512":
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "EdDSA":
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	}
	return rsa.GenerateKey(rand.Reader, minRSABits)
}
