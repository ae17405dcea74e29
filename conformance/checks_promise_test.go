package conformance_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// promiseChecks go through info.json of every kind of collection and image, in both versions.
func promiseChecks() []check {
	kinds := []struct{ name, prefix, id string }{
		{"a PNG without tiles", openPrefix, cardID},
		{"a JPEG of 2001 by 1403 pixels", openPrefix, largeID},
		{"a pyramidal TIFF with tiles of 256 pixels", openPrefix, pyramidID},
		{"a narrow image", openPrefix, tallID},
		{"a gray image", openPrefix, grayID},
		{"the second page of a TIFF", openPrefix, pagesID + ";p=2"},
		{"a small max_output", limitedPrefix, exampleID},
		{"a small max_output and a narrow image", limitedPrefix, tallID},
		{"a tier of 300 pixels", tierPrefix, cardID},
		{"a tier of 300 pixels and a pyramid", tierPrefix, pyramidID},
		{"legacy_fit", legacyPrefix, cardID},
		{"confined_upscale reject, upscaling named", strictPrefix, cardID},
		{"upscaling off", flatPrefix, exampleID},
		{"a small max_area", areaPrefix, exampleID},
		{"a small max_area and a pyramid", areaPrefix, pyramidID},
		{"a tier in gray", grayTierPrefix, exampleID},
	}
	var checks []check
	for i, kind := range kinds {
		checks = append(checks, check{
			number: fmt.Sprintf("I-%02d", 2*i+1), strength: must, section: "sizes and tiles",
			text: "Each listed size and tile is answered exactly: " + kind.name + ".",
			run: func(p *probe) {
				for _, v := range versions() {
					p.api = v
					p.listed(kind.prefix, kind.id)
				}
			},
		}, check{
			number: fmt.Sprintf("I-%02d", 2*i+2), strength: must, section: "formats, qualities, features",
			text: "Formats, qualities and features are those that work, neither more nor fewer: " + kind.name + ".",
			run: func(p *probe) {
				for _, v := range versions() {
					p.api = v
					p.honest(kind.prefix, kind.id)
				}
			},
		})
	}
	return append(checks, check{
		number: "I-41", strength: must, section: "limits", text: "What is above a tier is refused, by any address, and nothing of it is listed.",
		run: func(p *probe) {
			for _, v := range versions() {
				p.api = v
				info := p.infoAt(p.in(tierPrefix, cardID, "info.json"))
				if info.width != tierSide || info.height != 200 {
					p.Errorf("the image is %d by %d", info.width, info.height)
				}
				for _, params := range []string{"full/301,", "full/600,", "full/pct:200", "0,0,150,100/300,", "square/400,400"} {
					p.want(http.StatusBadRequest, p.in(tierPrefix, cardID, params+"/0/default.jpg"))
				}
			}
		},
	}, check{
		number: "I-42", strength: must, section: "limits", text: "maxWidth and maxHeight are exact: a picture of just that size is made, one pixel more is refused.",
		run: func(p *probe) {
			for _, v := range versions() {
				p.api = v
				p.measured(p.in(limitedPrefix, cardID, fmt.Sprintf("full/%d,%d/0/default.png", limitWidth, limitHeight)), limitWidth, limitHeight)
				p.want(http.StatusBadRequest, p.in(limitedPrefix, cardID, fmt.Sprintf("full/%d,%d/0/default.png", limitWidth+1, limitHeight)))
				p.want(http.StatusBadRequest, p.in(limitedPrefix, cardID, fmt.Sprintf("full/%d,%d/0/default.png", limitWidth, limitHeight+1)))
			}
		},
	})
}

func (p *probe) listed(prefix, id string) {
	p.Helper()
	base := p.in(prefix, id, "")
	info := p.infoAt(base + "info.json")
	if len(info.sizes) == 0 {
		p.Errorf("%s lists no size", base)
	}
	for _, size := range info.sizes {
		p.measured(base+"full/"+join(size.X, size.Y)+"/0/default.png", size.X, size.Y)
		p.measured(base+"full/"+join(size.X)+",/0/default.png", size.X, size.Y)
	}
	p.allTiles(base, "png")
}

func (p *probe) honest(prefix, id string) {
	p.Helper()
	base := p.in(prefix, id, "")
	info := p.infoAt(base + "info.json")
	for format := range mediaTypes() {
		status := p.get(base + "full/,30/0/default." + format).status
		if listed := slices.Contains(info.allFormats(), format); listed != (status == http.StatusOK) {
			p.Errorf("%s: %s is listed: %v, and answered %d", base, format, listed, status)
		}
	}
	for _, quality := range []string{"default", "color", "gray", "bitonal", "native"} {
		status := p.get(base + "full/,30/0/" + quality + ".jpg").status
		if listed := slices.Contains(info.allQualities(p.api), quality); listed != (status == http.StatusOK) {
			p.Errorf("%s: %s is listed: %v, and answered %d", base, quality, listed, status)
		}
	}
	if info.width*2 != info.height*3 {
		return // Features are tried at the sizes that an image of 3 to 2 has.
	}
	for _, feature := range knownFeatures(p.api) {
		if works := p.works(strings.TrimSuffix(base, "/"), feature, info); works != info.promised(p.api, feature) {
			p.Errorf("%s: %s works: %v, is promised: %v", base, feature, works, !works)
		}
	}
}
