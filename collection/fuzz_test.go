package collection_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gatehouse-server/gatehouse/collection"
	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// FuzzIdentifier reads path segments by the preset's grammar: what is read has all its parts, none of them dangerous,
// and what is refused is a 400 with the contract's text.
func FuzzIdentifier(f *testing.F) {
	for _, seed := range []string{
		simpleIdentifier, "edepot:SQ_01452~SQ-01452%20(2)-SQ10079651_1", "wabo:SDO_T-10316333~ECS0000004420_000_000",
		"edepot:ST-00001-ST0001_00001.jpg", "edepot%3AST_1~2_3", "%2e%2e", "edepot:ST_..~a_0", "a%00", "edepot:ST_%252e~a_0", "edepot:ST_é~a_0", strings.Repeat("a", 600),
	} {
		f.Add(seed)
	}
	c := newCollection(f, bouwdossiers("http://127.0.0.1:1"), collection.Deps{})
	f.Fuzz(func(t *testing.T, raw string) {
		groups, err := c.Lookup(raw).Identifier(context.Background())
		if err != nil {
			is(t, err, 400, "bad_identifier", "Invalid formatted url")
			return
		}
		decoded, err := url.PathUnescape(raw)
		if err != nil || len(decoded) > 512 {
			t.Fatalf("%q was read", raw)
		}
		if len(groups) != 5 {
			t.Fatalf("%q: %v", raw, groups)
		}
		for name, v := range groups {
			if v == "" || !utf8.ValidString(v) || strings.Contains(v, "..") || strings.ContainsAny(v, "/\\\x00\r\n") || !strings.Contains(decoded, v) {
				t.Fatalf("%q: %s is %q", raw, name, v)
			}
		}
		if groups["source"] != "edepot" && groups["source"] != "wabo" {
			t.Fatalf("%q: source %q", raw, groups["source"])
		}
		if strings.Trim(groups["filenr"], "0123456789") != "" {
			t.Fatalf("%q: file %q", raw, groups["filenr"])
		}
	})
}

// FuzzMetadata lets the metadata server answer with anything: a caller who has only the right to what is public gets
// in only when the answer says so in just those words, and every refusal is one of the contract's.
func FuzzMetadata(f *testing.F) {
	for _, seed := range []string{
		string(simple("PUBLIC", "PUBLIC", "N").JSON()), string(simple("PUBLIC", nil, "Y").JSON()), string(simple("RESTRICTED", "PUBLIC", "N").JSON()),
		`{}`, `[]`, `null`, `{"access":"PUBLIC","documenten":[{"barcode":"ST00000126","access":"PUBLIC","bestanden":[{"file_pad":"a"}]}]}`,
		`{"access":"PUBLIC","access":"PUBLIC"}`, `{"access":1e999}`, strings.Repeat(`{"access":`, 70), `{"documenten":[null]}`, `{"documenten":[{"bestanden":{}}]}`,
	} {
		f.Add([]byte(seed))
	}
	body := make(chan []byte, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(<-body) }))
	f.Cleanup(server.Close)
	config := bouwdossiers(server.URL)
	config.Metadata.Fresh = -1
	c := newCollection(f, config, collection.Deps{})
	policy := policyOf(f, c)
	f.Fuzz(func(t *testing.T, document []byte) {
		body <- document
		lookup := c.Lookup(simpleIdentifier)
		d, err := policy.Decide(context.Background(), reader(), request(), lookup)
		if err == nil && d.Allowed() {
			if !strings.Contains(string(document), "PUBLIC") && !strings.Contains(string(document), `\u`) {
				t.Fatalf("allowed by %q", document)
			}
			if d.RuleError != nil {
				t.Fatalf("allowed in spite of %v", d.RuleError)
			}
			_, err = lookup.Open(context.Background())
		}
		if err == nil {
			return
		}
		switch e := problem.From(err); e.Code {
		case "metadata_malformed", "document_not_found", "original_not_found", "source_unreachable":
		default:
			t.Fatalf("%q: %v", document, err)
		}
	})
}
