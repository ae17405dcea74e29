package e2e_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// tierSite has a collection whose identifiers name the tier that everybody gets, and a guard of another server with a
// tier of its own.
func tierSite(t *testing.T) *house {
	t.Helper()
	behind := testkit.NewStandIn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/jpeg")
		_, _ = w.Write([]byte("the picture"))
	}))
	h := site(t, `
		collection tiers {
			prefix /tiers
			identifier `+"`(?P<tier>[a-z]+)`"+`
			rule tier full quality gray `+"`identifier.tier == \"gray\"`"+`
			rule tier full quality bitonal `+"`identifier.tier == \"bitonal\"`"+`
			rule tier 100 quality gray `+"`identifier.tier == \"small\"`"+`
			rule allow `+"`identifier.tier == \"whole\"`"+`
			source main folder {$DIR}/pictures/{tier}.png
		}
		collection behind {
			prefix /behind
			rule tier full quality gray `+"`true`"+`
			source none folder {$DIR}/none
		}`, `
	handle /tiers/* {
		gatehouse_authorize tiers
		gatehouse_iiif tiers
	}
	handle /behind/* {
		gatehouse_authorize behind
		reverse_proxy `+behind.Address()+`
	}`)
	for _, name := range []string{"gray", "bitonal", "small", "whole"} {
		writeFile(t, filepath.Join(h.server.Dir(), "pictures", name+".png"), colourful(t, 300, 200))
	}
	return h
}

// colourful is a picture of strong colours.
func colourful(t testing.TB, width, height int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.Set(x, y, color.RGBA{R: uint8(255 * x / width), G: uint8(255 * y / height), B: 40, A: 255})
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// colours tells how far a picture is from gray, and how many levels of gray it has.
func colours(m image.Image) (spread, levels int) {
	seen := map[uint8]bool{}
	for y := m.Bounds().Min.Y; y < m.Bounds().Max.Y; y++ {
		for x := m.Bounds().Min.X; x < m.Bounds().Max.X; x++ {
			c := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
			spread = max(spread, int(max(c.R, c.G, c.B))-int(min(c.R, c.G, c.B)))
			seen[c.G] = true
		}
	}
	return spread, len(seen)
}

// Whatever is asked for of a tier without colours, it shows none, and says so in info.json.
func TestTierWithoutColours(t *testing.T) {
	h := tierSite(t)
	for name, tier := range map[string]struct {
		width, height int
		qualities     []string
	}{
		"whole":   {300, 200, []string{"default", "color", "gray", "bitonal"}},
		"gray":    {300, 200, []string{"default", "gray", "bitonal"}},
		"small":   {100, 67, []string{"default", "gray", "bitonal"}},
		"bitonal": {300, 200, []string{"default", "bitonal"}},
	} {
		for _, version := range []string{"2", "3"} {
			base := "/tiers/" + version + "/" + name
			a := h.get(base + "/info.json")
			a.size(t, tier.width, tier.height)
			advertised(t, h, base, version, a.info(t))
			var document struct {
				Profile        any      `json:"profile"`
				ExtraQualities []string `json:"extraQualities"`
			}
			if err := json.Unmarshal(a.body, &document); err != nil {
				t.Fatal(err)
			}
			level2 := strings.Contains(string(a.body), "level2")
			if level2 != (name == "whole") {
				t.Errorf("%s: the profile is %v", base, document.Profile)
			}
			if got := strings.Join(document.ExtraQualities, " "); version == "3" && got != strings.Join(tier.qualities[1:], " ") {
				t.Errorf("%s: the qualities are %s", base, got)
			}
			for _, quality := range []string{"default", "color", "gray", "bitonal"} {
				a := h.get(base + "/full/max/0/" + quality + ".png")
				if !strings.Contains(strings.Join(tier.qualities, " "), quality) {
					if a.is(t, http.StatusForbidden) && !strings.Contains(string(a.body), "quality "+name) && name != "small" {
						t.Errorf("%s as %s: %s", base, quality, a.body)
					}
					continue
				}
				spread, levels := colours(a.picture(t, "png", tier.width, tier.height))
				if name != "whole" && spread > 0 {
					t.Errorf("%s as %s has colours that differ by %d", base, quality, spread)
				}
				if name == "whole" && (quality == "default" || quality == "color") && spread < 150 {
					t.Errorf("%s as %s has colours that differ by %d", base, quality, spread)
				}
				if (name == "bitonal" || quality == "bitonal") && levels > 2 {
					t.Errorf("%s as %s has %d levels", base, quality, levels)
				}
			}
			for _, path := range []string{"/0,0,50,50/max/0/default.png", "/full/50,/90/default.png", "/pct:10,10,50,50/!30,30/!45/default.png", "/full/max/0/default.webp"} {
				a := h.get(base + path)
				if strings.HasSuffix(path, ".webp") {
					a.is(t, http.StatusOK)
					continue
				}
				m, _, err := image.Decode(bytes.NewReader(a.body))
				if err != nil {
					t.Errorf("%s%s: %d, %v", base, path, a.status, err)
				} else if spread, _ := colours(m); name != "whole" && spread > 0 {
					t.Errorf("%s%s has colours that differ by %d", base, path, spread)
				}
			}
			want := http.StatusForbidden
			if name == "whole" {
				want = http.StatusOK
			}
			h.get(base+"?source_file=true").is(t, want)
		}
	}
	h.get("/tiers/2/bitonal/full/max/0/grey.png").is(t, http.StatusForbidden)
	// Only what takes pixels away forbids to enlarge.
	h.get("/tiers/3/gray/full/^400,/0/default.png").picture(t, "png", 400, 267)
	h.get("/tiers/3/small/full/^400,/0/default.png").is(t, http.StatusNotImplemented)
	h.calm()
}

// Another server could show colours.
func TestTierWithoutColoursIsNotPassedOn(t *testing.T) {
	h := tierSite(t)
	for _, path := range []string{"/behind/2/a/info.json", "/behind/2/a/full/max/0/default.jpg", "/behind/3/a/full/max/0/gray.jpg", "/behind/3/a?source_file=true"} {
		a := h.get(path)
		if a.status != http.StatusForbidden || string(a.body) != "Only a changed image may be shown, which this server cannot make" {
			t.Errorf("%s gives %d %.100s", path, a.status, a.body)
		}
	}
	h.calm()
}

func TestExplainTellsWhatATierAllows(t *testing.T) {
	h := tierSite(t)
	for name, want := range map[string]string{
		"small": "Allowed up to 100 pixels, in gray by rule 3 (tier 100 quality gray", "bitonal": "Allowed in bitonal by rule 2 (tier full quality bitonal",
	} {
		if text := h.command("explain", "--collection", "tiers", "--identifier", name); !strings.Contains(text, want) {
			t.Errorf("explain tells %s, want %s", text, want)
		}
		var got struct {
			Outcome, Quality string
			MaxSide          int `json:"max_side"`
		}
		h.commandJSON(&got, "explain", "--collection", "tiers", "--identifier", name)
		if got.Outcome != "tier" || got.Quality == "" || (got.MaxSide == 100) != (name == "small") {
			t.Errorf("explain tells %+v of %s", got, name)
		}
	}
}
