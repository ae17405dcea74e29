package render

import "image"

// Position is where on the canvas a watermark lies.
type Position string

// The positions. Those in a corner or at a side touch it.
const (
	PositionCenter      Position = "center"
	PositionTile        Position = "tile" // again and again, over the whole canvas
	PositionTop         Position = "top"
	PositionBottom      Position = "bottom"
	PositionLeft        Position = "left"
	PositionRight       Position = "right"
	PositionTopLeft     Position = "top_left"
	PositionTopRight    Position = "top_right"
	PositionBottomLeft  Position = "bottom_left"
	PositionBottomRight Position = "bottom_right"
)

// Positions lists them all.
func Positions() []Position {
	return []Position{
		PositionCenter, PositionTile, PositionTop, PositionBottom, PositionLeft, PositionRight,
		PositionTopLeft, PositionTopRight, PositionBottomLeft, PositionBottomRight,
	}
}

// Watermark is a mark on a picture. It belongs to the canvas and not to the answer: each region shows the part of it
// that lies there, at the region's scale, so that tiles fit together.
type Watermark struct {
	// Version changes when anything below does. It is opaque, and a part of what a kept picture is found by.
	Version string
	// Image is the mark, at least one pixel large. It is shared and must not be written to.
	Image *image.NRGBA
	// Position is one of Positions.
	Position Position
	// Opacity multiplies the mark's own alpha, 0 < Opacity ≤ 1.
	Opacity float64
	// Scale is the mark's longer side as a part of the canvas's shorter side, 0 < Scale ≤ 1. With PositionTile the marks
	// lie side by side from the top left corner, each of that size.
	Scale float64
}

// Bounds is the rectangle of the first mark in canvas pixels; every side has at least one. With PositionTile the others
// follow to the right and below at its distance.
func (w *Watermark) Bounds(canvas image.Point) image.Rectangle {
	own := w.Image.Bounds().Size()
	longer := w.Scale * float64(min(canvas.X, canvas.Y))
	side := func(n int) int { return max(1, int(longer*float64(n)/float64(max(own.X, own.Y))+0.5)) }
	size := image.Pt(side(own.X), side(own.Y))
	at := canvas.Sub(size).Div(2)
	switch w.Position {
	case PositionTile:
		at = image.Point{}
	case PositionTop, PositionTopLeft, PositionTopRight:
		at.Y = 0
	case PositionBottom, PositionBottomLeft, PositionBottomRight:
		at.Y = canvas.Y - size.Y
	}
	switch w.Position {
	case PositionLeft, PositionTopLeft, PositionBottomLeft:
		at.X = 0
	case PositionRight, PositionTopRight, PositionBottomRight:
		at.X = canvas.X - size.X
	}
	return image.Rectangle{Min: at, Max: at.Add(size)}
}
