package iiif

import (
	"math"
	"strings"
)

// fullTurn is the greatest rotation, in degrees.
const fullTurn = 360

// Rotation is the rotation parameter (Image API 3.0 §4.3), the same in both versions.
type Rotation struct {
	// Mirror is the leading !: left and right change places before the image is turned.
	Mirror bool
	// Degrees clockwise, 0 to 360.
	Degrees Decimal
}

// ParseRotation reads a rotation that was decoded once. Its errors are 400.
func ParseRotation(s string) (Rotation, error) {
	text, mirror := strings.CutPrefix(s, "!")
	degrees, ok := ParseDecimal(text)
	if !ok || degrees.exceeds(fullTurn) {
		return Rotation{}, refuse(codeRotation, "The rotation %s cannot be read; allowed are 0 to 360 degrees in digits with at most one dot, also after !.", shown(s))
	}
	return Rotation{Mirror: mirror, Degrees: degrees}, nil
}

// String is the parameter as a URL holds it, the inverse of ParseRotation.
func (r Rotation) String() string {
	if r.Mirror {
		return "!" + r.Degrees.String()
	}
	return r.Degrees.String()
}

// degrees is the rotation from 0 to below 360.
func (r Rotation) degrees() float64 { return math.Mod(r.Degrees.float(), fullTurn) }

// right tells whether the rotation is a multiple of a right angle.
func (r Rotation) right() bool { return r.Degrees.scale == 0 && r.Degrees.units%90 == 0 }

// canonical is the rotation without a full turn. Version 2.1.1 drops the zero before the dot (§4.7), version 3.0 wants
// it (§4.7).
func (r Rotation) canonical(version int) string {
	if r.Degrees == (Decimal{units: fullTurn}) {
		r.Degrees = Decimal{}
	}
	text := r.Degrees.String()
	if version == 2 && strings.HasPrefix(text, "0.") {
		text = text[1:]
	}
	if r.Mirror {
		return "!" + text
	}
	return text
}
