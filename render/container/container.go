// Package container finishes encoded pictures: it puts into each file what a viewer has to know besides the pixels,
// and takes out what nobody asked for. Pixels are never touched.
//
// What the files tell is the same everywhere: that the colours are sRGB, or grey by the curve of sRGB, and how large
// the picture is on paper where that is known. Nothing else of an original's metadata goes out.
package container

import "math"

// Picture is what a file says of the picture in it.
type Picture struct {
	// Width and Height in pixels.
	Width, Height int
	// Grey tells one band of colour from three.
	Grey bool
	// Alpha tells that a band of opacity follows the colours.
	Alpha bool
	// XRes and YRes are pixels per millimetre; 0 where they are not known.
	XRes, YRes float64
}

// millimetresPerInch is exact by definition.
const millimetresPerInch = 25.4

// dotsPerInch gives the resolution in whole dots per inch; ok is false where it is unknown or does not fit 16 bits.
func (p Picture) dotsPerInch() (x, y uint16, ok bool) {
	dx, dy := math.Round(p.XRes*millimetresPerInch), math.Round(p.YRes*millimetresPerInch)
	if !(dx >= 1 && dx <= math.MaxUint16 && dy >= 1 && dy <= math.MaxUint16) {
		return 0, 0, false
	}
	return uint16(dx), uint16(dy), true
}

// Sized tells whether the size on paper is known.
func (p Picture) Sized() bool {
	_, _, ok := p.dotsPerInch()
	return ok
}

// Unknown tells a resolution in pixels per millimetre that stands for nothing: 1 in libvips, and 72 dots per inch, in
// whatever unit, in programs and file formats that must write some number.
func Unknown(resolution float64) bool {
	return resolution == 1 || math.Abs(resolution-72/millimetresPerInch) < 0.001
}
