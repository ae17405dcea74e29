package authn

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/lestrrat-go/jwx/v3/jws"
)

// maxTokenBytes bounds what is looked at at all, so that a huge header costs no parsing.
const maxTokenBytes = 8 << 10

// maxKeyIDBytes bounds a kid, which is kept for a while when no key has it.
const maxKeyIDBytes = 256

var errTokenTooLong = fmt.Errorf("the token has more than %d bytes", maxTokenBytes)

// token is a compact JWS that was taken apart and not verified.
type token struct {
	raw       string
	algorithm string
	// keyID is empty where the header names none.
	keyID  string
	claims claims
}

// parseToken takes a compact JWS apart (RFC 7515 §7.1). The header may name an algorithm and a key and nothing that
// brings a key along.
func parseToken(raw string) (*token, error) {
	if len(raw) > maxTokenBytes {
		return nil, errTokenTooLong
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("the token has %d parts, not 3", len(parts))
	}
	header, err := decodeObject(parts[0])
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	t := &token{raw: raw}
	if err := t.readHeader(header); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	body, err := decodeObject(parts[1])
	if err != nil {
		return nil, fmt.Errorf("claims: %w", err)
	}
	t.claims = claims(body)
	if _, err := decodeSegment(parts[2]); err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	return t, nil
}

// readHeader refuses every parameter that would let the token choose its own key (RFC 8725 §3.1), and extensions that
// must be understood (RFC 7515 §4.1.11).
func (t *token) readHeader(header map[string]any) error {
	for _, name := range []string{"jwk", "jku", "x5u", "x5c", "crit", "b64"} {
		if _, found := header[name]; found {
			return fmt.Errorf("the parameter %s is refused", name)
		}
	}
	var ok bool
	if t.algorithm, ok = header["alg"].(string); !ok || t.algorithm == "" {
		return errors.New("alg is missing")
	}
	if value, found := header["kid"]; found {
		if t.keyID, ok = value.(string); !ok || len(t.keyID) > maxKeyIDBytes {
			return fmt.Errorf("kid is no string of at most %d bytes", maxKeyIDBytes)
		}
	}
	if value, found := header["typ"]; found && !isTokenType(value) {
		return errors.New("typ is neither JWT nor at+jwt")
	}
	return nil
}

// isTokenType keeps out what an issuer signs with the same keys for another purpose, such as logout tokens
// (RFC 8725 §3.11, RFC 9068 §2.1).
func isTokenType(value any) bool {
	name, _ := value.(string)
	name = strings.TrimPrefix(strings.ToLower(name), "application/")
	return name == "jwt" || name == "at+jwt"
}

// verify checks the signature with a key that was chosen by somebody else than the token.
func (t *token) verify(key any) error {
	alg, err := signatureAlgorithm(t.algorithm)
	if err != nil {
		return err
	}
	_, err = jws.VerifyCompactFast(key, []byte(t.raw), alg)
	return err
}

// decodeSegment reads base64url without padding and without stray bits (RFC 7515 §2).
func decodeSegment(segment string) ([]byte, error) {
	// The decoder skips line breaks, which the form does not allow.
	if strings.ContainsAny(segment, "\r\n") {
		return nil, errors.New("a line break in base64url")
	}
	return base64.RawURLEncoding.Strict().DecodeString(segment)
}

func decodeObject(segment string) (map[string]any, error) {
	data, err := decodeSegment(segment)
	if err != nil {
		return nil, err
	}
	// A map keeps names apart that differ in case alone, which a struct would not.
	var object map[string]any
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, errors.New("not a JSON object")
	}
	if object == nil {
		return nil, errors.New("null is no JSON object")
	}
	return object, nil
}
