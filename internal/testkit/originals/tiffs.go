package originals

import (
	"image"
	"slices"
	"strconv"
	"strings"
)

// Tolerances of forms that lose something.
var (
	// lossy is for colours at half the resolution: hard lines between colours fade.
	lossy = Tolerance{Max: 190, Mean: 1.8}
	// fine is for a good quality of lossy compression at full resolution.
	fine = Tolerance{Max: 60, Mean: 0.8}
	// rounded is for colours that went through another colour space: in its dark corners a step of it is many of ours.
	rounded = Tolerance{Max: 12, Mean: 0.3}
)

func rgbRaster() raster {
	return raster{size: whole(), bits: 8, samples: 3, photometric: photoRGB, row: rgbRow, rows: 16}
}

// plainTIFF is the path of the picture in strips, for programs to read.
func (w *workshop) plainTIFF() string {
	return w.once("plain.tif", func() []byte { return tiffOf(rgbRaster()) })
}

func (w *workshop) plainPNG() string { return w.once("plain.png", plainPNG) }

// inks is the path of the picture in CMYK, with the profile that libvips has for it.
func (w *workshop) inks() string {
	return w.once("inks.tif", func() []byte {
		return w.vips("icc_export", w.plainPNG(), ".tif", "--output-profile cmyk --intent relative")
	})
}

// tiffcp copies a TIFF with other storage.
func (w *workshop) tiffcp(in, options string) []byte {
	return w.run(append(append([]string{"tiffcp"}, strings.Fields(options)...), in, "OUT.tif")...)
}

func tiffs() []Kind {
	return slices.Concat(storedTIFFs(), tiledTIFFs(), pyramids(), bitonalTIFFs(), colouredTIFFs(), turnedTIFFs(), pagedTIFFs())
}

func tiffKind(name, file string, write func(w *workshop) []byte) Kind {
	return Kind{Name: name, File: file, Format: "tiff", DPI: tiffDPI, make: write}
}

// storedTIFFs are RGB in strips.
func storedTIFFs() []Kind {
	copied := func(options string) func(*workshop) []byte {
		return func(w *workshop) []byte { return w.tiffcp(w.plainTIFF(), options) }
	}
	written := func(big bool, change func(r *raster)) func(*workshop) []byte {
		return func(*workshop) []byte {
			r := rgbRaster()
			change(&r)
			f := newTIFF(big)
			f.write(r)
			return f.data
		}
	}
	deep := func(r *raster) { r.bits, r.row = 16, deepRow }
	kinds := []Kind{
		tiffKind("tiff strips", "strips.tif", written(false, func(*raster) {})),
		tiffKind("tiff one strip", "onestrip.tif", written(false, func(r *raster) { r.rows = 0 })),
		tiffKind("tiff strips of one row", "rows.tif", written(false, func(r *raster) { r.rows = 1 })),
		tiffKind("tiff big-endian", "mm.tif", written(true, func(*raster) {})),
		tiffKind("tiff BigTIFF", "big.tif", copied("-8 -c lzw:2")),
		tiffKind("tiff BigTIFF big-endian", "bigmm.tif", copied("-8 -B -c zip")),
		tiffKind("tiff lzw", "lzw.tif", copied("-c lzw")),
		tiffKind("tiff deflate with predictor", "zip.tif", copied("-c zip:2")),
		tiffKind("tiff packbits", "packbits.tif", copied("-c packbits")),
		tiffKind("tiff zstd", "zstd.tif", copied("-c zstd:2")),
		tiffKind("tiff separate planes", "planes.tif", copied("-p separate -c lzw")),
		tiffKind("tiff jpeg strips", "jpegstrips.tif", copied("-c jpeg:95 -r 16")),
		tiffKind("tiff 16 bit", "deep.tif", written(false, deep)),
		tiffKind("tiff 16 bit big-endian", "deepmm.tif", written(true, deep)),
		tiffKind("tiff 16 bit deflate", "deepzip.tif", func(w *workshop) []byte {
			return w.tiffcp(w.save(written(false, deep)(w), ".tif"), "-c zip:2")
		}),
	}
	return with(kinds, "tiff jpeg strips", func(k *Kind) { k.Tolerance = lossy })
}

// with changes the kinds whose name begins so.
func with(kinds []Kind, prefix string, change func(k *Kind)) []Kind {
	for i := range kinds {
		if strings.HasPrefix(kinds[i].Name, prefix) {
			change(&kinds[i])
		}
	}
	return kinds
}

// tiledTIFFs are RGB in tiles without smaller levels.
func tiledTIFFs() []Kind {
	tiled := func(name, file string, width, height int, options string) Kind {
		k := tiffKind(name, file, func(w *workshop) []byte {
			return w.tiffcp(w.plainTIFF(), "-t -w "+strconv.Itoa(width)+" -l "+strconv.Itoa(height)+" "+options)
		})
		k.TileWidth, k.TileHeight = width, height
		return k
	}
	kinds := []Kind{
		tiled("tiff tiles", "tiles.tif", 256, 256, "-c none"),
		tiled("tiff tiles of 240", "tiles240.tif", 240, 240, "-c lzw"),
		tiled("tiff oblong tiles", "oblong.tif", 512, 128, "-c zip:2"),
		tiled("tiff tiles of separate planes", "planetiles.tif", 256, 256, "-p separate -c lzw"),
		tiled("tiff jpeg tiles", "jpegtiles.tif", 256, 256, "-c jpeg:95"),
		tiled("tiff jpeg tiles in RGB", "jpegrgb.tif", 256, 256, "-c jpeg:r:95"),
		tiled("tiff zstd tiles", "zstdtiles.tif", 128, 128, "-c zstd"),
		tiled("tiff webp tiles", "webptiles.tif", 256, 256, "-c webp"),
	}
	kinds = with(kinds, "tiff jpeg", func(k *Kind) { k.Tolerance = lossy })
	kinds = with(kinds, "tiff tiles of separate planes", func(k *Kind) { k.Strange = true })
	return with(kinds, "tiff webp", func(k *Kind) { k.Tolerance = lossy })
}

// pyramids have smaller levels beside the picture.
func pyramids() []Kind {
	pyramid := func(name, file string, side int, in func(w *workshop) string, options string) Kind {
		k := tiffKind(name, file, func(w *workshop) []byte {
			size := strconv.Itoa(side)
			return w.vips("tiffsave", in(w), ".tif", "--tile --pyramid --tile-width "+size+" --tile-height "+size+" "+options)
		})
		k.TileWidth, k.TileHeight, k.DPI = side, side, tiffDPI
		return k
	}
	plain := (*workshop).plainTIFF
	deep := func(w *workshop) string {
		return w.once("deep.tif", func() []byte {
			r := rgbRaster()
			r.bits, r.row = 16, deepRow
			return tiffOf(r)
		})
	}
	gray := func(w *workshop) string { return w.once("gray.tif", func() []byte { return tiffOf(grayRaster(8)) }) }
	kinds := []Kind{
		pyramid("tiff pyramid", "pyramid.tif", 256, plain, "--compression deflate --predictor horizontal"),
		pyramid("tiff pyramid in SubIFDs", "subifds.tif", 256, plain, "--subifd --compression lzw --bigtiff"),
		pyramid("tiff jpeg pyramid", "jpegpyramid.tif", 256, plain, "--compression jpeg --Q 95"),
		pyramid("tiff jpeg pyramid of tiles of 240", "jpeg240.tif", 240, plain, "--compression jpeg --Q 95"),
		pyramid("tiff pyramid 16 bit", "deeppyramid.tif", 128, deep, "--compression deflate"),
		pyramid("tiff gray pyramid", "graypyramid.tif", 256, gray, "--compression jpeg --Q 95"),
	}
	kinds = with(kinds, "tiff jpeg", func(k *Kind) { k.Tolerance = lossy })
	return with(kinds, "tiff gray", func(k *Kind) { k.Look, k.Tolerance = Gray, lossy })
}

func grayRaster(bits int) raster {
	r := raster{size: whole(), bits: bits, samples: 1, photometric: minIsBlack, row: grayRow(bits, false), rows: 16}
	if bits == 16 {
		r.row = deepGrayRow
	}
	return r
}

// bitonalTIFFs are black and white, and gray.
func bitonalTIFFs() []Kind {
	gray := func(bits, photometric int) func(*workshop) []byte {
		return func(*workshop) []byte {
			r := grayRaster(bits)
			if r.photometric = photometric; photometric == minIsWhite {
				r.row = grayRow(bits, true)
			}
			return tiffOf(r)
		}
	}
	bits := func(options string) func(*workshop) []byte {
		return func(w *workshop) []byte {
			return w.tiffcp(w.once("white.tif", func() []byte { return gray(1, minIsWhite)(w) }), options)
		}
	}
	kind := func(name, file string, look Look, write func(*workshop) []byte) Kind {
		k := tiffKind(name, file, write)
		k.Look = look
		return k
	}
	tiled := kind("tiff g4 tiles", "g4tiles.tif", Bitonal, bits("-c g4 -t -w 256 -l 256"))
	tiled.TileWidth, tiled.TileHeight = 256, 256
	return []Kind{
		kind("tiff g4", "g4.tif", Bitonal, bits("-c g4 -r 1025")), tiled,
		kind("tiff g3", "g3.tif", Bitonal, bits("-c g3:1d")),
		kind("tiff g3 two-dimensional", "g32d.tif", Bitonal, bits("-c g3:2d:fill")),
		kind("tiff 1 bit, white is 0", "white0.tif", Bitonal, gray(1, minIsWhite)),
		kind("tiff 1 bit, black is 0", "black0.tif", Bitonal, gray(1, minIsBlack)),
		kind("tiff gray 4 bit", "gray4.tif", Gray4, gray(4, minIsBlack)),
		kind("tiff gray 2 bit", "gray2.tif", Gray2, gray(2, minIsBlack)),
		kind("tiff gray", "gray.tif", Gray, gray(8, minIsBlack)),
		kind("tiff gray, white is 0", "graywhite0.tif", Gray, gray(8, minIsWhite)),
		kind("tiff gray 16 bit", "gray16.tif", Gray, gray(16, minIsBlack)),
	}
}

// turnedTIFFs are stored otherwise than they are seen.
func turnedTIFFs() []Kind {
	var kinds []Kind
	for o := 2; o <= 8; o++ {
		n := strconv.Itoa(o)
		kinds = append(kinds, tiffKind("tiff orientation "+n, "turned"+n+".tif", func(*workshop) []byte {
			return tiffOf(turnedRaster(o))
		}))
	}
	tiled := tiffKind("tiff oblong tiles, orientation 6", "turnedtiles.tif", func(w *workshop) []byte {
		r := turnedRaster(6)
		r.orientation = 0
		path := w.save(w.vips("tiffsave", w.save(tiffOf(r), ".tif"), ".tif", "--tile --pyramid --tile-width 256 --tile-height 128 --compression lzw"), ".tif")
		w.run("tiffset", "-s", "274", "6", path)
		return w.load(path)
	})
	tiled.TileWidth, tiled.TileHeight = 128, 256
	return append(kinds, tiled)
}

// turnedRaster is the picture stored so that the orientation shows it upright.
func turnedRaster(orientation int) raster {
	m := unturned(picture(), orientation)
	r := rgbRaster()
	r.size, r.orientation = m.Rect.Size(), orientation
	r.row = func(y int) []byte {
		var row []byte
		for x := range m.Rect.Dx() {
			c := m.RGBAAt(x, y)
			row = append(row, c.R, c.G, c.B)
		}
		return row
	}
	return r
}

// unturned gives what has to be stored for an orientation to show m. TIFF 6.0 tells of each what the first row and the
// first column of the stored picture are to the eye.
func unturned(m *image.RGBA, orientation int) *image.RGBA {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	// Where the stored pixel x, y is seen.
	seen := [...]func(x, y int) (int, int){
		1: func(x, y int) (int, int) { return x, y },
		2: func(x, y int) (int, int) { return w - 1 - x, y },         // top, right
		3: func(x, y int) (int, int) { return w - 1 - x, h - 1 - y }, // bottom, right
		4: func(x, y int) (int, int) { return x, h - 1 - y },         // bottom, left
		5: func(x, y int) (int, int) { return y, x },                 // left, top
		6: func(x, y int) (int, int) { return w - 1 - y, x },         // right, top
		7: func(x, y int) (int, int) { return w - 1 - y, h - 1 - x }, // right, bottom
		8: func(x, y int) (int, int) { return y, h - 1 - x },         // left, bottom
	}[orientation]
	stored := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		stored = image.Rect(0, 0, h, w)
	}
	out := image.NewRGBA(stored)
	for y := range stored.Dy() {
		for x := range stored.Dx() {
			out.SetRGBA(x, y, m.RGBAAt(seen(x, y)))
		}
	}
	return out
}

// pagedTIFFs hold the picture between two others.
func pagedTIFFs() []Kind {
	other := func(width, height int) raster {
		return raster{size: image.Pt(width, height), bits: 8, samples: 1, photometric: minIsBlack, rows: 7, row: func(y int) []byte {
			return slices.Repeat([]byte{byte(y)}, width)
		}}
	}
	paged := func() []byte {
		f := newTIFF(false)
		f.write(other(640, 480))
		f.write(rgbRaster())
		f.write(other(301, 900))
		return f.data
	}
	strips := tiffKind("tiff page 2 of 3", "pages.tif", func(*workshop) []byte { return paged() })
	strips.Page, strips.Pages = 2, 3
	tiles := tiffKind("tiff page 2 of 3 in tiles", "tiledpages.tif", func(w *workshop) []byte {
		return w.tiffcp(w.save(paged(), ".tif"), "-t -w 256 -l 256 -c lzw")
	})
	tiles.Page, tiles.Pages, tiles.TileWidth, tiles.TileHeight = 2, 3, 256, 256
	return []Kind{strips, tiles}
}
