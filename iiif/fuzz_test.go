package iiif

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// wantCallersFault holds what is true of every refusal: 4xx or 501, with a sentence of printable text.
func wantCallersFault(t *testing.T, err error) {
	t.Helper()
	e := problem.From(err)
	if (e.Status < 400 || e.Status > 499) && e.Status != 501 {
		t.Fatalf("the refusal is %d: %v", e.Status, err)
	}
	if e.Detail == "" || len(e.Detail) > 600 || strings.ContainsFunc(e.Detail, func(c rune) bool { return c < ' ' || c > '~' }) {
		t.Fatalf("the refusal says %q", e.Detail)
	}
}

func FuzzParsePath(f *testing.F) {
	for _, path := range []string{
		"/iiif/2/a/full/full/0/default.jpg", "/iiif/3/a%2Fb;p=2/pct:1,2,3,4/^!5,6/!22.5/gray.png", "/iiif/3/a/info.json", "/iiif/2/a",
		"/%69iif/%32/a%3Bp%3D3/info%2Ejson", "/iiif/2/..%2F/info.json", "/iiif/2/%zz", "/iiif/2//info.json", "/iiif/9/a",
	} {
		f.Add(path, "auth=x&source_file=true&page=3&download=1")
		f.Add(path, "")
	}
	f.Fuzz(func(t *testing.T, path, rawQuery string) {
		req, ours, err := ParsePath("/iiif", path, rawQuery)
		if !ours {
			if err != nil || req != (Request{}) {
				t.Fatalf("not ours, and yet %+v, %v", req, err)
			}
			return
		}
		if err != nil {
			wantCallersFault(t, err)
			return
		}
		switch {
		case req.Version != 2 && req.Version != 3, req.Page < 1:
			t.Fatalf("%+v", req)
		case req.RawIdentifier == "" || strings.Contains(req.RawIdentifier, "/") || !strings.Contains(path, req.RawIdentifier):
			t.Fatalf("the raw identifier of %q is %q", path, req.RawIdentifier)
		case req.Identifier == "" || len(req.Identifier) > maxIdentifier || !utf8.ValidString(req.Identifier) || strings.ContainsAny(req.Identifier, "\\\x00\r\n"):
			t.Fatalf("the identifier of %q is %q", path, req.Identifier)
		}
		for segment := range strings.SplitSeq(req.Identifier, "/") {
			if segment == ".." {
				t.Fatalf("the identifier of %q is %q", path, req.Identifier)
			}
		}
		// What we write ourselves reads the same.
		again, _, err := ParsePath("/iiif", "/iiif/"+string(rune('0'+req.Version))+"/"+req.segment+"/info.json", "")
		if err != nil || again.RawIdentifier != req.RawIdentifier || again.Page != req.Page {
			t.Fatalf("the segment %q reads as %+v, %v; want %+v", req.segment, again, err, req)
		}
	})
}

// checkRequest resolves parameters against images of awkward sizes and holds what is true of all plans.
func checkRequest(t *testing.T, rules Rules, p Params) {
	t.Helper()
	for _, img := range []Image{
		{Width: 300, Height: 200}, {Width: 1, Height: 1}, {Width: 4097, Height: 4993, TileWidth: 256, TileHeight: 128},
		{Width: 1, Height: 70_000}, {Width: maxNumber, Height: maxNumber}, {Width: maxNumber, Height: 1},
	} {
		plan, err := rules.Resolve(p, img)
		if err != nil {
			wantCallersFault(t, err)
			continue
		}
		checkPlan(t, rules, p, plan, img)
		checkCanonical(t, rules, p, plan, img)
	}
}

// manyRules are the standard ones and each switch, in both versions.
func manyRules() []Rules {
	var all []Rules
	for _, version := range []int{2, 3} {
		small := Rules{Version: version, Limits: Limits{MaxWidth: 1000, MaxHeight: 300, MaxArea: 123_457}}
		switched := standard(version)
		switched.NoUpscale, switched.LegacyFit, switched.ConfinedUpscaleReject = true, true, true
		all = append(all, standard(version), small, switched)
	}
	return all
}

func FuzzRegion(f *testing.F) {
	for _, s := range []string{"full", "square", "0,0,10,10", "299,199,2147483647,1", "pct:0,0,50,50", "pct:33.3333,0.1,66.6,100", "pct:100,0,1,1", "1,2,3", "-1,0,1,1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		region, err := ParseRegion(s)
		if err != nil {
			wantCallersFault(t, err)
			return
		}
		if again, err := ParseRegion(region.String()); err != nil || again != region {
			t.Fatalf("%q is %+v, which writes %s, which is %+v, %v", s, region, region, again, err)
		}
		for _, rules := range manyRules() {
			checkRequest(t, rules, Params{Region: region, Quality: "default", Format: "jpg"})
		}
	})
}

func FuzzSize(f *testing.F) {
	for _, s := range []string{"full", "max", "^max", "1,", ",1", "^1000,", "pct:33.3333", "^pct:120", "10,20", "!10,20", "^!10,20", "pct:0", "2147483647,2147483647", "0,1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, rules := range manyRules() {
			size, err := ParseSize(s, rules.Version)
			if err != nil {
				wantCallersFault(t, err)
				continue
			}
			if again, err := ParseSize(size.String(), rules.Version); err != nil || again != size {
				t.Fatalf("%q is %+v, which writes %s, which is %+v, %v", s, size, size, again, err)
			}
			checkRequest(t, rules, Params{Size: size, Quality: "default", Format: "jpg"})
			checkRequest(t, rules, Params{Region: Region{Mode: RegionSquare}, Size: size, Quality: "default", Format: "jpg"})
		}
	})
}

func FuzzRotationQualityFormat(f *testing.F) {
	for _, s := range []string{"0", "90", "!22.5", "360", "359.9999999999999999", ".5", "361", "-1", "!", "00090.50"} {
		f.Add(s, "default.jpg")
	}
	f.Add("0", "grey.png")
	f.Add("0", "color.jpg.png")
	f.Add("0", "bitonal")
	f.Fuzz(func(t *testing.T, rotation, qualityFormat string) {
		for _, rules := range manyRules() {
			p, err := ParseParams(rules.Version, "full", "max", rotation, qualityFormat)
			if err != nil {
				wantCallersFault(t, err)
				continue
			}
			s := strings.Split(p.String(), "/")
			if again, err := ParseParams(rules.Version, s[0], s[1], s[2], s[3]); err != nil || again != p {
				t.Fatalf("%q %q is %+v, which writes %s, which is %+v, %v", rotation, qualityFormat, p, p, again, err)
			}
			if MediaType(p.Format) == "" {
				t.Fatalf("the format %q has no media type", p.Format)
			}
			checkRequest(t, rules, p)
		}
	})
}

// FuzzAccept: whatever is accepted, the answer is one of three.
func FuzzAccept(f *testing.F) {
	f.Add("application/ld+json;q=0.5, application/json")
	f.Add(`application/ld+json;profile="x,y";q=`)
	f.Fuzz(func(t *testing.T, accept string) {
		for _, version := range []int{2, 3} {
			switch got := infoType(version, []string{accept}); {
			case got == typeJSON, got == typeLD2 && version == 2, got == typeLD3 && version == 3:
			default:
				t.Fatalf("version %d: %q gets %s", version, accept, got)
			}
		}
	})
}
