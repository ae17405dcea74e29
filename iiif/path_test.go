package iiif

import (
	"net/http"
	"strings"
	"testing"
)

func TestParsePathKinds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, query string
		version     int
		kind        Kind
	}{
		{"/iiif/2/a", "", 2, Base},
		{"/iiif/3/a", "auth=x", 3, Base},
		{"/iiif/2/a/info.json", "", 2, Info},
		{"/iiif/3/a/info%2Ejson", "", 3, Info},
		{"/iiif/2/a/full/full/0/default.jpg", "", 2, ImageRequest},
		{"/iiif/3/a/full/max/0/default.jpg", "", 3, ImageRequest},
		{"/iiif/3/a/full/%5Emax/%210/default.jpg", "", 3, ImageRequest},
		{"/iiif/2/a", "source_file=true", 2, SourceFile},
		{"/iiif/2/a/info.json", "source_file=true", 2, SourceFile},
		{"/iiif/2/a/full/full/0/default.jpg", "x=y&source_file=true", 2, SourceFile},
		{"/iiif/2/a/not/even/an/image", "source_file=true", 2, SourceFile},
		{"/iiif/2/a", "source_file=false", 2, Base},
		{"/iiif/2/a", "source_file=true2", 2, Base},
		{"/iiif/2/a", "source_file", 2, Base},
		{"/iiif/2/a", "source_file=false&source_file=true", 2, Base},
	} {
		got, ours, err := ParsePath("/iiif", c.path, c.query)
		if err != nil || !ours || got.Version != c.version || got.Kind != c.kind || got.Identifier != "a" {
			t.Errorf("ParsePath(%q, %q) = %+v, %t, %v; want version %d, kind %d", c.path, c.query, got, ours, err, c.version, c.kind)
		}
	}
}

func TestParsePathPassesOnWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"", "/", "/iiif", "/iiif/", "/iiif/2", "/iiif/1/a/info.json", "/iiif/4/a", "/iiif/22/a", "/iiif/status/health", "/iiif2/2/a",
		"/IIIF/2/a", "/other/iiif/2/a", "/iiif/v2/a", "//iiif/2/a", "/iiif//2/a", "/iiif%2F2/a", "/%zz/2/a", "iiif/2/a",
	} {
		if req, ours, err := ParsePath("/iiif", path, ""); ours || err != nil || req != (Request{}) {
			t.Errorf("ParsePath(%q) = %+v, %t, %v; want it passed on", path, req, ours, err)
		}
	}
}

func TestParsePathKnowsAnEncodedPrefix(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ prefix, path string }{
		{"/iiif", "/%69iif/2/a/info.json"},
		{"/iiif", "/iiif/%32/a/info.json"},
		{"/a/b", "/a/%62/%32/a/info.json"},
		{"", "/%32/a/info.json"},
	} {
		got, ours, err := ParsePath(c.prefix, c.path, "")
		if err != nil || !ours || got.Kind != Info || got.RawIdentifier != "a" || got.Version != 2 {
			t.Errorf("ParsePath(%q, %q) = %+v, %t, %v; want the info.json of a", c.prefix, c.path, got, ours, err)
		}
	}
}

func TestParsePathTakesAnyPrefix(t *testing.T) {
	t.Parallel()
	for prefix, path := range map[string]string{"": "/3/a", "/x/y": "/x/y/3/a", "/iiif": "/iiif/3/a"} {
		got, ours, err := ParsePath(prefix, path, "")
		if err != nil || !ours || got.Identifier != "a" || got.Version != 3 {
			t.Errorf("ParsePath(%q, %q) = %+v, %t, %v", prefix, path, got, ours, err)
		}
	}
}

func TestParsePathRefusesOtherCounts(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"/iiif/2/a/", "/iiif/2/a/b", "/iiif/2/a/b/info.json", "/iiif/2/a/b/c", "/iiif/2/a/full/full/0", "/iiif/2/a/b/c/d/info.json",
		"/iiif/2/a/b/full/full/0/default.jpg", "/iiif/2/a/full/full/0/default.jpg/", "/iiif/2/a/info.json/",
		"/iiif/2/a/b/c/d/e/f/g/h/i/j",
	} {
		for _, query := range []string{"", "source_file=true"} {
			_, ours, err := ParsePath("/iiif", path, query)
			if !ours {
				t.Errorf("%s is not ours", path)
			}
			wantRefusal(t, err, http.StatusNotFound, codePath, "%2F", "info.json")
		}
	}
	for _, path := range []string{"/iiif/2/", "/iiif/2//info.json", "/iiif/3//full/max/0/default.jpg"} {
		_, _, err := ParsePath("/iiif", path, "")
		wantRefusal(t, err, http.StatusNotFound, codePath, "identifier")
	}
}

func TestParsePathIdentifiers(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"edepot:ST_00015~ST00000126_0":                   "edepot:ST_00015~ST00000126_0",
		"edepot:SQ_01452~SQ-01452%20(2)-SQ10079651_1":    "edepot:SQ_01452~SQ-01452 (2)-SQ10079651_1",
		"edepot%3AST_00015~ST00000126_0":                 "edepot:ST_00015~ST00000126_0",
		"ark:%2F12025%2F654xz321":                        "ark:/12025/654xz321",
		"urn:sici:1046-8188(199501)13:1%253C69:FTTHBI;2": "urn:sici:1046-8188(199501)13:1%3C69:FTTHBI;2",
		"a+b":                                "a+b",
		"%C3%A9":                             "é",
		"a..b":                               "a..b",
		"...":                                "...",
		"%252e%252e":                         "%2e%2e",
		strings.Repeat("x", maxIdentifier):   strings.Repeat("x", maxIdentifier),
		strings.Repeat("%41", maxIdentifier): strings.Repeat("A", maxIdentifier),
		"info.json":                          "info.json",
		"dir%2Ffile.tif":                     "dir/file.tif",
		"http:%2F%2Fexample.com%2F%3F54%23a%5Bx]": "http://example.com/?54#a[x]",
	} {
		got, ours, err := ParsePath("/iiif", "/iiif/2/"+raw+"/info.json", "")
		if err != nil || !ours || got.Identifier != want || got.RawIdentifier != raw || got.segment != raw || got.Page != 1 {
			t.Errorf("the identifier %q reads as %+v, %v; want %q", raw, got, err, want)
		}
	}
}

func TestParsePathPages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		raw, query string
		identifier string
		page       int
		segment    string
	}{
		{"a.pdf", "", "a.pdf", 1, "a.pdf"},
		{"a.pdf;p=3", "", "a.pdf", 3, "a.pdf;p=3"},
		{"a.pdf%3Bp%3D3", "", "a.pdf", 3, "a.pdf%3Bp%3D3"},
		{"a.pdf%3bp%3d12", "", "a.pdf", 12, "a.pdf%3bp%3d12"},
		{"a.pdf%3Bp=3", "", "a.pdf", 3, "a.pdf%3Bp=3"},
		{"a.pdf", "page=3", "a.pdf", 3, "a.pdf;p=3"},
		{"a.pdf", "page=%33", "a.pdf", 3, "a.pdf;p=3"},
		{"a.pdf;p=3", "page=3", "a.pdf", 3, "a.pdf;p=3"},
		{"a.pdf;p=1", "", "a.pdf", 1, "a.pdf;p=1"},
		{"a.pdf;p=2;p=3", "", "a.pdf;p=2", 3, "a.pdf;p=2;p=3"},
		{"a.pdf;p=", "", "a.pdf;p=", 1, "a.pdf;p="},
		{"a.pdf;p=x", "", "a.pdf;p=x", 1, "a.pdf;p=x"},
		{"a.pdf;q=2", "", "a.pdf;q=2", 1, "a.pdf;q=2"},
		{"ap=2", "", "ap=2", 1, "ap=2"},
		{"a2", "", "a2", 1, "a2"},
	} {
		got, _, err := ParsePath("/iiif", "/iiif/3/"+c.raw+"/info.json", c.query)
		if err != nil || got.RawIdentifier != c.identifier || got.Page != c.page || got.segment != c.segment {
			t.Errorf("%q with %q reads as %+v, %v; want %q page %d as %q", c.raw, c.query, got, err, c.identifier, c.page, c.segment)
		}
	}
	for _, c := range [][2]string{
		{"a;p=0", ""}, {"a;p=99999999999", ""}, {"a", "page=0"}, {"a", "page="}, {"a", "page=-1"}, {"a", "page=x"}, {"a", "page=1.5"},
		{"a;p=2", "page=3"},
	} {
		_, _, err := ParsePath("/iiif", "/iiif/3/"+c[0]+"/info.json", c[1])
		wantRefusal(t, err, http.StatusBadRequest, codePage, "page")
	}
}

func TestParsePathTellsWhoAskedEvenWhenParametersAreWrong(t *testing.T) {
	t.Parallel()
	got, ours, err := ParsePath("/iiif", "/iiif/3/a%2Fb;p=2/full/nope/0/default.jpg", "")
	wantRefusal(t, err, http.StatusBadRequest, codeSize, "nope")
	if !ours || got.Kind != ImageRequest || got.RawIdentifier != "a%2Fb" || got.Page != 2 || got.Version != 3 {
		t.Errorf("the request is %+v, want its identifier and page", got)
	}
	_, _, err = ParsePath("/iiif", "/iiif/3/a/full/%zz/0/default.jpg", "")
	wantRefusal(t, err, http.StatusBadRequest, codePath, "percent-encoded")
}

func TestParseQuery(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]query{
		"":                        {},
		"auth=abc":                {secret: true},
		"%61uth=abc":              {secret: true},
		"a=b&auth=":               {secret: true},
		"authx=1":                 {},
		"download=1":              {download: true},
		"download=0":              {},
		"download=0&download=1":   {},
		"source%5Ffile=tru%65":    {sourceFile: true},
		"page=4&page=5":           {paged: true, page: "4"},
		"page=%zz":                {paged: true, page: "%zz"},
		"&&=&source_file=true&&":  {sourceFile: true},
		"source_file=true;auth=x": {},
	} {
		if got := parseQuery(raw); got != want {
			t.Errorf("parseQuery(%q) = %+v, want %+v", raw, got, want)
		}
	}
}
