package caddymodule

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/gatehouse-server/gatehouse/render"
)

// WatermarkConfig is a mark that a rule `tier` may put on images.
type WatermarkConfig struct {
	// The picture: PNG, with what is transparent left out, or JPEG.
	File string `json:"file"`
	// How much of the mark is seen, above 0 and up to 1. Default: 0.5.
	Opacity float64 `json:"opacity,omitempty"`
	// Where it lies: "center", the default, "tile" for all over, "top", "bottom", "left", "right", "top_left",
	// "top_right", "bottom_left" or "bottom_right".
	Position string `json:"position,omitempty"`
	// The mark's longer side as a part of the image's shorter side, above 0 and up to 1. Default: 0.5.
	Scale float64 `json:"scale,omitempty"`
}

const (
	defaultOpacity = 0.5
	defaultScale   = 0.5
)

// UnmarshalCaddyfile reads `watermark NAME FILE { … }`.
func (c *WatermarkConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	if !d.AllArgs(&c.File) {
		return d.Err("watermark takes a name and a file: watermark NAME FILE")
	}
	return block{
		"opacity":  fraction(&c.Opacity),
		"position": choice(&c.Position, positions()...),
		"scale":    fraction(&c.Scale),
	}.parse(d, "watermark")
}

// fraction reads a number above 0 and up to 1.
func fraction(into *float64) option {
	return once(func(d *caddyfile.Dispenser) error {
		name := d.Val()
		var s string
		if err := oneArg(d, &s); err != nil {
			return err
		}
		n, err := strconv.ParseFloat(s, 64)
		if err != nil || !isFraction(n) {
			return d.Errf("%s: %q is not a number above 0 and up to 1", name, s)
		}
		*into = n
		return nil
	})
}

func isFraction(n float64) bool { return n > 0 && n <= 1 }

func positions() []string {
	var names []string
	for _, position := range render.Positions() {
		names = append(names, string(position))
	}
	return names
}

var watermarkName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// validate checks all but the file.
func (c *WatermarkConfig) validate(name string) error {
	switch {
	case !watermarkName.MatchString(name):
		return fmt.Errorf("the name must have lower-case letters, digits, underscores and hyphens, at most 63")
	case c.Opacity != 0 && !isFraction(c.Opacity):
		return fmt.Errorf("opacity: %g is not a number above 0 and up to 1", c.Opacity)
	case c.Scale != 0 && !isFraction(c.Scale):
		return fmt.Errorf("scale: %g is not a number above 0 and up to 1", c.Scale)
	case c.Position != "" && !slices.Contains(positions(), c.Position):
		return unknownChoice("position", c.Position, positions()...)
	}
	return nil
}
