package originals

import (
	"bytes"
	"encoding/binary"
	"strconv"
)

func jpeg2000s() []Kind {
	kind := func(name, file string, side int, write func(w *workshop, options string) []byte) Kind {
		k := Kind{Name: name, File: file, Format: "jp2", make: func(w *workshop) []byte {
			size := strconv.Itoa(max(side, 2048))
			if side > 0 {
				size = strconv.Itoa(side)
			}
			return write(w, "--tile-width "+size+" --tile-height "+size)
		}}
		k.TileWidth, k.TileHeight = side, side
		return k
	}
	saved := func(in func(w *workshop) string, more string) func(w *workshop, options string) []byte {
		return func(w *workshop, options string) []byte { return w.vips("jp2ksave", in(w), ".jp2", options+" "+more) }
	}
	of := func(name string, data func() []byte) func(w *workshop) string {
		return func(w *workshop) string { return w.once(name, data) }
	}
	rgb := (*workshop).plainPNG
	gray := of("gray.png", func() []byte { return pngFile(whole(), 8, pngGray, grayRow(8, false)) })
	deep := of("deep.png", func() []byte { return pngFile(whole(), 16, pngRGB, deepRow) })
	sheer := of("sheer.png", func() []byte { return pngFile(whole(), 8, pngRGBA, rgbaRow) })
	wide := of("wide.png", func() []byte { return pngFile(whole(), 8, pngRGB, wideRow) })
	kinds := []Kind{
		kind("jp2 tiles", "tiles.jp2", 256, saved(rgb, "--lossless")),
		kind("jp2 tiles of 240", "tiles240.jp2", 240, saved(rgb, "--lossless")),
		kind("jp2", "whole.jp2", 0, saved(rgb, "--lossless")),
		kind("jp2 lossy", "lossy.jp2", 0, saved(rgb, "--Q 60")),
		kind("jp2 lossy tiles", "lossytiles.jp2", 512, saved(rgb, "--Q 60")),
		kind("jp2 16 bit", "deep.jp2", 256, saved(deep, "--lossless")),
		kind("jp2 gray", "gray.jp2", 256, saved(gray, "--lossless")),
		kind("jp2 alpha", "alpha.jp2", 256, saved(sheer, "--lossless")),
		kind("jp2 code stream", "stream.j2k", 256, func(w *workshop, options string) []byte {
			return codeStreamOf(saved(rgb, "--lossless")(w, options))
		}),
		kind("jp2 with wide profile", "wide.jp2", 256, func(w *workshop, options string) []byte {
			return jp2File(codeStreamOf(saved(wide, "--lossless")(w, options)), wideProfile())
		}),
		kind("jp2 with private data", "private.jp2", 0, func(w *workshop, options string) []byte {
			return jp2File(codeStreamOf(saved(rgb, "--lossless")(w, options)), nil, privateBoxes()...)
		}),
	}
	kinds = with(kinds, "jp2 lossy", func(k *Kind) { k.Tolerance = fine })
	kinds = with(kinds, "jp2 gray", func(k *Kind) { k.Look = Gray })
	kinds = with(kinds, "jp2 alpha", func(k *Kind) { k.Look = Sheer })
	kinds = with(kinds, "jp2 with wide", func(k *Kind) { k.Tolerance = rounded })
	return with(kinds, "jp2 with private", func(k *Kind) { k.Private = true })
}

// box is one of ISO/IEC 15444-1 annex I.
func box(kind string, body []byte) []byte {
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(body)+8)), kind...), body...)
}

// codeStreamOf takes the code stream out of a file that libvips wrote, with boxes around it or without.
func codeStreamOf(data []byte) []byte {
	return data[bytes.Index(data, []byte{0xFF, 0x4F, 0xFF, 0x51}):]
}

// jp2File puts boxes around a code stream of three components of 8 bits; profile may be nil for sRGB.
func jp2File(stream, profile []byte, more ...[]byte) []byte {
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, Height), Width)
	colour := []byte{1, 0, 0, 0, 0, 0, 16}
	if profile != nil {
		colour = append([]byte{2, 0, 0}, profile...)
	}
	out := append(box("jP  ", []byte("\r\n\x87\n")), box("ftyp", []byte("jp2 \x00\x00\x00\x00jp2 "))...)
	out = append(out, box("jp2h", append(box("ihdr", append(size, 0, 3, 7, 7, 0, 0)), box("colr", colour)...))...)
	for _, b := range more {
		out = append(out, b...)
	}
	return append(out, box("jp2c", stream)...)
}

// privateBoxes are XMP, Exif and XML as they lie beside a code stream.
func privateBoxes() [][]byte {
	xmp := []byte("\xBE\x7A\xCF\xCB\x97\xA9\x42\xE8\x9C\x71\x99\x94\x91\xE3\xAF\xAC")
	return [][]byte{
		box("uuid", append(xmp, xmpPacket()...)),
		box("uuid", append([]byte("JpgTiffExif->JP2"), exifBlock(1, true)...)),
		box("xml ", []byte("<note>"+secretInfo+"</note>")),
	}
}
