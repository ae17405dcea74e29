package iiif

import (
	"strings"
)

// SizeMode is the form of a size parameter.
type SizeMode uint8

// The forms of a size.
const (
	SizeMax      SizeMode = iota // max; ^max with Upscale
	SizeFull                     // full, 2.1.1 only
	SizeWidth                    // w,
	SizeHeight                   // ,h
	SizePercent                  // pct:n
	SizeExact                    // w,h
	SizeConfined                 // !w,h
)

// Size is the size parameter (Image API 2.1.1 §4.2, 3.0 §4.2).
type Size struct {
	Mode SizeMode
	// Upscale is the ^ of version 3: the result may be larger than the region.
	Upscale bool
	// W and H in pixels, as far as the form has them.
	W, H int
	// Percent is for SizePercent.
	Percent Decimal
}

const (
	sizeForms2 = "allowed are full, max, w, ,h pct:n w,h and !w,h"
	sizeForms3 = "allowed are max, w, ,h pct:n w,h and !w,h, each also after ^"
)

func sizeForms(version int) string {
	if version == 2 {
		return sizeForms2
	}
	return sizeForms3
}

// ParseSize reads a size that was decoded once, by the rules of version 2 or 3. Its errors are 400.
func ParseSize(s string, version int) (Size, error) {
	text, upscale := strings.CutPrefix(s, "^")
	switch {
	case upscale && version == 2:
		return Size{}, refuse(codeSize, "The size %s begins with ^, which only version 3 knows; %s.", shown(s), sizeForms2)
	case text == "max":
		return Size{Mode: SizeMax, Upscale: upscale}, nil
	case text == "full" && version == 2:
		return Size{Mode: SizeFull}, nil
	case text == "full":
		return Size{}, refuse(codeSize, "The size %s is of version 2; version 3 has max instead.", shown(s))
	}
	if number, found := strings.CutPrefix(text, "pct:"); found {
		return parsePercentSize(s, number, version, upscale)
	}
	size, ok := parseSides(text)
	if !ok {
		return Size{}, refuse(codeSize, "The size %s cannot be read; %s, with whole numbers up to %d.", shown(s), sizeForms(version), maxNumber)
	}
	if size.W == 0 && size.Mode != SizeHeight || size.H == 0 && size.Mode != SizeWidth {
		return Size{}, refuse(codeSize, "The size %s asks for a side of 0 pixels; width and height must be at least 1.", shown(s))
	}
	size.Upscale = upscale
	return size, nil
}

func parsePercentSize(s, number string, version int, upscale bool) (Size, error) {
	percent, ok := ParseDecimal(number)
	switch {
	case !ok:
		return Size{}, refuse(codeSize, "The size %s holds no decimal number after pct:; allowed are digits with at most one dot.", shown(s))
	case percent.isZero():
		return Size{}, refuse(codeSize, "The size %s asks for 0 per cent; the percentage must be more than 0.", shown(s))
	case version != 2 && !upscale && percent.exceeds(100):
		return Size{}, refuse(codeSize, "The size %s is more than 100 per cent; larger than the region is allowed after ^ only.", shown(s))
	}
	return Size{Mode: SizePercent, Upscale: upscale, Percent: percent}, nil
}

// parseSides reads w, ,h w,h and !w,h.
func parseSides(text string) (size Size, ok bool) {
	text, confined := strings.CutPrefix(text, "!")
	width, height, comma := strings.Cut(text, ",")
	if !comma || width == "" && height == "" {
		return Size{}, false
	}
	size.Mode = SizeExact
	switch {
	case confined:
		size.Mode = SizeConfined
	case height == "":
		size.Mode = SizeWidth
	case width == "":
		size.Mode = SizeHeight
	}
	if size.Mode != SizeHeight {
		if size.W, ok = parseNumber(width); !ok {
			return Size{}, false
		}
	}
	if size.Mode != SizeWidth {
		if size.H, ok = parseNumber(height); !ok {
			return Size{}, false
		}
	}
	return size, true
}

// String is the parameter as a URL holds it, the inverse of ParseSize.
func (s Size) String() string {
	out := make([]byte, 0, 24)
	if s.Upscale {
		out = append(out, '^')
	}
	switch s.Mode {
	case SizeFull:
		out = append(out, "full"...)
	case SizeWidth:
		out = append(appendNumbers(out, s.W), ',')
	case SizeHeight:
		out = appendNumbers(append(out, ','), s.H)
	case SizePercent:
		out = append(append(out, "pct:"...), s.Percent.String()...)
	case SizeExact:
		out = appendNumbers(out, s.W, s.H)
	case SizeConfined:
		out = appendNumbers(append(out, '!'), s.W, s.H)
	default:
		out = append(out, "max"...)
	}
	return string(out)
}
