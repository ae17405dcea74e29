package caddymodule

import (
	"errors"
	"fmt"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// PyramidsConfig bounds the tiled pyramids that are made of flat and slow originals in the background.
type PyramidsConfig struct {
	// "on", the default, or "off".
	Mode string `json:"mode,omitempty"`
	// The folder that they are kept in. It is created when missing. Default: "gatehouse-pyramids" in Caddy's data directory.
	Folder string `json:"folder,omitempty"`
	// How many bytes the folder may hold. Default: 10GiB.
	Size ByteSize `json:"size,omitempty"`
	// How many pixels an original has at least to get one. Default: 2MP.
	From Pixels `json:"from,omitempty"`
}

// UnmarshalCaddyfile reads `pyramids off` and the block `pyramids`.
func (c *PyramidsConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	if d.NextArg() {
		if c.Mode = d.Val(); c.Mode != choiceOn && c.Mode != choiceOff {
			return d.Errf("pyramids: %q is not known; choose one of %s", c.Mode, choices([]string{choiceOn, choiceOff}))
		}
		if d.NextArg() {
			return d.ArgErr()
		}
	}
	return block{
		"folder": once(func(d *caddyfile.Dispenser) error {
			var size string
			if !d.AllArgs(&c.Folder, &size) {
				return d.Err("folder takes a path and a size: folder /var/cache/gatehouse 20GiB")
			}
			if err := c.Size.parseText(size); err != nil {
				return d.Errf("folder: %v", err)
			}
			return nil
		}),
		"from": value(&c.From),
	}.parse(d, "pyramids")
}

// Bounds of the pyramids.
const (
	defaultPyramidBytes = 10 << 30
	defaultPyramidFrom  = 2_000_000
	// leastPyramidBytes hold a few pyramids at least.
	leastPyramidBytes = 64 << 20
)

// off tells that no pyramids are made and none are used.
func (c *PyramidsConfig) off() bool { return c != nil && c.Mode == choiceOff }

// validate finds values that cannot be.
func (c *PyramidsConfig) validate() error {
	switch {
	case c == nil:
	case c.Mode != "" && c.Mode != choiceOn && c.Mode != choiceOff:
		return unknownChoice("pyramids", c.Mode, choiceOn, choiceOff)
	case c.off() && (c.Folder != "" || c.Size != 0 || c.From != 0):
		return errors.New("pyramids: they are off, and have no settings then")
	case c.Size != 0 && c.Size < leastPyramidBytes:
		return fmt.Errorf("pyramids: the folder may hold %d bytes: it must be at least 64MiB", c.Size)
	case c.From < 0:
		return fmt.Errorf("pyramids: from is %d pixels: it must be positive", c.From)
	}
	return nil
}
