package authn

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/lestrrat-go/jwx/v3/jwk"
)

// Bounds on a JWKS document.
const (
	maxDocumentBytes = 1 << 20
	// maxKeys is far above what identity providers publish, and keeps the work for one document small.
	maxKeys = 256
)

var errNoUsableKey = errors.New("the key set holds no usable key")

// verificationKey is a public key with what it may be used for.
type verificationKey struct {
	public     any
	algorithms []string
}

// keyring is the usable part of one JWKS document. It is never changed after it was made.
type keyring struct {
	byID map[string][]verificationKey
	// skipped counts the keys that cannot verify a token here: of an unknown type, for encryption, secret or broken.
	skipped int
}

// parseKeyring reads a JWKS (RFC 7517 §5) for tokens signed with one of the algorithms. Keys that cannot be used are
// skipped; a document without a usable one is an error.
func parseKeyring(document []byte, algorithms []string) (*keyring, error) {
	if len(document) > maxDocumentBytes {
		return nil, fmt.Errorf("the key set has more than %d bytes", maxDocumentBytes)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(document, &set); err != nil {
		return nil, fmt.Errorf("the key set is no JSON object with a list of keys: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("the key set has %d keys, more than %d", len(set.Keys), maxKeys)
	}
	ring := &keyring{byID: make(map[string][]verificationKey)}
	for _, raw := range set.Keys {
		id, key, err := parseVerificationKey(raw, algorithms)
		if err != nil {
			ring.skipped++
			continue
		}
		ring.byID[id] = append(ring.byID[id], key)
	}
	if len(ring.byID) == 0 {
		return nil, errNoUsableKey
	}
	return ring, nil
}

// parseVerificationKey takes a public signature key with a kid and nothing else. Points that are not on their curve are
// refused by jwx.
func parseVerificationKey(raw []byte, algorithms []string) (string, verificationKey, error) {
	none := verificationKey{}
	key, err := jwk.ParseKey(raw)
	if err != nil {
		return "", none, fmt.Errorf("parse key: %w", err)
	}
	id, _ := key.KeyID()
	if id == "" || len(id) > maxKeyIDBytes {
		return "", none, errors.New("the key has no fitting kid")
	}
	if use, found := key.KeyUsage(); found && use != string(jwk.ForSignature) {
		return "", none, errors.New("the key is not for signatures")
	}
	if ops, found := key.KeyOps(); found && !slices.Contains(ops, jwk.KeyOpVerify) {
		return "", none, errors.New("the key is not for verification")
	}
	var public any
	if err := jwk.Export(key, &public); err != nil {
		return "", none, fmt.Errorf("export key: %w", err)
	}
	// A private or symmetric key is of no type that algorithmsOf knows.
	fitting := slices.DeleteFunc(algorithmsOf(public), func(name string) bool { return !slices.Contains(algorithms, name) })
	if only, found := key.Algorithm(); found {
		fitting = slices.DeleteFunc(fitting, func(name string) bool { return name != only.String() })
	}
	if len(fitting) == 0 {
		return "", none, errors.New("the key fits no configured algorithm")
	}
	return id, verificationKey{public: public, algorithms: fitting}, nil
}

func (r *keyring) has(id string) bool {
	return r != nil && len(r.byID[id]) > 0
}

// find gives the key of that id for the algorithm. Keys of different types may share an id (RFC 7517 §4.5).
func (r *keyring) find(id, algorithm string) (any, bool) {
	for _, key := range r.byID[id] {
		if slices.Contains(key.algorithms, algorithm) {
			return key.public, true
		}
	}
	return nil, false
}

// ids lists the key ids, sorted.
func (r *keyring) ids() []string {
	if r == nil {
		return nil
	}
	ids := make([]string, 0, len(r.byID))
	for id := range r.byID {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
