package collection_test

import (
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/collection"
	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/internal/testkit"
	"github.com/gatehouse-server/gatehouse/source"
)

// whatServersInterpret are identifiers of which a server could read something else than their text: parameters of path
// segments, escapes, queries, fragments.
func whatServersInterpret() []string {
	return []string{
		"private;x=1", "private;x=1/scan.tif", "private;/scan.tif", "scan.tif;jsessionid=1", "a%3Bb", "a%3bb", "a%253Bb", "a%", "100%25", "a+b.tif", "a=b,c",
		"a?b=c", "a#b", "a&b", "a:b", "a@b", "x:80/a", "a!$'()*b", "[a]", "a b", "\u00e9;\u00e9", "a%u003Bb", `a"<>|^` + "`{}", "~a", "a%2Fb", "a%20b",
	}
}

// TestServersReadTheTextOfAnIdentifier, all the way to what stands in the request: only slashes are a path's own, and
// what is reserved is encoded, so that no rule speaks of other text than the server reads.
func TestServersReadTheTextOfAnIdentifier(t *testing.T) {
	originals, metadata := testkit.NewStandIn(t, http.NotFoundHandler()), testkit.NewStandIn(t, nil)
	metadata.Fail(testkit.Answer("application/json", `{}`))
	spool, err := source.NewSpool(source.SpoolConfig{Dir: filepath.Join(t.TempDir(), "spool")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := source.New(&source.HTTPConfig{Base: originals.URL() + "/base/"}, source.Deps{Spool: spool})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = archive.Close() })
	for _, path := range []*source.Template{nil, template(t, "{path...}")} {
		c := newCollection(t, collection.Config{
			Name: "mine", Places: map[string]collection.Place{"main": {Source: archive, Kind: source.KindHTTP, Path: path}},
			Rules:    []collection.Rule{{Outcome: "allow", Expr: "true"}},
			Metadata: &collection.MetadataConfig{URL: metadata.URL() + "/base/{path...}", Fresh: -1, Absent: -1},
		}, collection.Deps{})
		for _, text := range whatServersInterpret() {
			originals.Forget()
			metadata.Forget()
			l := c.Lookup(url.PathEscape(text))
			if _, err := l.Open(t.Context()); problem.From(err).Status != http.StatusNotFound {
				// Text that would be an escaped slash to who decodes twice is refused and asked for nowhere.
				if problem.From(err).Status != http.StatusBadRequest || originals.Count() != 0 || text != "a%2Fb" {
					t.Errorf("%q: %v", text, err)
				}
			} else {
				arrivesAs(t, originals, "/base/", text)
			}
			if _, err := l.Metadata(t.Context()); err == nil {
				arrivesAs(t, metadata, "/base/", text)
			} else if text != "a%2Fb" {
				t.Errorf("%q: %v", text, err)
			}
		}
	}
}

// arrivesAs checks that the last request reads as text to every server, how much or little of a URL it interprets.
func arrivesAs(t *testing.T, server *testkit.StandIn, prefix, text string) {
	t.Helper()
	requests := server.Requests()
	if len(requests) == 0 {
		t.Errorf("%q: nobody was asked", text)
		return
	}
	sent, below := strings.CutPrefix(requests[len(requests)-1].Path, prefix)
	decoded, err := url.PathUnescape(sent)
	if !below || err != nil || decoded != text || requests[len(requests)-1].Query != "" {
		t.Errorf("%q is sent as %q", text, requests[len(requests)-1].Path)
	}
	if at := strings.IndexAny(sent, ":?#[]@!$&'()*+,;="); at >= 0 || strings.Count(sent, "/") != strings.Count(text, "/") {
		t.Errorf("%q is sent as %q, in which something is reserved", text, sent)
	}
}

// TestPathsOutOfMetadataKeepTheirMeaning: an archive's own software wrote them for its own server.
func TestPathsOutOfMetadataKeepTheirMeaning(t *testing.T) {
	server := testkit.NewMetadataServer(t, testkit.Dossier{District: "ST", Number: "1", Access: "PUBLIC", Documents: []testkit.Document{
		{Barcode: "b", Files: []string{"ST/a%20b;version=2.jpg", "ST/a+b.jpg"}},
	}})
	c := bouwdossiers(server.URL())
	c.Places["edepot"] = collection.Place{Source: &fakeSource{}, Kind: source.KindHTTP}
	made := newCollection(t, c, collection.Deps{})
	for raw, want := range map[string]string{"edepot:ST_1~b_0": "ST/a%20b;version=2.jpg", "edepot:ST_1~b_1": "ST/a+b.jpg"} {
		if item, err := made.Lookup(raw).Item(t.Context()); err != nil || item.Path != want {
			t.Errorf("%s: %+v, %v", raw, item, err)
		}
	}
}

// TestFilenamesAreReadable: what a path has to be encoded for is no part of a name.
func TestFilenamesAreReadable(t *testing.T) {
	for _, kind := range []source.Kind{source.KindFolder, source.KindHTTP, source.KindS3} {
		for _, path := range []*source.Template{nil, template(t, "{path...}")} {
			c := newCollection(t, collection.Config{Name: "open", Places: map[string]collection.Place{"main": {Source: &fakeSource{}, Kind: kind, Path: path}}}, collection.Deps{})
			for raw, want := range map[string]string{"d%2Fa;b%20(2)+%2541.tif": "a;b (2)+%41.tif", "100%25": "100%"} {
				if item, err := c.Lookup(raw).Item(t.Context()); err != nil || item.Filename != want {
					t.Errorf("%s: %+v, %v", kind, item, err)
				}
			}
		}
	}
}

// TestPathsHaveOneSpelling, also where a grammar would take others: slashes that a server or a file system drops would
// let a path pass the rules about it.
func TestPathsHaveOneSpelling(t *testing.T) {
	for _, kind := range []source.Kind{source.KindFolder, source.KindHTTP, source.KindS3} {
		sources := &fakeSource{}
		c := newCollection(t, collection.Config{
			Name: "open", Identifier: []string{`(?P<path>.*)`}, Places: map[string]collection.Place{"main": {Source: sources, Kind: kind}},
		}, collection.Deps{})
		for _, raw := range []string{"%2Fprivate%2Fa", "private%2F%2Fa", "private%2Fa%2F", "private%2F.%2Fa", "%2F%2F"} {
			_, err := c.Lookup(raw).Open(t.Context())
			is(t, err, 400, "bad_identifier", "Invalid formatted url")
		}
		if len(sources.opened) != 0 {
			t.Errorf("%s: opened %q", kind, sources.opened)
		}
		if _, err := c.Lookup("private%2Fa").Open(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
