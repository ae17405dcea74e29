package authz_test

import (
	"context"
	"testing"

	"github.com/gatehouse-server/gatehouse/authz"
)

// FuzzRule compiles whatever is written as a rule and, where it compiles, decides by it over odd metadata. An
// expression either is refused with a sentence or gives a decision; it never panics and never fetches a fact twice.
func FuzzRule(f *testing.F) {
	for _, expr := range atoms {
		f.Add(expr, "PUBLIC")
	}
	f.Add(nestedLoops, "x")
	f.Add(`metadata.access.matches(metadata.access)`, "(")
	f.Add("`", "\x00")
	f.Add(`[1,2].map(x, [1,2].map(y, [metadata, identifier]))[0][1][0].access == "x"`, "x")
	f.Fuzz(func(t *testing.T, expr, access string) {
		c := withRules(deny("d", expr), allow(`true`))
		c.Restricted = expr
		p, err := authz.New(c)
		if err != nil {
			if err.Error() == "" {
				t.Error("refused without a word")
			}
			return
		}
		f := &facts{identifier: map[string]string{"x": access}, metadata: map[string]any{"access": access, "l": []any{access, nil}}}
		d, err := p.Decide(context.Background(), bearer(access), authz.RequestInfo{}, f)
		if err != nil {
			t.Fatal(err)
		}
		if d.Allowed() && d.RuleError != nil && d.Outcome != authz.Deny && !d.Restricted {
			t.Errorf("an error was taken for a no: %+v", d)
		}
		if len(f.asked) > 3 {
			t.Errorf("asked for %v", f.asked)
		}
	})
}
