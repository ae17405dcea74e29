package iiif

import (
	"slices"
	"strconv"
)

// level is the highest compliance level that is fully supported (Image API 2.1 and 3.0, compliance documents).
func (r Rules) level(c Capabilities) int {
	has := func(formats, qualities []string) bool {
		return !slices.ContainsFunc(formats, func(f string) bool { return !slices.Contains(c.Formats, f) }) &&
			!slices.ContainsFunc(qualities, func(q string) bool { return !slices.Contains(c.Qualities, q) })
	}
	second := []string{"default", "color", "gray"}
	if r.Version == 2 {
		second = append(second, "bitonal")
	}
	switch {
	// Level 2 of version 2 wants w,h to distort, which LegacyFit forbids.
	case has([]string{"jpg", "png"}, second) && (r.Version != 2 || !r.LegacyFit):
		return 2
	case has([]string{"jpg"}, []string{"default"}):
		return 1
	default:
		return 0
	}
}

// profileURI is the compliance document of a level.
func (r Rules) profileURI(level int) string {
	return "http://iiif.io/api/image/" + strconv.Itoa(r.Version) + "/level" + strconv.Itoa(level) + ".json"
}

// feature is a name out of the specification's list, with the lowest level that includes it; 3 is none.
type feature struct {
	name  string
	level int
}

// features are all that the version knows and we do.
func (r Rules) features(c Capabilities) []feature {
	const most = 18
	list := append(make([]feature, 0, most), []feature{
		{"baseUriRedirect", 1},
		{"canonicalLinkHeader", 3},
		{"cors", 1},
		{"jsonldMediaType", 1},
		{"mirroring", 3},
		{"profileLinkHeader", 3},
		{"regionByPct", 2},
		{"regionByPx", 1},
	}...)
	square := 1
	if r.Version == 2 {
		square = 3
	}
	list = append(list, feature{"regionSquare", square})
	if c.AnyRotation {
		list = append(list, feature{"rotationArbitrary", 3})
	}
	list = append(list, feature{"rotationBy90s", 2})
	if r.Version == 2 {
		return r.sizeFeatures2(list)
	}
	list = append(list,
		feature{"sizeByConfinedWh", 2}, feature{"sizeByH", 1}, feature{"sizeByPct", 2}, feature{"sizeByW", 1}, feature{"sizeByWh", 2})
	if !r.NoUpscale {
		list = append(list, feature{"sizeUpscaling", 3})
	}
	return list
}

func (r Rules) sizeFeatures2(list []feature) []feature {
	if !r.NoUpscale {
		list = append(list, feature{"sizeAboveFull", 3})
	}
	list = append(list, feature{"sizeByConfinedWh", 2})
	if !r.LegacyFit {
		list = append(list, feature{"sizeByDistortedWh", 2})
	}
	return append(list, feature{"sizeByH", 1}, feature{"sizeByPct", 1}, feature{"sizeByW", 1}, feature{"sizeByWh", 2})
}

// extraFeatures are those beyond a level, in alphabetical order.
func (r Rules) extraFeatures(c Capabilities, level int) []string {
	list := r.features(c)
	extra := make([]string, 0, len(list))
	for _, f := range list {
		if f.level > level {
			extra = append(extra, f.name)
		}
	}
	return extra
}

// beyond is list without the named ones.
func beyond(list []string, named ...string) []string {
	extra := make([]string, 0, len(list))
	for _, item := range list {
		if !slices.Contains(named, item) {
			extra = append(extra, item)
		}
	}
	return extra
}
