package conformance_test

import (
	"fmt"
	"image"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// info is what both versions' info.json say, in one form.
type info struct {
	raw            map[string]any
	text           string
	id             string
	width, height  int
	level          int
	formats        []string // beyond the level
	qualities      []string
	extraQualities []string // version 3's own list
	features       []string
	maxWidth       int
	maxHeight      int
	maxArea        int
	sizes          []image.Point
	tiles          []tileSet
}

type tileSet struct {
	size    image.Point
	factors []int
}

func (v api) idKey() string {
	if v.version == 2 {
		return "@id"
	}
	return "id"
}

func encodeID(name string) string { return url.PathEscape(name) }

// info reads info.json of an image in the open collection.
func (p *probe) info(id string) info {
	p.Helper()
	return p.infoAt(p.address(id, "info.json"))
}

func (p *probe) infoAt(path string) info {
	p.Helper()
	a := p.want(http.StatusOK, path)
	raw := p.document(a)
	found := info{raw: raw, text: string(a.body), width: number(raw["width"]), height: number(raw["height"])}
	found.id, _ = raw[p.api.idKey()].(string)
	limits := raw
	if p.api.version == 2 {
		profile, _ := raw["profile"].([]any)
		if len(profile) == 0 {
			p.Fatalf("%s: the profile is %v", path, raw["profile"])
		}
		found.level = levelOf(profile[0], "http://iiif.io/api/image/2/level%d.json")
		limits = map[string]any{}
		if len(profile) > 1 {
			limits, _ = profile[1].(map[string]any)
		}
		found.formats, found.qualities, found.features = words(limits["formats"]), words(limits["qualities"]), words(limits["supports"])
	} else {
		found.level = levelOf(raw["profile"], "level%d")
		found.formats, found.qualities, found.features = words(raw["extraFormats"]), words(raw["extraQualities"]), words(raw["extraFeatures"])
		found.extraQualities = found.qualities
	}
	found.maxWidth, found.maxHeight, found.maxArea = number(limits["maxWidth"]), number(limits["maxHeight"]), number(limits["maxArea"])
	for _, size := range objects(raw["sizes"]) {
		found.sizes = append(found.sizes, image.Pt(number(size["width"]), number(size["height"])))
	}
	for _, tile := range objects(raw["tiles"]) {
		set := tileSet{size: image.Pt(number(tile["width"]), number(tile["height"]))}
		if set.size.Y == 0 {
			set.size.Y = set.size.X
		}
		factors, _ := tile["scaleFactors"].([]any)
		for _, factor := range factors {
			set.factors = append(set.factors, number(factor))
		}
		found.tiles = append(found.tiles, set)
	}
	return found
}

// number is a whole number of a JSON document, or -1 where there is another value, or 0 where there is none.
func number(value any) int {
	if value == nil {
		return 0
	}
	f, ok := value.(float64)
	if !ok || f != float64(int(f)) {
		return -1
	}
	return int(f)
}

func words(value any) []string {
	list, _ := value.([]any)
	var found []string
	for _, item := range list {
		word, _ := item.(string)
		found = append(found, word)
	}
	return found
}

func objects(value any) []map[string]any {
	list, _ := value.([]any)
	var found []map[string]any
	for _, item := range list {
		object, _ := item.(map[string]any)
		found = append(found, object)
	}
	return found
}

func levelOf(value any, form string) int {
	for level := range 3 {
		if value == fmt.Sprintf(form, level) {
			return level
		}
	}
	return -1
}

// allFormats are those of the level and those beyond it.
func (i info) allFormats() []string {
	all := slices.Clone(i.formats)
	for level, format := range []string{"jpg", "", "png"} {
		if format != "" && i.level >= level && !slices.Contains(all, format) {
			all = append(all, format)
		}
	}
	return all
}

// allQualities are those of the level and those beyond it.
func (i info) allQualities(v api) []string {
	all := append([]string{"default"}, i.qualities...)
	byLevel := []string{"color", "gray"}
	if v.version == 2 {
		byLevel = append(byLevel, "bitonal")
	}
	for _, quality := range byLevel {
		if i.level == 2 {
			all = append(all, quality)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// has tells whether a feature is listed, by name or by the level (both compliance documents).
func (i info) has(feature string) bool {
	return slices.Contains(i.features, feature)
}

// promised tells whether a feature is listed or part of the level.
func (i info) promised(v api, feature string) bool {
	level, known := levels(v)[feature]
	return i.has(feature) || known && i.level >= level
}

// levels are the levels from which on a feature is required. What no level requires is not there.
func levels(v api) map[string]int {
	found := map[string]int{
		"regionByPx": 1, "regionByPct": 2, "sizeByW": 1, "sizeByH": 1, "sizeByPct": 1, "sizeByConfinedWh": 2, "sizeByWh": 2, "sizeByDistortedWh": 2,
		"rotationBy90s": 2, "baseUriRedirect": 1, "cors": 1, "jsonldMediaType": 1,
	}
	if v.version == 3 {
		delete(found, "sizeByDistortedWh")
		found["sizeByPct"] = 2
		found["regionSquare"] = 1
	}
	return found
}

// knownFeatures are all names that the version defines, but for those that it calls deprecated.
func knownFeatures(v api) []string {
	all := []string{
		"baseUriRedirect", "canonicalLinkHeader", "cors", "jsonldMediaType", "mirroring", "profileLinkHeader", "regionByPct", "regionByPx", "regionSquare",
		"rotationArbitrary", "rotationBy90s", "sizeByConfinedWh", "sizeByH", "sizeByPct", "sizeByW", "sizeByWh",
	}
	if v.version == 2 {
		return append(all, "sizeAboveFull", "sizeByDistortedWh")
	}
	return append(all, "sizeUpscaling")
}

// works tries a feature on an image of 600 by 400 pixels, or of the size that info tells.
func (p *probe) works(base, feature string, i info) bool {
	p.Helper()
	w, h := i.width, i.height
	whole := p.api.whole
	picture := func(params string, width, height int) bool {
		a := p.get(base + "/" + params)
		if a.status != http.StatusOK {
			return false
		}
		m, err := decode(p.T, "png", a.body)
		return err == nil && (width == 0 || m.Bounds().Size() == image.Pt(width, height))
	}
	up := ""
	if p.api.version == 3 {
		up = "^"
	}
	switch feature {
	case "baseUriRedirect":
		a := p.get(base)
		return a.status == http.StatusSeeOther && strings.HasSuffix(a.header.Get("Location"), base+"/info.json")
	case "canonicalLinkHeader":
		return p.get(base + "/full/60,/0/default.png").links()["canonical"] != ""
	case "profileLinkHeader":
		return strings.Contains(p.get(base + "/full/60,/0/default.png").links()["profile"], fmt.Sprintf("/image/%d/level", p.api.version))
	case "cors":
		return p.get(base+"/info.json").header.Get("Access-Control-Allow-Origin") == "*" && p.get(base+"/full/60,/0/default.png").header.Get("Access-Control-Allow-Origin") == "*"
	case "jsonldMediaType":
		return strings.HasPrefix(p.get(base+"/info.json", "Accept", "application/ld+json").header.Get("Content-Type"), "application/ld+json")
	case "mirroring":
		return picture("full/60,/!0/default.png", 60, 40)
	case "regionByPct":
		return picture("pct:50,50,10,10/"+whole+"/0/default.png", w/10, h/10)
	case "regionByPx":
		return picture("20,30,40,50/"+whole+"/0/default.png", 40, 50)
	case "regionSquare":
		return picture("square/60,/0/default.png", 60, 60)
	case "rotationArbitrary":
		return picture("full/60,/22.5/default.png", 0, 0)
	case "rotationBy90s":
		return picture("full/60,/90/default.png", 40, 60) && picture("full/60,/180/default.png", 60, 40) && picture("full/60,/270/default.png", 40, 60)
	case "sizeByConfinedWh":
		return picture("full/!60,60/0/default.png", 60, 40)
	case "sizeByH":
		return picture("full/,40/0/default.png", 60, 40)
	case "sizeByPct":
		return picture("full/pct:10/0/default.png", w/10, h/10)
	case "sizeByW":
		return picture("full/60,/0/default.png", 60, 40)
	case "sizeByWh":
		return picture("full/60,40/0/default.png", 60, 40)
	case "sizeByDistortedWh":
		return picture("full/60,60/0/default.png", 60, 60)
	case "sizeAboveFull", "sizeUpscaling":
		return picture("0,0,30,20/"+up+"60,/0/default.png", 60, 40) && picture("0,0,30,20/"+up+"pct:110/0/default.png", 33, 22)
	}
	p.Errorf("nobody knows how to try %s", feature)
	return false
}
