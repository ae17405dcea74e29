package conformance_test

import (
	"net/http"
	"strings"
)

// complianceChecks go through the tables of the compliance documents, row by row. Level 2 is announced, so what level 2
// requires is a MUST; the rest is optional and announced as features.
func complianceChecks(v api) []check {
	var checks []check
	row := func(section string, n int, required bool, text string, run func(*probe)) {
		strength := may
		if required {
			strength = must
		}
		checks = append(checks, v.check("C"+section, n, strength, text, run))
	}
	feature := func(name string) func(*probe) {
		return func(p *probe) {
			info := p.info(cardID)
			if !info.promised(p.api, name) || !p.works(strings.TrimSuffix(p.address(cardID, ""), "/"), name, info) {
				p.Errorf("%s is promised: %v", name, info.promised(p.api, name))
			}
		}
	}
	sized := func(params string, width, height int) func(*probe) {
		return func(p *probe) { p.sized(params, width, height) }
	}
	w := v.whole
	third := v.version == 3
	row("3.1", 1, true, "Region full.", sized("full/60,/0/default.jpg", 60, 40))
	row("3.1", 2, true, "Region x,y,w,h: regionByPx.", feature("regionByPx"))
	row("3.1", 3, true, "Region pct:x,y,w,h: regionByPct.", feature("regionByPct"))
	row("3.1", 4, third, "Region square: regionSquare.", feature("regionSquare"))
	row("3.2", 1, true, "Size "+w+".", sized("full/"+w+"/0/default.jpg", 600, 400))
	row("3.2", 2, true, "Size w,: sizeByW.", feature("sizeByW"))
	row("3.2", 3, true, "Size ,h: sizeByH.", feature("sizeByH"))
	row("3.2", 4, true, "Size pct:n: sizeByPct.", feature("sizeByPct"))
	row("3.2", 5, true, "Size !w,h: sizeByConfinedWh.", feature("sizeByConfinedWh"))
	row("3.2", 6, true, "Size w,h: sizeByWh.", feature("sizeByWh"))
	if third {
		row("3.2", 7, false, "Sizes with ^: sizeUpscaling.", feature("sizeUpscaling"))
	} else {
		row("3.2", 7, true, "Size w,h, distorted: sizeByDistortedWh.", feature("sizeByDistortedWh"))
		row("3.2", 8, false, "Sizes above the region's: sizeAboveFull.", feature("sizeAboveFull"))
		row("3.2", 9, false, "Size max.", sized("full/max/0/default.jpg", 600, 400))
	}
	row("3.2", 10, true, "Listed sizes and tiles are served, up to the limits that are stated.", func(p *probe) {
		p.allTiles(p.in(limitedPrefix, exampleID, ""), "png")
		info := p.infoAt(p.in(limitedPrefix, exampleID, "info.json"))
		for _, size := range info.sizes {
			p.measured(p.in(limitedPrefix, exampleID, "full/"+join(size.X, size.Y)+"/0/default.png"), size.X, size.Y)
		}
	})
	row("3.3", 1, true, "Rotation 0.", sized("full/60,/0/default.jpg", 60, 40))
	row("3.3", 2, true, "Rotation 90, 180, 270: rotationBy90s.", feature("rotationBy90s"))
	row("3.3", 3, false, "Any rotation: rotationArbitrary.", feature("rotationArbitrary"))
	row("3.3", 4, false, "Mirroring: mirroring.", feature("mirroring"))
	for i, quality := range []string{"default", "color", "gray", "bitonal"} {
		row("3.4", i+1, quality != "bitonal" || !third, "Quality "+quality+".", sized("full/60,/0/"+quality+".jpg", 60, 40))
	}
	row("3.5", 1, true, "Format jpg.", sized("full/60,/0/default.jpg", 60, 40))
	row("3.5", 2, true, "Format png.", sized("full/60,/0/default.png", 60, 40))
	for i, format := range []string{"tif", "gif", "pdf", "jp2", "webp"} {
		row("3.5", i+3, false, "Format "+format+", as far as it is listed.", func(p *probe) {
			for _, listed := range p.info(cardID).allFormats() {
				if listed == format {
					p.sized("full/60,/0/default."+format, 60, 40)
					return
				}
			}
			p.refused(http.StatusBadRequest, "full/60,/0/default."+format)
		})
	}
	row("4", 1, true, "The base URI redirects: baseUriRedirect.", feature("baseUriRedirect"))
	row("4", 2, true, "CORS: cors.", feature("cors"))
	row("4", 3, true, "JSON-LD's media type: jsonldMediaType.", feature("jsonldMediaType"))
	row("4", 4, false, "The Link header of the profile: profileLinkHeader.", feature("profileLinkHeader"))
	row("4", 5, false, "The Link header of the canonical address: canonicalLinkHeader.", feature("canonicalLinkHeader"))
	return checks
}
