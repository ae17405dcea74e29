package iiif

import (
	"strconv"
	"strings"
)

// RegionMode is the form of a region parameter.
type RegionMode uint8

// The forms of a region.
const (
	RegionFull RegionMode = iota
	RegionSquare
	RegionPixels
	RegionPercent
)

// Region is the region parameter (Image API 3.0 §4.1), the same in both versions.
type Region struct {
	Mode RegionMode
	// X, Y, W and H are whole pixels for RegionPixels.
	X, Y, W, H int
	// Percent is x, y, w and h for RegionPercent.
	Percent [4]Decimal
}

const regionForms = "allowed are full, square, x,y,w,h in whole pixels, and pct:x,y,w,h"

// ParseRegion reads a region that was decoded once. Its errors are 400.
func ParseRegion(s string) (Region, error) {
	switch s {
	case "full":
		return Region{}, nil
	case "square":
		return Region{Mode: RegionSquare}, nil
	}
	text, percent := strings.CutPrefix(s, "pct:")
	parts, ok := splitFour(text)
	if !ok {
		return Region{}, refuse(codeRegion, "The region %s cannot be read; %s.", shown(s), regionForms)
	}
	if percent {
		return parsePercentRegion(s, parts)
	}
	region := Region{Mode: RegionPixels}
	for i, target := range []*int{&region.X, &region.Y, &region.W, &region.H} {
		if *target, ok = parseNumber(parts[i]); !ok {
			return Region{}, refuse(codeRegion, "The region %s holds %s, which is no whole number up to %d; %s.",
				shown(s), shown(parts[i]), maxNumber, regionForms)
		}
	}
	if region.W == 0 || region.H == 0 {
		return Region{}, emptyRegion(s)
	}
	return region, nil
}

func parsePercentRegion(s string, parts [4]string) (Region, error) {
	region := Region{Mode: RegionPercent}
	for i, part := range parts {
		number, ok := ParseDecimal(part)
		if !ok {
			return Region{}, refuse(codeRegion, "The region %s holds %s, which is no decimal number; allowed are digits with at most one dot.",
				shown(s), shown(part))
		}
		region.Percent[i] = number
	}
	if region.Percent[2].isZero() || region.Percent[3].isZero() {
		return Region{}, emptyRegion(s)
	}
	return region, nil
}

func emptyRegion(s string) error {
	return refuse(codeRegion, "The region %s is empty; its width and height must be more than 0.", shown(s))
}

// splitFour cuts at exactly three commas.
func splitFour(s string) (parts [4]string, ok bool) {
	for i := range 3 {
		if parts[i], s, ok = strings.Cut(s, ","); !ok {
			return parts, false
		}
	}
	parts[3] = s
	return parts, strings.IndexByte(s, ',') < 0
}

// String is the parameter as a URL holds it, the inverse of ParseRegion.
func (r Region) String() string {
	switch r.Mode {
	case RegionSquare:
		return "square"
	case RegionPixels:
		return string(appendNumbers(nil, r.X, r.Y, r.W, r.H))
	case RegionPercent:
		p := r.Percent
		return "pct:" + p[0].String() + "," + p[1].String() + "," + p[2].String() + "," + p[3].String()
	default:
		return "full"
	}
}

// appendNumbers writes numbers with commas between them.
func appendNumbers(out []byte, numbers ...int) []byte {
	for i, n := range numbers {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendInt(out, int64(n), 10)
	}
	return out
}
