package caddymodule

import "context"

// malformed stands for the facts about an item whose address cannot be read. A caller without a token or scope is told
// that, as with any other address; all others are told what is wrong with it, and nobody behind us is asked.
type malformed struct {
	lookup lookup
	// identifier tells that the identifier is what cannot be read.
	identifier bool
	err        error
}

// Identifier always fails, and where it is the identifier that cannot be read, in the collection's own words.
func (m malformed) Identifier(ctx context.Context) (map[string]string, error) {
	if m.identifier {
		if _, err := m.lookup.Identifier(ctx); err != nil {
			return nil, err
		}
	}
	return nil, m.err
}

// Metadata always fails.
func (m malformed) Metadata(context.Context) (any, error) { return nil, m.err }

// Document always fails.
func (m malformed) Document(context.Context) (any, error) { return nil, m.err }
