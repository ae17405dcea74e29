package iiif

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// defaultPrefix is where /2/ and /3/ live.
	defaultPrefix = "/iiif"
	// defaultMaxSide bounds both sides of an answer in pixels: without a bound, version 3's ^ would let one request
	// ask for any amount of memory.
	defaultMaxSide = 8192
	// defaultPublicMaxAge is how long anybody may keep an image of a public collection.
	defaultPublicMaxAge = time.Hour
)

// Config is the protocol's side of one collection.
type Config struct {
	// Collection is the configured name, which a decision must carry.
	Collection string
	// Prefix of the path before /2/ and /3/, without a slash at its end. Default "/iiif".
	Prefix string
	// AtRoot serves /2/ and /3/ without any prefix; Prefix is then empty.
	AtRoot bool
	// BaseURL gives scheme and host as the client saw them, such as "https://archive.example.org", with the path that a
	// proxy in front took off, if any, and without a slash at its end. Default: by the connection and the Host header.
	BaseURL func(*http.Request) string
	// MaxWidth and MaxHeight bound the scaled region in pixels. Default 8192, MaxHeight as MaxWidth.
	MaxWidth, MaxHeight int
	// MaxArea bounds the scaled region in pixels; 0 is no bound beside the sides.
	MaxArea int64
	// ConfinedUpscaleReject refuses version 3's !w,h where the box is larger than the region, as the public validator
	// wants; the specification has it answered at the region's size.
	ConfinedUpscaleReject bool
	// LegacyFit makes version 2's w,h fit within the box and never enlarge, as servers before 2.0 did.
	LegacyFit bool
	// NoUpscale refuses results larger than the region.
	NoUpscale bool
	// NamedUpscale makes version 3's ^max no larger than the region.
	NamedUpscale bool
	// Protected requires a decision for each request in its context.
	Protected bool
	// PublicMaxAge is how long caches may keep answers of a collection that is not Protected and for which no decision
	// was made. Default 1h; negative forbids keeping them.
	PublicMaxAge time.Duration
	// Describe, unless nil, gives what else goes into one info.json. It is asked for info.json alone, once a decision
	// allows it and the image is known.
	Describe func(ctx context.Context, req Request) Description
}

// Defaults gives c with what it leaves open filled in.
func (c Config) Defaults() Config {
	if c.Prefix == "" && !c.AtRoot {
		c.Prefix = defaultPrefix
	}
	if c.BaseURL == nil {
		c.BaseURL = requestBase
	}
	if c.MaxWidth == 0 {
		c.MaxWidth = defaultMaxSide
	}
	if c.MaxHeight == 0 {
		c.MaxHeight = c.MaxWidth
	}
	if c.PublicMaxAge == 0 {
		c.PublicMaxAge = defaultPublicMaxAge
	}
	return c
}

// Validate names all that is wrong with c, which has its defaults.
func (c Config) Validate() error {
	var errs []error
	if c.Collection == "" {
		errs = append(errs, errors.New("the collection has no name"))
	}
	if err := checkPrefix(c.Prefix, c.AtRoot); err != nil {
		errs = append(errs, err)
	}
	if c.MaxWidth < 1 || c.MaxWidth > maxNumber || c.MaxHeight < 1 || c.MaxHeight > maxNumber {
		errs = append(errs, fmt.Errorf("the greatest width and height are %d and %d; allowed are 1 to %d pixels", c.MaxWidth, c.MaxHeight, maxNumber))
	}
	if c.MaxArea < 0 {
		errs = append(errs, fmt.Errorf("the greatest area is %d; allowed are 0 (no bound) and more pixels", c.MaxArea))
	}
	return errors.Join(errs...)
}

func checkPrefix(prefix string, atRoot bool) error {
	switch {
	case atRoot && prefix != "":
		return fmt.Errorf("the prefix is %q, and the collection is also to be at the root", prefix)
	case atRoot:
		return nil
	case !strings.HasPrefix(prefix, "/") || strings.HasSuffix(prefix, "/") || strings.Contains(prefix, "//"):
		return fmt.Errorf("the prefix %q must begin with a slash, not end with one, and hold no empty segment", prefix)
	}
	if u, err := url.Parse(prefix); err != nil || u.EscapedPath() != prefix || u.Path != prefix {
		return fmt.Errorf("the prefix %q must be a path of characters that need no escape", prefix)
	}
	return nil
}

// requestBase is the client's view where no proxy stands in front. Headers that a client could forge are not read.
func requestBase(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
