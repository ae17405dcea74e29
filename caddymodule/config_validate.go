package caddymodule

import (
	"fmt"
	"slices"
)

// validate checks what the Caddyfile's parser refuses and JSON could still hold.
func (c *Config) validate() error {
	if c.Images != nil {
		if err := c.Images.Isolation.validate(); err != nil {
			return fmt.Errorf("images: %w", err)
		}
		if c.Images.Admission != "" && !slices.Contains([]string{admissionLanes, admissionShadow}, c.Images.Admission) {
			return unknownChoice("images: admission", c.Images.Admission, admissionLanes, admissionShadow)
		}
	}
	if c.Images != nil && c.Images.StoredTiles != "" && !slices.Contains([]string{choiceOn, choiceOff}, c.Images.StoredTiles) {
		return unknownChoice("images: stored_tiles", c.Images.StoredTiles, choiceOn, choiceOff)
	}
	for name, issuer := range c.Issuers {
		if issuer == nil {
			return fmt.Errorf("issuer %q has no settings", name)
		}
	}
	for name, watermark := range c.Watermarks {
		if watermark == nil {
			return fmt.Errorf("watermark %q has no settings", name)
		}
		if err := watermark.validate(name); err != nil {
			return fmt.Errorf("watermark %q: %w", name, err)
		}
	}
	for name, collection := range c.Collections {
		if collection == nil {
			return fmt.Errorf("collection %q has no settings", name)
		}
		if err := collection.validate(); err != nil {
			return fmt.Errorf("collection %q: %w", name, err)
		}
	}
	return nil
}

func (c *CollectionConfig) validate() error {
	if c.ConfinedUpscale != "" && !slices.Contains([]string{confinedFit, confinedReject}, c.ConfinedUpscale) {
		return unknownChoice("confined_upscale", c.ConfinedUpscale, confinedFit, confinedReject)
	}
	if c.Upscaling != "" && !slices.Contains([]string{upscalingOn, upscalingNamed, upscalingOff}, c.Upscaling) {
		return unknownChoice("upscaling", c.Upscaling, upscalingOn, upscalingNamed, upscalingOff)
	}
	if c.MaxAge != nil && !c.public() {
		return fmt.Errorf("max_age is for public collections; write cacheable DURATION `EXPR` where there are rules")
	}
	if len(c.Info) > maxInfoLines {
		return fmt.Errorf("there are %d lines info; at most %d are allowed", len(c.Info), maxInfoLines)
	}
	for i := range c.Info {
		if err := c.Info[i].validate(); err != nil {
			return fmt.Errorf("info %d (%s): %w", i+1, c.Info[i].Field, err)
		}
	}
	for name, source := range c.Sources {
		if source == nil {
			return fmt.Errorf("source %q has no settings", name)
		}
	}
	return nil
}

func unknownChoice(what, value string, allowed ...string) error {
	return fmt.Errorf("%s: %q is not known; choose one of %s", what, value, choices(allowed))
}
