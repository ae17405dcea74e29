package collection

import (
	"slices"
	"time"
)

// Rule is a rule of a policy as written; package authz gives it its meaning. The first whose Expr is true decides.
type Rule struct {
	// Outcome is "allow", "tier" or "deny".
	Outcome string
	// MaxSide is the longest side in pixels that a tier allows; 0 is no bound. Quality is the most colour that it allows,
	// Watermark the name of the mark on it; each may be empty.
	MaxSide            int
	Quality, Watermark string
	// Reason and Status answer a denial; empty and 0 take those of the policy.
	Reason string
	Status int
	// Code names the outcome in logs and metrics.
	Code string
	// Expr is the condition, in CEL.
	Expr string
	// Name stands for the rule in logs and explanations.
	Name string
}

// CacheRule lets a caller's own cache keep what was allowed, for a time, when Expr is true.
type CacheRule struct {
	For  time.Duration
	Expr string
}

// PresetSpec is a kind of collection that is built in: how its identifiers read, where its metadata lies and what
// shape it has, and who may see what. Its rules are in the language of everybody's rules.
type PresetSpec struct {
	Name string
	// Identifier are the patterns of the grammar. Own patterns may take their place when they have the same Groups.
	Identifier []string
	// Groups are the groups that the preset reads.
	Groups []string
	// MetadataPath is appended to a metadata URL without placeholders.
	MetadataPath string
	Rules        []Rule
	Cache        []CacheRule
	// Restricted is the condition under which showing an item is written to the audit log.
	Restricted string
	// FreeCopyright are the values of copyright that count as free, unless configured.
	FreeCopyright []string
	DenyStatus    int
	// InvalidIdentifier is the text for every identifier that cannot be read.
	InvalidIdentifier string

	// check refuses metadata of another shape; the error names the field.
	check func(metadata any) error
	// document finds the part of checked metadata that an identifier means.
	document func(metadata any, groups map[string]string) (any, bool)
	// file finds the original of a document.
	file func(document any, groups map[string]string) (file, error)
}

// file is where an original lies.
type file struct {
	path string
	name string
}

// Preset finds a built-in kind of collection.
func Preset(name string) (PresetSpec, bool) {
	if name == bouwdossierName {
		return bouwdossier(), true
	}
	return PresetSpec{}, false
}

// Presets lists the names that Preset knows.
func Presets() []string { return []string{bouwdossierName} }

func (p PresetSpec) missingGroups(g *Grammar) []string {
	return slices.DeleteFunc(slices.Clone(p.Groups), func(name string) bool { return slices.Contains(g.groups, name) })
}
