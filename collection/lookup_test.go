package collection_test

import (
	"context"
	"maps"
	"testing"

	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/collection"
	"github.com/gatehouse-server/gatehouse/internal/testkit"
	"github.com/gatehouse-server/gatehouse/source"
)

var _ authz.Facts = (*collection.Lookup)(nil)

func TestDossierItem(t *testing.T) {
	spaced := testkit.Dossier{District: "SQ", Number: "01452", Access: "PUBLIC", Documents: []testkit.Document{
		{Barcode: "SQ-01452%20(2)-SQ10079651", Files: []string{"SQ/0.jpg", "SQ/1.jpg"}},
		{Barcode: "SQ-01452 (3)", Files: []string{"SQ/3.jpg"}},
		{Barcode: "both%20forms", Files: []string{"SQ/encoded.jpg"}},
		{Barcode: "both forms", Files: []string{"SQ/plain.jpg"}},
		{Barcode: "twice", Files: []string{"SQ/first.jpg"}},
		{Barcode: "twice", Files: []string{"SQ/second.jpg"}},
		{Barcode: "CASE", Files: []string{"SQ/upper.jpg"}},
		{Barcode: "case", Files: []string{"SQ/lower.jpg"}},
		{Barcode: "ECS_000", Files: []string{"SQ/underscore.jpg"}},
	}}
	server := testkit.NewMetadataServer(t, simple("PUBLIC", "PUBLIC", "N"), spaced)
	c := newCollection(t, bouwdossiers(server.URL()), collection.Deps{})
	for raw, want := range map[string]collection.Item{
		"edepot:ST_00015~ST00000126_0":                 {SourceName: "edepot", Path: "ST/00015/a_00001.jpg", Filename: "a_00001.jpg"},
		"edepot:ST_00015~ST00000126_1":                 {SourceName: "edepot", Path: "ST/00015/a_00002.tif", Filename: "a_00002.tif"},
		"wabo:ST_00015~ST00000126_1":                   {SourceName: "wabo", Path: "ST/00015/a_00002.tif", Filename: "a_00002.tif"},
		"edepot:ST_00015~ST00000126_00001.jpg":         {SourceName: "edepot", Path: "ST/00015/a_00002.tif", Filename: "a_00002.tif"},
		"edepot%3AST_00015%7EST00000126_000":           {SourceName: "edepot", Path: "ST/00015/a_00001.jpg", Filename: "a_00001.jpg"},
		"edepot:ST-00015-ST00000126_00001.jpg":         {SourceName: "edepot", Path: "ST/00015/a_00002.tif", Filename: "a_00002.tif"},
		"edepot:SQ_01452~SQ-01452%20(2)-SQ10079651_1":  {SourceName: "edepot", Path: "SQ/1.jpg", Filename: "1.jpg"},
		"edepot:SQ_01452~SQ-01452%2520(2)-SQ10079651_": {}, // no file number
		"edepot:SQ_01452~SQ-01452%20(3)_0":             {SourceName: "edepot", Path: "SQ/3.jpg", Filename: "3.jpg"},
		"edepot:SQ_01452~both%20forms_0":               {SourceName: "edepot", Path: "SQ/plain.jpg", Filename: "plain.jpg"},
		"edepot:SQ_01452~both%2520forms_0":             {SourceName: "edepot", Path: "SQ/encoded.jpg", Filename: "encoded.jpg"},
		"edepot:SQ_01452~twice_0":                      {SourceName: "edepot", Path: "SQ/first.jpg", Filename: "first.jpg"},
		"edepot:SQ_01452~CASE_0":                       {SourceName: "edepot", Path: "SQ/upper.jpg", Filename: "upper.jpg"},
		"edepot:SQ_01452~case_0":                       {SourceName: "edepot", Path: "SQ/lower.jpg", Filename: "lower.jpg"},
		"edepot:SQ_01452~ECS_000_000":                  {SourceName: "edepot", Path: "SQ/underscore.jpg", Filename: "underscore.jpg"},
	} {
		got, err := c.Lookup(raw).Item(context.Background())
		if want.SourceName == "" {
			is(t, err, 400, "bad_identifier", "Invalid formatted url")
			continue
		}
		if err != nil || got.Source == nil {
			t.Errorf("%s: %v", raw, err)
		}
		got.Source = nil
		if got != want {
			t.Errorf("%s: %+v, want %+v", raw, got, want)
		}
	}
}

func TestDossierItemRefusals(t *testing.T) {
	server := testkit.NewMetadataServer(t, simple("PUBLIC", "PUBLIC", "N"))
	server.PutRaw("ST", "1", []byte(`{"documenten":[{"barcode":"a"},{"barcode":"b","bestanden":[{"file_pad":null},{"filename":"x.jpg"},{"file_pad":""},{"filename":null,"file_pad":"d/missing.jpg"}]}]}`))
	server.PutRaw("ST", "2", []byte(`{"documenten":null}`))
	server.PutRaw("ST", "3", []byte(`{}`))
	c := newCollection(t, bouwdossiers(server.URL()), collection.Deps{})
	for raw, want := range map[string]struct {
		status int
		code   string
		detail string
	}{
		"edepot:ST_00015~ST00000126_2":          {404, "document_not_found", "Document not found in metadata"},
		"edepot:ST_00015~ST00000126_999999999":  {404, "document_not_found", "Document not found in metadata"},
		"edepot:ST_00015~ST00000127_0":          {404, "document_not_found", "Document not found in metadata"},
		"edepot:ST_00015~st00000126_0":          {404, "document_not_found", "Document not found in metadata"},
		"edepot:ST_1~a_0":                       {404, "document_not_found", "Document not found in metadata"},
		"edepot:ST_2~a_0":                       {404, "document_not_found", "Document not found in metadata"},
		"edepot:ST_3~a_0":                       {404, "document_not_found", "Document not found in metadata"},
		"edepot:ST_1~b_0":                       {404, "original_not_found", "No source file could be found"},
		"edepot:ST_1~b_1":                       {404, "original_not_found", "No source file could be found"},
		"edepot:ST_1~b_2":                       {404, "original_not_found", "No source file could be found"},
		"edepot:ST_404~a_0":                     {404, "metadata_not_found", "No metadata could be found for this dossier"},
		"other:ST_00015~ST00000126_0":           {400, "bad_identifier", "Invalid formatted url"},
		"edepot:ST_00015":                       {400, "bad_identifier", "Invalid formatted url"},
		"":                                      {400, "bad_identifier", "Invalid formatted url"},
		"edepot:ST_..~ST00000126_0":             {400, "bad_identifier", "Invalid formatted url"},
		"edepot:ST_00015~ST00000126_0%00":       {400, "bad_identifier", "Invalid formatted url"},
		"edepot:ST_0%2500015~ST00000126_0%zz":   {400, "bad_identifier", "Invalid formatted url"},
		"edepot:ST_%252e%252e%252f~ST0000126_0": {400, "bad_identifier", "Invalid formatted url"},
	} {
		_, err := c.Lookup(raw).Open(context.Background())
		is(t, err, want.status, want.code, want.detail)
		if t.Failed() {
			t.Fatalf("identifier %s", raw)
		}
	}
	item, err := c.Lookup("edepot:ST_1~b_3").Item(context.Background())
	if err != nil || item.Filename != "missing.jpg" {
		t.Errorf("a file without a name is called by its path: %+v, %v", item, err)
	}
}

func TestBadIdentifierAsksNobody(t *testing.T) {
	server := testkit.NewMetadataServer(t)
	c := newCollection(t, bouwdossiers(server.URL()), collection.Deps{})
	for _, raw := range []string{"nonsense", "other:ST_00015~ST00000126_0", "edepot:ST_00015~x_0%0a"} {
		if _, err := c.Lookup(raw).Metadata(context.Background()); err == nil {
			t.Errorf("%s was looked up", raw)
		}
	}
	if n := server.Count(); n != 0 {
		t.Errorf("%d requests to the metadata server", n)
	}
}

func TestEachStepHappensOnce(t *testing.T) {
	server := testkit.NewMetadataServer(t, simple("PUBLIC", "PUBLIC", "N"))
	config := bouwdossiers(server.URL())
	config.Metadata.Fresh = -1
	l := newCollection(t, config, collection.Deps{}).Lookup(simpleIdentifier)
	for range 3 {
		if _, err := l.Document(context.Background()); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Open(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if n := server.Count(); n != 1 {
		t.Errorf("%d requests to the metadata server", n)
	}
	server.Fail(testkit.Status(500))
	failing := newCollection(t, config, collection.Deps{}).Lookup(simpleIdentifier)
	for range 3 {
		if _, err := failing.Item(context.Background()); err == nil {
			t.Error("found without metadata")
		}
	}
	if n := server.Count(); n != 2 {
		t.Errorf("%d requests to the metadata server", n)
	}
}

func TestOpenOriginal(t *testing.T) {
	sources := &fakeSource{}
	c := newCollection(t, collection.Config{Name: "open", Places: map[string]collection.Place{"main": {Source: sources, Kind: source.KindFolder}}}, collection.Deps{})
	original, err := c.Lookup("a%20b%2Fc.tif").Open(context.Background())
	if err != nil || original.Info().Name != "a b/c.tif" {
		t.Errorf("%v, %v", original, err)
	}
	_, err = c.Lookup("missing.tif").Open(context.Background())
	is(t, err, 404, "original_not_found", "No source file could be found")
	_, err = c.Lookup("down.tif").Open(context.Background())
	is(t, err, 502, "source_unreachable", "The image-server cannot be reached because the following error occurred: timeout")
	_, err = c.Lookup("%2Fetc%2Fpasswd").Open(context.Background())
	is(t, err, 400, "bad_identifier", "The identifier cannot be used: it begins or ends with a slash, or holds two in a row")
	_, err = c.Lookup("a%5Cb").Open(context.Background())
	is(t, err, 400, "bad_identifier", "The identifier cannot be used: it holds a backslash")
	if len(sources.opened) != 3 {
		t.Errorf("opened %q", sources.opened)
	}
}

func TestPublicCollectionHasNoFactsBesidesTheIdentifier(t *testing.T) {
	l := newCollection(t, collection.Config{Name: "open", Places: map[string]collection.Place{"main": place()}}, collection.Deps{}).Lookup("a.jpg")
	groups, err := l.Identifier(context.Background())
	if err != nil || !maps.Equal(groups, map[string]string{"path": "a.jpg"}) {
		t.Errorf("%v, %v", groups, err)
	}
	for _, fact := range []func(context.Context) (any, error){l.Metadata, l.Document} {
		if v, err := fact(context.Background()); v != nil || err != nil {
			t.Errorf("%v, %v", v, err)
		}
	}
}

func TestSourcePathTemplates(t *testing.T) {
	server := testkit.NewStandIn(t, nil)
	server.Fail(testkit.Answer("application/json", `{"file":{"path":"x/y.tif","page":7},"evil":"../../etc/passwd","float":1.5,"none":null}`))
	for text, want := range map[string]string{
		"{fonds}/{item}.tif":           "f/i.tif",
		"all/{item}":                   "all/i",
		"{metadata.file.path...}":      "x/y.tif",
		"{fonds}/{metadata.file.page}": "f/7",
		"{metadata.evil...}":           "",
		"{metadata.file.path}":         "",
		"{metadata.float}":             "",
		"{metadata.none}":              "",
		"{metadata.missing.deep}":      "",
		"{metadata.file}":              "",
	} {
		c := own(t, server.URL()+"/{item}")
		c.Places["main"] = collection.Place{Source: &fakeSource{}, Path: template(t, text)}
		item, err := newCollection(t, c, collection.Deps{}).Lookup("f:i").Item(context.Background())
		if want == "" {
			is(t, err, 404, "original_not_found", "No source file could be found")
		} else if err != nil || item.Path != want {
			t.Errorf("%s: %+v, %v", text, item, err)
		}
	}
}

func TestSourcePathWithoutMetadataAsksNoMetadata(t *testing.T) {
	server := testkit.NewStandIn(t, nil)
	c := newCollection(t, own(t, server.URL()+"/{item}"), collection.Deps{})
	if item, err := c.Lookup("f:i").Item(context.Background()); err != nil || item.Path != "f/i.tif" || item.Filename != "i.tif" {
		t.Errorf("%+v, %v", item, err)
	}
	_, err := c.Lookup("f:a%2Fb").Item(context.Background())
	is(t, err, 400, "bad_identifier", "Invalid formatted url")
	if server.Count() != 0 {
		t.Error("the metadata server was asked")
	}
}

func TestPresetWithATemplateForItsSource(t *testing.T) {
	server := testkit.NewMetadataServer(t, simple("PUBLIC", "PUBLIC", "N"))
	c := bouwdossiers(server.URL())
	c.Places["edepot"] = collection.Place{Source: &fakeSource{}, Kind: source.KindS3, Path: template(t, "{district}/{document.barcode}/{filenr}")}
	item, err := newCollection(t, c, collection.Deps{}).Lookup(simpleIdentifier).Item(context.Background())
	if err != nil || item.Path != "ST/ST00000126/0" || item.Filename != "a_00001.jpg" {
		t.Errorf("%+v, %v", item, err)
	}
}
