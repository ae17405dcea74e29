package iiif

import "image"

// defaultTile is the side of the tiles that are advertised where a file has none of its own.
const defaultTile = 512

// tileSize is the tile that info.json advertises: the file's own, so that viewers ask for what lies there, unless the
// limits forbid it.
func tileSize(img Image, limits Limits) image.Point {
	own := image.Pt(img.TileWidth, img.TileHeight)
	if own.X > 0 && own.Y == 0 {
		own.Y = own.X
	}
	if own.X > 0 && own.Y > 0 && limits.hold(own) {
		return own
	}
	return limits.reduce(image.Pt(1, 1), image.Pt(defaultTile, defaultTile))
}

// scaleFactors are the powers of two from 1 to that by which the whole image fits one tile.
func scaleFactors(canvas, tile image.Point) []int {
	factors := make([]int, 0, 12)
	for factor := 1; ; factor *= 2 {
		factors = append(factors, factor)
		if level := ceilDiv(canvas, factor); level.X <= tile.X && level.Y <= tile.Y {
			return factors
		}
	}
}

// ceilDiv divides both sides, rounded up, as viewers compute the levels of a pyramid and the tiles at its edges.
func ceilDiv(p image.Point, divisor int) image.Point {
	return image.Pt((p.X+divisor-1)/divisor, (p.Y+divisor-1)/divisor)
}

// grid knows where the advertised tiles lie.
type grid struct {
	canvas, tile image.Point
	region       image.Rectangle
	limits       Limits
}

// transposed exchanges width and height.
func (g grid) transposed() grid {
	swap := func(p image.Point) image.Point { return image.Pt(p.Y, p.X) }
	return grid{
		canvas: swap(g.canvas),
		tile:   swap(g.tile),
		region: image.Rectangle{Min: swap(g.region.Min), Max: swap(g.region.Max)},
		limits: Limits{MaxWidth: g.limits.MaxHeight, MaxHeight: g.limits.MaxWidth, MaxArea: g.limits.MaxArea},
	}
}

// full tells whether the region is the whole image.
func (g grid) full() bool { return g.region == image.Rectangle{Max: g.canvas} }

// isTile tells whether the region is an advertised tile at a scale factor.
func (g grid) isTile(factor int) bool {
	step := g.tile.Mul(factor)
	at := g.region.Min
	if at.X%step.X != 0 || at.Y%step.Y != 0 {
		return false
	}
	return g.region.Max == image.Pt(min(at.X+step.X, g.canvas.X), min(at.Y+step.Y, g.canvas.Y))
}

// level finds the smallest scale factor at which the region is an advertised tile, or the whole image, with a size
// that accept takes.
func (g grid) level(accept func(image.Point) bool) (image.Point, bool) {
	for factor := 1; ; factor *= 2 {
		if g.full() || g.isTile(factor) {
			if size := ceilDiv(g.region.Size(), factor); accept(size) {
				return size, true
			}
		}
		if whole := ceilDiv(g.canvas, factor); whole.X <= g.tile.X && whole.Y <= g.tile.Y {
			return image.Point{}, false
		}
	}
}

// height completes the size "w,". In general it is rounded half up. What a viewer asks for out of info.json, a tile at
// the edge or a whole level, is rounded up instead, since that is what the viewer expects and what lies in a pyramid:
// half up, a last row of one pixel would vanish at scale factor 4.
func (g grid) height(width int) int {
	region := g.region.Size()
	half := scaled(region.Y, width, region.X)
	within := func(size image.Point) bool { return size.X == width && g.limits.hold(size) }
	if g.full() {
		near := func(size image.Point) bool {
			off := int64(size.Y)*int64(region.X) - int64(region.Y)*int64(width)
			return within(size) && -int64(region.X) < off && off < int64(region.X)
		}
		if size, found := g.level(near); found {
			return size.Y
		}
		// A whole image so narrow that its levels lose their proportions keeps them as long as the limits allow.
		if half > 0 && g.limits.hold(image.Pt(width, half)) {
			return half
		}
	}
	if size, found := g.level(within); found {
		return size.Y
	}
	return half
}
