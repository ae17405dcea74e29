package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/gatehouse-server/gatehouse/iiif"
)

// InfoConfig is something that info.json says besides how to ask for the picture.
type InfoConfig struct {
	// The property by its IIIF name: attribution, license, logo, partOf, preferredFormats, rights, seeAlso or service.
	Field string `json:"field"`
	// Its value: a text; an object for partOf, seeAlso and service; a list of formats for preferredFormats.
	Value json.RawMessage `json:"value,omitempty"`
	// A CEL expression that gives the value instead.
	From string `json:"from,omitempty"`
	// A CEL expression: the value counts where it is true. Default: always.
	When string `json:"when,omitempty"`
}

// maxInfoLines bounds what one info.json may ask of expressions.
const maxInfoLines = 64

const infoForms = "info takes a field and its value: info FIELD VALUE [`CONDITION`], info FIELD = `EXPR` [`CONDITION`], info preferredFormats FORMAT... [`CONDITION`]"

// UnmarshalCaddyfile reads `info FIELD VALUE [CONDITION]`, `info FIELD = EXPR [CONDITION]` or
// `info preferredFormats FORMAT... [CONDITION]`.
func (c *InfoConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	if !d.NextArg() {
		return d.Err(infoForms)
	}
	c.Field = d.Val()
	kind, err := c.kind()
	if err != nil {
		return d.Errf("info: %v", err)
	}
	args := d.RemainingArgs()
	switch {
	case len(args) > 0 && args[0] == "=":
		if args = args[1:]; len(args) > 0 {
			c.From, args = args[0], args[1:]
		}
	case kind == iiif.KindFormats:
		args, err = c.takeFormats(args)
	case kind == iiif.KindObject && len(args) > 0:
		c.Value, args = json.RawMessage(args[0]), args[1:]
		if !json.Valid(c.Value) {
			err = errors.New("the value is no JSON object; write an expression after =")
		}
	case len(args) > 0:
		c.Value, err = json.Marshal(args[0])
		args = args[1:]
	}
	if err == nil && len(args) == 1 {
		c.When, args = args[0], nil
	}
	switch {
	case err != nil:
		return d.Errf("info %s: %v", c.Field, err)
	case len(args) > 0 || c.From == "" && c.Value == nil:
		return d.Err(infoForms)
	}
	if err := c.validate(); err != nil {
		return d.Errf("info %s: %v", c.Field, err)
	}
	return nil
}

// takeFormats reads the formats that args begin with. What is no single word is the condition.
func (c *InfoConfig) takeFormats(args []string) ([]string, error) {
	n := 0
	for n < len(args) && formatWord.MatchString(args[n]) {
		n++
	}
	if n == 0 {
		return args, nil
	}
	var err error
	c.Value, err = json.Marshal(args[:n])
	return args[n:], err
}

var formatWord = regexp.MustCompile(`^[A-Za-z0-9]+$`)

func (c *InfoConfig) kind() (iiif.FieldKind, error) {
	kind, known := iiif.Field(c.Field).Kind()
	if !known {
		return kind, fmt.Errorf("%q is no field of info.json; choose one of %s", c.Field, choices(iiif.Fields()))
	}
	return kind, nil
}

// validate checks all but the expressions.
func (c *InfoConfig) validate() error {
	if _, err := c.kind(); err != nil {
		return err
	}
	if (c.From == "") == (c.Value == nil) {
		return errors.New("a value or an expression that gives it is needed, and not both")
	}
	if c.Value == nil {
		return nil
	}
	_, err := c.fixed()
	return err
}

// fixed is the value as configured.
func (c *InfoConfig) fixed() (iiif.Value, error) {
	return iiif.FixedValue(iiif.Field(c.Field), c.Value)
}
