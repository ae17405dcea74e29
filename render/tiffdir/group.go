package tiffdir

import (
	"cmp"
	"errors"
	"slices"
)

// group sorts a chain of directories into pages and their reduced versions. Three ways to store a pyramid are in use:
// reduced pictures in SubIFDs (OME, libvips), in the chain after their page and marked as reduced (TIFF 6.0), and in
// the chain unmarked, each tiled and half the size of the one before (libvips' default).
func (p *parser) group(chain []Directory) ([]Page, error) {
	var pages []Page
	for _, d := range chain {
		var page *Page
		if len(pages) > 0 {
			page = &pages[len(pages)-1]
		}
		switch {
		case d.Subfile&SubfileMask != 0:
			continue
		case page != nil && d.Subfile&SubfileReduced != 0:
			if d.reduces(&page.Directory) {
				page.Levels = append(page.Levels, d)
			}
			continue
		case page != nil && page.continues(&d):
			page.Levels = append(page.Levels, d)
			continue
		}
		pages = append(pages, Page{Directory: d})
	}
	if len(pages) == 0 {
		return nil, malformed("it holds no picture but masks")
	}
	for i := range pages {
		if err := p.descend(&pages[i]); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

// descend adds the reduced pictures in the page's SubIFDs, and puts all levels in order.
func (p *parser) descend(page *Page) error {
	for _, off := range page.sub {
		d, _, err := p.directory(off)
		var broken *FormatError
		switch {
		case errors.As(err, &broken):
			// SubIFDs also hold what is no picture, in forms of their makers.
			continue
		case err != nil:
			return err
		case d.Subfile&SubfileMask == 0 && d.reduces(&page.Directory):
			page.Levels = append(page.Levels, d)
		}
	}
	slices.SortStableFunc(page.Levels, func(a, b Directory) int { return cmp.Compare(b.Width, a.Width) })
	page.Levels = slices.CompactFunc(page.Levels, func(a, b Directory) bool { return a.Width == b.Width })
	return nil
}

// reduces tells whether d can stand for full at a smaller size: the same sort of pixels, the same shape, and tiled
// where full is.
func (d *Directory) reduces(full *Directory) bool {
	if d.Width >= full.Width || d.Height >= full.Height || d.Tiled() != full.Tiled() || !d.samePixels(full) {
		return false
	}
	// Sides are rounded one by one, perhaps at each halving: a height may be off by a pixel.
	return near(int64(full.Height)*int64(d.Width), int64(d.Height)*int64(full.Width), int64(max(full.Width, full.Height)))
}

// continues tells whether d is the next level of an unmarked pyramid. A scan of several pages is not taken for one:
// its pages are not tiled, or they are not each half the size of the one before.
func (page *Page) continues(d *Directory) bool {
	last := &page.Directory
	if n := len(page.Levels); n > 0 {
		last = &page.Levels[n-1]
	}
	return d.Subfile&SubfilePage == 0 && page.Tiled() && d.Tiled() && d.samePixels(&page.Directory) &&
		d.TileWidth == page.TileWidth && d.TileHeight == page.TileHeight &&
		halves(last.Width, d.Width) && halves(last.Height, d.Height) && (last.Width > 1 || last.Height > 1)
}

// halves tells whether half is full/2, rounded either way, and 1 at least.
func halves(full, half int) bool {
	return half == max(1, full/2) || half == (full+1)/2
}

func near(a, b, tolerance int64) bool { return a-b <= tolerance && b-a <= tolerance }

// samePixels tells whether two pictures hold the same sort of samples. Colours as YCbCr and as RGB are the same sort:
// both come out of the decoder as RGB.
func (d *Directory) samePixels(other *Directory) bool {
	return d.SamplesPerPixel == other.SamplesPerPixel && d.BitsPerSample == other.BitsPerSample &&
		d.SampleFormat == other.SampleFormat && colour(d.Photometric) == colour(other.Photometric)
}

func colour(photometric int) int {
	if photometric == PhotometricYCbCr {
		return PhotometricRGB
	}
	return photometric
}

// Factors is how many pixels of d one of its level covers, across and down. Pyramids are made by halving and rounding
// one way or the other, so the factor is the power of two, not the ratio of the rounded sizes.
func (d *Directory) Factors(level *Directory) (x, y float64) {
	for s := 1; s <= 1<<24; s *= 2 {
		if isPart(d.Width, level.Width, s) && isPart(d.Height, level.Height, s) {
			return float64(s), float64(s)
		}
	}
	return float64(d.Width) / float64(level.Width), float64(d.Height) / float64(level.Height)
}

func isPart(full, part, s int) bool { return part == max(1, full/s) || part == (full+s-1)/s }
