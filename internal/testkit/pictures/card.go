// Package pictures makes pictures by calculation and writes them as TIFF files of the kinds that archives keep.
package pictures

import (
	"image"
	"image/color"
)

// Card is a test card. Red tells how far right a pixel is and green how far down; blue marks squares of 64 pixels.
func Card(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetRGBA(x, y, CardAt(x, y, width, height))
		}
	}
	return m
}

// CardAt is the colour of one pixel of Card.
func CardAt(x, y, width, height int) color.RGBA {
	blue := uint8(64)
	if (x/64+y/64)%2 == 0 {
		blue = 192
	}
	return color.RGBA{R: share(x, width), G: share(y, height), B: blue, A: 255}
}

// share is 255·i/(n-1), in a range that uint8 holds for 0 ≤ i < n.
func share(i, n int) uint8 {
	if n < 2 {
		return 0
	}
	return uint8(255 * i / (n - 1))
}
