package originals

import "strconv"

func jpegs() []Kind {
	kind := func(name, file string, look Look, make func(w *workshop) []byte) Kind {
		return Kind{Name: name, File: file, Format: "jpeg", Look: look, Tolerance: lossy, make: make}
	}
	saved := func(in func(w *workshop) string, options string) func(w *workshop) []byte {
		return func(w *workshop) []byte { return w.vips("jpegsave", in(w), ".jpg", "--Q 95 "+options) }
	}
	rgb := (*workshop).plainPNG
	gray := func(w *workshop) string {
		return w.once("gray.png", func() []byte { return pngFile(whole(), 8, pngGray, grayRow(8, false)) })
	}
	kinds := []Kind{
		kind("jpeg", "420.jpg", Coloured, saved(rgb, "--subsample-mode on")),
		kind("jpeg 4:4:4", "444.jpg", Coloured, saved(rgb, "--subsample-mode off")),
		kind("jpeg progressive", "progressive.jpg", Coloured, saved(rgb, "--interlace")),
		kind("jpeg gray", "gray.jpg", Gray, saved(gray, "")),
		kind("jpeg cmyk", "cmyk.jpg", Printed, saved((*workshop).inks, "--strip")),
		kind("jpeg cmyk with profile", "cmykicc.jpg", Printed, saved((*workshop).inks, "")),
	}
	for o := 1; o <= 8; o++ {
		n := strconv.Itoa(o)
		kinds = append(kinds, kind("jpeg orientation "+n, "turned"+n+".jpg", Coloured, func(w *workshop) []byte {
			upright := w.save(tiffOf(turnedRaster(o)), ".tif")
			return withSegments(saved(func(*workshop) string { return upright }, "--strip")(w), exifSegment(exifBlock(o, false)))
		}))
	}
	return kinds
}
