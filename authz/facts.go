package authz

import "context"

// Facts finds out what is known about an item, step by step. A policy calls each method at most once for a decision,
// in this order, and only when the decision needs it. Errors are *problem.Error; they end the decision.
type Facts interface {
	// Identifier parses the identifier into the named groups of the collection's grammar.
	Identifier(ctx context.Context) (map[string]string, error)
	// Metadata is the whole metadata document as maps, slices, strings, int64, float64, bool and nil.
	Metadata(ctx context.Context) (any, error)
	// Document is the part of the metadata that the item is, or nil where the collection knows no such part.
	Document(ctx context.Context) (any, error)
}

// Revised are facts that tell when they are still the same.
type Revised interface {
	Facts
	// Revision of what Metadata has given: as long as it stays the same, so does what Metadata and Document give for an
	// identifier.
	Revision() uint64
}

// RequestInfo is what a policy knows about the request besides who asks.
type RequestInfo struct {
	// Identifier is the path segment as the client sent it; the decision is bound to it.
	Identifier string
	// Version of the Image API: "2" or "3".
	Version string
	// Endpoint is "image", "info" or "source_file".
	Endpoint string
}

// stage counts how many of the facts are at hand.
type stage int

const (
	stageNone stage = iota
	stageIdentifier
	stageMetadata
	stageDocument
)

// staged are the variables that stages bring, in their order.
var staged = [...]string{"identifier", "metadata", "document"}

func (s stage) String() string {
	if s == stageNone {
		return "none"
	}
	return staged[s-1]
}

// stageOf finds the stage that brings a variable; stageNone for variables that are always there.
func stageOf(variable string) stage {
	for i, name := range staged {
		if name == variable {
			return stage(i + 1)
		}
	}
	return stageNone
}
