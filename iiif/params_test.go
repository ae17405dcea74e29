package iiif

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// wantRefusal checks that err is a refusal with a status, a code and words that name what is wrong.
func wantRefusal(t testing.TB, err error, status int, code string, words ...string) {
	t.Helper()
	var e *problem.Error
	if !errors.As(err, &e) {
		t.Errorf("the error is %v, want a problem.Error", err)
		return
	}
	if e.Status != status || e.Code != code {
		t.Errorf("the refusal is %d %s (%s), want %d %s", e.Status, e.Code, e.Detail, status, code)
	}
	for _, word := range words {
		if !strings.Contains(e.Detail, word) {
			t.Errorf("the refusal says %q, want it to name %q", e.Detail, word)
		}
	}
}

func decimal(t testing.TB, s string) Decimal {
	t.Helper()
	d, ok := ParseDecimal(s)
	if !ok {
		t.Fatalf("%q is no decimal", s)
	}
	return d
}

func TestParseRegion(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Region{
		"full":             {},
		"square":           {Mode: RegionSquare},
		"1,2,3,4":          {Mode: RegionPixels, X: 1, Y: 2, W: 3, H: 4},
		"0,0,2147483647,1": {Mode: RegionPixels, W: maxNumber, H: 1},
		"pct:0,0.5,33.3333,100": {Mode: RegionPercent, Percent: [4]Decimal{
			{}, decimal(t, "0.5"), decimal(t, "33.3333"), decimal(t, "100"),
		}},
	} {
		if got, err := ParseRegion(in); err != nil || got != want {
			t.Errorf("ParseRegion(%q) = %+v, %v; want %+v", in, got, err, want)
		}
	}
}

func TestParseRegionRefuses(t *testing.T) {
	t.Parallel()
	for in, word := range map[string]string{
		"":                                "allowed are full",
		"Full":                            "allowed are full",
		"max":                             "allowed are full",
		"1,2,3":                           "x,y,w,h",
		"1,2,3,4,5":                       "x,y,w,h",
		"0,0,0,10":                        "more than 0",
		"0,0,10,0":                        "more than 0",
		"-1,0,10,10":                      `"-1"`,
		"+1,0,10,10":                      `"+1"`,
		"1.5,0,10,10":                     `"1.5"`,
		"0,0,2147483648,1":                "2147483647",
		"0,0, 1,1":                        `" 1"`,
		"1e1,0,1,1":                       `"1e1"`,
		"pct:0,0,0,10":                    "more than 0",
		"pct:0,0,10,0.0":                  "more than 0",
		"pct:0,0,10":                      "pct:x,y,w,h",
		"pct:0,0,-1,10":                   `"-1"`,
		"pct:0,0,1e1,10":                  "one dot",
		"pct:1.2.3,0,1,1":                 "one dot",
		"PCT:0,0,1,1":                     `"PCT:0"`,
		"pct:0,0,10,99999999999999999999": "digits",
	} {
		_, err := ParseRegion(in)
		wantRefusal(t, err, http.StatusBadRequest, codeRegion, "region", word)
	}
}

func TestParseSizeByVersion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in       string
		want     Size
		in2, in3 bool
	}{
		{"full", Size{Mode: SizeFull}, true, false},
		{"max", Size{Mode: SizeMax}, true, true},
		{"^max", Size{Mode: SizeMax, Upscale: true}, false, true},
		{"100,", Size{Mode: SizeWidth, W: 100}, true, true},
		{"^100,", Size{Mode: SizeWidth, W: 100, Upscale: true}, false, true},
		{",100", Size{Mode: SizeHeight, H: 100}, true, true},
		{"^,100", Size{Mode: SizeHeight, H: 100, Upscale: true}, false, true},
		{"pct:50", Size{Mode: SizePercent, Percent: decimal(t, "50")}, true, true},
		{"pct:100.5", Size{Mode: SizePercent, Percent: decimal(t, "100.5")}, true, false},
		{"^pct:150", Size{Mode: SizePercent, Percent: decimal(t, "150"), Upscale: true}, false, true},
		{"10,20", Size{Mode: SizeExact, W: 10, H: 20}, true, true},
		{"^10,20", Size{Mode: SizeExact, W: 10, H: 20, Upscale: true}, false, true},
		{"!10,20", Size{Mode: SizeConfined, W: 10, H: 20}, true, true},
		{"^!10,20", Size{Mode: SizeConfined, W: 10, H: 20, Upscale: true}, false, true},
	} {
		for version, allowed := range map[int]bool{2: c.in2, 3: c.in3} {
			got, err := ParseSize(c.in, version)
			if allowed && (err != nil || got != c.want) {
				t.Errorf("version %d: ParseSize(%q) = %+v, %v; want %+v", version, c.in, got, err, c.want)
			}
			if !allowed {
				wantRefusal(t, err, http.StatusBadRequest, codeSize, c.in)
			}
		}
	}
}

func TestParseSizeRefusesInBothVersions(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", ",", "!", "!,", "!10,", "!,10", "^", "^^max", "!max", "!^10,10", "^full", "10", "10,10,10", "x,", "pct:", "pct:0", "pct:0.0",
		"pct:-1", "pct:1e2", "pct:1.1.1", "!pct:10", "0,", ",0", "0,10", "10,0", "!0,10", "!10,0", "-1,", "+1,", "1.5,", " 10,", "10, ",
		"2147483648,", ",99999999999999999999", "MAX", "Full", "１,",
	} {
		for _, version := range []int{2, 3} {
			_, err := ParseSize(in, version)
			wantRefusal(t, err, http.StatusBadRequest, codeSize, "size")
		}
	}
}

func TestParseRotation(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Rotation{
		"0": {}, "90": {Degrees: decimal(t, "90")}, "!0": {Mirror: true}, "22.5": {Degrees: decimal(t, "22.5")},
		"!180": {Mirror: true, Degrees: decimal(t, "180")}, "360": {Degrees: decimal(t, "360")}, "00": {}, ".5": {Degrees: decimal(t, "0.5")},
	} {
		if got, err := ParseRotation(in); err != nil || got != want {
			t.Errorf("ParseRotation(%q) = %+v, %v; want %+v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "!", "-90", "+90", "360.1", "361", "90deg", "!!90", "90!", "1e2", "NaN", "4.", "99999999999999999999"} {
		_, err := ParseRotation(in)
		wantRefusal(t, err, http.StatusBadRequest, codeRotation, "rotation", "360")
	}
}

func TestParseQualityAndFormat(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"default", "color", "gray", "bitonal"} {
		for _, version := range []int{2, 3} {
			if got, err := ParseQuality(in, version); err != nil || got != in {
				t.Errorf("version %d: ParseQuality(%q) = %q, %v", version, in, got, err)
			}
		}
	}
	if got, err := ParseQuality("grey", 2); err != nil || got != "gray" {
		t.Errorf("version 2 reads grey as %q, %v; want gray", got, err)
	}
	_, err := ParseQuality("grey", 3)
	wantRefusal(t, err, http.StatusBadRequest, codeQuality, `"grey"`, "gray")
	for _, in := range []string{"", "native", "Default", "colour"} {
		_, err := ParseQuality(in, 2)
		wantRefusal(t, err, http.StatusBadRequest, codeQuality, "default")
	}
	for _, in := range []string{"jpg", "png", "tif", "gif", "webp", "jp2", "pdf", "avif", "jxl"} {
		if got, err := ParseFormat(in); err != nil || got != in {
			t.Errorf("ParseFormat(%q) = %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "jpeg", "JPG", "svg", "html", "json", "exe"} {
		_, err := ParseFormat(in)
		wantRefusal(t, err, http.StatusBadRequest, codeFormat, "jpg")
	}
}

func TestParseParamsNamesTheWrongOne(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		segments [4]string
		code     string
	}{
		{[4]string{"nope", "max", "0", "default.jpg"}, codeRegion},
		{[4]string{"full", "nope", "0", "default.jpg"}, codeSize},
		{[4]string{"full", "max", "nope", "default.jpg"}, codeRotation},
		{[4]string{"full", "max", "0", "nope.jpg"}, codeQuality},
		{[4]string{"full", "max", "0", "default.nope"}, codeFormat},
		{[4]string{"full", "max", "0", "default"}, codeFormat},
		{[4]string{"full", "max", "0", "default."}, codeFormat},
		{[4]string{"full", "max", "0", ".jpg"}, codeQuality},
		{[4]string{"full", "max", "0", "default.jpg.png"}, codeQuality},
	} {
		s := c.segments
		_, err := ParseParams(3, s[0], s[1], s[2], s[3])
		wantRefusal(t, err, http.StatusBadRequest, c.code)
	}
}

func TestRefusalShowsAValueShortAndClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"abc":                   `"abc"`,
		"a\"b\r\nc\x00é":        `"a?b??c???"`,
		strings.Repeat("x", 60): `"` + strings.Repeat("x", maxShown) + `..."`,
	} {
		if got := shown(in); got != want {
			t.Errorf("shown(%q) = %s, want %s", in, got, want)
		}
	}
}

// genRegion, genSize and genRotation draw all that their parsers can give.
func genRegion() *rapid.Generator[Region] {
	return rapid.Custom(func(t *rapid.T) Region {
		switch mode := RegionMode(rapid.IntRange(0, 3).Draw(t, "region mode")); mode {
		case RegionPixels:
			n := rapid.IntRange(0, 3000)
			return Region{Mode: mode, X: n.Draw(t, "x"), Y: n.Draw(t, "y"), W: n.Draw(t, "w") + 1, H: n.Draw(t, "h") + 1}
		case RegionPercent:
			r := Region{Mode: mode}
			for i := range r.Percent {
				r.Percent[i] = genDecimal().Filter(func(d Decimal) bool { return i < 2 || !d.isZero() }).Draw(t, "percent")
			}
			return r
		default:
			return Region{Mode: mode}
		}
	})
}

func genSize(version int) *rapid.Generator[Size] {
	return rapid.Custom(func(t *rapid.T) Size {
		s := Size{Mode: SizeMode(rapid.IntRange(0, 6).Draw(t, "size mode"))}
		if version == 3 {
			s.Upscale = rapid.Bool().Draw(t, "upscale")
			if s.Mode == SizeFull {
				s.Mode = SizeMax
			}
		}
		side := rapid.IntRange(1, 3000)
		switch s.Mode {
		case SizeWidth:
			s.W = side.Draw(t, "w")
		case SizeHeight:
			s.H = side.Draw(t, "h")
		case SizePercent:
			s.Percent = genDecimal().Filter(func(d Decimal) bool {
				return !d.isZero() && (version == 2 || s.Upscale || !d.exceeds(100))
			}).Draw(t, "pct")
		case SizeExact, SizeConfined:
			s.W, s.H = side.Draw(t, "w"), side.Draw(t, "h")
		}
		return s
	})
}

func genRotation() *rapid.Generator[Rotation] {
	return rapid.Custom(func(t *rapid.T) Rotation {
		degrees := genDecimal().Filter(func(d Decimal) bool { return !d.exceeds(fullTurn) })
		right := rapid.Map(rapid.IntRange(0, 4), func(n int) Decimal { return Decimal{units: uint64(n * 90)} })
		return Rotation{Mirror: rapid.Bool().Draw(t, "mirror"), Degrees: rapid.OneOf(right, degrees).Draw(t, "degrees")}
	})
}

func genParams(version int) *rapid.Generator[Params] {
	return rapid.Custom(func(t *rapid.T) Params {
		return Params{
			Region:   genRegion().Draw(t, "region"),
			Size:     genSize(version).Draw(t, "size"),
			Rotation: genRotation().Draw(t, "rotation"),
			Quality:  rapid.SampledFrom([]string{"default", "color", "gray", "bitonal"}).Draw(t, "quality"),
			Format:   rapid.SampledFrom([]string{"jpg", "png", "tif", "webp"}).Draw(t, "format"),
		}
	})
}

// TestParseIsTheInverseOfString holds the grammar together from both ends.
func TestParseIsTheInverseOfString(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		version := rapid.SampledFrom([]int{2, 3}).Draw(t, "version")
		want := genParams(version).Draw(t, "params")
		s := strings.Split(want.String(), "/")
		if len(s) != 4 {
			t.Fatalf("%s has %d segments", want, len(s))
		}
		got, err := ParseParams(version, s[0], s[1], s[2], s[3])
		if err != nil || got != want {
			t.Fatalf("%s reads as %+v, %v; want %+v", want, got, err, want)
		}
	})
}
