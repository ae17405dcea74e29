package iiif

import (
	"image"
	"math"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// standard are the rules of a version as they come without configuration.
func standard(version int) Rules {
	return Rules{Version: version, Limits: Limits{MaxWidth: defaultMaxSide, MaxHeight: defaultMaxSide}}
}

func resolve(r Rules, params string, img Image) (Plan, error) {
	s := strings.Split(params, "/")
	p, err := ParseParams(r.Version, s[0], s[1], s[2], s[3])
	if err != nil {
		return Plan{}, err
	}
	return r.Resolve(p, img)
}

func TestResolveRegion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		region        string
		width, height int
		want          image.Rectangle
	}{
		{"full", 300, 200, image.Rect(0, 0, 300, 200)},
		{"square", 300, 200, image.Rect(50, 0, 250, 200)},
		{"square", 200, 301, image.Rect(0, 50, 200, 250)},
		{"125,15,120,140", 300, 200, image.Rect(125, 15, 245, 155)},
		{"125,15,200,200", 300, 200, image.Rect(125, 15, 300, 200)},
		{"299,199,2147483647,2147483647", 300, 200, image.Rect(299, 199, 300, 200)},
		{"pct:41.6,7.5,40,70", 300, 200, image.Rect(125, 15, 245, 155)},
		{"pct:41.6,7.5,66.6,100", 300, 200, image.Rect(125, 15, 300, 200)},
		{"pct:0,0,33.3333,33.3333", 300, 200, image.Rect(0, 0, 100, 67)},
		{"pct:50,50,50,50", 3, 3, image.Rect(2, 2, 3, 3)},
		{"pct:0,0,1000,1000", 300, 200, image.Rect(0, 0, 300, 200)},
	} {
		for _, version := range []int{2, 3} {
			plan, err := resolve(standard(version), c.region+"/max/0/default.jpg", Image{Width: c.width, Height: c.height})
			if err != nil || plan.Region != c.want {
				t.Errorf("version %d: %s of %dx%d is %v, %v; want %v", version, c.region, c.width, c.height, plan.Region, err, c.want)
			}
		}
	}
}

func TestResolveRegionRefusesWhatHoldsNoPixel(t *testing.T) {
	t.Parallel()
	for _, region := range []string{"300,0,1,1", "0,200,1,1", "2147483647,0,2147483647,1", "pct:100,0,1,1", "pct:0,101,1,1", "pct:0,0,0.1,10"} {
		_, err := resolve(standard(3), region+"/max/0/default.jpg", Image{Width: 300, Height: 200})
		wantRefusal(t, err, http.StatusBadRequest, codeRegion, region, "300", "200")
	}
}

// TestResolveSize has the table of sizes for a region of 300 by 200 pixels in both versions. 0 by 0 is a refusal.
func TestResolveSize(t *testing.T) {
	t.Parallel()
	none := image.Point{}
	for _, c := range []struct {
		size       string
		want2      image.Point
		want3      image.Point
		refusedFor string
	}{
		{"full", image.Pt(300, 200), none, "version 2"},
		{"max", image.Pt(300, 200), image.Pt(300, 200), ""},
		{"150,", image.Pt(150, 100), image.Pt(150, 100), ""},
		{",100", image.Pt(150, 100), image.Pt(150, 100), ""},
		{"101,", image.Pt(101, 67), image.Pt(101, 67), ""},
		{",67", image.Pt(101, 67), image.Pt(101, 67), ""},
		{"pct:50", image.Pt(150, 100), image.Pt(150, 100), ""},
		{"pct:33.3333", image.Pt(100, 67), image.Pt(100, 67), ""},
		{"pct:0.25", image.Pt(1, 1), image.Pt(1, 1), ""},
		{"pct:100", image.Pt(300, 200), image.Pt(300, 200), ""},
		{"225,100", image.Pt(225, 100), image.Pt(225, 100), ""},
		{"!225,100", image.Pt(150, 100), image.Pt(150, 100), ""},
		{"!100,225", image.Pt(100, 67), image.Pt(100, 67), ""},
		{"300,200", image.Pt(300, 200), image.Pt(300, 200), ""},
		// Larger than the region: version 2 says so in supports, version 3 wants ^.
		{"360,", image.Pt(360, 240), none, "after ^"},
		{",240", image.Pt(360, 240), none, "after ^"},
		{"pct:120", image.Pt(360, 240), none, "after ^"},
		{"360,100", image.Pt(360, 100), none, "after ^"},
		{"100,360", image.Pt(100, 360), none, "after ^"},
		{"!600,600", image.Pt(600, 400), image.Pt(300, 200), ""},
		{"!600,200", image.Pt(300, 200), image.Pt(300, 200), ""},
		{"^max", none, image.Pt(8192, 5461), "version 3"},
		{"^360,", none, image.Pt(360, 240), "version 3"},
		{"^,240", none, image.Pt(360, 240), "version 3"},
		{"^pct:120", none, image.Pt(360, 240), "version 3"},
		{"^360,360", none, image.Pt(360, 360), "version 3"},
		{"^!360,360", none, image.Pt(360, 240), "version 3"},
		{"^150,", none, image.Pt(150, 100), "version 3"},
		{"^!20000,20000", none, image.Pt(8192, 5461), "version 3"},
		// No pixel left.
		{"pct:0.1", none, none, "0"},
		// Over the limits.
		{"8193,10", none, none, "after ^"},
		{"!20000,20000", none, image.Pt(300, 200), "8192"},
		{"^8193,10", none, none, "8192"},
	} {
		img := Image{Width: 300, Height: 200}
		for version, want := range map[int]image.Point{2: c.want2, 3: c.want3} {
			plan, err := resolve(standard(version), "full/"+c.size+"/0/default.jpg", img)
			if want == none {
				if err == nil {
					t.Errorf("version %d: %s gives %v, want a refusal", version, c.size, plan.Size)
				} else if want3 := c.want3; version == 3 || want3 != none {
					wantRefusal(t, err, http.StatusBadRequest, codeSize, c.refusedFor)
				}
				continue
			}
			if err != nil || plan.Size != want {
				t.Errorf("version %d: %s gives %v, %v; want %v", version, c.size, plan.Size, err, want)
			}
		}
	}
}

func TestResolveSizeOfAThinRegion(t *testing.T) {
	t.Parallel()
	img := Image{Width: 10000, Height: 10}
	for _, size := range []string{"!100,100", "pct:1", "100,"} {
		_, err := resolve(standard(3), "0,0,9999,10/"+size+"/0/default.jpg", img)
		if size == "pct:1" {
			wantRefusal(t, err, http.StatusBadRequest, codeSize, "0")
			continue
		}
		wantRefusal(t, err, http.StatusBadRequest, codeSize, "no side may become 0")
	}
	// max never loses a side.
	plan, err := resolve(standard(3), "full/max/0/default.jpg", Image{Width: 100000, Height: 1})
	if err != nil || plan.Size != image.Pt(8192, 1) {
		t.Errorf("max of 100000x1 is %v, %v; want 8192x1", plan.Size, err)
	}
}

func TestResolveLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		limits Limits
		size   string
		want   image.Point // 0 by 0 is a refusal
	}{
		{Limits{MaxWidth: 3000, MaxHeight: 3000}, "max", image.Pt(3000, 2000)},
		{Limits{MaxWidth: 6000, MaxHeight: 1000}, "max", image.Pt(1500, 1000)},
		{Limits{MaxWidth: 3000, MaxHeight: 1000}, "max", image.Pt(1500, 1000)},
		{Limits{MaxWidth: 6000, MaxHeight: 6000, MaxArea: 6_000_000}, "max", image.Pt(3000, 2000)},
		{Limits{MaxWidth: 1500, MaxHeight: 6000, MaxArea: 6_000_000}, "max", image.Pt(1500, 1000)},
		{Limits{MaxWidth: 6000, MaxHeight: 6000, MaxArea: 1}, "max", image.Pt(1, 1)},
		{Limits{MaxWidth: 6000, MaxHeight: 6000, MaxArea: 1000}, "max", image.Pt(38, 25)},
		{Limits{MaxWidth: 12000, MaxHeight: 12000}, "^max", image.Pt(12000, 8000)},
		{Limits{MaxWidth: 12000, MaxHeight: 6000}, "^max", image.Pt(9000, 6000)},
		{Limits{MaxWidth: 12000, MaxHeight: 12000, MaxArea: 54_000_000}, "^max", image.Pt(9000, 6000)},
		{Limits{MaxWidth: 3000, MaxHeight: 3000}, "^max", image.Pt(3000, 2000)},
		{Limits{MaxWidth: 3000, MaxHeight: 3000}, "3000,", image.Pt(3000, 2000)},
		{Limits{MaxWidth: 3000, MaxHeight: 3000}, "3001,", image.Point{}},
		{Limits{MaxWidth: 3000, MaxHeight: 1000}, "2000,", image.Point{}},
		{Limits{MaxWidth: 3000, MaxHeight: 3000, MaxArea: 1_000_000}, "1500,1000", image.Point{}},
		{Limits{MaxWidth: 3000, MaxHeight: 3000, MaxArea: 1_500_000}, "1500,1000", image.Pt(1500, 1000)},
		{Limits{MaxWidth: 3000, MaxHeight: 3000}, "!5000,5000", image.Pt(3000, 2000)},
		{Limits{MaxWidth: 3000, MaxHeight: 3000}, "pct:100", image.Point{}},
	} {
		plan, err := resolve(Rules{Version: 3, Limits: c.limits}, "full/"+c.size+"/0/default.jpg", Image{Width: 6000, Height: 4000})
		if c.want == (image.Point{}) {
			wantRefusal(t, err, http.StatusBadRequest, codeSize, "more than allowed", "3000")
		} else if err != nil || plan.Size != c.want {
			t.Errorf("%s within %v is %v, %v; want %v", c.size, c.limits, plan.Size, err, c.want)
		}
	}
	_, err := resolve(Rules{Version: 2, Limits: Limits{MaxWidth: 3000, MaxHeight: 3000}}, "full/!5000,5000/0/default.jpg", Image{Width: 6000, Height: 4000})
	wantRefusal(t, err, http.StatusBadRequest, codeSize, "3000")
	plan, err := resolve(Rules{Version: 2, Limits: Limits{MaxWidth: 3000, MaxHeight: 3000}}, "full/full/0/default.jpg", Image{Width: 6000, Height: 4000})
	if err != nil || plan.Size != image.Pt(3000, 2000) {
		t.Errorf("version 2: full is %v, %v; want the default size reduced to 3000x2000", plan.Size, err)
	}
}

func TestResolveWithoutUpscaling(t *testing.T) {
	t.Parallel()
	img := Image{Width: 300, Height: 200}
	two, three := standard(2), standard(3)
	two.NoUpscale, three.NoUpscale = true, true
	for _, size := range []string{"301,", ",201", "pct:101", "301,100", "100,201"} {
		_, err := resolve(two, "full/"+size+"/0/default.jpg", img)
		wantRefusal(t, err, http.StatusBadRequest, codeSize, "switched off")
	}
	for _, size := range []string{"^max", "^301,", "^,201", "^pct:101", "^301,100", "^!600,600"} {
		_, err := resolve(three, "full/"+size+"/0/default.jpg", img)
		wantRefusal(t, err, http.StatusNotImplemented, CodeUpscaling, "switched off")
	}
	for _, c := range []struct {
		rules Rules
		size  string
	}{{two, "!600,600"}, {two, "full"}, {three, "!600,600"}, {three, "^300,"}, {three, "^!300,300"}, {three, "^pct:100"}, {three, "max"}} {
		plan, err := resolve(c.rules, "full/"+c.size+"/0/default.jpg", img)
		if err != nil || plan.Size != image.Pt(300, 200) {
			t.Errorf("version %d: %s gives %v, %v; want the region's size", c.rules.Version, c.size, plan.Size, err)
		}
	}
}

// Where only named sizes are enlarged, ^max is max, and all else is as it was.
func TestResolveNamedUpscaling(t *testing.T) {
	t.Parallel()
	rules := standard(3)
	rules.NamedUpscale = true
	for size, want := range map[string]image.Point{
		"^max": image.Pt(300, 200), "max": image.Pt(300, 200), "^600,": image.Pt(600, 400), "^pct:200": image.Pt(600, 400), "^!600,900": image.Pt(600, 400),
	} {
		img := Image{Width: 300, Height: 200}
		plan, err := resolve(rules, "full/"+size+"/0/default.jpg", img)
		if err != nil || plan.Size != want {
			t.Errorf("%s gives %v, %v; want %v", size, plan.Size, err, want)
		}
	}
}

func TestResolveConfinedUpscaleReject(t *testing.T) {
	t.Parallel()
	img := Image{Width: 300, Height: 200}
	rules := standard(3)
	rules.ConfinedUpscaleReject = true
	_, err := resolve(rules, "full/!600,600/0/default.jpg", img)
	wantRefusal(t, err, http.StatusBadRequest, codeSize, "!600,600")
	for _, size := range []string{"!300,200", "!600,200", "!300,600", "!100,100", "^!600,600"} {
		if _, err := resolve(rules, "full/"+size+"/0/default.jpg", img); err != nil {
			t.Errorf("%s: %v", size, err)
		}
	}
	rules.Version = 2
	if _, err := resolve(rules, "full/!600,600/0/default.jpg", img); err != nil {
		t.Errorf("version 2 is not concerned: %v", err)
	}
}

func TestResolveLegacyFit(t *testing.T) {
	t.Parallel()
	rules := standard(2)
	rules.LegacyFit = true
	for size, want := range map[string]image.Point{
		"150,150": image.Pt(150, 100), "150,50": image.Pt(75, 50), "600,600": image.Pt(300, 200), "600,50": image.Pt(75, 50),
		"1,1": image.Pt(1, 1), "300,1": image.Pt(2, 1), "150,": image.Pt(150, 100), "600,": image.Pt(600, 400), "!600,600": image.Pt(600, 400),
	} {
		plan, err := resolve(rules, "full/"+size+"/0/default.jpg", Image{Width: 300, Height: 200})
		if err != nil || plan.Size != want {
			t.Errorf("%s gives %v, %v; want %v", size, plan.Size, err, want)
		}
	}
	rules.Version = 3
	plan, err := resolve(rules, "full/150,150/0/default.jpg", Image{Width: 300, Height: 200})
	if err != nil || plan.Size != image.Pt(150, 150) {
		t.Errorf("version 3 gives %v, %v; want it distorted as asked", plan.Size, err)
	}
}

func TestResolveRotation(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]float64{"0": 0, "90": 90, "22.5": 22.5, "360": 0, "360.0": 0, "!270": 270, "359.9999999999999999": 0} {
		plan, err := resolve(standard(3), "full/max/"+in+"/default.jpg", Image{Width: 3, Height: 2})
		if err != nil || plan.Rotation != want || plan.Mirror != strings.HasPrefix(in, "!") {
			t.Errorf("rotation %s is %v mirrored %t, %v; want %v", in, plan.Rotation, plan.Mirror, err, want)
		}
	}
}

func TestResolveRefusesWhatTheRendererCannotDo(t *testing.T) {
	t.Parallel()
	can := Capabilities{Formats: []string{"jpg", "png"}, Qualities: []string{"default", "gray"}}
	ask := func(rotation, quality, format string) error {
		r, err := ParseRotation(rotation)
		if err != nil {
			t.Fatal(err)
		}
		return can.allow(Params{Rotation: r, Quality: quality, Format: format})
	}
	wantRefusal(t, ask("0", "default", "webp"), http.StatusBadRequest, codeFormat, `"webp"`, "jpg, png")
	wantRefusal(t, ask("0", "bitonal", "jpg"), http.StatusBadRequest, codeQuality, `"bitonal"`, "default, gray")
	wantRefusal(t, ask("22.5", "default", "jpg"), http.StatusBadRequest, codeRotation, "22.5", "90")
	for _, rotation := range []string{"0", "90", "!180", "270", "360", "90.0"} {
		if err := ask(rotation, "gray", "png"); err != nil {
			t.Errorf("rotation %s: %v", rotation, err)
		}
	}
	can.AnyRotation = true
	if err := ask("22.5", "default", "jpg"); err != nil {
		t.Error(err)
	}
}

// genRules and genImage draw configurations and images, small ones often, where rounding hurts.
func genRules(version int) *rapid.Generator[Rules] {
	return rapid.Custom(func(t *rapid.T) Rules {
		side := rapid.OneOf(rapid.IntRange(1, 50), rapid.IntRange(500, 10000))
		r := Rules{
			Version:               version,
			Limits:                Limits{MaxWidth: side.Draw(t, "max width"), MaxHeight: side.Draw(t, "max height")},
			NoUpscale:             rapid.Bool().Draw(t, "no upscale"),
			NamedUpscale:          rapid.Bool().Draw(t, "named upscale"),
			ConfinedUpscaleReject: rapid.Bool().Draw(t, "reject"),
			LegacyFit:             rapid.Bool().Draw(t, "legacy fit"),
		}
		if rapid.Bool().Draw(t, "area") {
			r.MaxArea = rapid.OneOf(rapid.Int64Range(1, 3000), rapid.Int64Range(1, 100_000_000)).Draw(t, "max area")
		}
		return r
	})
}

func genImage() *rapid.Generator[Image] {
	return rapid.Custom(func(t *rapid.T) Image {
		side := rapid.OneOf(rapid.IntRange(1, 20), rapid.IntRange(1, 5000), rapid.IntRange(1, 200_000))
		img := Image{Width: side.Draw(t, "width"), Height: side.Draw(t, "height"), Pages: 1}
		if rapid.Bool().Draw(t, "tiled") {
			img.TileWidth, img.TileHeight = 16*rapid.IntRange(1, 70).Draw(t, "tile width"), 16*rapid.IntRange(1, 70).Draw(t, "tile height")
		}
		return img
	})
}

// checkPlan holds what is true of every plan that was accepted.
func checkPlan(t interface{ Fatalf(string, ...any) }, r Rules, p Params, plan Plan, img Image) {
	canvas := image.Rect(0, 0, img.Width, img.Height)
	switch {
	case plan.Canvas != canvas.Max:
		t.Fatalf("%s: the canvas is %v, want %v", p, plan.Canvas, canvas.Max)
	case plan.Region.Empty() || !plan.Region.In(canvas):
		t.Fatalf("%s: the region %v is not inside %v", p, plan.Region, canvas)
	case plan.Size.X < 1 || plan.Size.Y < 1 || !r.hold(plan.Size):
		t.Fatalf("%s: the size %v is not within %v", p, plan.Size, r.Limits)
	case plan.Rotation < 0 || plan.Rotation >= 360 || math.IsNaN(plan.Rotation):
		t.Fatalf("%s: the rotation is %v", p, plan.Rotation)
	}
	larger := plan.Size.X > plan.Region.Dx() || plan.Size.Y > plan.Region.Dy()
	if larger && (r.NoUpscale || r.Version == 3 && !p.Size.Upscale) {
		t.Fatalf("%s: %v is larger than the region %v", p, plan.Size, plan.Region)
	}
}

// TestPlansStayWithinImageAndLimits draws any request on any image under any rules.
func TestPlansStayWithinImageAndLimits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		version := rapid.SampledFrom([]int{2, 3}).Draw(t, "version")
		rules, img, params := genRules(version).Draw(t, "rules"), genImage().Draw(t, "image"), genParams(version).Draw(t, "params")
		plan, err := rules.Resolve(params, img)
		if err == nil {
			checkPlan(t, rules, params, plan, img)
		}
	})
}

// TestMaxAlwaysResolves: whatever the limits, an image can be had.
func TestMaxAlwaysResolves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rules, img := genRules(3).Draw(t, "rules"), genImage().Draw(t, "image")
		plan, err := rules.Resolve(Params{Quality: "default", Format: "jpg"}, img)
		if err != nil {
			t.Fatalf("max of %dx%d within %v: %v", img.Width, img.Height, rules.Limits, err)
		}
		checkPlan(t, rules, Params{}, plan, img)
		if plan.Size.X > img.Width || plan.Size.Y > img.Height {
			t.Fatalf("max of %dx%d is %v", img.Width, img.Height, plan.Size)
		}
	})
}
