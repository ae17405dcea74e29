package authz_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// TestWhatIsNotAuditedAnybodyMaySee: an item that is shown without an audit line is one that a caller without a
// credential gets at least as large.
func TestWhatIsNotAuditedAnybodyMaySee(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, f := policyOf(t, someRules(t)), someFacts(t)
		got, err := p.Decide(context.Background(), bearer(someScopes(t)...), authz.RequestInfo{}, f)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Allowed() || got.Restricted {
			return
		}
		anybody, err := p.Decide(context.Background(), principal.Nobody(), authz.RequestInfo{}, f)
		if err != nil {
			t.Fatal(err)
		}
		if anybody.Outcome == authz.Allow || anybody.Outcome == authz.Tier && got.Outcome == authz.Tier && showsAll(anybody, got) {
			return
		}
		t.Fatalf("not audited: %+v\nothers get %+v", got, anybody)
	})
}

// showsAll tells whether a tier shows all that another shows.
func showsAll(tier, other authz.Decision) bool {
	larger := tier.MaxSide == 0 || other.MaxSide != 0 && tier.MaxSide >= other.MaxSide
	richer := tier.Quality == "" || tier.Quality == other.Quality || other.Quality == authz.QualityBitonal
	return larger && richer && (tier.Watermark == "" || tier.Watermark == other.Watermark)
}

// TestFactsComeInOrderAndOnce whatever the rules are, and an allowed caller's identifier is among them.
func TestFactsComeInOrderAndOnce(t *testing.T) {
	order := []string{"identifier", "metadata", "document"}
	rapid.Check(t, func(t *rapid.T) {
		p, f := policyOf(t, someRules(t)), someFacts(t)
		d, err := p.Decide(context.Background(), bearer(someScopes(t)...), authz.RequestInfo{}, f)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(f.asked, order[:min(len(f.asked), len(order))]) {
			t.Fatalf("asked for %v", f.asked)
		}
		if d.Allowed() && len(f.asked) == 0 {
			t.Fatalf("allowed without a look at the identifier: %+v", d)
		}
	})
}

// TestNoDecisionWithoutAFactThatItNeeds: when a fact cannot be had, either the decision is the one that would have
// been made without asking for it, or there is none.
func TestNoDecisionWithoutAFactThatItNeeds(t *testing.T) {
	down := problem.New(502, "down", "down")
	rapid.Check(t, func(t *rapid.T) {
		p, well := policyOf(t, someRules(t)), someFacts(t)
		who := bearer(someScopes(t)...)
		want, err := p.Decide(context.Background(), who, authz.RequestInfo{}, well)
		if err != nil {
			t.Fatal(err)
		}
		broken := *well
		broken.asked, broken.err = nil, down
		broken.failing = rapid.SampledFrom([]string{"identifier", "metadata", "document"}).Draw(t, "failing")
		got, err := p.Decide(context.Background(), who, authz.RequestInfo{}, &broken)
		if slices.Contains(well.asked, broken.failing) {
			if !errors.Is(err, down) || got != (authz.Decision{}) {
				t.Fatalf("decided without the %s: %+v, %v", broken.failing, got, err)
			}
			return
		}
		// Errors inside rules are equal by their text alone.
		if (got.RuleError == nil) != (want.RuleError == nil) {
			t.Fatalf("%v, %v", got.RuleError, want.RuleError)
		}
		got.RuleError, want.RuleError = nil, nil
		if err != nil || got != want {
			t.Fatalf("%+v, %v, want %+v", got, err, want)
		}
	})
}

// TestExplainAlwaysAgrees with the decision that it explains, and names exactly the rule that made it.
func TestExplainAlwaysAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		specs := someRules(t)
		p, f := policyOf(t, specs), someFacts(t)
		who := bearer(someScopes(t)...)
		d, err := p.Decide(context.Background(), who, authz.RequestInfo{}, f)
		if err != nil {
			t.Fatal(err)
		}
		asked := f.asked
		f.asked = nil
		x, err := p.Explain(context.Background(), who, authz.RequestInfo{}, f)
		if err != nil || x.Outcome != d.Outcome || x.Code != d.Code || x.MaxSide != d.MaxSide || x.Restricted != d.Restricted {
			t.Fatalf("%+v, %v, want %+v", x, err, d)
		}
		if len(x.Fetched) != len(asked) || !slices.Equal(f.asked, asked) {
			t.Fatalf("explained with %v, decided with %v", f.asked, asked)
		}
		decides := slices.IndexFunc(x.Rules, func(r authz.RuleTrace) bool { return r.Decides })
		if decides < 0 {
			if d.Code != "no_rule_matched" {
				t.Fatalf("no rule decides, and yet %+v", d)
			}
			return
		}
		if x.Rules[decides].Rule != d.Rule || specs[decides].String() != d.Rule {
			t.Fatalf("rule %q, decision by %q", x.Rules[decides].Rule, d.Rule)
		}
		for i, r := range x.Rules {
			if reached := r.Result != "not reached"; reached != (i <= decides) {
				t.Fatalf("rule %d of %d: %s", i, decides, r.Result)
			}
		}
	})
}

// TestSameQuestionSameAnswer: a decision depends on nothing but what it was asked.
func TestSameQuestionSameAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		specs, f := someRules(t), someFacts(t)
		who := bearer(someScopes(t)...)
		var first authz.Decision
		for i := range 3 {
			d, err := policyOf(t, specs).Decide(context.Background(), who, authz.RequestInfo{}, f)
			if err != nil {
				t.Fatal(err)
			}
			d.RuleError = nil
			if i == 0 {
				first = d
			} else if d != first {
				t.Fatalf("%+v, then %+v", first, d)
			}
		}
	})
}
