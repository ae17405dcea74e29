package conformance_test

import (
	"image"
	"net/http"
	"slices"
)

func qualityChecks(v api) []check {
	w := v.whole
	whole := image.Rect(0, 0, 600, 400)
	checks := []check{
		v.check("4.4", 1, must, "color has all of the colours.", func(p *probe) {
			p.matches(cardID, "full/"+w+"/0/color.png", exact(whole))
		}),
		v.check("4.4", 2, must, "gray has black, white and what lies between.", func(p *probe) {
			p.matches(cardID, "full/"+w+"/0/gray.png", exact(whole).inGray())
		}),
		v.check("4.4", 3, must, "bitonal has black and white and nothing else.", func(p *probe) {
			p.bitonal("full/"+w+"/0/bitonal.png", smoothOf(cardID))
		}),
		v.check("4.4", 4, must, "default is a picture in a quality of the server's choice: here in colour.", func(p *probe) {
			p.matches(cardID, "full/"+w+"/0/default.png", exact(whole))
		}),
		v.check("4.4", 5, should, "A quality that is not known is 400.", func(p *probe) {
			p.refused(http.StatusBadRequest, "full/60,/0/native.jpg", "full/60,/0/Default.jpg", "full/60,/0/colour.jpg", "full/60,/0/.jpg", "full/60,/0/sepia.jpg", "full/60,/0/default%20.jpg")
		}),
		v.check("4.4", 6, must, "A gray image has the quality color too.", func(p *probe) {
			for _, quality := range []string{"color", "gray", "default", "bitonal"} {
				p.sizedOf(grayID, "full/"+w+"/0/"+quality+".png", 200, 150)
			}
		}),
	}
	if v.version == 2 {
		return append(checks, v.check("4.4", 7, ours, "grey is read as gray.", func(p *probe) {
			gray, grey := p.want(http.StatusOK, p.address(cardID, "full/60,/0/gray.png")), p.want(http.StatusOK, p.address(cardID, "full/60,/0/grey.png"))
			if string(gray.body) != string(grey.body) {
				p.Error("they differ")
			}
		}))
	}
	listing := v.check("4.4", 9, should, "color is not listed for an image that has none.", func(p *probe) {
		if qualities := p.info(grayID).extraQualities; slices.Contains(qualities, "color") || !slices.Contains(qualities, "gray") {
			p.Errorf("extraQualities is %q", qualities)
		}
	})
	tier := v.check("4.4", 10, must, "color is answered with a picture, be it gray, in a tier in gray too.", func(p *probe) {
		p.want(http.StatusForbidden, p.in(grayTierPrefix, exampleID, "full/60,/0/color.png"))
		m := p.measured(p.in(grayTierPrefix, exampleID, "full/60,/0/default.png"), 60, 40)
		if c := m.NRGBAAt(30, 20); c.R != c.G || c.G != c.B {
			p.Errorf("default shows %v", c)
		}
	})
	tier.differs = "what is above a tier is refused, so that nobody takes a gray picture for all there is; info.json does not list it"
	return append(checks,
		v.check("4.4", 7, should, "grey, a word of version 2, is 400.", func(p *probe) { p.refused(http.StatusBadRequest, "full/60,/0/grey.jpg") }),
		v.check("4.4", 8, must, "Each quality beyond default is listed in extraQualities.", func(p *probe) {
			info := p.info(cardID)
			for _, quality := range []string{"color", "gray", "bitonal"} {
				status := p.get(p.address(cardID, "full/60,/0/"+quality+".jpg")).status
				if listed := slices.Contains(info.extraQualities, quality); listed != (status == http.StatusOK) {
					p.Errorf("%s is listed: %v, and answered %d", quality, listed, status)
				}
			}
		}),
		listing, tier,
	)
}

// bitonal checks that a picture of the card is black where the luma is below the middle and white above it. Luma within
// two levels of the middle may be either.
func (p *probe) bitonal(params string, f smooth) {
	p.Helper()
	m := p.sized(params, f.width, f.height)
	var black, white int
	for y := range f.height {
		for x := range f.width {
			c := m.NRGBAAt(x, y)
			l := luma(f.at(float64(x)+0.5, float64(y)+0.5))
			switch {
			case c.R != c.G || c.G != c.B || c.A != 255 || c.R != 0 && c.R != 255:
				p.Fatalf("%s: %d,%d is %v", params, x, y, c)
			case l < 126 && c.R != 0 || l > 130 && c.R != 255:
				p.Fatalf("%s: %d,%d has the luma %.1f and is %v", params, x, y, l, c)
			case c.R == 0:
				black++
			default:
				white++
			}
		}
	}
	if black < 1000 || white < 1000 {
		p.Errorf("%s: %d black and %d white pixels", params, black, white)
	}
}
