package authz_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/authz"
)

func TestConfigRefusals(t *testing.T) {
	tests := map[string]struct {
		change func(*authz.Config)
		want   []string
	}{
		"no rules":               {func(c *authz.Config) { c.Rules = nil }, []string{"no rule"}},
		"too many rules":         {func(c *authz.Config) { c.Rules = make([]authz.RuleSpec, 257) }, []string{"257 rules", "at most 256"}},
		"unknown outcome":        {func(c *authz.Config) { c.Rules[0].Outcome = "maybe" }, []string{"rule 1", `"maybe"`, "allow, tier or deny"}},
		"tier without side":      {func(c *authz.Config) { c.Rules[0] = tier(0, `true`) }, []string{"rule 1", "a tier takes something away"}},
		"tier below zero":        {func(c *authz.Config) { c.Rules[0] = tier(-1, `true`) }, []string{"-1"}},
		"tier in colour":         {func(c *authz.Config) { c.Rules[0] = limited(0, "color", "", `true`) }, []string{`the quality is "color"`, "gray or bitonal"}},
		"allow with a quality":   {func(c *authz.Config) { c.Rules[0].Quality = "gray" }, []string{"only a tier"}},
		"allow with a watermark": {func(c *authz.Config) { c.Rules[0].Watermark = "city" }, []string{"only a tier"}},
		"tier beyond reason":     {func(c *authz.Config) { c.Rules[0] = tier(1_000_001, `true`) }, []string{"1000001"}},
		"allow with a side":      {func(c *authz.Config) { c.Rules[0].MaxSide = 3 }, []string{"only a tier"}},
		"allow with a reason":    {func(c *authz.Config) { c.Rules[0].Reason = "x" }, []string{"only a deny"}},
		"allow with a status":    {func(c *authz.Config) { c.Rules[0].Status = 401 }, []string{"only a deny"}},
		"deny with success":      {func(c *authz.Config) { c.Rules[0] = authz.RuleSpec{Outcome: authz.Deny, Status: 200, Expr: "true"} }, []string{"status is 200"}},
		"deny status":            {func(c *authz.Config) { c.DenyStatus = 500 }, []string{"deny_status is 500", "400 to 499"}},
		"code":                   {func(c *authz.Config) { c.Rules[0].Code = "Not Snake" }, []string{`"Not Snake"`}},
		"setting":                {func(c *authz.Config) { c.Settings = map[string][]string{"a-b": nil} }, []string{`"a-b"`}},
		"document, no metadata":  {func(c *authz.Config) { c.Metadata, c.Document = false, true }, []string{"without metadata"}},
		"cache without time":     {func(c *authz.Config) { c.Cache = []authz.CacheSpec{{Expr: "true"}} }, []string{"cache condition 1"}},
		"cache of half a second": {func(c *authz.Config) { c.Cache = []authz.CacheSpec{{Expr: "true", For: time.Second / 2}} }, []string{"whole seconds"}},
		"cache expression":       {func(c *authz.Config) { c.Cache = []authz.CacheSpec{{Expr: "tru", For: time.Second}} }, []string{"cache condition 1", "tru"}},
		"restricted expression":  {func(c *authz.Config) { c.Restricted = "1" }, []string{"restricted condition", "bool"}},
		"two mistakes":           {func(c *authz.Config) { c.Rules = []authz.RuleSpec{allow(`x`), allow(`true`), deny("", `y`)} }, []string{"rule 1", "rule 3"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := withRules(allow(`true`))
			test.change(&c)
			refused(t, c, test.want...)
		})
	}
}

func TestExpressionRefusals(t *testing.T) {
	tests := map[string]struct {
		expr string
		want []string
	}{
		"empty":                     {" ", []string{"empty", "`true`"}},
		"too long":                  {strings.Repeat("(", 4097), []string{"4097", "4096"}},
		"too deep":                  {strings.Repeat("!(", 200) + "true" + strings.Repeat(")", 200), []string{"recursion limit exceeded: 64"}},
		"syntax":                    {`metadata.access ==`, []string{"metadata.access ==", "line 1, column 19"}},
		"misspelled variable":       {"true &&\n  metdata.access == 1", []string{"line 2, column 3", "'metdata'", "known variables: document, identifier, metadata, principal.anonymous"}},
		"misspelled property":       {`"a" in principal.scope`, []string{"column 8", "principal.scopes"}},
		"misspelled setting":        {`"a" in settings.free`, []string{"settings.free_copyright"}},
		"a number":                  {`1 + 1`, []string{"int", "true or false (bool)"}},
		"a text":                    {`principal.kind`, []string{"string"}},
		"wrong types":               {`principal.kind == 3`, []string{"no matching overload"}},
		"null among texts":          {`null in principal.scopes`, []string{"no matching overload"}},
		"unknown function":          {`readFile("/etc/passwd") == ""`, []string{"readFile"}},
		"unknown group":             {`identifier.dossier == "1"`, []string{`no group "dossier"`, "source, path"}},
		"unknown group in an index": {`identifier["dossier"] == "1"`, []string{`no group "dossier"`}},
		"broken pattern":            {`principal.kind.matches("(")`, []string{"regex"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := withRules(allow(test.expr))
			c.Groups = []string{"source", "path"}
			refused(t, c, test.want...)
		})
	}
}

func refused(t *testing.T, c authz.Config, want ...string) {
	t.Helper()
	err := c.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, part := range want {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in: %s", part, err)
		}
	}
}

func TestKnownGroupsMayBeRead(t *testing.T) {
	c := withRules(allow(`identifier.source == "a" || identifier["path"] == "b" || has(identifier.other) || identifier[principal.kind] == ""`))
	c.Groups = []string{"source", "path"}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

func TestRulesCannotMentionWhatTheCollectionHasNot(t *testing.T) {
	c := authz.Config{Rules: []authz.RuleSpec{allow(`metadata.a == 1`)}}
	refused(t, c, "'metadata'")
	c = authz.Config{Rules: []authz.RuleSpec{allow(`document.a == 1`)}, Metadata: true}
	refused(t, c, "'document'")
}

func TestRuleText(t *testing.T) {
	for want, r := range map[string]authz.RuleSpec{
		"allow `true`":    allow(`true`),
		"tier 800 `true`": tier(800, `true`),
		"tier full quality gray watermark city `true`": limited(0, "gray", "city", `true`),
		"tier 9 quality bitonal `true`":                limited(9, "bitonal", "", `true`),
		"deny `true`":                                  deny("", `true`),
		"deny \"say\" `a == \"\"`":                     deny("say", `a == ""`),
		"dossier access":                               {Outcome: authz.Deny, Expr: `true`, Name: "dossier access"},
	} {
		if got := r.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestConfigIsNotChanged(t *testing.T) {
	c := withRules(deny("", `true`))
	newPolicy(t, c)
	if c.Rules[0].Status != 0 || c.Rules[0].Reason != "" || c.Rules[0].Code != "" || c.DenyStatus != 0 {
		t.Errorf("the configuration was changed: %+v", c)
	}
}
