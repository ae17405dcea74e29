package conformance_test

import (
	"image"
	"net/http"
)

func orderChecks(v api) []check {
	return []check{
		v.check("4.6", 1, must, "Region, size, mirror, rotation, quality and format are applied in this order: the specification's example.", func(p *probe) {
			e := resampled(image.Rect(125, 15, 245, 155), 90, 105)
			e.mirror = true
			p.matches(exampleID, "125,15,120,140/90,/!345/gray.png", e.turned(345, "clear").inGray())
			p.matches(exampleID, "125,15,120,140/90,/!345/gray.jpg", e.turned(345, "white").inGray().lossy())
		}),
		v.check("4.6", 2, must, "The size is the region's before it is turned.", func(p *probe) {
			p.sized("0,0,300,100/150,/90/default.png", 50, 150)
			p.sized("0,0,300,100/,50/270/default.png", 50, 150)
			p.sized("0,0,300,100/!60,60/90/default.png", 20, 60)
		}),
		v.check("4.6", 3, must, "Mirroring comes before turning.", func(p *probe) {
			p.matches(exampleID, "full/"+p.api.whole+"/!90/default.png", exact(image.Rect(0, 0, 300, 200)).right(90, true))
		}),
	}
}

// numberChecks are those on numbers with a fraction: §4 in version 2.1.1, §4.7 in 3.0.
func numberChecks(v api) []check {
	section, first := "4.7", 1
	if v.version == 2 {
		section, first = "4", 5
	}
	return []check{
		v.check(section, first, must, "Numbers are digits with at most one dot.", func(p *probe) {
			for _, n := range []string{"+50", "-50", "5e1", "50,5", "50.5.5", "%2050", "0x32", "Inf", "50.", "\u0665\u0660"} {
				p.refused(http.StatusBadRequest, "pct:0,0,"+n+",50/100,/0/default.jpg", "full/pct:"+n+"/0/default.jpg", "full/100,/"+n+"/default.jpg")
			}
		}),
		v.check(section, first+1, should, "A zero stands before the dot; we also read numbers without it.", func(p *probe) {
			p.sized("full/pct:0.5/0/default.png", 3, 2)
			p.sized("full/pct:.5/0/default.png", 3, 2)
			p.picture(cardID, "full/60,/0.9/default.png")
			p.picture(cardID, "full/60,/.9/default.png")
		}),
		v.check(section, first+2, should, "Zeros at the end mean nothing.", func(p *probe) {
			p.sized("full/pct:50.00/0/default.png", 300, 200)
			if short, long := p.canonical(cardID, "full/60,/22.5/default.png"), p.canonical(cardID, "full/60,/22.500/default.png"); short != long {
				p.Errorf("the canonical forms are %q and %q", short, long)
			}
		}),
		v.check(section, first+3, should, "Whole numbers may stand for percentages and degrees.", func(p *probe) {
			p.sized("pct:25,25,50,50/pct:50/180/default.png", 150, 100)
		}),
	}
}
