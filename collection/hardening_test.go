package collection_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/collection"
	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/internal/testkit"
	"github.com/gatehouse-server/gatehouse/source"
)

const (
	unreachable = "The iiif-metadata-server cannot be reached"
	malformed   = "The iiif-metadata-server gave an answer that is not of the expected form"
)

// TestMetadataServerFaults: whatever the server does, the answer is one of the contract's, holds nothing internal, is
// not remembered, and the next request is served as soon as the server is well.
func TestMetadataServerFaults(t *testing.T) {
	elsewhere := testkit.NewMetadataServer(t, simple("PUBLIC", "PUBLIC", "N"))
	statusText := func(code int) string {
		return fmt.Sprintf("We had a problem retrieving the metadata. We got status code %d", code)
	}
	answer := func(body string) testkit.Fault { return testkit.Answer("application/json", body) }
	tests := map[string]struct {
		fault  testkit.Fault
		code   string
		detail string
	}{
		"hangs":                     {testkit.Hang(), "metadata_unreachable", unreachable},
		"trickles":                  {testkit.Trickle(10 * time.Millisecond), "metadata_unreachable", unreachable},
		"resets":                    {testkit.Reset(), "metadata_unreachable", unreachable},
		"cuts off":                  {testkit.WrongLength(), "metadata_unreachable", unreachable},
		"endless":                   {testkit.Endless(), "metadata_malformed", malformed},
		"500":                       {testkit.Status(500), "metadata_status", statusText(500)},
		"401":                       {testkit.Status(401), "metadata_status", statusText(401)},
		"204":                       {testkit.Status(204), "metadata_status", statusText(204)},
		"206":                       {testkit.Status(206), "metadata_status", statusText(206)},
		"redirect to another host":  {testkit.Redirect(elsewhere.URL() + "/iiif-metadata/bouwdossier/ST_00015/"), "metadata_status", statusText(302)},
		"redirect in a circle":      {testkit.Redirect("/iiif-metadata/bouwdossier/ST_00015/"), "metadata_status", statusText(302)},
		"redirect to a file":        {testkit.Redirect("file:///etc/passwd"), "metadata_status", statusText(302)},
		"cut off JSON":              {testkit.WrongJSON(), "metadata_malformed", malformed},
		"HTML":                      {testkit.Answer("text/html", "<html>hello</html>"), "metadata_malformed", malformed},
		"nothing":                   {answer(""), "metadata_malformed", malformed},
		"null":                      {answer("null"), "metadata_malformed", malformed},
		"a list":                    {answer("[]"), "metadata_malformed", malformed},
		"deep":                      {answer(`{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}"), "metadata_malformed", malformed},
		"very deep":                 {answer(strings.Repeat(`{"x":`, 10_000)), "metadata_malformed", malformed},
		"huge number":               {answer(`{"x":1e400}`), "metadata_malformed", malformed},
		"larger than the bound":     {answer(`{"x":"` + strings.Repeat("x", 100_000) + `"}`), "metadata_malformed", malformed},
		"public, then restricted":   {answer(`{"access":"PUBLIC","access":"RESTRICTED"}`), "metadata_malformed", malformed},
		"restricted, then public":   {answer(`{"access":"RESTRICTED","access":"PUBLIC"}`), "metadata_malformed", malformed},
		"a second, public document": {answer(`{"access":"RESTRICTED"}{"access":"PUBLIC"}`), "metadata_malformed", malformed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server := testkit.NewMetadataServer(t, simple("PUBLIC", "PUBLIC", "N"))
			config := bouwdossiers(server.URL())
			config.Metadata.Timeout = 300 * time.Millisecond
			config.Metadata.MaxBody = 50_000
			c := newCollection(t, config, collection.Deps{})
			server.Fail(test.fault)
			_, err := c.Lookup(simpleIdentifier).Metadata(context.Background())
			is(t, err, 502, test.code, test.detail)
			if host := server.Address(); strings.Contains(problem.From(err).Detail, host) {
				t.Errorf("the answer tells the address: %s", problem.From(err).Detail)
			}
			server.Heal()
			// On a busy machine a good answer may be late for so short a budget.
			if got := knows(t, c); got != "PUBLIC" && got != "metadata_unreachable" {
				t.Errorf("after the fault: %s", got)
			}
		})
	}
	if n := elsewhere.Count(); n != 0 {
		t.Errorf("%d requests went to another host", n)
	}
}

func TestMetadataServerIsDown(t *testing.T) {
	server := testkit.NewMetadataServer(t, simple("PUBLIC", "PUBLIC", "N"))
	c := newCollection(t, bouwdossiers(server.URL()), collection.Deps{})
	server.Down()
	_, err := c.Lookup(simpleIdentifier).Metadata(context.Background())
	is(t, err, 502, "metadata_unreachable", unreachable)
	server.Up()
	if got := knows(t, c); got != "PUBLIC" {
		t.Errorf("after the outage: %s", got)
	}
}

func TestCallerLeavesTheMetadata(t *testing.T) {
	server := testkit.NewMetadataServer(t, simple("PUBLIC", "PUBLIC", "N"))
	server.Fail(testkit.Hang())
	c := newCollection(t, bouwdossiers(server.URL()), collection.Deps{})
	ctx, leave := context.WithCancel(context.Background())
	answer := make(chan error)
	go func() {
		_, err := c.Lookup(simpleIdentifier).Metadata(ctx)
		answer <- err
	}()
	server.WaitFor(1)
	leave()
	is(t, <-answer, 499, "client_closed_request", "The request was cancelled")
	server.Heal()
	if got := knows(t, c); got != "PUBLIC" {
		t.Errorf("who comes after: %s", got)
	}
	// A deadline of the caller's own is a server that did not answer in time.
	server.Fail(testkit.Hang())
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err := c.Lookup("edepot:ST_2~a_0").Metadata(ctx)
	is(t, err, 502, "metadata_unreachable", unreachable)
}

// TestEveryFieldOfEveryType: a field that decisions depend on is of the type that the contract says, null or absent,
// or the dossier is refused with the field's name in the log. What is refused never gets a caller in.
func TestEveryFieldOfEveryType(t *testing.T) {
	values := map[string]string{"absent": "", "null": `null`, "text": `"PUBLIC"`, "number": `1`, "boolean": `true`, "list": `[]`, "object": `{}`}
	fields := map[string]struct {
		document string // with %s for `"field": value,`
		field    string
		fine     string
	}{
		"access":                                {`{%s "documenten":[]}`, "access", "absent null text"},
		"documenten":                            {`{%s "access":"PUBLIC"}`, "documenten", "absent null list"},
		"documenten[0].barcode":                 {`{"documenten":[{%s "access":null}]}`, "barcode", "absent null text"},
		"documenten[0].access":                  {`{"documenten":[{%s "barcode":"b"}]}`, "access", "absent null text"},
		"documenten[0].copyright":               {`{"documenten":[{%s "barcode":"b"}]}`, "copyright", "absent null text"},
		"documenten[0].subdossier_titel":        {`{"documenten":[{%s "barcode":"b"}]}`, "subdossier_titel", "absent null text"},
		"documenten[0].bestanden":               {`{"documenten":[{%s "barcode":"b"}]}`, "bestanden", "absent null list"},
		"documenten[1].bestanden[0].filename":   {`{"documenten":[{},{"bestanden":[{%s "url":1}]}]}`, "filename", "absent null text"},
		"documenten[1].bestanden[0].file_pad":   {`{"documenten":[{},{"bestanden":[{%s "url":1}]}]}`, "file_pad", "absent null text"},
		"titel, which nothing depends on":       {`{%s "access":"PUBLIC"}`, "titel", "absent null text number boolean list object"},
		"access_restricted_until, for a reader": {`{%s "access":"PUBLIC"}`, "access_restricted_until", "absent null text number boolean list object"},
	}
	server := testkit.NewMetadataServer(t)
	config := bouwdossiers(server.URL())
	config.Metadata.Fresh = -1
	c := newCollection(t, config, collection.Deps{})
	for name, test := range fields {
		for kind, value := range values {
			field := ""
			if kind != "absent" {
				field = fmt.Sprintf("%q:%s,", test.field, value)
			}
			body := fmt.Sprintf(test.document, field)
			server.PutRaw("ST", "00015", []byte(body))
			_, err := c.Lookup(simpleIdentifier).Metadata(context.Background())
			if strings.Contains(test.fine, kind) {
				if err != nil {
					t.Errorf("%s: %v", body, err)
				}
				continue
			}
			is(t, err, 502, "metadata_malformed", malformed)
			if err == nil || !strings.Contains(err.Error(), "metadata: "+name+" is ") {
				t.Errorf("%s: the log does not name %s: %v", body, name, err)
			}
		}
	}
	for _, entry := range []string{`null`, `1`, `"x"`, `true`, `[]`} {
		for name, body := range map[string]string{
			"documenten[0]":              `{"documenten":[` + entry + `]}`,
			"documenten[0].bestanden[1]": `{"documenten":[{"bestanden":[{},` + entry + `]}]}`,
		} {
			server.PutRaw("ST", "00015", []byte(body))
			_, err := c.Lookup(simpleIdentifier).Metadata(context.Background())
			is(t, err, 502, "metadata_malformed", malformed)
			if err == nil || !strings.Contains(err.Error(), name+" is ") {
				t.Errorf("%s: the log does not name %s: %v", body, name, err)
			}
		}
	}
}

// TestKeysHaveOneSpelling: a key that only looks like another one is another key.
func TestKeysHaveOneSpelling(t *testing.T) {
	server := testkit.NewMetadataServer(t)
	config := bouwdossiers(server.URL())
	config.Metadata.Fresh = -1
	c := newCollection(t, config, collection.Deps{})
	policy := policyOf(t, c)
	for _, key := range []string{"Access", "ACCESS", "access ", "acces\u017f", "access\u0000"} {
		object := map[string]any{key: "PUBLIC", "documenten": []any{map[string]any{"barcode": "ST00000126", "access": "PUBLIC", "copyright": "N"}}}
		body, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		server.PutRaw("ST", "00015", body)
		d, err := policy.Decide(context.Background(), reader(), request(), c.Lookup(simpleIdentifier))
		if err != nil || d.Allowed() {
			t.Errorf("%q stands for access: %+v, %v", key, d, err)
		}
	}
}

// TestIdentifiersStayInTheirSegment: no identifier makes the server ask another host, or for another path than its
// template's.
func TestIdentifiersStayInTheirSegment(t *testing.T) {
	other := testkit.NewStandIn(t, http.NotFoundHandler())
	server := testkit.NewStandIn(t, nil)
	server.Fail(testkit.Answer("application/json", `{}`))
	config := own(t, server.URL()+"/base/{fonds}/{item}.json")
	config.Metadata.Fresh = -1
	c := newCollection(t, config, collection.Deps{})
	for _, item := range []string{
		"x", "x/y", "/x", "//" + other.Address() + "/x", "http://" + other.Address(), "@" + other.Address() + "/", "?a=b", "#f", "x?", "x;y", "x%2fy",
		"%2e%2e", "%252e%252e%252fsecret", "..%2f", ".", "..", "%", "%zz", "%2", "x y", "x\ty", "x\r\nHost: evil", "é", "\u2025", "\uff0e\uff0e", "x%00", "x\x00",
		"%5c..", `\\host\share`, "x:80", "[::1]", "127.0.0.1", strings.Repeat("x", 400), "{item}", "$&", "'\"<>", "=", "+", "a+b", "%C0%AE%C0%AE/",
	} {
		for _, raw := range []string{url.PathEscape("f:" + item), "f:" + url.PathEscape(url.PathEscape(item)), url.PathEscape(item + ":i")} {
			server.Forget()
			l := c.Lookup(raw)
			_, err := l.Metadata(context.Background())
			requests := server.Requests()
			if err != nil {
				if e := problem.From(err); e.Status != 400 || len(requests) != 0 {
					t.Errorf("%q: %v after %d requests", raw, err, len(requests))
				}
				continue
			}
			groups, _ := l.Identifier(context.Background())
			segments := strings.Split(requests[0].Path, "/")
			if len(segments) != 4 || segments[1] != "base" || requests[0].Query != "" {
				t.Errorf("%q asked for %s?%s", raw, requests[0].Path, requests[0].Query)
				continue
			}
			fonds, _ := url.PathUnescape(segments[2])
			name, _ := url.PathUnescape(segments[3])
			if fonds != groups["fonds"] || name != groups["item"]+".json" {
				t.Errorf("%q asked for %s, not for %v", raw, requests[0].Path, groups)
			}
		}
	}
	if other.Count() != 0 {
		t.Error("another host was asked")
	}
}

// TestRulesAndSourcesReadTheSameIdentifier: text that is still percent-encoded after the one decoding means itself, so
// that a rule about "secret" cannot be passed by "%73ecret".
func TestRulesAndSourcesReadTheSameIdentifier(t *testing.T) {
	for kind, want := range map[source.Kind]string{source.KindHTTP: "%2573ecret/a%20b", "": "%2573ecret/a%20b", source.KindFolder: "%73ecret/a b", source.KindS3: "%73ecret/a b"} {
		for _, path := range []*source.Template{nil, template(t, "{path...}")} {
			sources := &fakeSource{}
			c := newCollection(t, collection.Config{Name: "open", Places: map[string]collection.Place{"main": {Source: sources, Kind: kind, Path: path}}}, collection.Deps{})
			groups, err := c.Lookup("%2573ecret%2Fa%20b").Identifier(context.Background())
			if err != nil || groups["path"] != "%73ecret/a b" {
				t.Errorf("%v, %v", groups, err)
			}
			item, err := c.Lookup("%2573ecret%2Fa%20b").Item(context.Background())
			if err != nil || strings.ReplaceAll(item.Path, " ", "%20") != strings.ReplaceAll(want, " ", "%20") {
				t.Errorf("%s: %+v, %v", kind, item, err)
			}
		}
	}
}

// TestRefusalsRepeatNothing: an identifier may hold anything, so that its errors do not quote it.
func TestRefusalsRepeatNothing(t *testing.T) {
	c := newCollection(t, collection.Config{Name: "open", Places: map[string]collection.Place{"main": place()}}, collection.Deps{})
	for _, raw := range []string{"<script>%5c", "<script>%00", "<script>..", "<script>%2f%2f", "<script>%zz"} {
		_, err := c.Lookup(raw).Identifier(context.Background())
		if err == nil || strings.Contains(err.Error(), "script") {
			t.Errorf("%s: %v", raw, err)
		}
	}
}
