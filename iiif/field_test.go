package iiif

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestEveryFieldHasAKindAndAVersion(t *testing.T) {
	t.Parallel()
	if !slices.IsSorted(Fields()) || len(Fields()) != 8 {
		t.Errorf("the fields are %v", Fields())
	}
	for _, name := range Fields() {
		f := Field(name)
		if _, known := f.Kind(); !known || !f.In(2) && !f.In(3) || f.In(1) {
			t.Errorf("%s is known: %t, in version 1, 2 and 3: %t, %t, %t", name, known, f.In(1), f.In(2), f.In(3))
		}
	}
	for _, name := range []Field{"", "see_also", "Rights", "id"} {
		if _, known := name.Kind(); known || name.In(2) || name.In(3) {
			t.Errorf("%q is taken for a field", name)
		}
	}
}

// valueCases are values of fields with a part of the complaint about each; empty where there is none.
var valueCases = []struct {
	field      Field
	json, want string
}{
	{FieldRights, `"http://rightsstatements.org/vocab/InC/1.0/"`, ""},
	{FieldRights, `"https://creativecommons.org/publicdomain/mark/1.0/"`, ""},
	{FieldRights, `"public domain"`, "percent-encoded"},
	{FieldRights, `"urn:isbn:1"`, "http or https URI"},
	{FieldRights, `"javascript:alert(1)"`, "http or https URI"},
	{FieldRights, `"JaVaScRiPt:alert(1)//https://a.example.org/"`, "http or https URI"},
	{FieldRights, `"data:text/html,x"`, "http or https URI"},
	{FieldRights, `"//example.org/x"`, "http or https URI"},
	{FieldRights, `"https:///x"`, "http or https URI"},
	{FieldRights, `"https://user:secret@example.org/"`, "http or https URI"},
	{FieldRights, `"https://example.org/\u0000"`, "percent-encoded"},
	{FieldRights, `"https://example.org/é"`, "percent-encoded"},
	{FieldRights, `"https://example.org/\"><script>"`, "percent-encoded"},
	{FieldRights, `"https://example.org/` + strings.Repeat("x", 2048) + `"`, "2048 bytes"},
	{FieldRights, `""`, "http or https URI"},
	{FieldRights, `["https://example.org/"]`, "must be a text"},
	{FieldRights, `null`, "must be a text"},
	{FieldLicense, `"https://example.org/terms"`, ""},
	{FieldLicense, `7`, "must be a text"},
	{FieldLogo, `"https://example.org/logo.png"`, ""},
	{FieldLogo, `"logo.png"`, "http or https URI"},
	{FieldAttribution, `"City & Archive"`, ""},
	{FieldAttribution, `"1 < 2"`, ""},
	{FieldAttribution, `" \n\u200b "`, "empty"},
	{FieldAttribution, `{"en": ["x"]}`, "must be a text"},
	{FieldPreferredFormats, `["webp", "jpg", "webp"]`, ""},
	{FieldPreferredFormats, `["webp", "bmp"]`, "choose from jpg, png"},
	{FieldPreferredFormats, `[1]`, "choose from jpg, png"},
	{FieldPreferredFormats, `[]`, "empty"},
	{FieldPreferredFormats, `"webp"`, "must be a list of formats"},
	{FieldPartOf, `{"id": "https://example.org/m.json", "type": "Manifest", "label": {"nl": ["Bouwdossier"]}}`, ""},
	{FieldPartOf, `{"type": "Manifest"}`, `"id"`},
	{FieldPartOf, `{"id": "https://example.org/m.json"}`, `"type"`},
	{FieldPartOf, `{"id": "https://example.org/m.json", "type": ["Manifest"]}`, `"type"`},
	{FieldPartOf, `{"id": "javascript:alert(1)", "type": "Manifest"}`, `"id"`},
	{FieldPartOf, `{"id": "https://example.org/m.json", "type": "Manifest", "partOf": [{"id": "data:,x"}]}`, `"id"`},
	{FieldPartOf, `{"id": "https://example.org/m.json", "type": "Manifest", "partOf": [{"@id": 7}]}`, `"@id"`},
	{FieldPartOf, `{"id": "https://example.org/m.json", "type": "Manifest", "label": "Bouwdossier"}`, `"label"`},
	{FieldPartOf, `{"id": "https://example.org/m.json", "type": "Manifest", "label": {"nl": "Bouwdossier"}}`, `"label"`},
	{FieldPartOf, `{"id": "https://example.org/m.json", "type": "Manifest", "label": {"nl": [1]}}`, `"label"`},
	{FieldPartOf, `{"id": "https://example.org/m.json", "type": "Manifest", "label": {}}`, `"label"`},
	{FieldPartOf, `[{"id": "https://example.org/m.json", "type": "Manifest"}]`, "must be a JSON object"},
	{FieldSeeAlso, `{"id": "https://example.org/d", "type": "Dataset", "format": "text/xml", "profile": "https://example.org/p"}`, ""},
	{FieldSeeAlso, `{"id": "https://example.org/d", "type": "Dataset", "format": 1}`, `"format"`},
	{FieldSeeAlso, `{"id": "https://example.org/d", "type": "Dataset", "profile": []}`, `"profile"`},
	{FieldService, `{"id": "https://example.org/s", "type": "Service"}`, ""},
	{FieldService, `{"@id": "https://example.org/s", "@type": "SearchService1"}`, ""},
	{FieldService, `{"@context": "http://iiif.io/api/annex/services/physdim/1/context.json", "profile": "http://iiif.io/api/annex/services/physdim"}`, ""},
	{FieldService, `{"@context": "https://example.org/c.json"}`, `"@context" with "@id" or "profile"`},
	{FieldService, `{"id": "https://example.org/s"}`, `"id" and "type"`},
	{FieldService, `{"@id": "https://example.org/s", "@type": "S", "service": [{"@id": "vbscript:x"}]}`, `"@id"`},
	{FieldService, `"https://example.org/s"`, "must be a JSON object"},
	{"see_also", `{}`, "choose one of attribution, license, logo, partOf, preferredFormats, rights, seeAlso, service"},
}

func TestValuesAreChecked(t *testing.T) {
	t.Parallel()
	for _, c := range valueCases {
		_, err := FixedValue(c.field, json.RawMessage(c.json))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s %.200s: error %v, want %q", c.field, c.json, err, c.want)
		}
		var plain any
		if err := json.Unmarshal([]byte(c.json), &plain); err != nil {
			t.Fatal(err)
		}
		if _, computed := ComputedValue(c.field, plain); (computed == nil) != (err == nil) {
			t.Errorf("%s %.200s: fixed it is %v, computed %v", c.field, c.json, err, computed)
		}
	}
	for _, broken := range []string{"", "{", `{} {}`, `"a" b`, "'a'"} {
		if _, err := FixedValue(FieldAttribution, json.RawMessage(broken)); err == nil {
			t.Errorf("%q is taken for a value", broken)
		}
	}
}

// TestOnlyAFixedAttributionHoldsMarkup: viewers may show an attribution as HTML.
func TestOnlyAFixedAttributionHoldsMarkup(t *testing.T) {
	t.Parallel()
	for text, markup := range map[string]bool{
		"<span>Archive</span>": true, "Archive <img src=x onerror=alert(1)>": true, "</p>": true, "<!-- x": true, "<?php": true, "<SCRIPT": true,
		"1 < 2": false, "a <": false, "<3": false, "<<<b>": true, "< script>": false, "&lt;script&gt;": false, "plain": false,
	} {
		raw, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := FixedValue(FieldAttribution, raw); err != nil {
			t.Errorf("%q: fixed: %v", text, err)
		}
		if _, err := ComputedValue(FieldAttribution, text); (err != nil) != markup {
			t.Errorf("%q: computed: %v, want an error: %t", text, err, markup)
		}
	}
}

// TestComplaintsQuoteNothing: what was computed may be personal data, and complaints go into a log.
func TestComplaintsQuoteNothing(t *testing.T) {
	t.Parallel()
	for _, name := range Fields() {
		for _, value := range []any{
			"secret", "secret <b>", "https://secret secret/", map[string]any{"id": "secret", "type": "secret"}, map[string]any{"secret": "secret"},
			[]any{"secret"}, map[string]any{"@context": "secret", "@id": "secret://secret", "label": "secret"},
		} {
			if _, err := ComputedValue(Field(name), value); err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v quotes the value", name, err)
			}
		}
	}
}

func FuzzFixedValue(f *testing.F) {
	for _, c := range valueCases {
		f.Add(string(c.field), []byte(c.json))
	}
	f.Fuzz(func(t *testing.T, field string, raw []byte) {
		v, err := FixedValue(Field(field), raw)
		if err != nil {
			return
		}
		for _, version := range []int{2, 3} {
			var d Description
			if d.Wants(v.field, version) {
				if err := d.Add(v, version); err != nil && len(raw) <= maxDescription {
					t.Errorf("%s %q: %v", field, raw, err)
				}
			}
			body, err := standard(version).Info("https://example.org/iiif/a", Image{Width: 10, Height: 10}, allCapabilities(), d)
			if err != nil || !json.Valid(body) {
				t.Errorf("%s %q: info.json is %v %q", field, raw, err, body)
			}
		}
	})
}
