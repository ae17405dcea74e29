package source

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-server/gatehouse/internal/httpx"
)

// ErrValue says that a value cannot stand in a path: it is missing, or it would change the path's shape. The text
// names the placeholder and never repeats the value.
var ErrValue = errors.New("value cannot stand in a path")

// Template makes a path below a source's base out of named values, as in "{fonds}/{item}.tif".
//
// A placeholder is {name}, or {name.part} for a field of a document. Its value is one piece of text within one path
// segment: a value with a slash in it is refused. {name...} takes a value that is a path itself; its slashes stay.
// Values never make dot segments, alone or together with their neighbours.
type Template struct {
	pieces []piece
}

// piece is literal text, or a placeholder when name is set.
type piece struct {
	text string
	name string
	path bool
}

// ParseTemplate reads a template. There is no escape for braces: they always enclose a placeholder.
func ParseTemplate(text string) (*Template, error) {
	if text == "" {
		return nil, errors.New("the template is empty")
	}
	t := &Template{}
	var sample strings.Builder
	for text != "" {
		literal, rest, found := strings.Cut(text, "{")
		if strings.Contains(literal, "}") {
			return nil, errors.New("a closing brace without an opening one")
		}
		sample.WriteString(literal)
		if literal != "" {
			t.pieces = append(t.pieces, piece{text: literal})
		}
		if !found {
			break
		}
		name, rest, found := strings.Cut(rest, "}")
		if !found {
			return nil, errors.New("an opening brace without a closing one")
		}
		name, path := strings.CutSuffix(name, "...")
		if !isPlaceholder(name) {
			return nil, fmt.Errorf("{%s} is no placeholder: write {name}, {name.field} or {name...}", name)
		}
		t.pieces = append(t.pieces, piece{name: name, path: path})
		sample.WriteString("x")
		text = rest
	}
	// What no value can make right is the operator's mistake.
	if err := httpx.CheckPath(sample.String()); err != nil {
		return nil, fmt.Errorf("the template: %w", err)
	}
	return t, nil
}

const placeholderLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

// isPlaceholder wants letters, digits and underscores in parts that dots separate.
func isPlaceholder(name string) bool {
	for part := range strings.SplitSeq(name, ".") {
		if part == "" || strings.Trim(part, placeholderLetters) != "" {
			return false
		}
	}
	return true
}

// Names lists the placeholders, each once, in the order of their first appearance.
func (t *Template) Names() []string {
	var names []string
	for _, p := range t.pieces {
		if p.name != "" && !slices.Contains(names, p.name) {
			names = append(names, p.name)
		}
	}
	return names
}

// Check refuses placeholders that nothing will ever fill. A known name that ends in ".*" stands for all names that
// begin with what is before the star.
func (t *Template) Check(known []string) error {
	for _, name := range t.Names() {
		if !slices.ContainsFunc(known, func(k string) bool {
			prefix, wild := strings.CutSuffix(k, "*")
			return k == name || wild && strings.HasPrefix(name, prefix)
		}) {
			return fmt.Errorf("unknown placeholder {%s}; known are {%s}", name, strings.Join(known, "}, {"))
		}
	}
	return nil
}

// String is the text that ParseTemplate reads back into an equal Template.
func (t *Template) String() string {
	var b strings.Builder
	for _, p := range t.pieces {
		switch {
		case p.name == "":
			b.WriteString(p.text)
		case p.path:
			b.WriteString("{" + p.name + "...}")
		default:
			b.WriteString("{" + p.name + "}")
		}
	}
	return b.String()
}

// Expand fills in the values. The error wraps ErrValue.
func (t *Template) Expand(value func(name string) (string, bool)) (string, error) {
	var b strings.Builder
	for _, p := range t.pieces {
		if p.name == "" {
			b.WriteString(p.text)
			continue
		}
		v, ok := value(p.name)
		if !ok || v == "" {
			return "", fmt.Errorf("%w: {%s} has none", ErrValue, p.name)
		}
		if err := checkValue(v, p.path); err != nil {
			return "", fmt.Errorf("%w: {%s}: %w", ErrValue, p.name, err)
		}
		b.WriteString(v)
	}
	path := b.String()
	// Neighbouring values that are harmless alone can make a dot segment or an escape together.
	if err := checkJoined(path, strings.Count(path, "/")); err != nil {
		return "", fmt.Errorf("%w: %w", ErrValue, err)
	}
	return path, nil
}

func checkValue(v string, path bool) error {
	if err := httpx.CheckPath(v); err != nil {
		return err
	}
	if !path {
		return checkJoined(v, 0)
	}
	if strings.HasPrefix(v, "/") || strings.HasSuffix(v, "/") || strings.Contains(v, "//") {
		return errors.New("it holds an empty path segment")
	}
	return nil
}

// checkJoined refuses a path with more separators than it should have, those included that only a server which
// decodes percent-encoding would see.
func checkJoined(path string, slashes int) error {
	if err := httpx.CheckPath(path); err != nil {
		return err
	}
	decoded := path
	for strings.Contains(decoded, "%25") {
		decoded = strings.ReplaceAll(decoded, "%25", "%")
	}
	decoded = strings.ReplaceAll(strings.ToLower(decoded), "%2f", "/")
	if strings.Count(decoded, "/") != slashes {
		return errors.New("it holds a slash")
	}
	return nil
}
