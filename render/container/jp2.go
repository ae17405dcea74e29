package container

import (
	"encoding/binary"
	"math"
)

// JP2 puts the resolution into the header of a JP2 (ISO/IEC 15444-1 I.5.3.7), which says already that the colours are
// sRGB or grey by its curve. What is no JP2 stays as it is.
func JP2(data []byte, p Picture) []byte {
	if !p.Sized() {
		return data
	}
	at, size, ok := findBox(data, "jp2h")
	if !ok {
		return data
	}
	resolution := resolutionBox(p)
	out := make([]byte, 0, len(data)+len(resolution))
	out = append(out, data[:at+size]...)
	out = append(out, resolution...)
	binary.BigEndian.PutUint32(out[at:], uint32(size+len(resolution)))
	return append(out, data[at+size:]...)
}

// findBox finds a box of the file's first order; boxes of more than 4 GiB or up to the end are not entered.
func findBox(data []byte, name string) (at, size int, ok bool) {
	for at+8 <= len(data) {
		size = int(binary.BigEndian.Uint32(data[at:]))
		if size < 8 || size > len(data)-at {
			return 0, 0, false
		}
		if string(data[at+4:at+8]) == name {
			return at, size, true
		}
		at += size
	}
	return 0, 0, false
}

// resolutionBox is a resolution superbox with the capture resolution, in pixels per metre.
func resolutionBox(p Picture) []byte {
	inner := append([]byte{0, 0, 0, 18}, "resc"...)
	var exponents [2]byte
	for i, v := range []float64{p.YRes * 1000, p.XRes * 1000} {
		// Numerator / denominator · 10^exponent; the numerator takes 16 bits.
		for v > math.MaxUint16 {
			v /= 10
			exponents[i]++
		}
		denominator := 1.0
		for denominator < 1000 && v*denominator*10 <= math.MaxUint16 {
			denominator *= 10
		}
		inner = binary.BigEndian.AppendUint16(inner, uint16(math.Round(v*denominator)))
		inner = binary.BigEndian.AppendUint16(inner, uint16(denominator))
	}
	inner = append(inner, exponents[:]...)
	return append(append([]byte{0, 0, 0, byte(8 + len(inner))}, "res "...), inner...)
}
