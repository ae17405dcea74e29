package conformance_test

import (
	"maps"
	"net/http"
	"slices"
)

func formatChecks(v api) []check {
	var checks []check
	for i, format := range []string{"jpg", "tif", "png", "gif", "jp2", "pdf", "webp", "avif", "jxl"} {
		strength, text := may, format+" is "+mediaTypes()[format]+" where info.json lists it, and else 400."
		switch {
		case format == "jpg":
			strength, text = must, "jpg is image/jpeg."
		case format == "png":
			strength, text = must, "png is image/png."
		case i > 6:
			strength, text = ours, "Beyond the specification's formats, "+text
		}
		checks = append(checks, v.check("4.5", i+1, strength, text, func(p *probe) {
			if !slices.Contains(p.info(cardID).allFormats(), format) && strength != must {
				p.refused(http.StatusBadRequest, "full/60,/0/default."+format)
				return
			}
			p.sized("full/60,/0/default."+format, 60, 40)
			p.sized("full/60,/90/gray."+format, 40, 60)
		}))
	}
	return append(checks, v.check("4.5", 10, should, "A format that is not known is 400.", func(p *probe) {
		for _, format := range []string{"bmp", "JPG", "jpeg", "tiff", "svg", "", "jpg.", "jpg%20", "xyz", "json"} {
			p.refused(http.StatusBadRequest, "full/60,/0/default."+format)
		}
		p.refused(http.StatusBadRequest, "full/60,/0/default", "full/60,/0/jpg")
	}), v.check("4.5", 11, ours, "Every format has every quality, mirrored and turned.", func(p *probe) {
		for _, format := range slices.Sorted(maps.Keys(mediaTypes())) {
			if !slices.Contains(p.info(cardID).allFormats(), format) {
				continue
			}
			for _, quality := range []string{"default", "color", "gray", "bitonal"} {
				p.sized("full/60,/!90/"+quality+"."+format, 40, 60)
			}
			p.picture(clearID, "full/60,/45/default."+format)
		}
	}))
}
