package originals

import (
	"image/color"
	"math"
	"strings"
)

// colouredTIFFs have other colours than plain RGB, or more than colours.
func colouredTIFFs() []Kind {
	kind := func(name, file string, look Look, write func(w *workshop) []byte) Kind {
		k := tiffKind(name, file, write)
		k.Look = look
		return k
	}
	printed := func(options string) func(w *workshop) []byte {
		return func(w *workshop) []byte { return w.vips("tiffsave", w.inks(), ".tif", options) }
	}
	alpha := func(sort int, row func(y int) []byte) func(*workshop) []byte {
		return func(*workshop) []byte {
			r := rgbRaster()
			r.samples, r.row = 4, row
			r.more = []tiffField{newTIFF(false).short(tagExtraSamples, sort)}
			return tiffOf(r)
		}
	}
	kinds := []Kind{
		kind("tiff cmyk", "cmyk.tif", Printed, printed("--compression lzw --strip")),
		kind("tiff cmyk with profile", "cmykicc.tif", Printed, printed("--compression lzw")),
		kind("tiff cmyk 16 bit", "cmyk16.tif", Printed, func(w *workshop) []byte {
			return w.vips("icc_export", w.plainPNG(), ".tif", "--output-profile cmyk --intent relative --depth 16")
		}),
		kind("tiff cmyk jpeg tiles", "cmyktiles.tif", Printed, func(w *workshop) []byte {
			return w.tiffcp(w.inks(), "-t -w 256 -l 256 -c jpeg:95")
		}),
		kind("tiff with wide profile", "wide.tif", Coloured, func(*workshop) []byte { return wideTIFF(8) }),
		kind("tiff 16 bit with wide profile", "widedeep.tif", Coloured, func(*workshop) []byte { return wideTIFF(16) }),
		kind("tiff pyramid with wide profile", "widepyramid.tif", Coloured, func(w *workshop) []byte {
			return w.vips("tiffsave", w.save(wideTIFF(8), ".tif"), ".tif", "--tile --pyramid --tile-width 256 --tile-height 256 --compression lzw")
		}),
		kind("tiff gray with profile", "grayicc.tif", Gray, func(*workshop) []byte {
			r := grayRaster(8)
			r.row, r.more = profiledGrayRow, []tiffField{raw(tagProfile, typeUndefined, grayProfile())}
			return tiffOf(r)
		}),
		kind("tiff with private data", "private.tif", Coloured, func(*workshop) []byte { return privateTIFF() }),
		kind("tiff float", "float.tif", Coloured, func(w *workshop) []byte { return w.vips("colourspace", w.plainPNG(), ".tif", "scrgb") }),
		kind("tiff ycbcr", "ycbcr.tif", Coloured, ycbcrTIFF),
		kind("tiff old jpeg", "oldjpeg.tif", Coloured, oldJPEGTIFF),
		kind("tiff palette", "palette.tif", Palette256, paletteTIFF),
		kind("tiff lab", "lab.tif", Lab, labTIFF),
		kind("tiff lab 16 bit", "lab16.tif", Coloured, deepLabTIFF),
		kind("tiff alpha", "alpha.tif", Sheer, alpha(2, rgbaRow)),
		kind("tiff alpha in colours", "premultiplied.tif", Sheer, alpha(1, premultipliedRow)),
		kind("tiff with a sample of no known use", "extra.tif", Coloured, alpha(0, rgbaRow)),
	}
	kinds = with(kinds, "tiff cmyk", func(k *Kind) { k.Tolerance = rounded })
	kinds = with(kinds, "tiff cmyk jpeg", func(k *Kind) { k.TileWidth, k.TileHeight, k.Tolerance = 256, 256, fine })
	kinds = with(kinds, "tiff pyramid with", func(k *Kind) { k.TileWidth, k.TileHeight = 256, 256 })
	kinds = with(kinds, "tiff with private", func(k *Kind) { k.Private = true })
	kinds = with(kinds, "tiff ycbcr", func(k *Kind) { k.Strange, k.Tolerance = true, Tolerance{Max: 3, Mean: 0.8} })
	kinds = with(kinds, "tiff old jpeg", func(k *Kind) { k.Strange, k.Tolerance = true, lossy })
	for i, k := range kinds {
		if strings.Contains(k.Name, "profile") || k.Name == "tiff float" {
			kinds[i].Tolerance = rounded
		}
	}
	kinds = with(kinds, "tiff lab", func(k *Kind) { k.Tolerance = Tolerance{Max: 6, Mean: 0.5} })
	return with(kinds, "tiff alpha in", func(k *Kind) { k.Tolerance = Tolerance{Max: 4, Mean: 0.6} })
}

// wideTIFF has samples of so many bits in the wide profile.
func wideTIFF(bits int) []byte {
	r := rgbRaster()
	r.bits, r.row = bits, wideRow
	if bits == 16 {
		r.row = wideDeepRow
	}
	r.more = []tiffField{raw(tagProfile, typeUndefined, wideProfile())}
	return tiffOf(r)
}

// privateTIFF holds all that a scanner's and an archive's programs write.
func privateTIFF() []byte {
	f := newTIFF(false)
	r := rgbRaster()
	r.more = append(privateFields(f), raw(tagXMP, typeByte, xmpPacket()), raw(tagIPTC, typeUndefined, iptcBlock()))
	f.write(r)
	return f.data
}

// ycbcrTIFF has brightness and colour at full resolution, without compression.
func ycbcrTIFF(*workshop) []byte {
	f := newTIFF(false)
	r := rgbRaster()
	r.photometric = photoYCbCr
	r.row = func(y int) []byte {
		return bytesOf(func(x int) []byte {
			c := picture().RGBAAt(x, y)
			yy, cb, cr := color.RGBToYCbCr(c.R, c.G, c.B)
			return []byte{yy, cb, cr}
		})
	}
	r.more = []tiffField{f.short(tagSubsampling, 1, 1), f.rational(tagReference, 0, 1, 255, 1, 128, 1, 255, 1, 128, 1, 255, 1)}
	f.write(r)
	return f.data
}

// oldJPEGTIFF holds a whole JPEG in the way of TIFF 6.0 §22, which scanners of the nineties used.
func oldJPEGTIFF(*workshop) []byte {
	f := newTIFF(false)
	data := sampledJPEG(2, 2)
	at := f.add(data)
	f.page(
		f.long(tagWidth, Width), f.long(tagHeight, Height), f.short(tagBits, 8, 8, 8), f.short(tagCompression, 6),
		f.short(tagPhotometric, photoYCbCr), f.long(tagStripOffsets, at), f.short(tagSamples, 3), f.long(tagRows, Height),
		f.long(tagStripCounts, len(data)), f.short(tagPlanar, 1), f.short(tagSubsampling, 2, 2),
		f.short(tagJPEGProc, 1), f.long(tagJPEG, at), f.long(tagJPEGLength, len(data)),
		f.rational(tagXResolution, tiffDPI, 1), f.rational(tagYResolution, tiffDPI, 1), f.short(tagUnit, 2),
	)
	return f.data
}

// premultipliedRow has colours that were multiplied by their alpha.
func premultipliedRow(y int) []byte {
	row := rgbaRow(y)
	for i := 0; i < len(row); i += 4 {
		for k := range 3 {
			row[i+k] = byte((int(row[i+k])*int(row[i+3]) + 127) / 255)
		}
	}
	return row
}

func paletteTIFF(*workshop) []byte {
	m := paletted(Palette256)
	// All reds, then all greens, then all blues, of 256 colours (TIFF 6.0 §5).
	colours := make([]int, 3*256)
	for i, c := range m.Palette {
		r, g, b, _ := c.RGBA()
		colours[i], colours[256+i], colours[512+i] = int(r), int(g), int(b)
	}
	return tiffOf(raster{
		size: whole(), bits: 8, samples: 1, photometric: photoPalette, row: indexRow(m, 8), rows: 16,
		more: []tiffField{newTIFF(false).short(tagColours, colours...)},
	})
}

func labTIFF(*workshop) []byte {
	r := rgbRaster()
	r.photometric = photoLab
	r.row = func(y int) []byte {
		return bytesOf(func(x int) []byte {
			l, a, b := labAt(x, y)
			return []byte{byte(math.Round(l * 255 / 100)), byte(int8(a)), byte(int8(b))}
		})
	}
	return tiffOf(r)
}

// labAt is a pixel in the steps of 8 bits: L* in 255ths of 100, a* and b* whole.
func labAt(x, y int) (l, a, b float64) {
	c := picture().RGBAAt(x, y)
	l, a, b = toLab(c.R, c.G, c.B)
	return math.Round(l*255/100) * 100 / 255, math.Round(a), math.Round(b)
}

// deepLabTIFF has L* in 0..65535 and a* and b* in 256ths, signed.
func deepLabTIFF(*workshop) []byte {
	r := rgbRaster()
	r.photometric, r.bits = photoLab, 16
	r.row = func(y int) []byte {
		return bytesOf(func(x int) []byte {
			c := picture().RGBAAt(x, y)
			l, a, b := toLab(c.R, c.G, c.B)
			high := func(v float64) (byte, byte) { n := int(math.Round(v)); return byte(n >> 8), byte(n) }
			l1, l0 := high(l * 65535 / 100)
			a1, a0 := high(a * 256)
			b1, b0 := high(b * 256)
			return []byte{l1, l0, a1, a0, b1, b0}
		})
	}
	return tiffOf(r)
}
