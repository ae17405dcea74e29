package originals

import (
	"bytes"
	"image"
	"image/gif"
)

func webps() []Kind {
	kind := func(name, file string, look Look, tolerance Tolerance, write func(w *workshop) []byte) Kind {
		return Kind{Name: name, File: file, Format: "webp", Look: look, Tolerance: tolerance, make: write}
	}
	sheer := func(w *workshop) string {
		return w.once("sheer.png", func() []byte { return pngFile(whole(), 8, pngRGBA, rgbaRow) })
	}
	private := kind("webp with private data", "private.webp", Coloured, lossy, func(w *workshop) []byte {
		photo := w.vips("jpegsave", w.plainPNG(), ".jpg", "--Q 95 --subsample-mode off --strip")
		photo = withSegments(photo, exifSegment(exifBlock(1, true)), xmpSegment())
		return w.vips("webpsave", w.save(photo, ".jpg"), ".webp", "--Q 90")
	})
	private.Private = true
	return []Kind{
		kind("webp", "lossy.webp", Coloured, lossy, func(w *workshop) []byte { return w.vips("webpsave", w.plainPNG(), ".webp", "--Q 95") }),
		kind("webp lossless", "lossless.webp", Coloured, Tolerance{}, func(w *workshop) []byte {
			return w.vips("webpsave", w.plainPNG(), ".webp", "--lossless --effort 0")
		}),
		kind("webp alpha", "alpha.webp", Sheer, Tolerance{}, func(w *workshop) []byte { return w.vips("webpsave", sheer(w), ".webp", "--lossless --effort 0") }),
		kind("webp lossy alpha", "lossyalpha.webp", Sheer, lossy, func(w *workshop) []byte { return w.vips("webpsave", sheer(w), ".webp", "--Q 95") }),
		kind("webp with wide profile", "wide.webp", Coloured, rounded, func(w *workshop) []byte {
			return w.vips("webpsave", w.save(wideTIFF(8), ".tif"), ".webp", "--lossless --effort 0")
		}),
		private,
	}
}

func gifs() []Kind {
	kind := func(name, file string, look Look, page, pages int, frames func() *gif.GIF) Kind {
		return Kind{Name: name, File: file, Format: "gif", Look: look, Page: page, Pages: pages, make: func(w *workshop) []byte {
			var out bytes.Buffer
			w.check(gif.EncodeAll(&out, frames()))
			return out.Bytes()
		}}
	}
	return []Kind{
		kind("gif", "still.gif", Palette256, 1, 1, func() *gif.GIF { return gifOf(paletted(Palette256)) }),
		kind("gif with a hole", "hole.gif", Holed, 1, 1, func() *gif.GIF { return gifOf(holed()) }),
		kind("gif frame 1 of 2", "animated.gif", Palette256, 1, 2, func() *gif.GIF { return gifOf(paletted(Palette256), negative()) }),
		kind("gif frame 2 of 2", "late.gif", Palette256, 2, 2, func() *gif.GIF { return gifOf(negative(), paletted(Palette256)) }),
		// The second frame holds only what differs from the first.
		kind("gif frame 2 laid over frame 1", "partial.gif", Palette256, 2, 2, func() *gif.GIF {
			right, patch := paletted(Palette256), image.Rect(300, 200, 1000, 813)
			wrong := paletted(Palette256)
			for y := patch.Min.Y; y < patch.Max.Y; y++ {
				for x := patch.Min.X; x < patch.Max.X; x++ {
					wrong.SetColorIndex(x, y, 0)
				}
			}
			return gifOf(wrong, right.SubImage(patch).(*image.Paletted))
		}),
	}
}

func gifOf(frames ...*image.Paletted) *gif.GIF {
	out := &gif.GIF{Config: image.Config{ColorModel: frames[0].Palette, Width: Width, Height: Height}}
	for _, f := range frames {
		out.Image, out.Delay, out.Disposal = append(out.Image, f), append(out.Delay, 10), append(out.Disposal, gif.DisposalNone)
	}
	return out
}

// negative is another picture: the colours counted from the other end.
func negative() *image.Paletted {
	m := paletted(Palette256)
	for i, v := range m.Pix {
		m.Pix[i] = byte(len(m.Palette)-1) - v
	}
	return m
}

// demanded are the kinds that only a server reads which was told to.
func demanded() []Kind {
	kind := func(name, file, format string, tolerance Tolerance, operation, options string) Kind {
		return Kind{Name: name, File: file, Format: format, OnDemand: true, Tolerance: tolerance, make: func(w *workshop) []byte {
			suffix := file[len(file)-5:]
			if format == "jxl" {
				suffix = ".jxl"
			}
			return w.vips(operation, w.plainPNG(), suffix, options)
		}}
	}
	return []Kind{
		kind("heif", "photo.heic", "heif", lossy, "heifsave", "--Q 95 --effort 0"),
		kind("avif", "photo.avif", "avif", lossy, "heifsave", "--compression av1 --Q 95 --effort 0"),
		kind("jxl", "photo.jxl", "jxl", lossy, "jxlsave", "--Q 98 --effort 3"),
		kind("jxl lossless", "lossless.jxl", "jxl", Tolerance{}, "jxlsave", "--lossless --effort 3"),
	}
}
