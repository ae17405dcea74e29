package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// fields are the members of an info.json that say something about the picture.
func (a answer) fields(t testing.TB) map[string]any {
	t.Helper()
	var all map[string]any
	if a.is(t, http.StatusOK) {
		if err := json.Unmarshal(a.body, &all); err != nil {
			t.Errorf("%v in %.500q", err, a.body)
		}
	}
	fields := map[string]any{}
	for _, name := range []string{"attribution", "license", "logo", "partOf", "preferredFormats", "rights", "seeAlso", "service"} {
		if value, found := all[name]; found {
			fields[name] = value
		}
	}
	return fields
}

// has compares the fields of an info.json with those in a JSON.
func (a answer) has(t testing.TB, want string) {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(want), &fields); err != nil {
		t.Fatal(err)
	}
	if got := a.fields(t); !reflect.DeepEqual(got, fields) {
		t.Errorf("info.json has %v, want %v", got, fields)
	}
}

const (
	markURI = "https://creativecommons.org/publicdomain/mark/1.0/"
	inCURI  = "http://rightsstatements.org/vocab/InC/1.0/"
)

// describedHouse has dossiers whose info.json tells rights and origin out of their metadata.
func describedHouse(t *testing.T) *house {
	h := newHouse(t, plan{collection: `
			info rights ` + markURI + " `document.copyright == \"N\"`" + `
			info rights ` + inCURI + `
			info attribution = ` + "`\"City Archives, \" + document.subdossier_titel`" + `
			info attribution "City Archives"
			info logo https://example.org/logo.png
			info seeAlso = ` + "`{\"id\": \"https://data.example.org/\" + uriComponent(identifier.dossier), \"type\": \"Dataset\", \"format\": \"application/json\", \"label\": {\"nl\": [metadata.titel]}}`" + `
			info partOf ` + "`{\"id\": \"https://example.org/manifest.json\", \"type\": \"Manifest\"}`" + `
			info preferredFormats webp jpg`,
	})
	h.put("1", map[string][]byte{"a.png": testkit.PNG(t, 300, 200)}, "a.png")
	return h
}

func TestInfoTellsWhatMetadataSays(t *testing.T) {
	h := describedHouse(t)
	base := "/" + edepotID("1", 0) + "/info.json"
	see := func(dossier string) string {
		return `[{"id":"https://data.example.org/` + dossier + `","type":"Dataset","format":"application/json","label":{"nl":["Example Quay 12 - 18"]}}]`
	}
	const manifest = `[{"id":"https://example.org/manifest.json","type":"Manifest"}]`
	free, first := h.get("/iiif/3"+base, h.roles("BD/R")...), h.metadata.Count()
	free.has(t, `{"rights":"`+markURI+`","seeAlso":`+see("1")+`,"partOf":`+manifest+`,"preferredFormats":["webp","jpg"]}`)
	if first != 1 {
		t.Errorf("the metadata server was asked %d times", first)
	}
	h.get("/iiif/2"+base, h.roles("BD/R")...).has(t, `{"license":"`+markURI+`","attribution":"City Archives, Plan","logo":"https://example.org/logo.png"}`)
	if tag := free.header.Get("ETag"); tag == "" {
		t.Error("what may be kept has no tag")
	} else if a := h.get("/iiif/3"+base, append(h.roles("BD/R"), "If-None-Match", tag)...); a.status != http.StatusNotModified {
		t.Errorf("asked again with the tag, it is %d", a.status)
	}

	d := dossier("2", "PUBLIC", "PUBLIC", "J", "a.png")
	d.Documents[0].Title = nil
	h.metadata.Put(d)
	base = "/" + edepotID("2", 0) + "/info.json"
	h.get("/iiif/3"+base, h.roles("BD/R")...).has(t, `{"rights":"`+inCURI+`","seeAlso":`+see("2")+`,"partOf":`+manifest+`,"preferredFormats":["webp","jpg"]}`)
	h.get("/iiif/2"+base, h.roles("BD/R")...).has(t, `{"license":"`+inCURI+`","attribution":"City Archives","logo":"https://example.org/logo.png"}`)
	h.get("/iiif/3"+base).is(t, http.StatusUnauthorized)
	h.calm()
}

// nastyTitles are what a document of a dossier may hold as its title. Other types are refused with the whole dossier.
var nastyTitles = map[string]any{
	"markup": `<script>alert(1)</script>`, "image": `x <img src=x onerror=alert(1)>`, "huge": strings.Repeat("long ", 1<<20), "null": nil, "missing": testkit.Missing{}, "empty": "", "quote": "\"}],\"id\":\"x\u2028\x00",
}

// Whatever the metadata holds, info.json is there, is JSON, and has nothing in it that a page must not show.
func TestNastyMetadataStaysOutOfInfo(t *testing.T) {
	h := describedHouse(t)
	for name, title := range nastyTitles {
		d := dossier(name, "PUBLIC", "PUBLIC", "N", "a.png")
		d.Documents[0].Title = title
		h.metadata.Put(d)
		for _, version := range []string{"2", "3"} {
			a := h.get("/iiif/"+version+"/"+edepotID(name, 0)+"/info.json", h.roles("BD/R")...)
			a.size(t, 300, 200)
			want := "City Archives"
			if name == "quote" || name == "empty" {
				want = "City Archives, " + title.(string)
			}
			if got := a.fields(t)["attribution"]; version == "2" && got != want {
				t.Errorf("%s: the attribution is %.200q, want %.200q", name, got, want)
			}
			if len(a.body) > 4096 || strings.Contains(string(a.body), "<") {
				t.Errorf("%s: info.json is %.500s", name, a.body)
			}
		}
	}
	h.calm()
}

// galleryOf is a collection whose rule needs no metadata, and whose info.json takes links out of it.
func galleryOf(t *testing.T, metadata *testkit.StandIn) *house {
	h := site(t, strings.ReplaceAll(`
		collection gallery {
			prefix /gallery
			identifier `+"`(?P<item>[a-z]+)`"+`
			metadata METADATA/{item} {
				fresh 0s
			}
			rule tier 100 `+"`request.version == \"2\"`"+`
			rule allow `+"`true`"+`
			cacheable 1h `+"`true`"+`
			info rights = `+"`metadata.rights`"+`
			info rights `+inCURI+`
			info logo = `+"`metadata.logo`"+`
			info seeAlso = `+"`metadata.link`"+`
			info service = `+"`metadata.service`"+`
			source main folder {$DIR}/pictures/{item}.png
		}`, "METADATA", metadata.URL()), `
	handle /gallery/* {
		gatehouse_authorize gallery
		gatehouse_iiif gallery
	}`)
	writeFile(t, filepath.Join(h.server.Dir(), "pictures/a.png"), testkit.PNG(t, 300, 200))
	return h
}

func TestInfoTakesOnlyUsableLinksOutOfMetadata(t *testing.T) {
	var body string
	metadata := testkit.NewStandIn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, body) }))
	h := galleryOf(t, metadata)
	const link, service = `{"id":"https://example.org/d","type":"Dataset"}`, `{"@context":"https://example.org/c","@id":"https://example.org/s"}`
	deep := strings.Repeat(`{"id":"https://example.org/","type":"X","x":`, 50) + `1` + strings.Repeat(`}`, 50)
	for name, test := range map[string]struct{ body, version2, version3 string }{
		"fine": {
			`{"rights":"` + markURI + `","logo":"https://example.org/l.png","link":` + link + `,"service":` + service + `}`,
			`{"license":"` + markURI + `","logo":"https://example.org/l.png","service":[` + service + `]}`, `{"rights":"` + markURI + `","seeAlso":[` + link + `]}`,
		},
		"nothing": {`{}`, "", ""},
		"null":    {`{"rights":null,"logo":null,"link":null,"service":null}`, "", ""},
		"types":   {`{"rights":7,"logo":[],"link":"https://example.org/","service":true}`, "", ""},
		"scripts": {`{"rights":"javascript:alert(1)","logo":"data:text/html,x","link":{"id":"javascript:alert(1)","type":"x"},"service":{"@context":"x","@id":"vbscript:x"}}`, "", ""},
		"spaces":  {`{"rights":" https://example.org/","logo":"https://example.org/a b","link":{"id":"https://example.org/\"","type":"x"},"service":{}}`, "", ""},
		"huge":    {`{"rights":"https://example.org/` + strings.Repeat("x", 1<<20) + `","logo":"` + strings.Repeat("x", 1<<20) + `","link":{"id":"https://example.org/","type":"` + strings.Repeat("x", 1<<20) + `"}}`, "", ""},
		"deep":    {`{"link":` + deep + `,"service":` + deep + `}`, "", ""},
		"a list":  {`[1,2]`, "", ""},
	} {
		body = test.body
		for version, want := range map[string]string{"2": test.version2, "3": test.version3} {
			if want == "" {
				want = map[string]string{"2": `{"license":"` + inCURI + `"}`, "3": `{"rights":"` + inCURI + `"}`}[version]
			}
			t.Run(name+" "+version, func(t *testing.T) {
				a := h.get("/gallery/" + version + "/a/info.json")
				a.has(t, want)
				if version == "3" {
					a.headers(t, "Cache-Control", "private, max-age=3600")
				}
			})
		}
	}
	// A tier tells the same, of its own size.
	h.get("/gallery/2/a/info.json").size(t, 100, 67)
	h.get("/gallery/3/a/info.json").size(t, 300, 200)
	h.calm()
}

// A metadata server that fails takes its fields out of info.json, and nothing else; nobody keeps what is left.
func TestInfoWithoutMetadataServer(t *testing.T) {
	metadata := testkit.NewStandIn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"rights":"`+markURI+`"}`)
	}))
	h := galleryOf(t, metadata)
	h.get("/gallery/3/a/info.json").has(t, `{"rights":"`+markURI+`"}`)
	metadata.Down()
	a := h.get("/gallery/3/a/info.json")
	a.has(t, `{}`)
	a.headers(t, "Cache-Control", noStore, "ETag", "")
	asked := metadata.Count()
	h.get("/gallery/3/a"+imageTail).headers(t, "Cache-Control", "private, max-age=3600")
	if n := metadata.Count(); n != asked {
		t.Errorf("a picture asked the metadata server %d times", n-asked)
	}
	metadata.Up()
	a = h.get("/gallery/3/a/info.json")
	a.has(t, `{"rights":"`+markURI+`"}`)
	a.headers(t, "Cache-Control", "private, max-age=3600")
	if logs := h.server.Logs(); !strings.Contains(logs, "info.json goes without a field") {
		t.Error("the log does not tell of it")
	}
	h.calm()
}

// A public collection has no caller and no metadata; its fields are fixed or made of the identifier.
func TestInfoOfAPublicCollection(t *testing.T) {
	h := publicSite(t, `
		source main folder {$DIR}/pictures
		base_url https://images.example.org
		info rights `+markURI+`
		info attribution "<span>Prints &amp; drawings</span>"
		info seeAlso = `+"`{\"id\": \"https://data.example.org/\" + uriComponent(identifier.path), \"type\": \"Dataset\"}`"+`
		info service `+"`{\"id\": \"https://example.org/search\", \"type\": \"SearchService2\"}` `identifier.path.startsWith(\"maps/\")`")
	for _, name := range []string{"maps/1 a.png", "b.png"} {
		writeFile(t, filepath.Join(h.server.Dir(), "pictures", name), testkit.PNG(t, 30, 20))
	}
	const search = `,"service":[{"id":"https://example.org/search","type":"SearchService2"}]`
	see := func(id string) string {
		return `"seeAlso":[{"id":"https://data.example.org/` + id + `","type":"Dataset"}]`
	}
	a := h.get("/open/3/maps%2F1%20a.png/info.json")
	a.has(t, `{"rights":"`+markURI+`",`+see("maps%2F1%20a.png")+search+`}`)
	a.headers(t, "Cache-Control", "public, max-age=86400")
	h.get("/open/3/b.png/info.json").has(t, `{"rights":"`+markURI+`",`+see("b.png")+`}`)
	h.get("/open/2/b.png/info.json").has(t, `{"license":"`+markURI+`","attribution":"<span>Prints &amp; drawings</span>"}`)
	again := h.get("/open/3/maps%2F1%20a.png/info.json")
	if string(again.body) != string(a.body) || again.header.Get("ETag") != a.header.Get("ETag") {
		t.Errorf("the same question gives\n%s%s", a.body, again.body)
	}
	h.calm()
}
