package caddymodule

import (
	"slices"
	"strconv"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/gatehouse-server/gatehouse/authz"
)

// CollectionConfig is one collection of images: what it is called, where it lies, who may see it.
type CollectionConfig struct {
	// The path below which /2/ and /3/ are served. Default: /iiif.
	Prefix string `json:"prefix,omitempty"`
	// A built-in identifier grammar, metadata mapping and policy: "bouwdossier".
	Preset string `json:"preset,omitempty"`
	// Regular expressions with named groups, tried in order on the decoded identifier. Without one, the identifier is
	// the path of the original.
	Identifier []string `json:"identifier,omitempty"`
	// The metadata server that rules decide by.
	Metadata *MetadataConfig `json:"metadata,omitempty"`
	// The policy: the first rule that matches decides, none matching denies.
	Rules []RuleConfig `json:"rule,omitempty"`
	// Which allowed answers a caller's own cache may keep, and how long; the first that matches counts.
	Cacheable []CacheableConfig `json:"cacheable,omitempty"`
	// A CEL expression that is true for items whose showing is written to the audit log. Default: the preset's, else
	// whenever an anonymous caller would have got less.
	Restricted string `json:"restricted,omitempty"`
	// What info.json says besides how to ask for the picture. Of a field with one value, the first line that gives one
	// counts.
	Info []InfoConfig `json:"info,omitempty"`
	// Where originals lie, by name.
	Sources map[string]*SourceConfig `json:"source,omitempty"`
	// The status of a denial. Default: 401 in the preset bouwdossier, else 403.
	DenyStatus int `json:"deny_status,omitempty"`
	// The values of `copyright` that count as free. Default: N.
	FreeCopyright []string `json:"free_copyright,omitempty"`
	// "reject" answers 400 to `!w,h` of version 3 with a box larger than the region; "fit", the default, fits.
	ConfinedUpscale string `json:"confined_upscale,omitempty"`
	// "off" refuses pictures larger than the region that they show; "named" makes them where a size is named, and not for
	// `^max`; "on" is the default.
	Upscaling string `json:"upscaling,omitempty"`
	// Keeps `w,h` of version 2 within the box and never enlarges, as older servers did.
	LegacyFit bool `json:"legacy_fit,omitempty"`
	// Scheme, host and port to put into `id`, when they cannot be taken from the request.
	BaseURL string `json:"base_url,omitempty"`
	// How long anybody may keep an image of a public collection. 0 forbids it. Default: 24h.
	MaxAge *Duration `json:"max_age,omitempty"`
}

// UnmarshalCaddyfile reads the block `collection NAME`.
func (c *CollectionConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	if d.NextArg() {
		return d.ArgErr()
	}
	return block{
		"prefix":     text(&c.Prefix),
		"preset":     text(&c.Preset),
		"identifier": many(func(d *caddyfile.Dispenser) error { return appendArg(d, &c.Identifier) }),
		"metadata": once(func(d *caddyfile.Dispenser) error {
			c.Metadata = new(MetadataConfig)
			return c.Metadata.UnmarshalCaddyfile(d)
		}),
		"rule": many(func(d *caddyfile.Dispenser) error {
			c.Rules = append(c.Rules, RuleConfig{})
			return c.Rules[len(c.Rules)-1].UnmarshalCaddyfile(d)
		}),
		"cacheable": many(func(d *caddyfile.Dispenser) error {
			c.Cacheable = append(c.Cacheable, CacheableConfig{})
			return c.Cacheable[len(c.Cacheable)-1].UnmarshalCaddyfile(d)
		}),
		"info": many(func(d *caddyfile.Dispenser) error {
			c.Info = append(c.Info, InfoConfig{})
			return c.Info[len(c.Info)-1].UnmarshalCaddyfile(d)
		}),
		"restricted":       text(&c.Restricted),
		"source":           named(&c.Sources, "source"),
		"deny_status":      number(&c.DenyStatus, 400, 499),
		"free_copyright":   texts(&c.FreeCopyright),
		"confined_upscale": choice(&c.ConfinedUpscale, confinedFit, confinedReject),
		"upscaling":        choice(&c.Upscaling, upscalingOn, upscalingNamed, upscalingOff),
		"legacy_fit":       present(&c.LegacyFit),
		"base_url":         text(&c.BaseURL),
		"max_age":          optional(&c.MaxAge),
	}.parse(d, "collection")
}

// What confined_upscale may be.
const (
	confinedFit    = "fit"
	confinedReject = "reject"
)

// What upscaling may be.
const (
	upscalingOn    = "on"
	upscalingNamed = "named"
	upscalingOff   = "off"
)

func appendArg(d *caddyfile.Dispenser, into *[]string) error {
	var s string
	if err := oneArg(d, &s); err != nil {
		return err
	}
	*into = append(*into, s)
	return nil
}

// MetadataConfig is a server that answers JSON about an identifier.
type MetadataConfig struct {
	// Its address: a template with {group} placeholders of the identifier, or, for a preset, the base of its path.
	URL string `json:"url,omitempty"`
	// The time that one look-up may take. Default: 25s.
	Timeout Duration `json:"timeout,omitempty"`
	// How long an answer is used. 0 asks each time. Default: 60s.
	Fresh *Duration `json:"fresh,omitempty"`
	// Headers of the request. Placeholders in values are replaced.
	Headers map[string]string `json:"header,omitempty"`
	// Certificates (PEM) to trust instead of the system's.
	CAFile string `json:"ca_file,omitempty"`
	// Takes any certificate.
	InsecureSkipVerify bool `json:"insecure_skip_verify,omitempty"`
}

// UnmarshalCaddyfile reads `metadata URL { … }`.
func (c *MetadataConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	if err := oneArg(d, &c.URL); err != nil {
		return err
	}
	return block{
		"timeout":              value(&c.Timeout),
		"fresh":                optional(&c.Fresh),
		"header":               headers(&c.Headers),
		"ca_file":              text(&c.CAFile),
		"insecure_skip_verify": present(&c.InsecureSkipVerify),
	}.parse(d, "metadata")
}

// RuleConfig is one rule of a policy.
type RuleConfig struct {
	// What a match means: "allow", "deny" or "tier".
	Outcome string `json:"outcome"`
	// The text of a denial.
	Reason string `json:"reason,omitempty"`
	// The longest side in pixels of the image that a tier shows. Default: all pixels.
	MaxSide int `json:"max_side,omitempty"`
	// The most colour that a tier shows: "gray" or "bitonal". Default: all colours.
	Quality string `json:"quality,omitempty"`
	// The watermark on what a tier shows, by its name. Default: none.
	Watermark string `json:"watermark,omitempty"`
	// A CEL expression over principal, identifier, metadata, document, settings and request.
	Expr string `json:"expr"`
}

const ruleForms = "a rule is one of: rule allow `EXPR`, rule deny \"REASON\" `EXPR`, rule tier LONGEST_SIDE|full [quality gray|bitonal] [watermark NAME] `EXPR`"

// UnmarshalCaddyfile reads `rule allow EXPR`, `rule deny "reason" EXPR` or `rule tier N|full [quality Q] [watermark W]
// EXPR`.
func (c *RuleConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	if !d.NextArg() {
		return d.ArgErr()
	}
	c.Outcome = d.Val()
	args := d.RemainingArgs()
	switch {
	case c.Outcome == "allow" && len(args) == 1:
		c.Expr = args[0]
	case c.Outcome == "deny" && len(args) == 2:
		c.Reason, c.Expr = args[0], args[1]
	case c.Outcome == "tier" && len(args) >= 2 && len(args)%2 == 0:
		return c.parseTier(d, args)
	default:
		return d.Err(ruleForms)
	}
	return nil
}

// sideFull stands for all pixels.
const sideFull = "full"

// parseTier reads what a tier allows: a side, pairs of words, and the expression.
func (c *RuleConfig) parseTier(d *caddyfile.Dispenser, args []string) error {
	if args[0] != sideFull {
		side, err := strconv.ParseUint(args[0], 10, 31)
		if err != nil || side == 0 {
			return d.Errf("rule tier: %q is not the longest side in pixels, nor full", args[0])
		}
		c.MaxSide = int(side)
	}
	last := len(args) - 1
	c.Expr = args[last]
	for pair := range slices.Chunk(args[1:last], 2) {
		into, known := map[string]*string{"quality": &c.Quality, "watermark": &c.Watermark}[pair[0]]
		switch {
		case !known:
			return d.Err(ruleForms)
		case *into != "":
			return d.Errf("rule tier: %s is given twice", pair[0])
		case pair[1] == "":
			return d.Errf("rule tier: %s is empty", pair[0])
		case pair[0] == "quality" && pair[1] != authz.QualityGray && pair[1] != authz.QualityBitonal:
			return d.Errf("rule tier: quality: %q is not known; choose one of %s, %s", pair[1], authz.QualityBitonal, authz.QualityGray)
		}
		*into = pair[1]
	}
	if c.MaxSide == 0 && c.Quality == "" && c.Watermark == "" {
		return d.Err("rule tier full takes nothing away; add quality gray, quality bitonal or watermark NAME")
	}
	return nil
}

// CacheableConfig lets callers keep some of the allowed answers.
type CacheableConfig struct {
	// How long.
	For Duration `json:"for"`
	// A CEL expression as in rules.
	Expr string `json:"expr"`
}

// UnmarshalCaddyfile reads `cacheable DURATION EXPR`.
func (c *CacheableConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	var span string
	if !d.AllArgs(&span, &c.Expr) {
		return d.Err("cacheable takes a duration and an expression: cacheable 36h `EXPR`")
	}
	if err := c.For.parseText(span); err != nil {
		return d.Errf("cacheable: %v", err)
	}
	return nil
}
