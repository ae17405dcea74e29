// Package collection knows what there is: how identifiers read, where metadata and originals lie. It decides nothing;
// it gives the facts to decide by and, once that is done, the original.
package collection

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Collection is one configured collection. It is safe for concurrent use.
type Collection struct {
	config   *resolved
	metadata *metadataClient
}

// New sets a collection up. It reads the CA file of the metadata server, if one is configured, and touches no network.
// The sources stay the caller's.
func New(config Config, deps Deps) (*Collection, error) {
	r, err := config.resolve()
	if err != nil {
		return nil, err
	}
	c := &Collection{config: r}
	if r.Metadata == nil {
		return c, nil
	}
	path, check := "", checkAnyShape
	if r.preset != nil {
		path, check = r.preset.MetadataPath, r.preset.check
	}
	if c.metadata, err = newMetadataClient(*r.Metadata, path, check, deps.withDefaults()); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	return c, nil
}

// Close frees kept connections. Fetches for requests that are still in flight run to their end.
func (c *Collection) Close() {
	if c.metadata != nil {
		c.metadata.close()
	}
}

// Name as configured.
func (c *Collection) Name() string { return c.config.Name }

// Prefix is the path below which /2/ and /3/ lie.
func (c *Collection) Prefix() string { return c.config.Prefix }

// Preset is the name of the preset, or empty.
func (c *Collection) Preset() string { return c.config.Preset }

// Policy is what a collection's rules come to, for package authz to compile.
type Policy struct {
	Rules      []Rule
	Cache      []CacheRule
	Restricted string
	// Settings are lists that rules read as settings.NAME.
	Settings map[string][]string
	// Groups are the names that identifier has.
	Groups []string
	// Metadata and Document tell whether rules may mention them.
	Metadata, Document bool
	// DenyStatus is 0 for the general default.
	DenyStatus int
}

// Policy gives the collection's own rules, followed by its preset's. It is false for a public collection, which has
// none, and whose Groups alone are set: anybody may see everything in it.
func (c *Collection) Policy() (Policy, bool) {
	r := c.config
	if r.Public() {
		return Policy{Groups: r.grammar.Groups()}, false
	}
	p := Policy{
		Rules:      slices.Clone(r.Rules),
		Cache:      slices.Clone(r.Cache),
		Restricted: r.Restricted,
		Settings:   map[string][]string{},
		Groups:     r.grammar.Groups(),
		Metadata:   r.Metadata != nil,
		DenyStatus: r.DenyStatus,
	}
	if preset := r.preset; preset != nil {
		p.Rules = append(p.Rules, preset.Rules...)
		p.Cache = append(p.Cache, preset.Cache...)
		p.Restricted = cmp.Or(p.Restricted, preset.Restricted)
		p.DenyStatus = cmp.Or(p.DenyStatus, preset.DenyStatus)
		p.Document = true
		p.Settings["free_copyright"] = preset.FreeCopyright
		if len(r.FreeCopyright) > 0 {
			p.Settings["free_copyright"] = slices.Clone(r.FreeCopyright)
		}
	}
	return p, true
}

// PublicCacheFor is how long anybody may keep what a public collection shows; 0 forbids it.
func (c *Collection) PublicCacheFor() time.Duration {
	return max(0, cmp.Or(c.config.CacheFor, defaultCacheFor))
}
