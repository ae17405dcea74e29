package authz_test

import (
	"context"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/authz"
)

func TestFirstMatchDecides(t *testing.T) {
	p := rules(t,
		deny("Not you", `principal.subject == "mallory"`),
		authz.RuleSpec{Outcome: authz.Deny, Status: 410, Reason: "Gone", Code: "gone", Expr: `metadata.gone == true`},
		tier(800, `principal.anonymous`),
		allow(`"staff" in principal.scopes`),
	)
	present := map[string]any{"gone": false}
	tests := map[string]struct {
		who      *principal.Principal
		metadata any
		want     authz.Decision
	}{
		"deny with the policy's status": {
			&principal.Principal{Kind: principal.Bearer, Subject: "mallory"}, present,
			authz.Decision{Outcome: authz.Deny, Status: 403, Reason: "Not you", Code: "denied", Rule: "deny \"Not you\" `principal.subject == \"mallory\"`"},
		},
		"deny with its own status": {
			bearer("staff"), map[string]any{"gone": true},
			authz.Decision{Outcome: authz.Deny, Status: 410, Reason: "Gone", Code: "gone", Rule: "deny \"Gone\" `metadata.gone == true`"},
		},
		"tier": {
			principal.Nobody(), present,
			authz.Decision{Outcome: authz.Tier, MaxSide: 800, Code: "tier", Rule: "tier 800 `principal.anonymous`"},
		},
		"allow": {
			bearer("staff"), present,
			authz.Decision{Outcome: authz.Allow, Code: "allowed", Rule: "allow `\"staff\" in principal.scopes`", Restricted: true},
		},
		"nothing matches": {
			bearer("visitor"), present,
			authz.Decision{Outcome: authz.Deny, Status: 403, Reason: "Access denied", Code: "no_rule_matched", Rule: "no rule matched"},
		},
		"no principal is the anonymous one": {
			nil, present,
			authz.Decision{Outcome: authz.Tier, MaxSide: 800, Code: "tier", Rule: "tier 800 `principal.anonymous`"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := p.Decide(context.Background(), test.who, authz.RequestInfo{Identifier: "a%2Fb"}, &facts{metadata: test.metadata})
			if err != nil {
				t.Fatal(err)
			}
			test.want.Collection, test.want.Identifier = "c", "a%2Fb"
			if got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
			if !got.Covers("c", "a%2Fb") || got.Covers("c", "a/b") || got.Covers("d", "a%2Fb") {
				t.Error("the decision is not bound to its collection and path segment")
			}
		})
	}
}

func TestDenyDefaults(t *testing.T) {
	c := withRules(deny("", `principal.anonymous`))
	c.DenyStatus, c.DenyReason = 401, "Log in first"
	p := newPolicy(t, c)
	for _, who := range []*principal.Principal{principal.Nobody(), bearer()} {
		d, err := p.Decide(context.Background(), who, authz.RequestInfo{}, &facts{})
		if err != nil || d.Status != 401 || d.Reason != "Log in first" {
			t.Errorf("%s: %+v, %v", who.Kind, d, err)
		}
	}
}

func TestVariables(t *testing.T) {
	who := &principal.Principal{Kind: principal.MailLogin, Subject: "a@b.example", Email: "a@b.example", Issuer: "mail", Scopes: []string{"BD/P", "x"}}
	f := func() *facts {
		return &facts{
			identifier: map[string]string{"source": "edepot", "path": ""},
			metadata:   map[string]any{"n": int64(3), "f": 2.5, "s": "t", "z": nil, "l": []any{"a", int64(1)}, "b": true, "o": map[string]any{"k": "v"}},
			document:   map[string]any{"copyright": "N"},
		}
	}
	for _, expr := range []string{
		`!principal.anonymous`,
		`principal.kind == "mail_login"`,
		`principal.subject == "a@b.example" && principal.email == principal.subject && principal.issuer == "mail"`,
		`"BD/P" in principal.scopes && size(principal.scopes) == 2`,
		`principal.scopes.exists(s, s.startsWith("BD/"))`,
		`request.version == "3" && request.endpoint == "info"`,
		`identifier.source == "edepot" && identifier["path"] == "" && !has(identifier.other)`,
		`metadata.n == 3 && metadata.n == 3.0 && metadata.n > 2 && metadata.f < 3`,
		`metadata.z == null && metadata.s != null && metadata.b`,
		`metadata.b`,
		`metadata.l[1] == 1 && "a" in metadata.l && metadata.l.all(e, e != "z")`,
		`metadata.o.k.matches("^v$")`,
		`has(metadata.o.k) && !has(metadata.o.m) && !has(metadata.z.k)`,
		`document.copyright in settings.free_copyright`,
		`!(metadata.z in settings.free_copyright) && !(metadata.n in settings.free_copyright)`,
	} {
		p := rules(t, allow(expr))
		d, err := p.Decide(context.Background(), who, authz.RequestInfo{Version: "3", Endpoint: "info"}, f())
		if err != nil || d.Outcome != authz.Allow || d.RuleError != nil {
			t.Errorf("%s: %+v, %v", expr, d, err)
		}
	}
}

func TestAnonymousKindHasAName(t *testing.T) {
	p := rules(t, allow(`principal.kind == "anonymous"`))
	for _, who := range []*principal.Principal{nil, principal.Nobody(), {}} {
		d, err := p.Decide(context.Background(), who, authz.RequestInfo{}, &facts{})
		if err != nil || d.Outcome != authz.Allow {
			t.Errorf("%+v: %+v, %v", who, d, err)
		}
	}
}

func TestCacheFor(t *testing.T) {
	c := withRules(deny("no", `"out" in principal.scopes`), tier(100, `"small" in principal.scopes`), allow(`true`))
	c.Cache = []authz.CacheSpec{
		{For: time.Hour, Expr: `metadata.access == "PUBLIC"`},
		{For: time.Minute, Expr: `metadata.access == "SOON"`},
	}
	p := newPolicy(t, c)
	tests := map[string]struct {
		scope    string
		metadata any
		want     time.Duration
		trouble  bool
	}{
		"first condition":         {"", dossier("PUBLIC"), time.Hour, false},
		"second condition":        {"", dossier("SOON"), time.Minute, false},
		"no condition":            {"", dossier("SECRET"), 0, false},
		"null":                    {"", dossier(nil), 0, false},
		"missing is not kept":     {"", map[string]any{}, 0, true},
		"a tier is not kept":      {"small", dossier("PUBLIC"), 0, false},
		"a denial is never kept":  {"out", dossier("PUBLIC"), 0, false},
		"no metadata is not kept": {"", nil, 0, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d, err := p.Decide(context.Background(), bearer(test.scope), authz.RequestInfo{}, &facts{metadata: test.metadata})
			if err != nil || d.CacheFor != test.want || d.Shared || (d.RuleError != nil) != test.trouble {
				t.Errorf("%+v, %v", d, err)
			}
		})
	}
}

func TestRestrictedWithoutCondition(t *testing.T) {
	staff, guest := bearer("staff"), bearer("guest")
	tests := map[string]struct {
		rules    []authz.RuleSpec
		who      *principal.Principal
		metadata any
		want     bool
	}{
		"anybody may":                  {[]authz.RuleSpec{allow(`true`)}, staff, nil, false},
		"only callers may":             {[]authz.RuleSpec{deny("no", `principal.anonymous`), allow(`true`)}, staff, nil, true},
		"public document":              {[]authz.RuleSpec{allow(`metadata.access == "PUBLIC"`), allow(`"staff" in principal.scopes`)}, staff, dossier("PUBLIC"), false},
		"restricted document":          {[]authz.RuleSpec{allow(`metadata.access == "PUBLIC"`), allow(`"staff" in principal.scopes`)}, staff, dossier("SECRET"), true},
		"broken for the anonymous":     {[]authz.RuleSpec{allow(`"staff" in principal.scopes || metadata.a.b == 1`)}, staff, dossier("x"), true},
		"fact not at hand":             {[]authz.RuleSpec{allow(`"staff" in principal.scopes || metadata.access == "PUBLIC"`)}, staff, dossier("PUBLIC"), true},
		"the anonymous get less":       {[]authz.RuleSpec{tier(10, `principal.anonymous`), allow(`true`)}, staff, nil, true},
		"the anonymous get a less":     {[]authz.RuleSpec{tier(10, `principal.anonymous`), tier(20, `true`)}, guest, nil, true},
		"the anonymous get as much":    {[]authz.RuleSpec{tier(20, `principal.anonymous`), tier(20, `true`)}, guest, nil, false},
		"they get smaller but plain":   {[]authz.RuleSpec{limited(10, "", "", `principal.anonymous`), limited(20, "", "m", `true`)}, guest, nil, true},
		"they get all but gray":        {[]authz.RuleSpec{limited(0, "gray", "", `principal.anonymous`), limited(20, "", "", `true`)}, guest, nil, true},
		"they get gray, guests less":   {[]authz.RuleSpec{limited(0, "gray", "", `principal.anonymous`), limited(20, "bitonal", "", `true`)}, guest, nil, false},
		"they get a mark":              {[]authz.RuleSpec{limited(20, "", "m", `principal.anonymous`), limited(20, "", "", `true`)}, guest, nil, true},
		"they get another mark":        {[]authz.RuleSpec{limited(20, "", "m", `principal.anonymous`), limited(20, "", "n", `true`)}, guest, nil, true},
		"they get no mark":             {[]authz.RuleSpec{limited(20, "", "", `principal.anonymous`), limited(20, "", "n", `true`)}, guest, nil, false},
		"guests get any size":          {[]authz.RuleSpec{limited(20, "", "", `principal.anonymous`), limited(0, "gray", "", `true`)}, guest, nil, true},
		"the anonymous get even more":  {[]authz.RuleSpec{allow(`principal.anonymous`), tier(20, `true`)}, guest, nil, false},
		"the caller is anonymous":      {[]authz.RuleSpec{allow(`metadata.access == "SECRET"`)}, principal.Nobody(), dossier("SECRET"), false},
		"a tier rule breaks for them":  {[]authz.RuleSpec{allow(`!principal.anonymous`), tier(10, `metadata.a.b == 1`)}, staff, nil, true},
		"a denial is not an audit one": {[]authz.RuleSpec{deny("no", `true`)}, staff, nil, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d, err := rules(t, test.rules...).Decide(context.Background(), test.who, authz.RequestInfo{}, &facts{metadata: test.metadata})
			if err != nil || d.Restricted != test.want {
				t.Errorf("%+v, %v", d, err)
			}
		})
	}
}

func TestRestrictedCondition(t *testing.T) {
	c := withRules(allow(`true`))
	c.Restricted = `metadata.access != "PUBLIC"`
	p := newPolicy(t, c)
	for _, test := range []struct {
		metadata any
		want     bool
	}{{dossier("PUBLIC"), false}, {dossier("RESTRICTED"), true}, {dossier(nil), true}, {map[string]any{}, true}, {nil, true}} {
		for _, who := range []*principal.Principal{bearer("staff"), principal.Nobody()} {
			d, err := p.Decide(context.Background(), who, authz.RequestInfo{}, &facts{metadata: test.metadata})
			if err != nil || d.Restricted != test.want {
				t.Errorf("%v, %s: %+v, %v", test.metadata, who.Kind, d, err)
			}
		}
	}
}

func TestPublic(t *testing.T) {
	d := authz.Public("open", "a.jpg", 24*time.Hour)
	if !d.Allowed() || !d.Shared || d.CacheFor != 24*time.Hour || !d.Covers("open", "a.jpg") {
		t.Errorf("%+v", d)
	}
}

func TestDecisionTravelsInContext(t *testing.T) {
	if _, found := authz.FromContext(context.Background()); found {
		t.Error("a decision out of nothing")
	}
	want := authz.Public("open", "a.jpg", time.Hour)
	if got, found := authz.FromContext(authz.NewContext(context.Background(), want)); !found || got != want {
		t.Errorf("%+v, %t", got, found)
	}
}
