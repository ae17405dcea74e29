package main

import "math"

// hash gives a number in [0, 1) for a place on a grid, always the same one.
func hash(x, y, seed int) float64 {
	h := uint64(x)*0x9E3779B97F4A7C15 ^ uint64(y)*0xC2B2AE3D27D4EB4F ^ uint64(seed)*0x165667B19E3779F9
	h ^= h >> 29
	h *= 0xBF58476D1CE4E5B9
	h ^= h >> 32
	h *= 0x94D049BB133111EB
	h ^= h >> 29
	return float64(h>>11) / (1 << 53)
}

// noise is smooth between the places of the grid.
func noise(x, y float64, seed int) float64 {
	ix, iy := int(math.Floor(x)), int(math.Floor(y))
	fx, fy := ease(x-float64(ix)), ease(y-float64(iy))
	top := mix(hash(ix, iy, seed), hash(ix+1, iy, seed), fx)
	bottom := mix(hash(ix, iy+1, seed), hash(ix+1, iy+1, seed), fx)
	return mix(top, bottom, fy)
}

// fractal adds noise of ever finer grain; it stays in [0, 1).
func fractal(x, y float64, octaves, seed int) float64 {
	sum, weight, total := 0.0, 0.5, 0.0
	for i := range octaves {
		sum += weight * noise(x, y, seed+i)
		total += weight
		x, y, weight = 2.03*x+17, 2.03*y+31, weight/2
	}
	return sum / total
}

func ease(t float64) float64      { return t * t * (3 - 2*t) }
func mix(a, b, t float64) float64 { return a + (b-a)*t }
func clamp(v, low, high float64) float64 {
	return math.Max(low, math.Min(high, v))
}

// step rises smoothly from 0 at low to 1 at high.
func step(low, high, v float64) float64 { return ease(clamp((v-low)/(high-low), 0, 1)) }
