package originals

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"strings"
)

// Colour types of PNG (ISO/IEC 15948 §11.2.2).
const (
	pngGray      = 0
	pngRGB       = 2
	pngPalette   = 3
	pngGrayAlpha = 4
	pngRGBA      = 6
)

// pngChunk is a chunk between IHDR and IDAT.
type pngChunk struct {
	kind string
	data []byte
}

// pngFile writes rows of samples, packed as PNG wants them, without filters.
func pngFile(size image.Point, depth, colour byte, row func(y int) []byte, chunks ...pngChunk) []byte {
	var out bytes.Buffer
	out.WriteString("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		body := append([]byte(kind), data...)
		out.Write(binary.BigEndian.AppendUint32(nil, uint32(len(data))))
		out.Write(body)
		out.Write(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(body)))
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(size.X))
	head = binary.BigEndian.AppendUint32(head, uint32(size.Y))
	chunk("IHDR", append(head, depth, colour, 0, 0, 0))
	for _, c := range chunks {
		chunk(c.kind, c.data)
	}
	chunk("IDAT", deflate(func(z *zlib.Writer) {
		for y := range size.Y {
			_, _ = z.Write([]byte{0})
			_, _ = z.Write(row(y))
		}
	}))
	chunk("IEND", nil)
	return out.Bytes()
}

// deflate compresses what write writes. Writing to memory cannot fail.
func deflate(write func(z *zlib.Writer)) []byte {
	var out bytes.Buffer
	z, _ := zlib.NewWriterLevel(&out, zlib.BestSpeed)
	write(z)
	_ = z.Close()
	return out.Bytes()
}

// packed makes a row of the picture's width out of one sample of so many bits a pixel.
func packed(bits int, sample func(x int) int) []byte {
	row := make([]byte, (Width*bits+7)/8)
	for x := range Width {
		at := x * bits
		row[at/8] |= byte(sample(x) << (8 - bits - at%8))
	}
	return row
}

// bytesOf makes a row out of several bytes a pixel.
func bytesOf(pixel func(x int) []byte) []byte {
	row := make([]byte, 0, Width*8)
	for x := range Width {
		row = append(row, pixel(x)...)
	}
	return row
}

func whole() image.Point { return image.Pt(Width, Height) }

// grayRow is a row of the luma in so many bits; invert exchanges black and white.
func grayRow(bits int, invert bool) func(y int) []byte {
	return func(y int) []byte {
		return packed(bits, func(x int) int {
			v := step(x, y, 1<<bits)
			if invert {
				v = 1<<bits - 1 - v
			}
			return v
		})
	}
}

// deepGrayRow is a row of the luma in 16 bits, high byte first: exactly on the steps of 8 bits.
func deepGrayRow(y int) []byte {
	return bytesOf(func(x int) []byte { return []byte{luma(x, y), luma(x, y)} })
}

func rgbRow(y int) []byte {
	return bytesOf(func(x int) []byte { c := picture().RGBAAt(x, y); return []byte{c.R, c.G, c.B} })
}

// deepRow is a row of the picture in 16 bits, high byte first.
func deepRow(y int) []byte {
	return bytesOf(func(x int) []byte { at := deepPicture().PixOffset(x, y); return deepPicture().Pix[at : at+6] })
}

func rgbaRow(y int) []byte {
	return bytesOf(func(x int) []byte {
		c := picture().RGBAAt(x, y)
		return []byte{c.R, c.G, c.B, alphaAt(x, y)}
	})
}

func indexRow(m *image.Paletted, bits int) func(y int) []byte {
	return func(y int) []byte {
		return packed(bits, func(x int) int { return int(m.ColorIndexAt(x, y)) })
	}
}

// paletteChunks are PLTE and, where a colour is transparent, tRNS.
func paletteChunks(m *image.Paletted) []pngChunk {
	var colours, alphas []byte
	sheer := false
	for _, c := range m.Palette {
		r, g, b, a := c.RGBA()
		colours = append(colours, byte(r>>8), byte(g>>8), byte(b>>8))
		alphas = append(alphas, byte(a>>8))
		sheer = sheer || a == 0
	}
	if sheer {
		return []pngChunk{{"PLTE", colours}, {"tRNS", alphas}}
	}
	return []pngChunk{{"PLTE", colours}}
}

// plainPNG is the picture without anything special.
func plainPNG() []byte { return pngFile(whole(), 8, pngRGB, rgbRow) }

func pngs() []Kind {
	kind := func(name, file string, look Look, write func(w *workshop) []byte) Kind {
		return Kind{Name: name, File: file, Format: "png", Look: look, make: write}
	}
	few := func(l Look, bits int) func(*workshop) []byte {
		return func(*workshop) []byte {
			m := paletted(l)
			return pngFile(whole(), byte(bits), pngPalette, indexRow(m, bits), paletteChunks(m)...)
		}
	}
	gray := func(bits int) func(*workshop) []byte {
		return func(*workshop) []byte { return pngFile(whole(), byte(bits), pngGray, grayRow(bits, false)) }
	}
	interlaced := func(file func(*workshop) []byte) func(*workshop) []byte {
		return func(w *workshop) []byte {
			return w.vips("pngsave", w.save(file(w), ".png"), ".png", "--interlace --compression 1")
		}
	}
	rgb := func(*workshop) []byte { return plainPNG() }
	kinds := []Kind{
		kind("png", "rgb.png", Coloured, rgb),
		kind("png 16 bit", "deep.png", Coloured, func(*workshop) []byte { return pngFile(whole(), 16, pngRGB, deepRow) }),
		kind("png gray", "gray.png", Gray, gray(8)),
		kind("png gray 4 bit", "gray4.png", Gray4, gray(4)),
		kind("png gray 2 bit", "gray2.png", Gray2, gray(2)),
		kind("png gray 1 bit", "gray1.png", Bitonal, gray(1)),
		kind("png gray 16 bit", "gray16.png", Gray, func(*workshop) []byte { return pngFile(whole(), 16, pngGray, deepGrayRow) }),
		kind("png palette", "palette.png", Palette256, few(Palette256, 8)),
		kind("png palette 4 bit", "palette4.png", Palette16, few(Palette16, 4)),
		kind("png palette 2 bit", "palette2.png", Palette4, few(Palette4, 2)),
		kind("png palette with a hole", "hole.png", Holed, func(*workshop) []byte {
			return pngFile(whole(), 8, pngPalette, indexRow(holed(), 8), paletteChunks(holed())...)
		}),
		kind("png alpha", "alpha.png", Sheer, func(*workshop) []byte { return pngFile(whole(), 8, pngRGBA, rgbaRow) }),
		kind("png alpha 16 bit", "alpha16.png", Sheer, func(*workshop) []byte {
			return pngFile(whole(), 16, pngRGBA, func(y int) []byte { return doubled(rgbaRow(y)) })
		}),
		kind("png gray alpha", "grayalpha.png", SheerGray, func(*workshop) []byte {
			return pngFile(whole(), 8, pngGrayAlpha, func(y int) []byte {
				return bytesOf(func(x int) []byte { return []byte{luma(x, y), alphaAt(x, y)} })
			})
		}),
		kind("png with gamma of sRGB", "gamma.png", Coloured, func(*workshop) []byte {
			return pngFile(whole(), 8, pngRGB, rgbRow, pngChunk{"gAMA", binary.BigEndian.AppendUint32(nil, 45455)})
		}),
		kind("png with wide profile", "wide.png", Coloured, func(*workshop) []byte { return pngFile(whole(), 8, pngRGB, wideRow, iccChunk(wideProfile())) }),
		kind("png 16 bit with wide profile", "widedeep.png", Coloured, func(*workshop) []byte {
			return pngFile(whole(), 16, pngRGB, wideDeepRow, iccChunk(wideProfile()))
		}),
		kind("png gray with profile", "grayicc.png", Gray, func(*workshop) []byte {
			return pngFile(whole(), 8, pngGray, profiledGrayRow, iccChunk(grayProfile()))
		}),
		kind("png with private data", "private.png", Coloured, func(*workshop) []byte { return pngFile(whole(), 8, pngRGB, rgbRow, privateChunks()...) }),
		kind("png interlaced", "adam7.png", Coloured, interlaced(rgb)),
		kind("png interlaced alpha", "adam7alpha.png", Sheer, interlaced(func(*workshop) []byte { return pngFile(whole(), 8, pngRGBA, rgbaRow) })),
	}
	for i := range kinds {
		if strings.Contains(kinds[i].Name, "profile") {
			kinds[i].Tolerance = rounded
		}
	}
	return with(kinds, "png with private", func(k *Kind) { k.Private, k.DPI = true, 300 })
}

// iccChunk holds a profile (ISO/IEC 15948 §11.3.3.3).
func iccChunk(profile []byte) pngChunk {
	return pngChunk{"iCCP", append([]byte("profile\x00\x00"), deflate(func(z *zlib.Writer) { _, _ = z.Write(profile) })...)}
}

// privateChunks are a resolution of 300 dots per inch and what a camera and an office write.
func privateChunks() []pngChunk {
	density := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 11811), 11811)
	return []pngChunk{
		{"pHYs", append(density, 1)},
		{"tEXt", []byte("Author\x00" + secretArtist)},
		{"tEXt", []byte("Comment\x00" + secretComment)},
		{"iTXt", append([]byte("XML:com.adobe.xmp\x00\x00\x00\x00\x00"), xmpPacket()...)},
		{"eXIf", exifBlock(1, true)},
	}
}

// doubled makes samples of 16 bits of samples of 8: the same shares of the full value.
func doubled(row []byte) []byte {
	out := make([]byte, 0, 2*len(row))
	for _, v := range row {
		out = append(out, v, v)
	}
	return out
}
