package originals

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
)

// Look names what of the picture's colours a form can keep.
type Look string

// The looks. All but Printed follow from the picture by arithmetic that stands in this package alone.
const (
	// Coloured is the picture.
	Coloured Look = "coloured"
	// Gray is its luma of ITU-R BT.601 in 256 steps; Gray4 and Gray2 in 16 and 4.
	Gray  Look = "gray"
	Gray4 Look = "gray of 4 bits"
	Gray2 Look = "gray of 2 bits"
	// Bitonal is white where the luma is at least 128, else black.
	Bitonal Look = "bitonal"
	// Palette256, Palette16 and Palette4 are the picture in few colours.
	Palette256 Look = "256 colours"
	Palette16  Look = "16 colours"
	Palette4   Look = "4 colours"
	// Sheer has an alpha that falls from left to right, with a hole; SheerGray the same in gray. Holed has the hole
	// alone, in few colours.
	Sheer     Look = "sheer"
	SheerGray Look = "sheer gray"
	Holed     Look = "holed"
	// Lab is the picture in CIE L*a*b* of 8 bits, which is coarse where colours are strong.
	Lab Look = "lab"
	// Printed is the picture in inks and back, as an office's colour management would show it on a screen: by LittleCMS,
	// with the profile that libvips has for CMYK.
	Printed Look = "printed"
)

// look gives what a look shows.
func (w *workshop) look(l Look) *image.NRGBA {
	return w.part("look "+string(l), func(p *part) { p.shown = w.newLook(l) }).shown
}

func (w *workshop) newLook(l Look) *image.NRGBA {
	switch l {
	case Coloured:
		return each(func(x, y int) color.NRGBA { return opaque(picture().RGBAAt(x, y)) })
	case Gray:
		return levels(256)
	case Gray4:
		return levels(16)
	case Gray2:
		return levels(4)
	case Bitonal:
		return levels(2)
	case Palette256, Palette16, Palette4:
		return copyOf(paletted(l))
	case Sheer, SheerGray:
		return each(func(x, y int) color.NRGBA {
			c := opaque(picture().RGBAAt(x, y))
			if l == SheerGray {
				c.R, c.G, c.B = luma(x, y), luma(x, y), luma(x, y)
			}
			c.A = alphaAt(x, y)
			return c
		})
	case Holed:
		return copyOf(holed())
	case Lab:
		return each(func(x, y int) color.NRGBA {
			r, g, b := fromLab(labAt(x, y))
			return color.NRGBA{R: r, G: g, B: b, A: 255}
		})
	case Printed:
		return w.read(w.vips("icc_transform", w.inks(), ".png", "srgb --input-profile cmyk --black-point-compensation --intent relative"))
	}
	panic("originals: no look " + string(l))
}

func each(at func(x, y int) color.NRGBA) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, Width, Height))
	for y := range Height {
		for x := range Width {
			out.SetNRGBA(x, y, at(x, y))
		}
	}
	return out
}

func opaque(c color.RGBA) color.NRGBA { return color.NRGBA{R: c.R, G: c.G, B: c.B, A: 255} }

func copyOf(m image.Image) *image.NRGBA {
	out := image.NewNRGBA(m.Bounds())
	draw.Draw(out, out.Rect, m, m.Bounds().Min, draw.Src)
	return out
}

// luma is the picture's at a pixel, in 256 steps.
func luma(x, y int) uint8 {
	c := picture().RGBAAt(x, y)
	return uint8(math.Round(0.299*float64(c.R) + 0.587*float64(c.G) + 0.114*float64(c.B)))
}

// step is the luma at a pixel in n steps, from 0 to n-1.
func step(x, y, n int) int {
	return int(luma(x, y)) * n / 256
}

func levels(n int) *image.NRGBA {
	return each(func(x, y int) color.NRGBA {
		v := uint8(step(x, y, n) * 255 / (n - 1))
		return color.NRGBA{R: v, G: v, B: v, A: 255}
	})
}

// alphaAt is what sheer forms have at a pixel.
func alphaAt(x, y int) uint8 {
	if x > 700 && x < 900 && y > 300 && y < 400 {
		return 0
	}
	return uint8(255 - 215*x/Width)
}

// stepsOf tells how many reds, greens and blues an even palette mixes.
func stepsOf(l Look) [3]int {
	if l == Palette16 {
		return [3]int{2, 4, 2}
	}
	return [3]int{6, 7, 6}
}

// paletteOf gives the colours of a look; the first is black and the last white.
func paletteOf(l Look) color.Palette {
	if l == Palette4 {
		return color.Palette{color.RGBA{A: 255}, color.RGBA{R: 200, G: 60, B: 40, A: 255}, color.RGBA{R: 60, G: 130, B: 200, A: 255}, color.White}
	}
	n := stepsOf(l)
	at := func(i, n int) uint8 { return uint8(255 * i / (n - 1)) }
	var colours color.Palette
	for r := range n[0] {
		for g := range n[1] {
			for b := range n[2] {
				colours = append(colours, color.RGBA{R: at(r, n[0]), G: at(g, n[1]), B: at(b, n[2]), A: 255})
			}
		}
	}
	return colours
}

// paletted is the picture in the colours of a look.
func paletted(l Look) *image.Paletted {
	out := image.NewPaletted(picture().Rect, paletteOf(l))
	n := stepsOf(l)
	near := func(v uint8, n int) int { return (int(v)*(n-1) + 127) / 255 }
	for i := range out.Pix {
		p := picture().Pix[4*i : 4*i+3]
		if l == Palette4 {
			out.Pix[i] = byte(step(i%Width, i/Width, 4))
			continue
		}
		out.Pix[i] = byte((near(p[0], n[0])*n[1]+near(p[1], n[1]))*n[2] + near(p[2], n[2]))
	}
	return out
}

// holed is the picture in few colours, the last of which is transparent where the hole is.
func holed() *image.Paletted {
	out := paletted(Palette256)
	out.Palette = append(out.Palette, color.RGBA{})
	for y := range Height {
		for x := range Width {
			if alphaAt(x, y) == 0 {
				out.SetColorIndex(x, y, uint8(len(out.Palette)-1))
			}
		}
	}
	return out
}

// read decodes a PNG.
func (w *workshop) read(data []byte) *image.NRGBA {
	m, err := png.Decode(bytes.NewReader(data))
	w.check(err)
	return copyOf(m)
}
