package iiif

import (
	"math/bits"
	"strconv"
	"strings"
)

const (
	// maxNumber bounds every whole number in a URL, so that no sum or product of two of them leaves 64 bits.
	maxNumber = 1<<31 - 1
	// maxNumberLength bounds what is read of a number before it is refused.
	maxNumberLength = 64
	// maxFraction is how many digits may follow the dot: what floating point clients print for a percentage, and few
	// enough that 100 times the power of ten still fits 64 bits.
	maxFraction = 17
)

// Decimal is an exact number as IIIF URLs hold it: ASCII digits with at most one dot (Image API 3.0 §4.7). Trailing
// zeros are gone, so equal numbers are equal values.
type Decimal struct {
	units uint64 // the number times 10^scale
	scale uint8
}

// ParseDecimal reads digits with at most one dot. Signs, exponents, blanks, a bare dot and numbers beyond 64 bits are
// refused.
func ParseDecimal(s string) (Decimal, bool) {
	if s == "" || len(s) > maxNumberLength {
		return Decimal{}, false
	}
	whole, fraction, dotted := strings.Cut(s, ".")
	if dotted && fraction == "" {
		return Decimal{}, false
	}
	for i := range len(fraction) {
		if !isDigit(fraction[i]) {
			return Decimal{}, false
		}
	}
	fraction = strings.TrimRight(fraction, "0")
	if len(fraction) > maxFraction {
		return Decimal{}, false
	}
	units, ok := appendDigits(0, whole)
	if ok {
		units, ok = appendDigits(units, fraction)
	}
	if !ok {
		return Decimal{}, false
	}
	return Decimal{units: units, scale: uint8(len(fraction))}, true
}

// appendDigits reads digits behind those that units already holds.
func appendDigits(units uint64, digits string) (uint64, bool) {
	for i := range len(digits) {
		if !isDigit(digits[i]) {
			return 0, false
		}
		d := uint64(digits[i] - '0')
		if units > (1<<64-1-d)/10 {
			return 0, false
		}
		units = units*10 + d
	}
	return units, true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// parseNumber reads a whole number up to maxNumber.
func parseNumber(s string) (int, bool) {
	if s == "" || len(s) > maxNumberLength {
		return 0, false
	}
	n, ok := appendDigits(0, s)
	if !ok || n > maxNumber {
		return 0, false
	}
	return int(n), true
}

// String is the shortest form: no trailing zeros, one zero before the dot.
func (d Decimal) String() string {
	digits := strconv.FormatUint(d.units, 10)
	if d.scale == 0 {
		return digits
	}
	if missing := int(d.scale) + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	dot := len(digits) - int(d.scale)
	return digits[:dot] + "." + digits[dot:]
}

// isZero tells whether the number is 0.
func (d Decimal) isZero() bool { return d.units == 0 }

// exceeds tells whether the number is greater than n.
func (d Decimal) exceeds(n uint64) bool {
	power := powerOfTen(d.scale)
	whole := d.units / power
	return whole > n || whole == n && d.units%power > 0
}

// float is the nearest float64.
func (d Decimal) float() float64 {
	// What String writes is always a number.
	f, _ := strconv.ParseFloat(d.String(), 64)
	return f
}

// percentOf is so many per cent of side, rounded half up. Results beyond maxNumber are cut off there: they lie outside
// of every image and over every limit.
func (d Decimal) percentOf(side int) int {
	divisor := 100 * powerOfTen(d.scale)
	return mulDiv(uint64(side), d.units, divisor)
}

func powerOfTen(n uint8) uint64 {
	power := uint64(1)
	for range n {
		power *= 10
	}
	return power
}

// mulDiv is a*b/c rounded half up, with a product of 128 bits, cut off at maxNumber.
func mulDiv(a, b, c uint64) int {
	hi, lo := bits.Mul64(a, b)
	if hi >= c {
		return maxNumber
	}
	quotient, rest := bits.Div64(hi, lo, c)
	if quotient >= maxNumber {
		return maxNumber
	}
	if rest >= c-rest {
		quotient++
	}
	return int(quotient)
}
