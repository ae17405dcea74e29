package iiif

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/authz"
)

func fixed(t testing.TB, f Field, raw string) Value {
	t.Helper()
	v, err := FixedValue(f, json.RawMessage(raw))
	if err != nil {
		t.Fatalf("%s %s: %v", f, raw, err)
	}
	return v
}

// described adds values as far as they are wanted.
func described(t testing.TB, version int, values ...Value) Description {
	t.Helper()
	var d Description
	for _, v := range values {
		if d.Wants(v.field, version) {
			if err := d.Add(v, version); err != nil {
				t.Fatal(err)
			}
		}
	}
	return d
}

const (
	markURI    = "https://creativecommons.org/publicdomain/mark/1.0/"
	inCURI     = "http://rightsstatements.org/vocab/InC/1.0/"
	cityURI    = "https://example.org/terms"
	physdim    = `{"@context":"http://iiif.io/api/annex/services/physdim/1/context.json","physicalScale":0.0025,"physicalUnits":"in","profile":"http://iiif.io/api/annex/services/physdim"}`
	newService = `{"id":"https://example.org/s","type":"Service"}`
	oldService = `{"@context":"https://example.org/c.json","@id":"https://example.org/o","@type":"SearchService1"}`
)

// TestFieldsGoWhereTheirVersionHasThem: each info.json has the fields of its own version, in the order of the lines.
func TestFieldsGoWhereTheirVersionHasThem(t *testing.T) {
	t.Parallel()
	values := []Value{
		fixed(t, FieldAttribution, `"<span>Archive</span>"`), fixed(t, FieldAttribution, `"a second one"`),
		fixed(t, FieldRights, `"`+inCURI+`"`), fixed(t, FieldRights, `"https://example.org/second"`),
		fixed(t, FieldLicense, `"`+cityURI+`"`), fixed(t, FieldLogo, `"https://example.org/logo.png"`),
		fixed(t, FieldPreferredFormats, `["avif", "webp", "webp", "png"]`), fixed(t, FieldPreferredFormats, `["jpg"]`),
		fixed(t, FieldPartOf, `{ "type": "Manifest", "id": "https://example.org/m?a=1\u0026b=2", "id": "https://example.org/m?a=1\u0026b=2" }`),
		fixed(t, FieldSeeAlso, `{"id": "https://example.org/1", "type": "Dataset"}`), fixed(t, FieldSeeAlso, `{"id": "https://example.org/2", "type": "Dataset"}`),
		fixed(t, FieldService, physdim), fixed(t, FieldService, newService), fixed(t, FieldService, oldService),
	}
	for version, want := range map[int]string{
		2: `"service":[` + physdim + `,` + oldService + `],"attribution":"<span>Archive</span>","license":"` + cityURI + `","logo":"https://example.org/logo.png"}`,
		3: `"rights":"` + inCURI + `","partOf":[{"id":"https://example.org/m?a=1&b=2","type":"Manifest"}],` +
			`"seeAlso":[{"id":"https://example.org/1","type":"Dataset"},{"id":"https://example.org/2","type":"Dataset"}],` +
			`"service":[` + newService + `,` + oldService + `]}`,
	} {
		got := mustInfo(t, standard(version), Image{Width: 10, Height: 10}, allCapabilities(), described(t, version, values...))
		if !strings.HasSuffix(got, want+"\n") {
			t.Errorf("info.json of version %d is\n%s, which does not end in\n%s", version, got, want)
		}
		if has := strings.Contains(got, `"preferredFormats":["webp","png"]`); has != (version == 3) {
			t.Errorf("info.json of version %d is %s", version, got)
		}
	}
}

// TestRightsAndLicenseStandInForEachOther: version 2's license is any link; version 3's rights is of a closed set.
func TestRightsAndLicenseStandInForEachOther(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ license, rights, version2, version3 string }{
		{"", "", "", ""},
		{"", markURI, markURI, markURI},
		{markURI, "", markURI, markURI},
		{inCURI, "", inCURI, inCURI},
		{"http://creativecommons.org/licenses/by/4.0/", "", "http://creativecommons.org/licenses/by/4.0/", "http://creativecommons.org/licenses/by/4.0/"},
		{cityURI, "", cityURI, ""},
		{"https://creativecommons.org/about/", "", "https://creativecommons.org/about/", ""},
		{"https://example.org/creativecommons.org/licenses/by/4.0/", "", "https://example.org/creativecommons.org/licenses/by/4.0/", ""},
		{"https://creativecommons.org.example.org/licenses/by/4.0/", "", "https://creativecommons.org.example.org/licenses/by/4.0/", ""},
		{"%zz", "", "%zz", ""},
		{cityURI, inCURI, cityURI, inCURI},
		{markURI, inCURI, markURI, inCURI},
	} {
		d := Description{License: c.license, Rights: c.rights}
		if got2, got3 := d.license2(), d.rights3(); got2 != c.version2 || got3 != c.version3 {
			t.Errorf("%+v gives %q and %q", c, got2, got3)
		}
	}
}

func TestDescriptionIsBounded(t *testing.T) {
	t.Parallel()
	var d Description
	large := fixed(t, FieldAttribution, `"`+strings.Repeat("x", maxDescription)+`"`)
	if err := d.Add(fixed(t, FieldLogo, `"https://example.org/logo.png"`), 2); err != nil {
		t.Fatal(err)
	}
	if err := d.Add(large, 2); err == nil || d.Attribution != "" {
		t.Errorf("%d bytes more are taken: %v", maxDescription, err)
	}
	if err := d.Add(fixed(t, FieldAttribution, `"small"`), 2); err != nil || d.Attribution != "small" {
		t.Errorf("a small one after it: %v", err)
	}
	object := fixed(t, FieldSeeAlso, `{"id": "https://example.org/", "type": "Dataset", "x": "`+strings.Repeat("x", 1000)+`"}`)
	for range 100 {
		_ = d.Add(object, 3)
	}
	if n := len(d.SeeAlso); n < 10 || n > 16 {
		t.Errorf("%d objects of 1000 bytes are taken", n)
	}
}

// TestInfoIsDescribedPerRequest: only info.json asks, once it is allowed and the image is known.
func TestInfoIsDescribedPerRequest(t *testing.T) {
	t.Parallel()
	var asked []Request
	config := Config{Protected: true, Describe: func(_ context.Context, req Request) Description {
		asked = append(asked, req)
		return Description{Rights: markURI, Incomplete: req.RawIdentifier == "unsure"}
	}}
	decide := func(identifier string, outcome authz.Outcome) *authz.Decision {
		d := authz.Decision{Collection: "c", Identifier: identifier, Outcome: outcome, CacheFor: time.Hour, Status: http.StatusForbidden}
		if outcome == authz.Tier {
			d.MaxSide = 600
		}
		return &d
	}
	for _, c := range []struct {
		identifier, rest string
		outcome          authz.Outcome
		status, asked    int
		cache            string
	}{
		{"a", "/info.json", authz.Allow, http.StatusOK, 1, "private, max-age=3600"},
		{"a", "/info.json", authz.Tier, http.StatusOK, 1, "private, max-age=3600"},
		{"unsure", "/info.json", authz.Allow, http.StatusOK, 1, "max-age=0, no-cache, no-store, must-revalidate, private"},
		{"a", "/info.json", authz.Deny, 0, 0, ""},
		{"missing", "/info.json", authz.Allow, 0, 0, ""},
		{"a", "/full/max/0/default.jpg", authz.Allow, http.StatusOK, 0, "private, max-age=3600"},
		{"a", "", authz.Allow, http.StatusSeeOther, 0, "private, max-age=3600"},
	} {
		asked = nil
		got := ask{config: config, target: "/iiif/3/" + c.identifier + c.rest, decision: decide(c.identifier, c.outcome)}.serve(t)
		if c.status == 0 {
			if got.err == nil {
				t.Errorf("%+v is answered", c)
			}
		} else if got.err != nil || got.Code != c.status || got.Header().Get("Cache-Control") != c.cache {
			t.Errorf("%+v gives %v, %d, %v", c, got.err, got.Code, got.Header())
		}
		if len(asked) != c.asked {
			t.Errorf("%+v asks %d times", c, len(asked))
		}
		if c.asked > 0 {
			if asked[0].Version != 3 || asked[0].RawIdentifier != c.identifier || !strings.Contains(got.Body.String(), `"rights":"`+markURI+`"`) {
				t.Errorf("%+v asks %+v and gives %s", c, asked[0], got.Body)
			}
			if tagged := got.Header().Get("ETag") != ""; tagged != (c.identifier == "a") {
				t.Errorf("%+v has a tag: %t", c, tagged)
			}
		}
	}
}

// TestTheTagOfInfoFollowsWhatItSays: metadata may change while the original stays.
func TestTheTagOfInfoFollowsWhatItSays(t *testing.T) {
	t.Parallel()
	tagOf := func(rights string) string {
		return ask{config: Config{Describe: func(context.Context, Request) Description { return Description{Rights: rights} }}, target: "/iiif/3/a/info.json"}.
			serve(t).Header().Get("ETag")
	}
	first, again, other, none := tagOf(markURI), tagOf(markURI), tagOf(inCURI), tagOf("")
	if first != again || first == other || none == "" {
		t.Errorf("the tags are %s, %s, %s and %s", first, again, other, none)
	}
}
