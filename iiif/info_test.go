package iiif

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func allCapabilities() Capabilities {
	return Capabilities{
		Formats:     []string{"jpg", "png", "tif", "webp"},
		Qualities:   []string{"default", "color", "gray", "bitonal"},
		AnyRotation: true,
	}
}

func mustInfo(t testing.TB, r Rules, img Image, c Capabilities, d Description) string {
	t.Helper()
	body, err := r.Info("https://example.org/iiif/x/a%2Fb", img, c, d)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestInfo2(t *testing.T) {
	t.Parallel()
	got := mustInfo(t, standard(2), Image{Width: 6000, Height: 4001, TileWidth: 256, TileHeight: 128}, allCapabilities(), Description{})
	want := `{"@context":"http://iiif.io/api/image/2/context.json","@id":"https://example.org/iiif/x/a%2Fb",` +
		`"protocol":"http://iiif.io/api/image","width":6000,"height":4001,` +
		`"sizes":[{"width":188,"height":126},{"width":375,"height":251},{"width":750,"height":501},{"width":1500,"height":1001},{"width":3000,"height":2001},{"width":6000,"height":4001}],` +
		`"tiles":[{"width":256,"height":128,"scaleFactors":[1,2,4,8,16,32]}],` +
		`"profile":["http://iiif.io/api/image/2/level2.json",{"formats":["jpg","png","tif","webp"],` +
		`"supports":["canonicalLinkHeader","mirroring","profileLinkHeader","regionSquare","rotationArbitrary","sizeAboveFull"],` +
		`"maxWidth":8192,"maxHeight":8192}]}` + "\n"
	if got != want {
		t.Errorf("info.json is\n%swant\n%s", got, want)
	}
}

func TestInfo3(t *testing.T) {
	t.Parallel()
	rules := Rules{Version: 3, Limits: Limits{MaxWidth: 3000, MaxHeight: 2000, MaxArea: 4_000_000}}
	got := mustInfo(t, rules, Image{Width: 6000, Height: 4000}, allCapabilities(), Description{
		Attribution: "only in version 2", Rights: "http://rightsstatements.org/vocab/InC-EDU/1.0/", PreferredFormats: []string{"avif", "webp", "jpg"},
		SeeAlso: []json.RawMessage{json.RawMessage(`{"id": "https://example.org/?a=1&b=<2>", "type": "Dataset"}`)},
	})
	want := `{"@context":"http://iiif.io/api/image/3/context.json","id":"https://example.org/iiif/x/a%2Fb","type":"ImageService3",` +
		`"protocol":"http://iiif.io/api/image","profile":"level2","width":6000,"height":4000,"maxWidth":3000,"maxHeight":2000,"maxArea":4000000,` +
		`"sizes":[{"width":375,"height":250},{"width":750,"height":500},{"width":1500,"height":1000}],` +
		`"tiles":[{"width":512,"scaleFactors":[1,2,4,8,16]}],"preferredFormats":["webp","jpg"],"extraFormats":["tif","webp"],` +
		`"extraQualities":["color","gray","bitonal"],` +
		`"extraFeatures":["canonicalLinkHeader","mirroring","profileLinkHeader","rotationArbitrary","sizeUpscaling"],` +
		`"rights":"http://rightsstatements.org/vocab/InC-EDU/1.0/","seeAlso":[{"id":"https://example.org/?a=1&b=<2>","type":"Dataset"}]}` + "\n"
	if got != want {
		t.Errorf("info.json is\n%swant\n%s", got, want)
	}
}

func TestInfoIsTheSameBytesEachTime(t *testing.T) {
	t.Parallel()
	for _, version := range []int{2, 3} {
		first := mustInfo(t, standard(version), Image{Width: 6000, Height: 4000}, allCapabilities(), Description{})
		for range 20 {
			if again := mustInfo(t, standard(version), Image{Width: 6000, Height: 4000}, allCapabilities(), Description{}); again != first {
				t.Fatalf("info.json differs:\n%s%s", first, again)
			}
		}
		if !strings.HasPrefix(first, `{"@context":`) {
			t.Errorf("the context does not come first: %s", first)
		}
	}
}

func TestInfo2CarriesRightsAndServices(t *testing.T) {
	t.Parallel()
	got := mustInfo(t, standard(2), Image{Width: 10, Height: 10}, allCapabilities(), Description{
		Attribution: "City & Archive", License: "https://example.org/licence", Logo: "https://example.org/logo.png", Rights: "only in version 3",
		Service: []json.RawMessage{json.RawMessage(`{"@id":"https://example.org/s"}`)},
	})
	for _, part := range []string{
		`"attribution":"City & Archive"`, `"license":"https://example.org/licence"`, `"logo":"https://example.org/logo.png"`,
		`"service":[{"@id":"https://example.org/s"}]`,
	} {
		if !strings.Contains(got, part) {
			t.Errorf("info.json lacks %s: %s", part, got)
		}
	}
	if strings.Contains(got, "only in") {
		t.Errorf("info.json has what belongs to version 3: %s", got)
	}
}

// TestProfilePromisesJustWhatWorks: the level falls and features go as the renderer and the configuration do less.
func TestProfilePromisesJustWhatWorks(t *testing.T) {
	t.Parallel()
	without := func(list []string, name string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == name })
	}
	all := allCapabilities()
	noBitonal, noGray, noPNG, noJPG := all, all, all, all
	noBitonal.Qualities = without(all.Qualities, "bitonal")
	noGray.Qualities = without(all.Qualities, "gray")
	noPNG.Formats = without(all.Formats, "png")
	noJPG.Formats = without(all.Formats, "jpg")
	legacy, legacy3, down, down3 := standard(2), standard(3), standard(2), standard(3)
	legacy.LegacyFit, legacy3.LegacyFit, down.NoUpscale, down3.NoUpscale = true, true, true, true
	for _, c := range []struct {
		name    string
		rules   Rules
		can     Capabilities
		level   int
		has     []string
		hasNone []string
	}{
		{"version 2", standard(2), all, 2, []string{"sizeAboveFull", "regionSquare"}, []string{"sizeUpscaling", "sizeByW"}},
		{"version 3", standard(3), all, 2, []string{"sizeUpscaling", "rotationArbitrary"}, []string{"sizeAboveFull", "regionSquare"}},
		{"no bitonal 2", standard(2), noBitonal, 1, []string{"rotationBy90s", "sizeByDistortedWh", "regionByPct"}, []string{"sizeByPct"}},
		{"no bitonal 3", standard(3), noBitonal, 2, nil, []string{"rotationBy90s"}},
		{"no gray 3", standard(3), noGray, 1, []string{"rotationBy90s", "sizeByWh", "sizeByPct", "sizeByConfinedWh"}, []string{"regionSquare"}},
		{"no png 3", standard(3), noPNG, 1, []string{"rotationBy90s"}, nil},
		{"no jpg 3", standard(3), noJPG, 0, []string{"cors", "sizeByW", "regionSquare"}, nil},
		{"legacy 2", legacy, all, 1, []string{"sizeByWh", "sizeByConfinedWh"}, []string{"sizeByDistortedWh"}},
		{"legacy 3", legacy3, all, 2, nil, nil},
		{"no upscaling 2", down, all, 2, nil, []string{"sizeAboveFull"}},
		{"no upscaling 3", down3, all, 2, nil, []string{"sizeUpscaling"}},
		{"right angles", standard(3), Capabilities{Formats: all.Formats, Qualities: all.Qualities}, 2, nil, []string{"rotationArbitrary"}},
	} {
		level := c.rules.level(c.can)
		if level != c.level {
			t.Errorf("%s: the level is %d, want %d", c.name, level, c.level)
		}
		features := c.rules.extraFeatures(c.can, level)
		if !slices.IsSorted(features) {
			t.Errorf("%s: %v is not in order", c.name, features)
		}
		for _, name := range c.has {
			if !slices.Contains(features, name) {
				t.Errorf("%s: %v lacks %s", c.name, features, name)
			}
		}
		for _, name := range c.hasNone {
			if slices.Contains(features, name) {
				t.Errorf("%s: %v has %s", c.name, features, name)
			}
		}
	}
}

func TestInfo2ListsQualitiesBeyondItsLevel(t *testing.T) {
	t.Parallel()
	can := Capabilities{Formats: []string{"jpg", "png"}, Qualities: []string{"default", "color", "gray"}}
	got := mustInfo(t, standard(2), Image{Width: 10, Height: 10}, can, Description{})
	if !strings.Contains(got, `level1.json",{"formats":["jpg","png"],"qualities":["default","color","gray"],"supports":`) {
		t.Errorf("info.json says %s", got)
	}
	can.Qualities = append(can.Qualities, "bitonal")
	if got := mustInfo(t, standard(2), Image{Width: 10, Height: 10}, can, Description{}); strings.Contains(got, `"formats"`) || strings.Contains(got, `"qualities"`) {
		t.Errorf("info.json repeats what level 2 says: %s", got)
	}
}

func TestInfoOfATinyImage(t *testing.T) {
	t.Parallel()
	got := mustInfo(t, standard(3), Image{Width: 1, Height: 1}, allCapabilities(), Description{})
	if !strings.Contains(got, `"sizes":[{"width":1,"height":1}],"tiles":[{"width":512,"scaleFactors":[1]}]`) {
		t.Errorf("info.json is %s", got)
	}
	var document map[string]any
	if err := json.NewDecoder(bytes.NewReader([]byte(got))).Decode(&document); err != nil {
		t.Error(err)
	}
}
