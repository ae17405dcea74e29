package collection

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
)

// Bounds of a grammar. Regular expressions here take time linear in the identifier, so that the bounds are about what
// a person can still read.
const (
	maxPatterns = 16
	maxPattern  = 1024
)

// groupPath is the one group of a collection without a grammar: the path below the source's root.
const groupPath = "path"

// groupSource is the group that chooses among several sources.
const groupSource = "source"

// Grammar takes identifiers apart. The zero value takes the whole identifier as the group "path".
type Grammar struct {
	patterns []*regexp.Regexp
	groups   []string
}

var groupName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// NewGrammar compiles regular expressions (Go's syntax) with named groups. Each has to match the whole identifier;
// they are tried in order. With no pattern, identifiers are paths below the source's root.
func NewGrammar(patterns []string) (*Grammar, error) {
	if len(patterns) > maxPatterns {
		return nil, fmt.Errorf("%d identifier patterns; at most %d are allowed", len(patterns), maxPatterns)
	}
	g := &Grammar{}
	for i, text := range patterns {
		re, err := compilePattern(text)
		if err != nil {
			return nil, fmt.Errorf("identifier pattern %d: %w", i+1, err)
		}
		g.patterns = append(g.patterns, re)
		for _, name := range re.SubexpNames() {
			if name != "" && !slices.Contains(g.groups, name) {
				g.groups = append(g.groups, name)
			}
		}
	}
	if len(g.patterns) == 0 {
		g.groups = []string{groupPath}
	}
	return g, nil
}

func compilePattern(text string) (*regexp.Regexp, error) {
	if len(text) > maxPattern {
		return nil, fmt.Errorf("it has %d bytes; at most %d are allowed", len(text), maxPattern)
	}
	// By itself first: a stray parenthesis must not pair with those that are put around it.
	if _, err := syntax.Parse(text, syntax.Perl); err != nil {
		return nil, err
	}
	re, err := regexp.Compile(`\A(?:` + text + `)\z`)
	if err != nil {
		return nil, err
	}
	named := 0
	for i, name := range re.SubexpNames() {
		if name == "" {
			continue
		}
		if slices.Contains(re.SubexpNames()[:i], name) {
			return nil, fmt.Errorf("group %q stands twice in it", name)
		}
		if !groupName.MatchString(name) {
			return nil, fmt.Errorf("group %q: a name is at most 32 lower-case letters, digits and underscores, and begins with a letter", name)
		}
		named++
	}
	if named == 0 {
		return nil, errors.New("it has no named group; write (?P<name>...) around the parts that a source, a rule or the metadata server needs")
	}
	return re, nil
}

// Groups are the names that a match has, in the order of their first appearance.
func (g *Grammar) Groups() []string { return slices.Clone(g.groups) }

// Match takes a decoded identifier apart. The map has every name of Groups; those that the matching pattern does not
// have, or that took no part in the match, are empty.
func (g *Grammar) Match(identifier string) (map[string]string, bool) {
	if len(g.patterns) == 0 {
		return map[string]string{groupPath: identifier}, checkPath(identifier) == nil
	}
	for _, re := range g.patterns {
		found := re.FindStringSubmatch(identifier)
		if found == nil {
			continue
		}
		groups := make(map[string]string, len(g.groups))
		for _, name := range g.groups {
			groups[name] = ""
		}
		for i, name := range re.SubexpNames() {
			if name != "" {
				groups[name] = found[i]
			}
		}
		return groups, true
	}
	return nil, false
}
