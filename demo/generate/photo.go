package main

import (
	"image"
	"math"
	"runtime"
	"sync"
)

// tone is a colour with channels from 0 to 1.
type tone struct{ r, g, b float64 }

func (a tone) mix(b tone, t float64) tone {
	return tone{mix(a.r, b.r, t), mix(a.g, b.g, t), mix(a.b, b.b, t)}
}

func (a tone) times(f float64) tone { return tone{a.r * f, a.g * f, a.b * f} }

// photo makes a landscape at dusk: sky, ridges, a lake that mirrors them.
func photo(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	rows := make(chan int)
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for y := range rows {
				for x := range width {
					u, v := float64(x)/float64(height), float64(y)/float64(height)
					c := lakeside(u, v)
					grain := (hash(x, y, 99) - 0.5) * 0.035
					put(m, x, y, tone{c.r + grain, c.g + grain, c.b + grain})
				}
			}
		})
	}
	for y := range height {
		rows <- y
	}
	close(rows)
	group.Wait()
	return m
}

func put(m *image.RGBA, x, y int, c tone) {
	i := m.PixOffset(x, y)
	for k, v := range [3]float64{c.r, c.g, c.b} {
		m.Pix[i+k] = uint8(255*clamp(v, 0, 1) + 0.5)
	}
	m.Pix[i+3] = 255
}

const shore = 0.62

// lakeside is the colour at a place; v runs from 0 at the top to 1, u in the same unit.
func lakeside(u, v float64) tone {
	if v < shore {
		return land(u, v)
	}
	depth := v - shore
	ripple := (fractal(u*14, v*160, 3, 70) - 0.5) * (0.004 + 0.05*depth)
	mirrored := land(u+ripple, shore-depth*1.35+ripple*2)
	water := mirrored.mix(tone{0.05, 0.10, 0.17}, 0.25+0.45*depth)
	glint := step(0.62, 0.80, fractal(u*9, v*220, 2, 80)) * 0.10
	return tone{water.r + glint, water.g + glint*0.8, water.b + glint*0.6}.times(1 - 0.25*step(0.85, 1, v))
}

// land is the sky with the ridges before it, the nearest last.
func land(u, v float64) tone {
	c := sky(u, v)
	haze := tone{0.86, 0.62, 0.50}
	for i, ridge := range []struct {
		base, height, grain float64
		colour              tone
	}{
		{0.47, 0.20, 1.3, tone{0.46, 0.42, 0.53}},
		{0.53, 0.17, 2.1, tone{0.31, 0.31, 0.42}},
		{0.58, 0.12, 3.4, tone{0.18, 0.22, 0.29}},
		{0.625, 0.07, 7.0, tone{0.07, 0.11, 0.13}},
	} {
		top := ridge.base - ridge.height*math.Pow(fractal(u*ridge.grain+float64(i)*7.7, float64(i), 6, 20+i), 1.4)
		if i == 3 {
			top -= 0.035 * math.Pow(math.Abs(math.Sin(u*140+3*noise(u*60, 0, 5))), 3) * noise(u*40, 1, 6)
		}
		cover := step(-0.0008, 0.0008, v-top)
		shade := fractal(u*ridge.grain*9, v*24, 4, 40+i)
		body := ridge.colour.times(0.75+0.5*shade).mix(haze, 0.55*step(0.02, 0.20, v-top)*(1-float64(i)/3.2))
		c = c.mix(body, cover)
	}
	return c
}

func sky(u, v float64) tone {
	c := tone{0.16, 0.27, 0.46}.mix(tone{0.94, 0.68, 0.47}, step(0, 0.50, v))
	distance := math.Hypot(u-0.98, (v-0.36)*1.05)
	c = c.mix(tone{1, 0.93, 0.74}, 0.85*math.Exp(-distance*distance*26))
	c = c.mix(tone{1, 0.98, 0.88}, step(0.052, 0.046, distance))
	cloud := step(0.47, 0.72, fractal(u*2.2, v*7, 6, 3)) * (1 - 0.6*step(0.3, 0.5, v))
	lit := tone{0.98, 0.76, 0.66}.mix(tone{0.42, 0.38, 0.50}, step(0.35, 0.65, fractal(u*2.2+0.04, v*7+0.35, 5, 3)))
	return c.mix(lit, 0.8*cloud)
}
