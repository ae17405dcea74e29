package originals

import (
	"math"
	"sync"
)

// whiteD65 is the white of sRGB in XYZ.
var whiteD65 = [3]float64{0.95047, 1, 1.08883}

// toLab gives CIE L*a*b* under the white of sRGB (IEC 61966-2-1, CIE 15).
func toLab(r, g, b uint8) (lightness, a, bb float64) {
	x, y, z := xyz(linear(r), linear(g), linear(b))
	f := func(t float64) float64 {
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	fx, fy, fz := f(x/whiteD65[0]), f(y/whiteD65[1]), f(z/whiteD65[2])
	return 116*fy - 16, 500 * (fx - fy), 200 * (fy - fz)
}

func xyz(r, g, b float64) (x, y, z float64) {
	return 0.4124564*r + 0.3575761*g + 0.1804375*b, 0.2126729*r + 0.7151522*g + 0.0721750*b, 0.0193339*r + 0.1191920*g + 0.9503041*b
}

// linear undoes the curve of sRGB.
func linear(v uint8) float64 { return linears()[v] }

var linears = sync.OnceValue(func() *[256]float64 {
	var all [256]float64
	for v := range all {
		c := float64(v) / 255
		if all[v] = c / 12.92; c > 0.04045 {
			all[v] = math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return &all
})

// fromLab is the way back; colours that sRGB has not are clipped.
func fromLab(lightness, a, b float64) (uint8, uint8, uint8) {
	f := func(t float64) float64 {
		if c := t * t * t; c > 216.0/24389 {
			return c
		}
		return (116*t - 16) * 27 / 24389
	}
	fy := (lightness + 16) / 116
	x, y, z := f(fy+a/500)*whiteD65[0], f(fy)*whiteD65[1], f(fy-b/200)*whiteD65[2]
	return curved(3.2404542*x - 1.5371385*y - 0.4985314*z), curved(-0.9692660*x + 1.8760108*y + 0.0415560*z),
		curved(0.0556434*x - 0.2040259*y + 1.0572252*z)
}

// curved applies the curve of sRGB.
func curved(c float64) uint8 {
	if c <= 0.0031308 {
		c *= 12.92
	} else {
		c = 1.055*math.Pow(c, 1/2.4) - 0.055
	}
	return uint8(math.Round(255 * min(max(c, 0), 1)))
}
