package authn

import (
	"errors"
	"net/http"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// The codes of the refusals in this package.
const (
	CodeTokenExpired    = "token_expired"
	CodeTokenSignature  = "token_signature"
	CodeTokenInvalid    = "token_invalid"
	CodeScopeInvalid    = "scope_invalid"
	CodeKeysUnavailable = "keys_unavailable"
)

// keysRetryAfter is how soon a caller may try again when no keys are there; a recovered identity provider is noticed
// within that time.
const keysRetryAfter = 15 * time.Second

// errNoCandidate says that no issuer would have made the token.
var errNoCandidate = errors.New("no configured issuer made this token")

// denial makes a 401 with a fixed text. cause is for the log and never holds the token.
func denial(cause error, code, detail string) *problem.Error {
	e := problem.Wrap(cause, http.StatusUnauthorized, code, detail)
	e.Denial = true
	return e
}

func expired(cause error) error {
	return denial(cause, CodeTokenExpired, "Expired JWT token signature")
}

func badSignature(cause error) error {
	return denial(cause, CodeTokenSignature, "Invalid JWT token signature")
}

func invalid(cause error) error {
	return denial(cause, CodeTokenInvalid, "Invalid JWT token")
}

func invalidScope(cause error) error {
	return denial(cause, CodeScopeInvalid, "Invalid scope")
}

// unavailable is the answer while an issuer's keys have not been fetched.
func unavailable(cause error) error {
	e := problem.Wrap(cause, http.StatusServiceUnavailable, CodeKeysUnavailable, "The keys of the identity provider are not available yet")
	e.RetryAfter = keysRetryAfter
	return e
}
