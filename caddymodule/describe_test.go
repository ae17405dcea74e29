package caddymodule

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/collection"
	"github.com/gatehouse-server/gatehouse/iiif"
	"github.com/gatehouse-server/gatehouse/internal/testkit"
	"github.com/gatehouse-server/gatehouse/source"
)

// describing is a collection whose metadata is what the test says, with lines `info`.
type describing struct {
	items     *collection.Collection
	describer *describer
	metadata  *testkit.StandIn
	log       *bytes.Buffer
}

func newDescribing(t *testing.T, metadata string, lines ...InfoConfig) *describing {
	t.Helper()
	d := &describing{log: new(bytes.Buffer)}
	d.metadata = testkit.NewStandIn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if metadata == "" {
			http.Error(w, "broken", http.StatusInternalServerError)
			return
		}
		_, _ = fmt.Fprint(w, metadata)
	}))
	folder, err := source.New(&source.FolderConfig{Root: t.TempDir()}, source.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	d.items, err = collection.New(collection.Config{
		Name: "c", Metadata: &collection.MetadataConfig{URL: d.metadata.URL() + "/{path}"},
		Rules:  []collection.Rule{{Outcome: "allow", Expr: "true"}},
		Places: map[string]collection.Place{"main": {Source: folder, Kind: source.KindFolder}},
	}, collection.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.items.Close)
	log := slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if d.describer, err = newDescriber(d.items, lines, log); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *describing) describe(ctx context.Context, version int) iiif.Description {
	return d.describer.describe(withLookup(ctx, d.items.Lookup("a")), iiif.Request{Version: version, RawIdentifier: "a", Kind: iiif.Info})
}

func quoted(s string) json.RawMessage { return json.RawMessage(`"` + s + `"`) }

func TestTheFirstLineThatGivesAValueCounts(t *testing.T) {
	d := newDescribing(t, `{"copyright": "J", "title": "", "place": "Weesp"}`,
		InfoConfig{Field: "rights", Value: quoted("https://a.example.org/1"), When: `metadata.copyright == "N"`},
		InfoConfig{Field: "rights", Value: quoted("https://a.example.org/2"), When: `metadata.absent == "N"`},
		InfoConfig{Field: "rights", Value: quoted("https://a.example.org/3")},
		InfoConfig{Field: "rights", Value: quoted("https://a.example.org/4")},
		InfoConfig{Field: "attribution", From: `metadata.absent`},
		InfoConfig{Field: "attribution", From: `metadata.title`},
		InfoConfig{Field: "attribution", From: `"Archive of " + metadata.place`},
		InfoConfig{Field: "attribution", From: `"not reached"`},
	)
	for version, attribution := range map[int]string{2: "Archive of Weesp", 3: ""} {
		got := d.describe(t.Context(), version)
		if got.Rights != "https://a.example.org/3" || got.Attribution != attribution || got.Incomplete {
			t.Errorf("version %d has %+v", version, got)
		}
	}
	if log := d.log.String(); strings.Contains(log, "WARN") || !strings.Contains(log, "no such key: absent") || !strings.Contains(log, "info=2") {
		t.Errorf("the log is\n%s", log)
	}
}

// What others wrote into the metadata cannot bring anything into an info.json but what may stand there.
func TestValuesOutOfMetadataAreNotTrusted(t *testing.T) {
	deep := strings.Repeat(`{"x":`, 40) + `1` + strings.Repeat(`}`, 40)
	for name, value := range map[string]string{
		"script": `"javascript:alert(1)"`, "markup": `"<img src=x onerror=alert(1)>"`, "huge": `"https://a.example.org/` + strings.Repeat("x", 1<<20) + `"`,
		"number": `7`, "null": `null`, "list": `["https://a.example.org/"]`, "deep": deep, "text": `"secret title"`, "empty": `""`,
		"object": `{"id": "javascript:alert(1)", "type": "Dataset"}`, "nested": `{"id": "https://a.example.org/", "type": "Dataset", "x": [{"@id": "data:,x"}]}`,
		"long list": `[` + strings.Repeat(`"webp",`, 10_000) + `"webp"]`,
	} {
		d := newDescribing(t, `{"value": `+value+`}`,
			InfoConfig{Field: "rights", From: "metadata.value"}, InfoConfig{Field: "license", From: "metadata.value"},
			InfoConfig{Field: "logo", From: "metadata.value"}, InfoConfig{Field: "seeAlso", From: "metadata.value"},
			InfoConfig{Field: "partOf", From: "metadata.value"}, InfoConfig{Field: "service", From: "metadata.value"},
			InfoConfig{Field: "preferredFormats", From: "metadata.value"}, InfoConfig{Field: "rights", Value: quoted("https://a.example.org/fixed")},
		)
		for _, version := range []int{2, 3} {
			got := d.describe(t.Context(), version)
			if got.Rights != "https://a.example.org/fixed" || got.License+got.Logo != "" || got.Incomplete ||
				len(got.SeeAlso)+len(got.PartOf)+len(got.Service)+len(got.PreferredFormats) > 0 {
				t.Errorf("%s gives %+v in version %d", name, got, version)
			}
		}
		if log := d.log.String(); strings.Contains(log, "secret") || len(log) > 20_000 {
			t.Errorf("%s: the log quotes the value: %.500s", name, log)
		}
		marked := newDescribing(t, `{"value": `+value+`}`, InfoConfig{Field: "attribution", From: "metadata.value"})
		if got := marked.describe(t.Context(), 2).Attribution; strings.Contains(got, "<") || len(got) > 1000 {
			t.Errorf("%s: the attribution is %.100q", name, got)
		}
	}
}

func TestObjectsAreListedInOrder(t *testing.T) {
	d := newDescribing(t, `{"title": null, "n": 3}`,
		InfoConfig{Field: "seeAlso", From: `{"id": "https://a.example.org/" + identifier.path, "type": "Dataset", "label": metadata.title, "n": metadata.n}`},
		InfoConfig{Field: "seeAlso", From: `{"id": metadata.title, "type": "Dataset"}`},
		InfoConfig{Field: "seeAlso", Value: json.RawMessage(`{"id": "https://a.example.org/no", "type": "Dataset"}`), When: `metadata.n > 3`},
		InfoConfig{Field: "seeAlso", Value: json.RawMessage(`{"id": "https://a.example.org/b", "type": "Dataset"}`), When: `metadata.n == 3`},
	)
	got := d.describe(t.Context(), 3)
	if list := fmt.Sprintf("%s", got.SeeAlso); list != `[{"id":"https://a.example.org/a","n":3,"type":"Dataset"} {"id":"https://a.example.org/b","type":"Dataset"}]` {
		t.Errorf("seeAlso is %s", list)
	}
	if n := d.metadata.Count(); n != 1 {
		t.Errorf("the metadata server was asked %d times", n)
	}
	if list := d.describe(t.Context(), 2).SeeAlso; len(list) > 0 {
		t.Errorf("version 2 has %s", list)
	}
}

// Metadata that cannot be had costs the fields that need it, and the info.json its place in caches; it is told once.
func TestWithoutMetadataFieldsAreLeftOut(t *testing.T) {
	d := newDescribing(t, "",
		InfoConfig{Field: "rights", Value: quoted("https://a.example.org/1"), When: `metadata.copyright == "N"`},
		InfoConfig{Field: "rights", From: `metadata.rights`},
		InfoConfig{Field: "logo", Value: quoted("https://a.example.org/logo.png")},
	)
	got := d.describe(t.Context(), 2)
	if got.Rights != "" || got.Logo != "https://a.example.org/logo.png" || !got.Incomplete {
		t.Errorf("info.json has %+v", got)
	}
	if log := d.log.String(); strings.Count(log, "WARN") != 1 || strings.Count(log, "\n") != 1 {
		t.Errorf("the log is\n%s", log)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	d.log.Reset()
	if got := d.describe(gone, 3); !got.Incomplete || d.log.Len() > 0 {
		t.Errorf("a caller that left has %+v, and is in the log:\n%s", got, d.log)
	}
}

// What no version of info.json has a place for is not looked up.
// A line whose metadata cannot be had is not answered for by a later one, in neither version.
func TestNoOtherLineAnswersWithoutMetadata(t *testing.T) {
	d := newDescribing(t, "",
		InfoConfig{Field: "rights", Value: quoted("https://a.example.org/free"), When: `metadata.copyright == "N"`},
		InfoConfig{Field: "rights", Value: quoted("https://a.example.org/protected")},
		InfoConfig{Field: "license", Value: quoted("https://a.example.org/license")},
		InfoConfig{Field: "logo", Value: quoted("https://a.example.org/logo.png")},
	)
	for _, version := range []int{2, 3} {
		got := d.describe(t.Context(), version)
		if got.Rights != "" || got.License != "" || !got.Incomplete || version == 2 && got.Logo == "" {
			t.Errorf("version %d tells %+v", version, got)
		}
	}
}

func TestFieldsOfTheOtherVersionAreNotComputed(t *testing.T) {
	d := newDescribing(t, `{}`,
		InfoConfig{Field: "attribution", From: `metadata.title`}, InfoConfig{Field: "logo", From: `metadata.logo`})
	d.describe(t.Context(), 3)
	if n := d.metadata.Count(); n != 0 {
		t.Errorf("the metadata server was asked %d times", n)
	}
}
