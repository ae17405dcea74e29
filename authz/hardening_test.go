package authz_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/authz"
)

// TestBrokenRulesCountAgainstTheCaller: whatever makes a rule fail, nobody gets in by it.
func TestBrokenRulesCountAgainstTheCaller(t *testing.T) {
	broken := map[string]string{
		"missing key":         `metadata.missing == 1`,
		"key of a text":       `metadata.text.key == 1`,
		"key of null":         `metadata.nil.key == 1`,
		"index out of range":  `metadata.list[7] == 1`,
		"missing group":       `identifier.other == "x"`,
		"a text for a result": `metadata.text`,
		"null for a result":   `metadata.nil`,
		"comparing kinds":     `metadata.text < 3`,
		"not of a text":       `!metadata.text`,
		"dividing by zero":    `1 / (metadata.one - 1) == 1`,
		"overflow":            `metadata.one + 9223372036854775807 > 0`,
		"broken pattern":      `"a".matches(metadata.pattern)`,
		"document is absent":  `document.access == "PUBLIC"`,
		"looping over a text": `metadata.text.all(x, true)`,
	}
	f := func() *facts {
		return &facts{identifier: map[string]string{}, metadata: map[string]any{
			"text": "t", "nil": nil, "list": []any{}, "one": int64(1), "pattern": "(",
		}}
	}
	for name, expr := range broken {
		t.Run(name, func(t *testing.T) {
			decide := func(specs ...authz.RuleSpec) authz.Decision {
				d, err := rules(t, specs...).Decide(context.Background(), nil, authz.RequestInfo{}, f())
				if err != nil {
					t.Fatal(err)
				}
				if d.RuleError == nil {
					t.Errorf("the error is not told: %+v", d)
				}
				return d
			}
			if d := decide(deny("secret", expr), allow(`true`)); d.Outcome != authz.Deny || d.Reason != "secret" {
				t.Errorf("deny: %+v", d)
			}
			if d := decide(tier(100, expr), allow(`true`)); d.Outcome != authz.Deny || d.Code != "rule_error" || d.Reason != "Access denied" || d.Status != 403 {
				t.Errorf("tier: %+v", d)
			}
			if d := decide(allow(expr)); d.Outcome != authz.Deny || d.Code != "no_rule_matched" {
				t.Errorf("allow: %+v", d)
			}
			c := withRules(allow(`true`))
			c.Cache = []authz.CacheSpec{{For: time.Hour, Expr: expr}}
			c.Restricted = expr
			d, err := newPolicy(t, c).Decide(context.Background(), nil, authz.RequestInfo{}, f())
			if err != nil || d.CacheFor != 0 || !d.Restricted || d.RuleError == nil {
				t.Errorf("beside: %+v, %v", d, err)
			}
		})
	}
}

// TestReasonsHoldNoExpression: what a caller reads never quotes a rule or the metadata.
func TestReasonsHoldNoExpression(t *testing.T) {
	d, err := rules(t, deny("", `metadata.secret.sub == 1`)).Decide(context.Background(), nil, authz.RequestInfo{}, &facts{metadata: map[string]any{"secret": "hunter2"}})
	if err != nil || d.Reason != "Access denied" {
		t.Errorf("%+v, %v", d, err)
	}
}

// bigList makes a rule with nested loops expensive.
func bigList() map[string]any {
	list := make([]any, 3000)
	for i := range list {
		list[i] = int64(i)
	}
	return map[string]any{"l": list}
}

const nestedLoops = `metadata.l.all(a, metadata.l.all(b, metadata.l.all(c, a + b + c >= 0)))`

// TestLoopsAreBounded: a rule that loops over a large document again and again is stopped, and counts against the caller.
func TestLoopsAreBounded(t *testing.T) {
	// Without a bound this would take hours.
	d, err := rules(t, allow(nestedLoops)).Decide(context.Background(), nil, authz.RequestInfo{}, &facts{metadata: bigList()})
	if err != nil || d.Allowed() || d.RuleError == nil || !strings.Contains(d.RuleError.Error(), "cost limit") {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestLoopsOverLargeDocumentsStillWork: the bound leaves room for what an archive's rule looks like.
func TestLoopsOverLargeDocumentsStillWork(t *testing.T) {
	d, err := rules(t, allow(`metadata.l.all(x, x >= 0) && metadata.l.exists(x, x == 2999)`)).Decide(context.Background(), nil, authz.RequestInfo{}, &facts{metadata: bigList()})
	if err != nil || !d.Allowed() {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestLoopsEndWithTheRequest: an evaluation does not outlive the caller's patience.
func TestLoopsEndWithTheRequest(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := rules(t, deny("no", nestedLoops)).Decide(ctx, nil, authz.RequestInfo{}, &facts{metadata: bigList()})
	if err == nil {
		t.Error("decided for a caller that has left")
	}
}

// TestPatternsOutOfMetadataAreBounded: a pattern that would compile to a huge program is refused.
func TestPatternsOutOfMetadataAreBounded(t *testing.T) {
	f := &facts{metadata: map[string]any{"pattern": "((a{1,100}){1,9}b{1,1000}){1,2}"}}
	d, err := rules(t, allow(`"aaaa".matches(metadata.pattern)`)).Decide(context.Background(), nil, authz.RequestInfo{}, f)
	if err != nil || d.Allowed() || d.RuleError == nil {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestMetadataCannotStandInForTheCaller: a document's keys have names of their own.
func TestMetadataCannotStandInForTheCaller(t *testing.T) {
	f := &facts{
		identifier: map[string]string{"principal.anonymous": "false", "principal.scopes": "staff"},
		metadata:   map[string]any{"principal": map[string]any{"scopes": []any{"staff"}}, "principal.scopes": []any{"staff"}},
	}
	d, err := rules(t, allow(`"staff" in principal.scopes && metadata.principal != null`)).Decide(context.Background(), nil, authz.RequestInfo{}, f)
	if err != nil || d.Allowed() {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestPolicyIsSafeForConcurrentUse is for the race detector.
func TestPolicyIsSafeForConcurrentUse(t *testing.T) {
	p := rules(t, deny("no", `metadata.l.exists(x, x == 5) && principal.anonymous`), allow(`document == null`))
	done := make(chan authz.Decision)
	for range 8 {
		go func() {
			var last authz.Decision
			for range 50 {
				last, _ = p.Decide(context.Background(), bearer("a"), authz.RequestInfo{}, &facts{metadata: bigList()})
			}
			done <- last
		}()
	}
	for range 8 {
		if d := <-done; !d.Allowed() {
			t.Errorf("%+v", d)
		}
	}
}
