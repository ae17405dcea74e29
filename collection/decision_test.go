package collection_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/collection"
	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

func reader() *principal.Principal {
	return &principal.Principal{Kind: principal.Bearer, Subject: "civil servant", Scopes: []string{"BD/R"}}
}

func request() authz.RequestInfo {
	return authz.RequestInfo{Identifier: simpleIdentifier, Version: "2", Endpoint: "image"}
}

// situation is one row of the table.
type situation struct {
	kind           principal.Kind
	scopes         []string
	identifier     string // with %s for the dossier's number
	metadata       string // "there", "missing", "broken"
	access         any
	documentAccess any
	copyright      any
}

// verdict is what a caller gets.
type verdict struct {
	status     int
	text       string
	asked      bool // the metadata server was asked
	cacheFor   time.Duration
	restricted bool
}

// model is the contract in a form that has nothing in common with rules and stages.
func (s situation) model() verdict {
	has := func(scope string) bool {
		for _, x := range s.scopes {
			if x == scope {
				return true
			}
		}
		return false
	}
	level := 0
	switch {
	case has("BD/X"):
		level = 3
	case has("BD/R"):
		level = 2
	case has("BD/P") && s.kind == "mail_login":
		level = 1
	}
	if s.kind == "anonymous" {
		return verdict{status: 401, text: "No token supplied"}
	}
	if level == 0 {
		return verdict{status: 401, text: "Invalid scope"}
	}
	sourceName := s.identifier[:4]
	if sourceName != "edep" && sourceName != "wabo" {
		return verdict{status: 400, text: "Invalid formatted url"}
	}
	if sourceName == "wabo" && s.kind == "mail_login" {
		return verdict{status: 401, text: "WABO dossiers cannot be retrieved using the mail login access."}
	}
	switch s.metadata {
	case "missing":
		return verdict{status: 404, text: "No metadata could be found for this dossier", asked: true}
	case "broken":
		return verdict{status: 502, text: "We had a problem retrieving the metadata. We got status code 503", asked: true}
	}
	if level < 3 && s.access != "PUBLIC" {
		return verdict{status: 401, text: "Document access is restricted", asked: true}
	}
	if s.identifier[len(s.identifier)-6:] != "0126_0" {
		return verdict{status: 404, text: "Document not found in metadata", asked: true}
	}
	public, free := s.access == "PUBLIC" && s.documentAccess == "PUBLIC", s.copyright == "N"
	if level < 3 && !public {
		return verdict{status: 401, text: "Document access is restricted", asked: true}
	}
	if level < 2 && !free {
		return verdict{status: 401, text: "Document has copyright restriction", asked: true}
	}
	v := verdict{status: 200, asked: true, restricted: !public || !free}
	if public && free {
		v.cacheFor = 129600 * time.Second
	}
	return v
}

// TestDecisionTable compares the preset with the model in every situation.
func TestDecisionTable(t *testing.T) {
	server := testkit.NewMetadataServer(t)
	config := bouwdossiers(server.URL())
	config.Metadata.Fresh = -1
	c := newCollection(t, config, collection.Deps{})
	policy := policyOf(t, c)

	accesses := []any{"PUBLIC", "RESTRICTED", "public", "", nil, testkit.Missing{}}
	copyrights := []any{"N", "Y", "J", "n", nil, testkit.Missing{}}
	callers := []situation{
		{kind: "anonymous"},
		{kind: "mail_login", scopes: []string{"BD/P"}},
		{kind: "mail_login", scopes: []string{"BD/Q"}},
		{kind: "bearer"},
		{kind: "bearer", scopes: []string{"BD/P"}},
		{kind: "bearer", scopes: []string{"BD/R"}},
		{kind: "bearer", scopes: []string{"BD/X"}},
		{kind: "bearer", scopes: []string{"BD/P", "BD/R", "BD/X"}},
		{kind: "bearer", scopes: []string{"BD/RX", "bd/r"}},
	}
	identifiers := []string{"edepot:ST_%s~ST00000126_0", "wabo:ST_%s~ST00000126_0", "other:ST_%s~ST00000126_0", "edepot:ST_%s~ST00000127_0"}
	rows := 0
	try := func(s situation, number string) {
		rows++
		s.identifier = fmt.Sprintf(s.identifier, number)
		if got, want := s.real(t, server, c, policy), s.model(); got != want {
			t.Errorf("%+v\ngot  %+v\nwant %+v", s, got, want)
		}
	}
	for i, access := range accesses {
		for j, documentAccess := range accesses {
			for k, copyright := range copyrights {
				number := fmt.Sprint(10000 + 100*i + 10*j + k)
				dossier := simple(access, documentAccess, copyright)
				dossier.Number = number
				server.Put(dossier)
				for _, s := range callers {
					s.metadata, s.access, s.documentAccess, s.copyright = "there", access, documentAccess, copyright
					for _, s.identifier = range identifiers {
						try(s, number)
					}
				}
			}
		}
	}
	for _, s := range callers {
		for _, s.identifier = range identifiers {
			s.metadata = "missing"
			try(s, "404")
			s.metadata = "broken"
			server.Fail(testkit.Status(503))
			try(s, "503")
			server.Heal()
		}
	}
	if want := 216*9*4 + 9*4*2; rows != want {
		t.Errorf("%d rows, want %d", rows, want)
	}
}

// real asks the real parts.
func (s situation) real(t *testing.T, server *testkit.MetadataServer, c *collection.Collection, policy *authz.Policy) verdict {
	t.Helper()
	server.Forget()
	who := &principal.Principal{Kind: s.kind, Scopes: s.scopes}
	lookup := c.Lookup(s.identifier)
	d, err := policy.Decide(context.Background(), who, authz.RequestInfo{Identifier: s.identifier, Version: "2", Endpoint: "image"}, lookup)
	if err == nil && d.Allowed() {
		_, err = lookup.Open(context.Background())
	}
	asked := server.Count() > 0
	if server.Count() > 1 {
		t.Errorf("%+v: %d requests to the metadata server", s, server.Count())
	}
	if d.RuleError != nil {
		t.Errorf("%+v: %v", s, d.RuleError)
	}
	if err != nil {
		e := problem.From(err)
		return verdict{status: e.Status, text: e.Detail, asked: asked}
	}
	if !d.Allowed() {
		return verdict{status: d.Status, text: d.Reason, asked: asked}
	}
	return verdict{status: 200, asked: asked, cacheFor: d.CacheFor, restricted: d.Restricted}
}

func TestDenyStatusLeavesTheTokensStatus(t *testing.T) {
	server := testkit.NewMetadataServer(t, simple("RESTRICTED", "PUBLIC", "N"))
	config := bouwdossiers(server.URL())
	config.DenyStatus = 403
	c := newCollection(t, config, collection.Deps{})
	policy := policyOf(t, c)
	for _, test := range []struct {
		who    *principal.Principal
		status int
		code   string
	}{
		{principal.Nobody(), 401, "no_token"},
		{&principal.Principal{Kind: principal.Bearer}, 401, "invalid_scope"},
		{reader(), 403, "access_restricted"},
	} {
		d, err := policy.Decide(context.Background(), test.who, request(), c.Lookup(simpleIdentifier))
		if err != nil || d.Status != test.status || d.Code != test.code {
			t.Errorf("%+v, %v", d, err)
		}
	}
}

func TestFreeCopyrightIsASetting(t *testing.T) {
	server := testkit.NewMetadataServer(t, simple("PUBLIC", "PUBLIC", "V"))
	citizen := &principal.Principal{Kind: principal.MailLogin, Scopes: []string{"BD/P"}}
	for _, test := range []struct {
		free    []string
		allowed bool
	}{{nil, false}, {[]string{"J", "V"}, true}, {[]string{"v"}, false}} {
		config := bouwdossiers(server.URL())
		config.FreeCopyright = test.free
		c := newCollection(t, config, collection.Deps{})
		d, err := policyOf(t, c).Decide(context.Background(), citizen, request(), c.Lookup(simpleIdentifier))
		if err != nil || d.Allowed() != test.allowed || d.Restricted == test.allowed && test.allowed {
			t.Errorf("%v: %+v, %v", test.free, d, err)
		}
	}
}

// TestOwnRulesGoBeforeThePreset: an archive closes a dossier by hand.
func TestOwnRulesGoBeforeThePreset(t *testing.T) {
	server := testkit.NewMetadataServer(t, simple("PUBLIC", "PUBLIC", "N"))
	config := bouwdossiers(server.URL())
	config.Rules = []collection.Rule{{Outcome: "deny", Reason: "Being restored", Expr: `identifier.dossier == "00015"`}}
	c := newCollection(t, config, collection.Deps{})
	d, err := policyOf(t, c).Decide(context.Background(), reader(), request(), c.Lookup(simpleIdentifier))
	if err != nil || d.Reason != "Being restored" || d.Status != 401 {
		t.Errorf("%+v, %v", d, err)
	}
	if server.Count() != 0 {
		t.Error("the metadata server was asked")
	}
}
