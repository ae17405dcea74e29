package conformance_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

func join(numbers ...int) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(numbers), "[]"), " ", ",")
}

// profileChecks2 are those on the second entry of profile, 2.1.1 §5.3 to §5.5.
func profileChecks2(v api) []check {
	entry := func(p *probe) map[string]any {
		list, _ := p.info(cardID).raw["profile"].([]any)
		if len(list) != 2 {
			p.Fatalf("profile has %d entries", len(list))
		}
		object, _ := list[1].(map[string]any)
		return object
	}
	return []check{
		v.check("5.3", 1, should, "The profile's description has no @context, @id and @type.", func(p *probe) {
			for key := range entry(p) {
				if strings.HasPrefix(key, "@") {
					p.Errorf("there is %s", key)
				}
			}
		}),
		v.check("5.3", 2, must, "Where there is maxHeight there is maxWidth; both are whole numbers.", func(p *probe) { p.limitsStated() }),
		v.check("5.3", 3, must, "Every size and tile that is listed is within the limits.", func(p *probe) { p.withinLimits() }),
		v.check("5.3", 4, should, "formats, qualities and supports are left out rather than empty.", func(p *probe) {
			for _, key := range []string{"formats", "qualities", "supports"} {
				if value, there := entry(p)[key]; there && len(words(value)) == 0 {
					p.Errorf("%s is %v", key, value)
				}
			}
		}),
		v.check("5.3", 5, must, "Each listed format works.", eachFormat),
		v.check("5.3", 6, must, "Each listed quality works.", eachQuality),
		v.check("5.3", 7, must, "Each listed feature works.", eachFeature),
		v.check("5.3", 8, must, "Features have the names that the specification gives, and none that it calls deprecated.", featureNames),
		v.check("5.3", 9, must, "What works is listed: formats, qualities and features.", nothingLeftOut),
		v.check("5.4", 1, may, "Where nothing is set there are no attribution, license and logo.", func(p *probe) {
			p.absent("attribution", "license", "logo")
		}),
		v.check("5.4", 2, may, "Where they are set, they are there: as text and URIs.", func(p *probe) {
			raw := p.infoAt(p.in(saidPrefix, cardID, "info.json")).raw
			if raw["attribution"] != "City Archives" || raw["license"] != "http://creativecommons.org/publicdomain/mark/1.0/" || raw["logo"] != "https://example.org/logo.png" {
				p.Errorf("they are %v, %v and %v", raw["attribution"], raw["license"], raw["logo"])
			}
			for _, key := range []string{"rights", "partOf", "seeAlso", "preferredFormats"} {
				if value, there := raw[key]; there {
					p.Errorf("%s, of version 3, is %v", key, value)
				}
			}
		}),
		v.check("5.5", 1, may, "Where there is none, service is left out.", func(p *probe) { p.absent("service") }),
		v.check("5.5", 2, may, "Where there is one, it is an object or a list of objects, with its own @context.", func(p *probe) {
			services := objects(p.infoAt(p.in(saidPrefix, cardID, "info.json")).raw["service"])
			if len(services) != 1 || services[0]["@context"] == nil || services[0]["profile"] == nil {
				p.Errorf("they are %v", services)
			}
		}),
	}
}

// extraChecks3 are those of 3.0 §5.5 to §5.8.
func extraChecks3(v api) []check {
	words3 := v.check("5.7", 8, should, "Words that the specification does not define, as avif and jxl are, have a context of their own.", func(p *probe) {
		if _, one := p.info(cardID).raw["@context"].(string); !one {
			p.Error("there are several contexts: this check no longer differs")
		}
	})
	words3.differs = "there is no registered context for these formats; viewers know them by their names"
	return []check{
		words3,
		v.check("5.3", 4, must, "Sizes have width and height as whole numbers; a type is Size.", func(p *probe) {
			for _, size := range objects(p.info(largeID).raw["sizes"]) {
				if kind, there := size["type"]; number(size["width"]) < 1 || number(size["height"]) < 1 || there && kind != "Size" {
					p.Errorf("there is %v", size)
				}
			}
		}),
		v.check("5.4", 5, must, "Tiles have width and scaleFactors; a type is Tile.", func(p *probe) {
			for _, tile := range objects(p.info(largeID).raw["tiles"]) {
				if kind, there := tile["type"]; number(tile["width"]) < 1 || tile["scaleFactors"] == nil || there && kind != "Tile" {
					p.Errorf("there is %v", tile)
				}
			}
		}),
		v.check("5.5", 1, must, "What preferredFormats lists, in its order, is among the level's formats and extraFormats.", func(p *probe) {
			info := p.infoAt(p.in(saidPrefix, cardID, "info.json"))
			preferred := words(info.raw["preferredFormats"])
			if !slices.Equal(preferred, []string{"webp", "png"}) {
				p.Errorf("they are %v", preferred)
			}
			for _, format := range preferred {
				if !slices.Contains(info.allFormats(), format) {
					p.Errorf("%s is preferred", format)
				}
			}
		}),
		v.check("5.6", 1, must, "rights is one URI of Creative Commons or RightsStatements.org, or left out.", func(p *probe) {
			p.absent("rights")
			if rights := p.infoAt(p.in(saidPrefix, cardID, "info.json")).raw["rights"]; rights != "http://creativecommons.org/publicdomain/mark/1.0/" {
				p.Errorf("it is %v", rights)
			}
		}),
		v.check("5.7", 1, must, "Each format of extraFormats works, and is none of the level's.", func(p *probe) {
			eachFormat(p)
			if info := p.info(cardID); slices.Contains(info.formats, "jpg") || info.level == 2 && slices.Contains(info.formats, "png") {
				p.Errorf("extraFormats are %v", info.formats)
			}
		}),
		v.check("5.7", 2, must, "Each quality of extraQualities works; default is not among them.", func(p *probe) {
			eachQuality(p)
			if info := p.info(cardID); slices.Contains(info.extraQualities, "default") {
				p.Errorf("extraQualities are %v", info.extraQualities)
			}
		}),
		v.check("5.7", 3, must, "Each feature of extraFeatures works, and is none of the level's.", func(p *probe) {
			eachFeature(p)
			info := p.info(cardID)
			for _, feature := range info.features {
				if level, known := levels(p.api)[feature]; known && level <= info.level {
					p.Errorf("%s is part of level %d", feature, level)
				}
			}
		}),
		v.check("5.7", 4, must, "Features have the names that the specification gives.", featureNames),
		v.check("5.7", 5, must, "What works is listed: formats, qualities and features.", nothingLeftOut),
		v.check("5.7", 6, must, "Where sizeUpscaling is listed, so is maxWidth or maxArea.", func(p *probe) {
			for _, path := range []string{p.address(cardID, "info.json"), p.in(limitedPrefix, cardID, "info.json")} {
				if info := p.infoAt(path); !info.has("sizeUpscaling") || info.maxWidth == 0 && info.maxArea == 0 {
					p.Errorf("%s has the features %v and maxWidth %d", path, info.features, info.maxWidth)
				}
			}
		}),
		v.check("5.7", 7, should, "Where enlarging is off, sizeUpscaling is not listed.", func(p *probe) {
			for _, prefix := range []string{tierPrefix, flatPrefix} {
				if info := p.infoAt(p.in(prefix, cardID, "info.json")); info.has("sizeUpscaling") {
					p.Errorf("the features are %v", info.features)
				}
			}
		}),
		v.check("5.8", 1, may, "Where there are none, partOf, seeAlso and service are left out.", func(p *probe) { p.absent("partOf", "seeAlso", "service") }),
		v.check("5.8", 2, must, "partOf, seeAlso and service are lists of objects with id and type.", func(p *probe) {
			raw := p.infoAt(p.in(saidPrefix, cardID, "info.json")).raw
			for _, key := range []string{"partOf", "seeAlso", "service"} {
				list := objects(raw[key])
				if len(list) != 1 || list[0]["id"] == nil && list[0]["@id"] == nil || list[0]["type"] == nil && list[0]["@type"] == nil {
					p.Errorf("%s is %v", key, raw[key])
				}
			}
		}),
		v.check("5.8", 3, should, "What the publisher says of them stays: label, format, profile.", func(p *probe) {
			raw := p.infoAt(p.in(saidPrefix, cardID, "info.json")).raw
			for key, parts := range map[string][]string{"partOf": {"label"}, "seeAlso": {"label", "format", "profile"}, "service": {"profile"}} {
				for _, part := range parts {
					for _, object := range objects(raw[key]) {
						if object[part] == nil {
							p.Errorf("%s has no %s", key, part)
						}
					}
				}
			}
		}),
	}
}

func (p *probe) absent(keys ...string) {
	p.Helper()
	for _, key := range keys {
		if value, there := p.info(cardID).raw[key]; there {
			p.Errorf("%s is %v", key, value)
		}
	}
}

func eachFormat(p *probe) {
	for _, format := range p.info(cardID).allFormats() {
		p.sized("full/60,/0/default."+format, 60, 40)
	}
}

func eachQuality(p *probe) {
	for _, quality := range p.info(cardID).allQualities(p.api) {
		p.sized("full/60,/0/"+quality+".png", 60, 40)
	}
}

func eachFeature(p *probe) {
	info := p.info(cardID)
	if len(info.features) == 0 {
		p.Error("no feature is listed")
	}
	for _, feature := range knownFeatures(p.api) {
		if info.promised(p.api, feature) && !p.works(strings.TrimSuffix(p.address(cardID, ""), "/"), feature, info) {
			p.Errorf("%s is promised and does not work", feature)
		}
	}
}

func featureNames(p *probe) {
	for _, feature := range p.info(cardID).features {
		if !slices.Contains(knownFeatures(p.api), feature) {
			p.Errorf("%s is listed", feature)
		}
	}
}

func nothingLeftOut(p *probe) {
	info := p.info(cardID)
	for format := range mediaTypes() {
		status := p.get(p.address(cardID, "full/60,/0/default."+format)).status
		if listed := slices.Contains(info.allFormats(), format); listed != (status == http.StatusOK) || !listed && status != http.StatusBadRequest {
			p.Errorf("%s is listed: %v, and answered %d", format, listed, status)
		}
	}
	for _, quality := range []string{"default", "color", "gray", "bitonal"} {
		status := p.get(p.address(cardID, "full/60,/0/"+quality+".png")).status
		if listed := slices.Contains(info.allQualities(p.api), quality); listed != (status == http.StatusOK) {
			p.Errorf("%s is listed: %v, and answered %d", quality, listed, status)
		}
	}
	for _, feature := range knownFeatures(p.api) {
		if works := p.works(strings.TrimSuffix(p.address(cardID, ""), "/"), feature, info); works != info.promised(p.api, feature) {
			p.Errorf("%s works: %v, is promised: %v", feature, works, !works)
		}
	}
}
