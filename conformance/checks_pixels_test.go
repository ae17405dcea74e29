package conformance_test

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"net/http"
	"slices"
)

// pixelChecks compare pictures with what the formula of the image gives, in both versions.
func pixelChecks() []check {
	both := func(n int, section, text string, run func(*probe)) check {
		return check{number: fmt.Sprintf("P-%02d", n), strength: must, section: section, text: text, run: func(p *probe) {
			for _, v := range versions() {
				p.api = v
				run(p)
			}
		}}
	}
	whole := image.Rect(0, 0, 600, 400)
	regions := map[string]image.Rectangle{
		"full": whole, "square": image.Rect(100, 0, 500, 400), "13,29,251,167": image.Rect(13, 29, 264, 196), "pct:50,25,50,75": image.Rect(300, 100, 600, 400),
		"400,300,900,900": image.Rect(400, 300, 600, 400),
	}
	return []check{
		both(1, "unscaled", "Each region, turned by right angles and mirrored, in PNG: every pixel within half a level.", func(p *probe) {
			for name, region := range regions {
				for _, degrees := range []float64{0, 90, 180, 270} {
					p.matches(cardID, fmt.Sprintf("%s/%s/%v/default.png", name, p.api.whole, degrees), exact(region).right(degrees, false))
					p.matches(cardID, fmt.Sprintf("%s/%s/!%v/default.png", name, p.api.whole, degrees), exact(region).right(degrees, true))
				}
			}
		}),
		both(2, "unscaled", "The same in TIFF, without loss.", func(p *probe) {
			for name, region := range regions {
				p.matches(cardID, name+"/"+p.api.whole+"/270/color.tif", exact(region).right(270, false))
				p.matches(cardID, name+"/"+p.api.whole+"/!180/gray.tif", exact(region).right(180, true).inGray())
			}
		}),
		both(3, "unscaled", "Gray is the luma of ITU-R BT.601: within one level.", func(p *probe) {
			for name, region := range regions {
				p.matches(cardID, name+"/"+p.api.whole+"/0/gray.png", exact(region).inGray())
				p.matches(cardID, name+"/"+p.api.whole+"/!90/gray.png", exact(region).right(90, true).inGray())
			}
		}),
		both(4, "unscaled", "Bitonal is white where this luma is 128 or more, else black; within two levels of that it may be either.", func(p *probe) {
			for _, format := range []string{"png", "tif", "webp"} {
				p.bitonal("full/"+p.api.whole+"/0/bitonal."+format, smoothOf(cardID))
			}
		}),
		both(5, "unscaled", "JPEG and WebP differ by 16.5 levels at most, and 3.5 in the mean.", func(p *probe) {
			for name, region := range regions {
				p.matches(cardID, name+"/"+p.api.whole+"/0/default.jpg", exact(region).lossy())
				p.matches(cardID, name+"/"+p.api.whole+"/!270/gray.jpg", exact(region).right(270, true).inGray().lossy())
				p.matches(cardID, name+"/"+p.api.whole+"/90/default.webp", exact(region).right(90, false).lossy())
			}
		}),
		both(6, "unscaled", "GIF, with its 256 colours, has the right colours in the mean of 20 by 20 pixels, within 24 levels.", func(p *probe) {
			p.blocks("full/"+p.api.whole+"/0/default.gif", 24)
			e := exact(whole)
			e.most, e.mean, e.gray = 6, 2, true
			p.matches(cardID, "full/"+p.api.whole+"/0/gray.gif", e)
		}),
		both(7, "unscaled", "JP2, AVIF, JXL and the JPEG within a PDF, where they are listed, differ by 16 levels at most, and 2.5 in the mean.", func(p *probe) {
			for _, format := range []string{"jp2", "avif", "jxl", "pdf"} {
				if !slices.Contains(p.info(cardID).allFormats(), format) {
					p.want(http.StatusBadRequest, p.address(cardID, "full/"+p.api.whole+"/0/default."+format))
					continue
				}
				e := exact(image.Rect(13, 29, 264, 196))
				e.most, e.mean = 16, 2.5
				p.matches(cardID, "13,29,251,167/"+p.api.whole+"/90/default."+format, e.right(90, false))
			}
		}),
		both(8, "scaled down", "Each region at several sizes, in proportion and distorted: within 3 levels, 0.7 in the mean.", func(p *probe) {
			for name, region := range regions {
				for _, side := range []int{200, 150, 97, 64} {
					height := int(math.Floor(float64(side)*float64(region.Dy())/float64(region.Dx()) + 0.5))
					if side > region.Dx() || height < 40 {
						continue
					}
					p.matches(cardID, fmt.Sprintf("%s/%d,/0/default.png", name, side), resampled(region, side, height))
				}
				p.matches(cardID, name+"/120,90/0/default.png", resampled(region, 120, 90))
				p.matches(cardID, name+"/90,100/0/color.tif", resampled(region, 90, 100))
			}
		}),
		both(9, "scaled down", "The same, turned and mirrored, in colour and gray.", func(p *probe) {
			for name, region := range regions {
				p.matches(cardID, name+"/120,90/90/default.png", resampled(region, 120, 90).right(90, false))
				p.matches(cardID, name+"/120,90/!270/gray.png", resampled(region, 120, 90).right(270, true).inGray())
				p.matches(cardID, name+"/120,90/!0/gray.jpg", resampled(region, 120, 90).right(0, true).inGray().lossy())
			}
		}),
		both(10, "scaled up", "Enlarged two to five times: within 3 levels, 0.7 in the mean.", func(p *probe) {
			up := map[int]string{2: "", 3: "^"}[p.api.version]
			for _, size := range []image.Point{{X: 300, Y: 240}, {X: 500, Y: 400}, {X: 250, Y: 400}} {
				p.matches(cardID, fmt.Sprintf("40,50,100,80/%s%d,%d/0/default.png", up, size.X, size.Y), resampled(image.Rect(40, 50, 140, 130), size.X, size.Y))
			}
		}),
		both(11, "turned", "Any angle: content within 3.5 levels, 1.2 in the mean; the box rounded up; beside it transparent in PNG, white in JPEG.", func(p *probe) {
			region := image.Rect(40, 60, 340, 260)
			for _, degrees := range []float64{1, 22.5, 45, 89.9, 135, 200, 300.25} {
				e := resampled(region, 150, 100)
				p.matches(cardID, fmt.Sprintf("40,60,300,200/150,/%v/default.png", degrees), e.turned(degrees, "clear"))
				p.matches(cardID, fmt.Sprintf("40,60,300,200/150,/%v/gray.png", degrees), e.turned(degrees, "clear").inGray())
				p.matches(cardID, fmt.Sprintf("40,60,300,200/150,/%v/default.jpg", degrees), e.turned(degrees, "white").lossy())
				e.mirror = true
				p.matches(cardID, fmt.Sprintf("40,60,300,200/150,/!%v/default.png", degrees), e.turned(degrees, "clear"))
			}
		}),
		both(16, "turned", "Bitonal, at any angle, is as black and white as before.", func(p *probe) {
			for _, degrees := range []float64{10, 45, 100, 200, 359} {
				p.bitonalTurned(fmt.Sprintf("full/%s/%v/bitonal.png", p.api.whole, degrees), expectation{region: whole, size: whole.Size(), degrees: degrees})
			}
		}),
		both(12, "averages", "Reduced to a tenth, each square of a hard-edged picture keeps its colour: within 2 levels in its middle.", func(p *probe) {
			m := p.sizedOf(squaresID, "full/100,/0/default.png", 100, 100)
			for row := range 10 {
				for column := range 10 {
					// The middle is three pixels from the edges: no good filter reaches further than that.
					got, want := m.NRGBAAt(column*10+5, row*10+5), squareColour(column, row)
					if near(got, want) > 2 {
						p.Errorf("the square %d,%d is %v, want %v", column, row, got, want)
					}
				}
			}
		}),
		both(13, "averages", "Reduced to a hundredth, each pixel is the average of its area: within 60 levels, 25 in the mean, since good filters reach over the edges.", func(p *probe) {
			m := p.sizedOf(squaresID, "full/10,/0/default.png", 10, 10)
			var sum, most float64
			for row := range 10 {
				for column := range 10 {
					d := float64(near(m.NRGBAAt(column, row), squareColour(column, row)))
					sum, most = sum+d, max(most, d)
				}
			}
			if most > 60 || sum/100 > 25 {
				p.Errorf("they differ by %v at most and %v in the mean", most, sum/100)
			}
		}),
		both(14, "transparency", "Transparent parts stay so in PNG, WebP and TIFF, and are white in JPEG.", func(p *probe) {
			for _, format := range []string{"png", "webp", "tif", "jpg"} {
				m := p.sizedOf(clearID, "full/60,/0/default."+format, 60, 40)
				left, right := m.NRGBAAt(10, 20), m.NRGBAAt(50, 20)
				if near(left, color.NRGBA{R: 200, G: 30, B: 40, A: 255}) > 6 || left.A != 255 {
					p.Errorf("%s: the opaque half is %v", format, left)
				}
				if format == "jpg" && near(right, color.NRGBA{R: 255, G: 255, B: 255, A: 255}) > 6 || format != "jpg" && right.A != 0 {
					p.Errorf("%s: the other half is %v", format, right)
				}
			}
		}),
		both(15, "pages", "Page n of a document is its n-th picture.", func(p *probe) {
			for page, size := range []image.Point{{X: 240, Y: 160}, {X: 120, Y: 80}, {X: 80, Y: 53}} {
				p.sizedOf(fmt.Sprintf("%s;p=%d", pagesID, page+1), "full/"+p.api.whole+"/0/default.png", size.X, size.Y)
			}
			p.want(http.StatusBadRequest, p.address(pagesID+";p=4", "info.json"))
		}),
	}
}

// bitonalTurned looks at pixels whose luma is so far from the middle that a neighbour's is on the same side.
func (p *probe) bitonalTurned(params string, e expectation) {
	p.Helper()
	f := smoothOf(cardID)
	m := p.picture(cardID, params)
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			c := m.NRGBAAt(x, y)
			u, v, inside := e.source(m.Bounds().Size(), x, y)
			switch {
			case inside < -1 && c.A != 0:
				p.Fatalf("%s: %d,%d beside the picture is %v", params, x, y, c)
			case inside < 1:
			case c.A != 255 || c.R != c.G || c.G != c.B || c.R != 0 && c.R != 255:
				p.Fatalf("%s: %d,%d is %v", params, x, y, c)
			case luma(f.at(u, v)) < 125 && c.R != 0 || luma(f.at(u, v)) > 131 && c.R != 255:
				p.Fatalf("%s: %d,%d has the luma %.1f and is %v", params, x, y, luma(f.at(u, v)), c)
			}
		}
	}
}

// blocks compares the mean of squares of 20 by 20 pixels of the card with the formula: single pixels are dithered.
func (p *probe) blocks(params string, allowed float64) {
	p.Helper()
	f := smoothOf(cardID)
	m := p.sized(params, f.width, f.height)
	for top := 0; top < f.height; top += 20 {
		for left := 0; left < f.width; left += 20 {
			var off [3]float64
			for y := top; y < top+20; y++ {
				for x := left; x < left+20; x++ {
					got, want := m.NRGBAAt(x, y), f.at(float64(x)+0.5, float64(y)+0.5)
					off[0], off[1], off[2] = off[0]+float64(got.R)-want[0], off[1]+float64(got.G)-want[1], off[2]+float64(got.B)-want[2]
				}
			}
			for _, sum := range off {
				if math.Abs(sum/400) > allowed {
					p.Errorf("%s: the square at %d,%d is off by %.1f in the mean", params, left, top, sum/400)
					return
				}
			}
		}
	}
}

// near is the greatest difference of the three colours.
func near(a, b color.NRGBA) int {
	distance := func(a, b uint8) int { return max(int(a)-int(b), int(b)-int(a)) }
	return max(distance(a.R, b.R), distance(a.G, b.G), distance(a.B, b.B))
}
