package originals

import (
	"encoding/binary"
	"image/color"
	"strconv"
	"sync"
)

func jpegs() []Kind {
	kind := func(name, file string, look Look, tolerance Tolerance, write func(w *workshop) []byte) Kind {
		return Kind{Name: name, File: file, Format: "jpeg", Look: look, Tolerance: tolerance, make: write}
	}
	saved := func(in func(w *workshop) string, options string) func(w *workshop) []byte {
		return func(w *workshop) []byte { return w.vips("jpegsave", in(w), ".jpg", "--Q 95 "+options) }
	}
	rgb := (*workshop).plainPNG
	gray := func(w *workshop) string {
		return w.once("gray.png", func() []byte { return pngFile(whole(), 8, pngGray, grayRow(8, false)) })
	}
	kinds := []Kind{
		kind("jpeg", "420.jpg", Coloured, lossy, saved(rgb, "--subsample-mode on")),
		kind("jpeg 4:4:4", "444.jpg", Coloured, fine, saved(rgb, "--subsample-mode off")),
		kind("jpeg 4:2:2", "422.jpg", Coloured, lossy, func(*workshop) []byte { return sampledJPEG(2, 1) }),
		kind("jpeg 4:4:0", "440.jpg", Coloured, lossy, func(*workshop) []byte { return sampledJPEG(1, 2) }),
		kind("jpeg 4:1:1", "411.jpg", Coloured, Tolerance{Max: 210, Mean: 2.5}, func(*workshop) []byte { return sampledJPEG(4, 1) }),
		kind("jpeg in RGB", "rgb.jpg", Coloured, fine, func(*workshop) []byte { return rgbJPEG() }),
		kind("jpeg progressive", "progressive.jpg", Coloured, fine, saved(rgb, "--interlace")),
		kind("jpeg progressive 4:2:0", "progressive420.jpg", Coloured, lossy, saved(rgb, "--interlace --subsample-mode on")),
		kind("jpeg gray", "gray.jpg", Gray, fine, saved(gray, "")),
		kind("jpeg gray with profile", "grayicc.jpg", Gray, fine, func(w *workshop) []byte {
			in := w.save(pngFile(whole(), 8, pngGray, profiledGrayRow), ".png")
			return withSegments(w.vips("jpegsave", in, ".jpg", "--Q 98"), iccSegment(grayProfile()))
		}),
		kind("jpeg with wide profile", "wide.jpg", Coloured, fine, func(w *workshop) []byte {
			in := w.save(pngFile(whole(), 8, pngRGB, wideRow), ".png")
			return withSegments(w.vips("jpegsave", in, ".jpg", "--Q 98 --subsample-mode off"), iccSegment(wideProfile()))
		}),
		kind("jpeg cmyk", "cmyk.jpg", Printed, fine, saved((*workshop).inks, "--strip")),
		kind("jpeg cmyk with profile", "cmykicc.jpg", Printed, fine, saved((*workshop).inks, "")),
		kind("jpeg ycck", "ycck.jpg", Printed, lossy, ycckJPEG),
		privateJPEG(),
	}
	for o := 1; o <= 8; o++ {
		n := strconv.Itoa(o)
		kinds = append(kinds, kind("jpeg orientation "+n, "turned"+n+".jpg", Coloured, fine, func(w *workshop) []byte {
			upright := w.save(tiffOf(turnedRaster(o)), ".tif")
			return withSegments(saved(func(*workshop) string { return upright }, "--strip")(w), exifSegment(exifBlock(o, false)))
		}))
	}
	return kinds
}

// privateJPEG is a photo as a telephone takes it: stored lying on its side.
func privateJPEG() Kind {
	return Kind{
		Name: "jpeg with private data", File: "private.jpg", Format: "jpeg", Tolerance: fine, Private: true, DPI: 300,
		make: func(w *workshop) []byte {
			in := w.save(tiffOf(turnedRaster(6)), ".tif")
			data := w.vips("jpegsave", in, ".jpg", "--Q 95 --subsample-mode off --strip")
			return withSegments(data, jfifSegment(300), exifSegment(exifBlock(6, true)),
				xmpSegment(),
				segment(0xED, append([]byte("Photoshop 3.0\x00"), photoshopBlock()...)), segment(0xFE, []byte(secretComment)))
		},
	}
}

func jfifSegment(dpi int) []byte {
	body := []byte{'J', 'F', 'I', 'F', 0, 1, 2, 1, byte(dpi >> 8), byte(dpi), byte(dpi >> 8), byte(dpi), 0, 0}
	return segment(0xE0, body)
}

func xmpSegment() []byte {
	return segment(0xE1, append([]byte("http://ns.adobe.com/xap/1.0/\x00"), xmpPacket()...))
}

// iccSegment holds a profile that fits into one segment (ICC.1 annex B.4).
func iccSegment(profile []byte) []byte {
	return segment(0xE2, append([]byte("ICC_PROFILE\x00\x01\x01"), profile...))
}

// adobeSegment tells how colours are stored: 0 as they are, 1 as YCbCr, 2 as YCCK.
func adobeSegment(transform byte) []byte {
	return segment(0xEE, append([]byte("Adobe"), 0, 100, 0, 0, 0, 0, transform))
}

// sampledJPEG has colours at a part of the resolution of the brightness.
func sampledJPEG(h, v int) []byte {
	plane := func(k, h, v int) jpegPlane {
		return jpegPlane{h, v, func(x, y int) byte {
			c := picture().RGBAAt(x, y)
			yy, cb, cr := color.RGBToYCbCr(c.R, c.G, c.B)
			return [3]byte{yy, cb, cr}[k]
		}}
	}
	return jpegFile(whole(), []jpegPlane{plane(0, h, v), plane(1, 1, 1), plane(2, 1, 1)}, jfifSegment(300))
}

func rgbJPEG() []byte {
	var planes []jpegPlane
	for k := range 3 {
		planes = append(planes, jpegPlane{1, 1, func(x, y int) byte { return picture().Pix[picture().PixOffset(x, y)+k] }})
	}
	return jpegFile(whole(), planes, adobeSegment(0))
}

// ycckJPEG has inks as image editors write them: all four inverted, and the first three as YCbCr.
func ycckJPEG(w *workshop) []byte {
	inks := w.run("vips", "rawsave", w.inks(), "OUT.raw")
	plane := func(k, h, v int) jpegPlane {
		return jpegPlane{h, v, func(x, y int) byte {
			at := inks[4*(y*Width+x):]
			if k == 3 {
				return 255 - at[3]
			}
			// Inverted cyan, magenta and yellow take the place of 255 minus red, green and blue.
			yy, cb, cr := color.RGBToYCbCr(at[0], at[1], at[2])
			return [3]byte{yy, cb, cr}[k]
		}}
	}
	return jpegFile(whole(), []jpegPlane{plane(0, 2, 2), plane(1, 1, 1), plane(2, 1, 1), plane(3, 2, 2)}, adobeSegment(2))
}

// widePicture is the picture in the samples of the wide profile, 16 bits each.
var widePicture = sync.OnceValue(func() []uint16 {
	out := make([]uint16, 0, 3*Width*Height)
	for i := 0; i < len(picture().Pix); i += 4 {
		p := picture().Pix[i:]
		for _, v := range toWide(p[0], p[1], p[2]) {
			out = append(out, uint16(v*65535+0.5))
		}
	}
	return out
})

// wideRow is a row of it in 8 bits, wideDeepRow in 16.
func wideRow(y int) []byte {
	var row []byte
	for _, v := range widePicture()[3*Width*y : 3*Width*(y+1)] {
		row = append(row, byte((int(v)+128)/257))
	}
	return row
}

func wideDeepRow(y int) []byte {
	var row []byte
	for _, v := range widePicture()[3*Width*y : 3*Width*(y+1)] {
		row = binary.BigEndian.AppendUint16(row, v)
	}
	return row
}

func profiledGrayRow(y int) []byte {
	return packed(8, func(x int) int { return int(toGray(luma(x, y))*255 + 0.5) })
}
