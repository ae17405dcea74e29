package iiif

import (
	"image"
	"net/http"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// Rules are what the configuration and the protocol's version say about sizes.
type Rules struct {
	// Version of the Image API: 2 or 3.
	Version int
	Limits
	// NoUpscale switches off results larger than the region.
	NoUpscale bool
	// NamedUpscale makes ^max no larger than the region, as the public validators want it: what is enlarged is only what
	// names a size. The specification has ^max go up to the limits.
	NamedUpscale bool
	// ConfinedUpscaleReject makes version 3's !w,h a 400 where the box is larger than the region.
	ConfinedUpscaleReject bool
	// LegacyFit makes version 2's w,h fit within the box, without distortion and never larger than the region.
	LegacyFit bool
}

// Resolve makes a request about img concrete. Its errors are 400, and 501 where upscaling is asked for and switched
// off. Whether the renderer has the format and the quality is not its question.
func (r Rules) Resolve(p Params, img Image) (Plan, error) {
	canvas := image.Pt(img.Width, img.Height)
	region, err := p.Region.resolve(canvas)
	if err != nil {
		return Plan{}, err
	}
	size, err := r.size(p.Size, grid{canvas: canvas, tile: tileSize(img, r.Limits), region: region, limits: r.Limits})
	if err != nil {
		return Plan{}, err
	}
	return Plan{
		Canvas:   canvas,
		Region:   region,
		Size:     size,
		Mirror:   p.Rotation.Mirror,
		Rotation: p.Rotation.degrees(),
		Quality:  p.Quality,
		Format:   p.Format,
		Version:  img.Version,
	}, nil
}

// resolve finds the region's pixels. What lies partly outside is cropped.
func (r Region) resolve(canvas image.Point) (image.Rectangle, error) {
	whole := image.Rectangle{Max: canvas}
	wanted := whole
	switch r.Mode {
	case RegionSquare:
		side := min(canvas.X, canvas.Y)
		at := image.Pt((canvas.X-side)/2, (canvas.Y-side)/2)
		wanted = image.Rectangle{Min: at, Max: at.Add(image.Pt(side, side))}
	case RegionPixels:
		wanted = rectangle(r.X, r.Y, r.W, r.H, canvas)
	case RegionPercent:
		p := r.Percent
		wanted = rectangle(p[0].percentOf(canvas.X), p[1].percentOf(canvas.Y), p[2].percentOf(canvas.X), p[3].percentOf(canvas.Y), canvas)
	}
	region := wanted.Intersect(whole)
	if region.Empty() {
		return region, refuse(codeRegion, "The region %s holds no pixel of the image, which is %d pixels wide and %d high.",
			shown(r.String()), canvas.X, canvas.Y)
	}
	return region, nil
}

// rectangle is a region, cropped on the far sides before anything is added, so that no sum overflows.
func rectangle(x, y, w, h int, canvas image.Point) image.Rectangle {
	x, y = min(x, canvas.X), min(y, canvas.Y)
	return image.Rect(x, y, x+min(w, canvas.X-x), y+min(h, canvas.Y-y))
}

// size finds the scaled region's size.
func (r Rules) size(s Size, g grid) (image.Point, error) {
	region := g.region.Size()
	size := r.scale(s, g)
	switch {
	case size.X < 1 || size.Y < 1:
		return size, refuse(codeSize, "The size %s makes the region of %d by %d pixels %d by %d; no side may become 0.",
			shown(s.String()), region.X, region.Y, size.X, size.Y)
	case size.X > region.X || size.Y > region.Y:
		if err := r.mayUpscale(s, region); err != nil {
			return size, err
		}
	case r.Version != 2 && r.ConfinedUpscaleReject && s.Mode == SizeConfined && !s.Upscale && s.W > region.X && s.H > region.Y:
		return size, tooLarge(s, region)
	}
	if !r.hold(size) {
		return size, refuse(codeSize, "The size %s makes %d by %d pixels, which is more than allowed: %s.",
			shown(s.String()), size.X, size.Y, r.Limits)
	}
	return size, nil
}

// scale computes a size without asking whether it is allowed.
func (r Rules) scale(s Size, g grid) image.Point {
	region := g.region.Size()
	switch s.Mode {
	case SizeWidth:
		return image.Pt(s.W, g.height(s.W))
	case SizeHeight:
		return image.Pt(g.transposed().height(s.H), s.H)
	case SizePercent:
		return image.Pt(s.Percent.percentOf(region.X), s.Percent.percentOf(region.Y))
	case SizeExact:
		if r.Version == 2 && r.LegacyFit {
			return legacyFit(image.Pt(s.W, s.H), g)
		}
		return image.Pt(s.W, s.H)
	case SizeConfined:
		return r.confine(s, region)
	default:
		if s.Upscale && !r.NamedUpscale && r.hold(region) {
			return r.enlarge(region)
		}
		return r.reduce(region, region)
	}
}

// confine is !w,h and ^!w,h. In version 3 the result is as large as the box and the limits allow (Image API 3.0 §4.2);
// in version 2 a result over the limits is refused like any other.
func (r Rules) confine(s Size, region image.Point) image.Point {
	size := fit(region, image.Pt(s.W, s.H))
	mayGrow := s.Upscale || r.Version == 2 && !r.NoUpscale
	if s.W >= region.X && s.H >= region.Y && !mayGrow {
		size = region
	}
	if r.Version == 2 || size.X < 1 || size.Y < 1 {
		return size
	}
	return r.reduce(region, size)
}

// legacyFit fits the region into the box, never larger than it is and never without a pixel. A box that is an
// advertised tile or level is taken as it is.
func legacyFit(box image.Point, g grid) image.Point {
	region := g.region.Size()
	if box.X >= region.X && box.Y >= region.Y {
		return region
	}
	if size, found := g.level(func(level image.Point) bool { return level == box }); found {
		return size
	}
	size := fit(region, box)
	return image.Pt(max(1, size.X), max(1, size.Y))
}

// mayUpscale refuses a result larger than the region where it is not allowed.
func (r Rules) mayUpscale(s Size, region image.Point) error {
	switch {
	case r.Version != 2 && !s.Upscale:
		return tooLarge(s, region)
	case !r.NoUpscale:
		return nil
	case r.Version == 2:
		return refuse(codeSize, "The size %s is larger than the region of %d by %d pixels, and enlarging is switched off.",
			shown(s.String()), region.X, region.Y)
	default:
		return problem.New(http.StatusNotImplemented, CodeUpscaling, "Enlarging (^) is switched off on this server.")
	}
}

func tooLarge(s Size, region image.Point) error {
	return refuse(codeSize, "The size %s is larger than the region of %d by %d pixels; that is allowed after ^ only.",
		shown(s.String()), region.X, region.Y)
}
