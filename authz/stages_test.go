package authz_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/internal/problem"
)

func TestFactsAreFetchedOnDemand(t *testing.T) {
	var (
		none       []string
		identifier = []string{"identifier"}
		metadata   = []string{"identifier", "metadata"}
		document   = []string{"identifier", "metadata", "document"}
	)
	tests := map[string]struct {
		rules []authz.RuleSpec
		want  []string
	}{
		"denied by the caller alone":              {[]authz.RuleSpec{deny("no", `principal.anonymous`), allow(`metadata.a == 1`)}, none},
		"denied although metadata is named":       {[]authz.RuleSpec{deny("no", `metadata.a == 1 || principal.anonymous`)}, none},
		"no rule can match":                       {[]authz.RuleSpec{allow(`!principal.anonymous && metadata.a == 1`)}, none},
		"denied by the identifier":                {[]authz.RuleSpec{deny("no", `identifier.source == "edepot"`), allow(`document.a == 1`)}, identifier},
		"denied by the identifier behind a guard": {[]authz.RuleSpec{deny("no", `document.a == 2 || identifier.source == "edepot"`)}, identifier},
		"allowed: the identifier is parsed":       {[]authz.RuleSpec{allow(`principal.anonymous`)}, identifier},
		"tier: the identifier is parsed":          {[]authz.RuleSpec{tier(5, `principal.anonymous`)}, identifier},
		"denied by the dossier":                   {[]authz.RuleSpec{deny("no", `metadata.a == 1`), deny("no", `document.a == 1`)}, metadata},
		"denied by the document":                  {[]authz.RuleSpec{deny("no", `metadata.a == 2`), deny("no", `document.a == 1`)}, document},
		"a document at once":                      {[]authz.RuleSpec{deny("no", `document.a == 1`)}, document},
		"has() waits":                             {[]authz.RuleSpec{deny("no", `!has(metadata.b)`)}, metadata},
		"in waits":                                {[]authz.RuleSpec{deny("no", `!("b" in metadata)`)}, metadata},
		"a loop waits":                            {[]authz.RuleSpec{deny("no", `metadata.l.all(e, e == 1)`)}, metadata},
		"a list literal waits":                    {[]authz.RuleSpec{deny("no", `size([metadata.a, identifier]) == 2`)}, metadata},
		"a computed key waits":                    {[]authz.RuleSpec{deny("no", `metadata[identifier.key] == 1`)}, metadata},
		"a condition decides":                     {[]authz.RuleSpec{deny("no", `principal.anonymous ? true : document.a == 1`)}, none},
		"equal unknowns wait":                     {[]authz.RuleSpec{deny("no", `metadata == metadata`)}, metadata},
		"a local name is no fact":                 {[]authz.RuleSpec{deny("no", `[1].exists(metadata, metadata == 1) && metadata.a == 1`)}, metadata},
		"each is fetched once":                    {[]authz.RuleSpec{allow(`document.a == 9`), allow(`metadata.a == 9`), allow(`identifier.source == "9"`), allow(`document.a == 1`)}, document},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := &facts{
				identifier: map[string]string{"source": "edepot", "key": "a"},
				metadata:   map[string]any{"a": int64(1), "l": []any{int64(1)}},
				document:   map[string]any{"a": int64(1)},
			}
			d, err := rules(t, test.rules...).Decide(context.Background(), nil, authz.RequestInfo{}, f)
			if err != nil || d.RuleError != nil {
				t.Fatal(err, d.RuleError)
			}
			if d.Code == "no_rule_matched" && len(test.want) > 0 {
				t.Errorf("no rule matched")
			}
			if !slices.Equal(f.asked, test.want) {
				t.Errorf("asked for %v, want %v", f.asked, test.want)
			}
		})
	}
}

func TestCacheAndAuditConditionsFetchToo(t *testing.T) {
	c := withRules(allow(`true`))
	c.Cache = []authz.CacheSpec{{For: time.Hour, Expr: `metadata.a == 1`}}
	c.Restricted = `document.a == 1`
	f := &facts{metadata: map[string]any{"a": int64(1)}, document: map[string]any{"a": int64(1)}}
	d, err := newPolicy(t, c).Decide(context.Background(), bearer(), authz.RequestInfo{}, f)
	if err != nil || d.CacheFor != time.Hour || !d.Restricted {
		t.Errorf("%+v, %v", d, err)
	}
	if want := []string{"identifier", "metadata", "document"}; !slices.Equal(f.asked, want) {
		t.Errorf("asked for %v", f.asked)
	}
}

func TestFactsErrorEndsTheDecision(t *testing.T) {
	bad := problem.New(400, "bad_identifier", "Invalid formatted url")
	for _, failing := range []string{"identifier", "metadata", "document"} {
		for name, c := range map[string]authz.Config{
			"in a deny rule":  withRules(deny("no", `document.a == 1`), allow(`true`)),
			"in a tier rule":  withRules(tier(9, `document.a == 1`), allow(`true`)),
			"in an allow one": withRules(allow(`document.a == 1`), allow(`true`)),
			"beside": func() authz.Config {
				c := withRules(allow(`true`))
				c.Cache = []authz.CacheSpec{{For: time.Second, Expr: `document.a == 1`}}
				return c
			}(),
			"in the audit condition": func() authz.Config {
				c := withRules(allow(`true`))
				c.Restricted = `document.a == 1`
				return c
			}(),
		} {
			f := &facts{failing: failing, err: bad}
			d, err := newPolicy(t, c).Decide(context.Background(), nil, authz.RequestInfo{}, f)
			if !errors.Is(err, bad) || d != (authz.Decision{}) {
				t.Errorf("%s %s: %+v, %v", failing, name, d, err)
			}
			if f.asked[len(f.asked)-1] != failing {
				t.Errorf("%s %s: asked for %v", failing, name, f.asked)
			}
		}
	}
}

func TestBadIdentifierOfAnAllowedCaller(t *testing.T) {
	bad := problem.New(400, "bad_identifier", "Invalid formatted url")
	p := rules(t, allow(`principal.anonymous`))
	_, err := p.Decide(context.Background(), nil, authz.RequestInfo{}, &facts{failing: "identifier", err: bad})
	if !errors.Is(err, bad) {
		t.Error(err)
	}
}

func TestCallerLeaves(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	f := &leaving{cancel: cancel}
	_, err := rules(t, allow(`metadata.a == 1`)).Decide(ctx, principal.Nobody(), authz.RequestInfo{}, f)
	if e := problem.From(err); e.Status != problem.StatusClientClosedRequest || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// leaving is a caller that goes away while the metadata is fetched.
type leaving struct {
	quietFacts
	cancel context.CancelFunc
}

func (l *leaving) Metadata(ctx context.Context) (any, error) {
	l.cancel()
	return nil, ctx.Err()
}
