// Package principal says who asks. It imports nothing, so that decisions and logs can speak of a caller without the
// machinery that verified it.
package principal

import (
	"context"
	"slices"
	"time"
)

// Kind tells by which sort of credential a caller was recognised.
type Kind string

// The kinds of credential.
const (
	Anonymous Kind = "anonymous"
	Bearer    Kind = "bearer"
	MailLogin Kind = "mail_login"
)

// Principal is a verified caller, or the anonymous one. It is never changed after it was made.
type Principal struct {
	// Kind is the sort of credential that was verified.
	Kind Kind
	// Subject is the token's sub: a user id, or a mail address for MailLogin.
	Subject string
	// Email is the mail address that the credential vouches for, or empty.
	Email string
	// Issuer is the configured name of the issuer, or empty.
	Issuer string
	// Scopes is sorted and without repeats.
	Scopes []string
	// Expires is when the credential ends; zero for the anonymous.
	Expires time.Time
}

var nobody = &Principal{Kind: Anonymous}

// Nobody is the caller that sent no credential.
func Nobody() *Principal { return nobody }

// Anonymous tells whether no credential was verified.
func (p *Principal) Anonymous() bool { return p == nil || p.Kind == Anonymous || p.Kind == "" }

// HasScope tells whether the credential carries scope.
func (p *Principal) HasScope(scope string) bool {
	if p == nil {
		return false
	}
	_, found := slices.BinarySearch(p.Scopes, scope)
	return found
}

type contextKey struct{}

// NewContext carries p to the handlers behind.
func NewContext(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// FromContext gives the caller, and whether anybody looked for a credential at all.
func FromContext(ctx context.Context) (*Principal, bool) {
	p, ok := ctx.Value(contextKey{}).(*Principal)
	return p, ok
}
