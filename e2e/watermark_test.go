package e2e_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// plain is a picture of one colour.
func plain(t testing.TB, width, height int, c color.Color) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	draw.Draw(m, m.Bounds(), image.NewUniform(c), image.Point{}, draw.Src)
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// markedSite has white pictures of 400 by 200, and red marks on them: of 100 by 100 in the lower right corner, of 50 by
// 50 all over, half transparent in the middle.
func markedSite(t *testing.T) *house {
	t.Helper()
	marks := t.TempDir()
	writeFile(t, filepath.Join(marks, "red.png"), plain(t, 10, 10, color.NRGBA{R: 255, A: 255}))
	writeFile(t, filepath.Join(marks, "dotted.png"), dotted(t))
	h := site(t, strings.ReplaceAll(`
		watermark corner MARKS/red.png {
			opacity 1
			position bottom_right
		}
		watermark over MARKS/dotted.png {
			opacity 1
			position tile
			scale 0.25
		}
		watermark faint MARKS/red.png
		collection marked {
			prefix /marked
			identifier `+"`(?P<tier>[a-z]+)`"+`
			rule tier full watermark corner `+"`identifier.tier == \"corner\"`"+`
			rule tier full watermark over `+"`identifier.tier == \"over\"`"+`
			rule tier full watermark faint `+"`identifier.tier == \"faint\"`"+`
			rule tier 100 watermark corner `+"`identifier.tier == \"small\"`"+`
			rule tier full quality gray watermark corner `+"`identifier.tier == \"gray\"`"+`
			rule allow `+"`identifier.tier == \"whole\"`"+`
			source main folder {$DIR}/pictures/{tier}.png
		}`, "MARKS", marks), `
	handle /marked/* {
		gatehouse_authorize marked
		gatehouse_iiif marked
	}`)
	for _, name := range []string{"corner", "over", "faint", "small", "gray", "whole"} {
		writeFile(t, filepath.Join(h.server.Dir(), "pictures", name+".png"), plain(t, 400, 200, color.White))
	}
	return h
}

// dotted is a red mark whose right half is transparent.
func dotted(t testing.TB) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, 50, 50))
	draw.Draw(m, image.Rect(0, 0, 25, 50), image.NewUniform(color.NRGBA{R: 255, A: 255}), image.Point{}, draw.Src)
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var (
	unmarked = color.NRGBA{R: 255, G: 255, B: 255, A: 255}
	markRed  = color.NRGBA{R: 255, A: 255}
	markPink = color.NRGBA{R: 255, G: 128, B: 128, A: 255}
	markGray = color.NRGBA{R: 76, G: 76, B: 76, A: 255} // the luminance of red
)

func looks(got color.Color, want color.NRGBA, tolerance int) bool {
	c := color.NRGBAModel.Convert(got).(color.NRGBA)
	off := func(a, b uint8) bool { return max(a, b)-min(a, b) > uint8(tolerance) }
	return !off(c.R, want.R) && !off(c.G, want.G) && !off(c.B, want.B)
}

// The mark belongs to the picture: each region shows the part of it that lies there, at the region's scale, and what
// turns the picture turns it too.
func TestWatermarkIsOnThePicture(t *testing.T) {
	h := markedSite(t)
	type points map[image.Point]color.NRGBA
	for path, test := range map[string]struct {
		size   image.Point
		points points
	}{
		"corner/full/max/0/default":            {image.Pt(400, 200), points{{350, 150}: markRed, {305, 105}: markRed, {395, 195}: markRed, {295, 150}: unmarked, {350, 95}: unmarked, {10, 10}: unmarked}},
		"corner/full/200,/0/default":           {image.Pt(200, 100), points{{175, 75}: markRed, {154, 54}: markRed, {145, 75}: unmarked, {175, 45}: unmarked}},
		"corner/full/^800,400/0/default":       {image.Pt(800, 400), points{{700, 300}: markRed, {610, 210}: markRed, {590, 300}: unmarked}},
		"corner/0,0,256,200/max/0/default":     {image.Pt(256, 200), points{{128, 100}: unmarked, {250, 190}: unmarked}},
		"corner/256,0,144,200/max/0/default":   {image.Pt(144, 200), points{{50, 105}: markRed, {139, 195}: markRed, {38, 150}: unmarked}},
		"corner/320,120,40,40/max/0/default":   {image.Pt(40, 40), points{{1, 1}: markRed, {38, 38}: markRed}},
		"corner/200,0,200,200/50,50/0/default": {image.Pt(50, 50), points{{37, 37}: markRed, {20, 37}: unmarked, {37, 20}: unmarked}},
		"corner/full/400,100/0/default":        {image.Pt(400, 100), points{{350, 75}: markRed, {350, 45}: unmarked, {290, 75}: unmarked}},
		"corner/full/max/!0/default":           {image.Pt(400, 200), points{{50, 150}: markRed, {350, 150}: unmarked}},
		"corner/full/max/90/default":           {image.Pt(200, 400), points{{50, 350}: markRed, {150, 350}: unmarked, {50, 50}: unmarked}},
		"corner/full/max/180/default":          {image.Pt(400, 200), points{{50, 50}: markRed, {350, 150}: unmarked}},
		"corner/full/max/0/gray":               {image.Pt(400, 200), points{{350, 150}: markGray, {10, 10}: unmarked}},
		"gray/full/max/0/default":              {image.Pt(400, 200), points{{350, 150}: markGray, {10, 10}: unmarked}},
		"small/full/max/0/default":             {image.Pt(100, 50), points{{87, 37}: markRed, {70, 37}: unmarked, {87, 20}: unmarked}},
		"small/50,0,50,50/25,25/0/default":     {image.Pt(25, 25), points{{18, 18}: markRed, {10, 18}: unmarked}},
		"over/full/max/0/default":              {image.Pt(400, 200), points{{12, 25}: markRed, {37, 25}: unmarked, {62, 25}: markRed, {387, 175}: unmarked, {362, 175}: markRed}},
		"over/200,100,100,100/max/0/default":   {image.Pt(100, 100), points{{12, 12}: markRed, {37, 12}: unmarked, {62, 62}: markRed}},
		"over/full/100,/0/default":             {image.Pt(100, 50), points{{3, 6}: markRed, {9, 6}: unmarked, {90, 43}: markRed}},
		"faint/full/max/0/default":             {image.Pt(400, 200), points{{200, 100}: markPink, {155, 55}: markPink, {140, 100}: unmarked, {260, 100}: unmarked}},
		"whole/full/max/0/default":             {image.Pt(400, 200), points{{350, 150}: unmarked, {200, 100}: unmarked}},
	} {
		for _, version := range []string{"2", "3"} {
			if version == "2" && strings.Contains(path, "^") {
				continue
			}
			m := h.get("/marked/"+version+"/"+path+".png").picture(t, "png", test.size.X, test.size.Y)
			for at, want := range test.points {
				if got := m.At(at.X, at.Y); !looks(got, want, 12) {
					t.Errorf("%s %s: at %v there is %v, want %v", version, path, at, got, want)
				}
			}
		}
	}
	h.calm()
}

// Black and white would lose a faint mark, so nobody who gets a mark gets it.
func TestBitonalIsNoWayAroundAWatermark(t *testing.T) {
	h := markedSite(t)
	for _, name := range []string{"corner", "over", "faint", "small", "gray"} {
		for _, version := range []string{"2", "3"} {
			base := "/marked/" + version + "/" + name
			h.get(base+"/full/max/0/bitonal.png").is(t, http.StatusForbidden)
			if body := string(h.get(base + "/info.json").body); strings.Contains(body, "bitonal") {
				t.Errorf("%s offers it: %s", base, body)
			}
		}
	}
}

// What a viewer puts together out of tiles is the marked picture, without seams, and every address works.
func TestWatermarkedTilesFitTogether(t *testing.T) {
	h := markedSite(t)
	for _, name := range []string{"corner", "over", "faint"} {
		whole := h.get("/marked/3/"+name+"/full/max/0/default.png").picture(t, "png", 400, 200)
		for x := 0; x < 400; x += 80 {
			for y := 0; y < 200; y += 40 {
				tile := h.get("/marked/3/"+name+fmt.Sprintf("/%d,%d,80,40/max/0/default.png", x, y)).picture(t, "png", 80, 40)
				for py := range 40 {
					for px := range 80 {
						if !looks(tile.At(px, py), color.NRGBAModel.Convert(whole.At(x+px, y+py)).(color.NRGBA), 40) {
							t.Fatalf("%s: the tile at %d,%d has %v at %d,%d, the picture %v", name, x, y, tile.At(px, py), px, py, whole.At(x+px, y+py))
						}
					}
				}
			}
		}
		for _, version := range []string{"2", "3"} {
			base := "/marked/" + version + "/" + name
			a := h.get(base + "/info.json")
			a.size(t, 400, 200)
			advertised(t, h, base, version, a.info(t))
			h.get(base+"?source_file=true").is(t, http.StatusForbidden)
		}
	}
	h.calm()
}
