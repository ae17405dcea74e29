package authz_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/internal/problem"
)

func explained(t *testing.T, p *authz.Policy, who *principal.Principal, f authz.Facts) (authz.Explanation, error) {
	t.Helper()
	x, err := p.Explain(context.Background(), who, authz.RequestInfo{Identifier: "id"}, f)
	if _, jsonErr := json.Marshal(x); jsonErr != nil {
		t.Fatal(jsonErr)
	}
	return x, err
}

func results(x authz.Explanation) (all []string) {
	for _, r := range x.Rules {
		all = append(all, r.Result)
	}
	return all
}

func TestExplainAllowed(t *testing.T) {
	c := withRules(deny("no", `principal.anonymous`), deny("wabo", `identifier.source == "wabo"`), allow(`metadata.access == "PUBLIC"`), allow(`true`))
	c.Cache = []authz.CacheSpec{{For: time.Hour, Expr: `document == null`}}
	x, err := explained(t, newPolicy(t, c), bearer("s"), &facts{identifier: map[string]string{"source": "edepot"}, metadata: dossier("PUBLIC")})
	if err != nil {
		t.Fatal(err)
	}
	if x.Outcome != authz.Allow || x.Status != 200 || x.CacheSeconds != 3600 || x.Collection != "c" || x.Identifier != "id" || !x.Restricted {
		t.Errorf("%+v", x)
	}
	if got, want := results(x), []string{"false", "false", "true", "not reached"}; !slices.Equal(got, want) {
		t.Errorf("results %v, want %v", got, want)
	}
	if !slices.Equal(x.Rules[1].Needed, []string{"identifier"}) || !slices.Equal(x.Rules[2].Needed, []string{"metadata"}) || x.Rules[0].Needed != nil {
		t.Errorf("needed: %+v", x.Rules)
	}
	if len(x.Fetched) != 3 || x.Fetched[2].Fact != "document" {
		t.Errorf("fetched: %+v", x.Fetched)
	}
	if want := "Allowed by rule 3 (allow `metadata.access == \"PUBLIC\"`), the first whose condition is true."; x.Summary != want {
		t.Errorf("summary: %s", x.Summary)
	}
	if !x.Rules[2].Decides || x.Rules[0].Decides || x.Rules[2].Number != 3 {
		t.Errorf("%+v", x.Rules)
	}
}

func TestExplainSummaries(t *testing.T) {
	tests := map[string]struct {
		rules []authz.RuleSpec
		want  string
	}{
		"denied":   {[]authz.RuleSpec{deny("Stop", `true`)}, "Denied with 403 \"Stop\" by rule 1 (deny \"Stop\" `true`), the first whose condition is true."},
		"gray":     {[]authz.RuleSpec{limited(0, "gray", "", `true`)}, "Allowed in gray by rule 1 (tier full quality gray `true`), the first whose condition is true."},
		"marked":   {[]authz.RuleSpec{limited(8, "gray", "city", `true`)}, "Allowed up to 8 pixels, in gray, with the watermark \"city\" by rule 1 (tier 8 quality gray watermark city `true`), the first whose condition is true."},
		"tier":     {[]authz.RuleSpec{tier(800, `true`)}, "Allowed up to 800 pixels by rule 1 (tier 800 `true`), the first whose condition is true."},
		"error":    {[]authz.RuleSpec{deny("Stop", `metadata.x == 1`)}, "Denied with 403 \"Stop\": rule 1 (deny \"Stop\" `metadata.x == 1`) could not be evaluated, which counts against the caller."},
		"no match": {[]authz.RuleSpec{allow(`false`)}, "Denied with 403 \"Access denied\": no rule matched."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			x, err := explained(t, rules(t, test.rules...), nil, &facts{metadata: map[string]any{}})
			if err != nil || x.Summary != test.want {
				t.Errorf("%q, %v", x.Summary, err)
			}
		})
	}
}

func TestExplainNamesTheErrorOfEachRule(t *testing.T) {
	x, err := explained(t, rules(t, allow(`metadata.x == 1`), allow(`metadata.y == 1`), allow(`true`)), nil, &facts{metadata: map[string]any{}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := results(x), []string{"error", "error", "true"}; !slices.Equal(got, want) {
		t.Errorf("results %v", got)
	}
	if !strings.Contains(x.Rules[0].Error, "no such key: x") || !strings.Contains(x.Rules[1].Error, "no such key: y") || strings.Contains(x.Rules[1].Error, "key: x") {
		t.Errorf("%+v", x.Rules)
	}
}

func TestExplainTellsWhatCouldNotBeHad(t *testing.T) {
	down := problem.Wrap(errors.New("dial tcp: refused"), 502, "metadata_unreachable", "The iiif-metadata-server cannot be reached")
	x, err := explained(t, rules(t, deny("no", `metadata.x == 1`), allow(`true`)), nil, &facts{failing: "metadata", err: down})
	if !errors.Is(err, down) {
		t.Fatal(err)
	}
	if x.Outcome != "" || x.Status != 502 || x.Code != "metadata_unreachable" || x.Reason != down.Detail {
		t.Errorf("%+v", x)
	}
	if got, want := results(x), []string{"undecided", "not reached"}; !slices.Equal(got, want) {
		t.Errorf("results %v", got)
	}
	if !strings.Contains(x.Summary, "the metadata could not be had") || !strings.Contains(x.Fetched[1].Error, "refused") {
		t.Errorf("%s, %+v", x.Summary, x.Fetched)
	}
}

func TestExplainDecidesAsDecide(t *testing.T) {
	p := rules(t, deny("a", `metadata.access == "A"`), tier(8, `metadata.access == "B"`), allow(`metadata.access == "C"`))
	for _, access := range []any{"A", "B", "C", "D", nil, int64(1)} {
		d, err := p.Decide(context.Background(), bearer(), authz.RequestInfo{Identifier: "id"}, &facts{metadata: dossier(access)})
		if err != nil {
			t.Fatal(err)
		}
		x, err := explained(t, p, bearer(), &facts{metadata: dossier(access)})
		if err != nil || x.Outcome != d.Outcome || x.Code != d.Code || x.Reason != d.Reason || x.MaxSide != d.MaxSide || x.Restricted != d.Restricted {
			t.Errorf("%v: %+v, %+v, %v", access, d, x, err)
		}
	}
}
