package iiif

import "image"

// Canonical is the one form of all requests that give the same picture (Image API 2.1.1 §4.7, 3.0 §4.8):
// region/size/rotation/quality.format. Plan must be what p resolves to; reading Canonical again gives the same Plan.
func (r Rules) Canonical(p Params, plan Plan, img Image) string {
	g := grid{canvas: plan.Canvas, tile: tileSize(img, r.Limits), region: plan.Region, limits: r.Limits}
	out := make([]byte, 0, 64)
	if g.full() {
		out = append(out, "full"...)
	} else {
		out = appendNumbers(out, plan.Region.Min.X, plan.Region.Min.Y, plan.Region.Dx(), plan.Region.Dy())
	}
	out = append(out, '/')
	if r.Version == 2 {
		out = append(out, r.canonicalSize2(p.Size, plan.Size, g)...)
	} else {
		out = append(out, r.canonicalSize3(plan.Size, g)...)
	}
	out = append(append(out, '/'), p.Rotation.canonical(r.Version)...)
	out = append(append(out, '/'), p.Quality...)
	out = append(append(out, '.'), p.Format...)
	return string(out)
}

// canonicalSize2 is full, "w," where that keeps the proportions, or w,h. With LegacyFit, w,h may mean another size: then
// it is the first other form that means this one, in the end the caller's own.
func (r Rules) canonicalSize2(asked Size, size image.Point, g grid) string {
	for _, form := range [...]Size{
		{Mode: SizeFull},
		{Mode: SizeWidth, W: size.X},
		{Mode: SizeExact, W: size.X, H: size.Y},
		{Mode: SizeHeight, H: size.Y},
	} {
		if r.scale(form, g) == size {
			return form.String()
		}
	}
	return asked.String()
}

// canonicalSize3 is max, ^max, w,h or ^w,h.
func (r Rules) canonicalSize3(size image.Point, g grid) string {
	region := g.region.Size()
	larger := size.X > region.X || size.Y > region.Y
	if largest := (Size{Mode: SizeMax, Upscale: larger}); r.scale(largest, g) == size {
		return largest.String()
	}
	return Size{Mode: SizeExact, Upscale: larger, W: size.X, H: size.Y}.String()
}
