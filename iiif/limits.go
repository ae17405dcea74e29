package iiif

import (
	"image"
	"math"
	"math/bits"
	"strconv"
)

// Limits bound the size of the scaled region, before rotation.
type Limits struct {
	// MaxWidth and MaxHeight in pixels, at least 1.
	MaxWidth, MaxHeight int
	// MaxArea in pixels; 0 is no limit.
	MaxArea int64
}

// hold tells whether a size is within the limits.
func (l Limits) hold(size image.Point) bool {
	return size.X <= l.MaxWidth && size.Y <= l.MaxHeight && (l.MaxArea == 0 || int64(size.X)*int64(size.Y) <= l.MaxArea)
}

// reduce brings a size with the proportions of region within the limits, first by area, then by width, then by height.
// It never enlarges, and no side becomes 0.
func (l Limits) reduce(region, size image.Point) image.Point {
	if l.hold(size) {
		return size
	}
	if l.MaxArea > 0 && int64(size.X)*int64(size.Y) > l.MaxArea {
		width := max(1, l.widthForArea(region))
		// Where the height is rounded down, one column more may fit.
		if height := int64(scaled(region.Y, width+1, region.X)); height > 0 && int64(width+1)*height <= l.MaxArea {
			width++
		}
		size.X = min(size.X, width)
		size.Y = max(1, scaled(region.Y, size.X, region.X))
	}
	if size.X > l.MaxWidth {
		size.X = l.MaxWidth
		size.Y = max(1, scaled(region.Y, size.X, region.X))
	}
	if size.Y > l.MaxHeight {
		size.Y = l.MaxHeight
		size.X = max(1, min(size.X, scaled(region.X, size.Y, region.Y)))
	}
	// Rounding half up may have gone one row over the area.
	if l.MaxArea > 0 && int64(size.X)*int64(size.Y) > l.MaxArea {
		size.X = int(min(int64(size.X), l.MaxArea))
		size.Y = max(1, int(l.MaxArea/int64(size.X)))
	}
	return size
}

// widthForArea is the greatest width whose exact height in region's proportions keeps to MaxArea.
func (l Limits) widthForArea(region image.Point) int {
	hi, lo := bits.Mul64(uint64(l.MaxArea), uint64(region.X))
	if hi >= uint64(region.Y) {
		return maxNumber
	}
	square, _ := bits.Div64(hi, lo, uint64(region.Y))
	root := uint64(math.Sqrt(float64(square)))
	for root > 0 && (root > math.MaxUint32 || root*root > square) {
		root--
	}
	for root < maxNumber && (root+1)*(root+1) <= square {
		root++
	}
	return int(min(root, maxNumber))
}

// enlarge is the largest size with the proportions of region that the limits allow, never below region, which must be
// within the limits.
func (l Limits) enlarge(region image.Point) image.Point {
	size := l.reduce(region, image.Pt(l.MaxWidth, max(1, scaled(region.Y, l.MaxWidth, region.X))))
	if size.X < region.X || size.Y < region.Y {
		return region
	}
	return size
}

// scaled is side*numerator/denominator, rounded half up.
func scaled(side, numerator, denominator int) int {
	return mulDiv(uint64(side), uint64(numerator), uint64(denominator))
}

// fit is the largest size with the proportions of region in a box; a side may become 0.
func fit(region, box image.Point) image.Point {
	// Widths and heights are below 2^31: the products fit.
	if int64(box.X)*int64(region.Y) <= int64(box.Y)*int64(region.X) {
		return image.Pt(box.X, scaled(region.Y, box.X, region.X))
	}
	return image.Pt(scaled(region.X, box.Y, region.Y), box.Y)
}

// String names the limits in a sentence.
func (l Limits) String() string {
	text := "width up to " + strconv.Itoa(l.MaxWidth) + " and height up to " + strconv.Itoa(l.MaxHeight)
	if l.MaxArea > 0 {
		text += " and area up to " + strconv.FormatInt(l.MaxArea, 10)
	}
	return text + " pixels"
}
