// Package authz decides what a caller may see, by rules over the caller, the identifier and the metadata.
package authz

import (
	"context"
	"time"
)

// Outcome is what a policy answers.
type Outcome string

// The outcomes of a decision.
const (
	Allow Outcome = "allow"
	// Tier allows less than the whole image: a smaller one, one without colours, one with a mark on it.
	Tier Outcome = "tier"
	Deny Outcome = "deny"
)

// The qualities that a Tier may be held to, by their IIIF names.
const (
	QualityGray    = "gray"
	QualityBitonal = "bitonal"
)

// Decision is the answer of a policy to one caller about one item. It is bound to the collection and to the raw path
// segment it was made for, so that no handler can act on a decision about something else.
type Decision struct {
	// Collection is the configured name.
	Collection string
	// Identifier is the path segment as the client sent it, still percent-encoded.
	Identifier string
	Outcome    Outcome
	// MaxSide is, for Tier, the longest side in pixels of the image that the caller may see; 0 is no bound.
	MaxSide int
	// Quality is, for Tier, the most colour that the caller may see: QualityGray or QualityBitonal; empty is no bound.
	Quality string
	// Watermark is, for Tier, the name of the mark that is put on the image; empty for none.
	Watermark string
	// Status and Reason answer a Deny: an HTTP status and the text for the caller.
	Status int
	Reason string
	// Code names the outcome for logs and metrics: snake_case, out of the few that the configuration makes.
	Code string
	// Rule tells which rule decided, for explain and the log: its text as configured, or a built-in's name.
	Rule string
	// Restricted marks an item that a caller without any right would not have got: showing it is written to the audit log.
	Restricted bool
	// CacheFor is how long the caller's own cache may keep the answer; 0 forbids keeping it.
	CacheFor time.Duration
	// Shared allows caches that serve several callers (a public collection).
	Shared bool
	// RuleError is what went wrong inside rules on the way to this decision, for the log alone; nil when nothing did.
	// Such a rule has counted against the caller.
	RuleError error
}

// Public is the decision on everything in a collection that has no policy: anybody may see it, and any cache may keep
// it for cacheFor.
func Public(collection, identifier string, cacheFor time.Duration) Decision {
	return Decision{
		Collection: collection,
		Identifier: identifier,
		Outcome:    Allow,
		Code:       "public",
		Rule:       "public collection",
		CacheFor:   cacheFor,
		Shared:     true,
	}
}

// Allowed tells whether pixels may be shown, of whatever size.
func (d Decision) Allowed() bool { return d.Outcome == Allow || d.Outcome == Tier }

// Limited tells whether a Tier says what it takes away.
func (d Decision) Limited() bool { return d.MaxSide > 0 || d.Quality != "" || d.Watermark != "" }

// within tells whether d shows nothing that other does not show. Both are tiers.
func (d Decision) within(other Decision) bool {
	return (other.MaxSide == 0 || d.MaxSide > 0 && d.MaxSide <= other.MaxSide) &&
		colours(d.Quality) <= colours(other.Quality) &&
		(other.Watermark == "" || other.Watermark == d.Watermark)
}

// colours ranks qualities by how much they show.
func colours(quality string) int {
	switch quality {
	case QualityBitonal:
		return 0
	case QualityGray:
		return 1
	}
	return 2
}

// Covers tells whether the decision was made for this very collection and path segment.
func (d Decision) Covers(collection, identifier string) bool {
	return d.Collection == collection && d.Identifier == identifier && d.Outcome != ""
}

type contextKey struct{}

// NewContext carries d to the handlers behind.
func NewContext(ctx context.Context, d Decision) context.Context {
	return context.WithValue(ctx, contextKey{}, d)
}

// FromContext gives the decision that was made for this request, if one was.
func FromContext(ctx context.Context) (Decision, bool) {
	d, ok := ctx.Value(contextKey{}).(Decision)
	return d, ok
}
