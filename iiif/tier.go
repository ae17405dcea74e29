package iiif

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gatehouse-server/gatehouse/authz"
)

// qualityDefault is the quality that is the server's choice.
const qualityDefault = "default"

// checkTier refuses a decision that does not say what a tier leaves of the image, or says what is not known here.
func checkTier(d authz.Decision) error {
	switch {
	case d.Outcome == authz.Tier && !d.Limited():
		return errors.New("it allows less than the whole image and does not say what")
	case d.MaxSide < 0:
		return fmt.Errorf("it allows a longest side of %d pixels", d.MaxSide)
	case d.Quality == authz.QualityBitonal && d.Watermark != "":
		return errors.New("it allows black and white, which would hide its watermark")
	case qualitiesWithin(d.Quality) == nil:
		return fmt.Errorf("it allows the quality %q", d.Quality)
	}
	return nil
}

// qualitiesWithin are the qualities that show no more colour than limit does; nil for a limit that is none.
func qualitiesWithin(limit string) []string {
	switch limit {
	case "":
		return []string{qualityDefault, "color", authz.QualityGray, authz.QualityBitonal}
	case authz.QualityGray:
		return []string{qualityDefault, authz.QualityGray, authz.QualityBitonal}
	case authz.QualityBitonal:
		return []string{qualityDefault, authz.QualityBitonal}
	}
	return nil
}

// qualities are those that a decision leaves. Black and white alone would hide a faint mark.
func qualities(d authz.Decision) []string {
	allowed := qualitiesWithin(d.Quality)
	if d.Watermark != "" {
		allowed = slices.DeleteFunc(allowed, func(q string) bool { return q == authz.QualityBitonal })
	}
	return allowed
}

// within is what of c a decision leaves.
func (c Capabilities) within(d authz.Decision) Capabilities {
	allowed := qualities(d)
	left := make([]string, 0, len(c.Qualities))
	for _, quality := range c.Qualities {
		if slices.Contains(allowed, quality) {
			left = append(left, quality)
		}
	}
	c.Qualities = left
	return c
}

// holdQuality gives the quality that is made for a request: the default of a tier without colours has none.
func (c *call) holdQuality(asked string) (string, error) {
	limit := c.decision.Quality
	switch {
	case c.decision.Watermark != "" && asked == authz.QualityBitonal:
		return "", denial(c.decision, codeTierQuality, "This document may be seen with its watermark only, which bitonal would hide.")
	case !slices.Contains(qualities(c.decision), asked):
		return "", denial(c.decision, codeTierQuality, fmt.Sprintf("This document may be seen in the quality %s only.", limit))
	case limit != "" && asked == qualityDefault:
		return limit, nil
	}
	return asked, nil
}

// outcome is what of the decision changes an answer.
func (c *call) outcome() string {
	d := c.decision
	return fmt.Sprintf("%s %d %q %q", d.Outcome, d.MaxSide, d.Quality, d.Watermark)
}
