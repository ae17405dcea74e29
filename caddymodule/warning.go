package caddymodule

import "fmt"

// warning becomes a warning of the Caddyfile adapter, which turns failures to make JSON into warnings.
type warning struct {
	file       string
	line       int
	collection string
}

// MarshalJSON implements json.Marshaler by failing.
func (w warning) MarshalJSON() ([]byte, error) {
	return nil, fmt.Errorf("%s:%d: gatehouse_iiif %s has no gatehouse_authorize %s above it; "+
		"the collection has a policy, so that without one every request is answered 500",
		w.file, w.line, w.collection, w.collection)
}

// public tells whether the collection has no policy, so that anybody may see it.
func (c *CollectionConfig) public() bool {
	return c.Metadata == nil && c.Preset == "" && len(c.Rules) == 0
}
