package authz_test

import (
	"context"
	"fmt"
	"testing"

	"cel.dev/cel-go/cel"
	"pgregory.net/rapid"

	"github.com/gatehouse-server/gatehouse/authz"
)

// atoms are conditions over all sorts of facts, some of which fail.
var atoms = []string{
	`principal.anonymous`, `"a" in principal.scopes`, `principal.kind == "bearer"`, `principal.scopes[5] == "x"`,
	`identifier.x == "a"`, `"y" in identifier`, `has(identifier.y)`, `identifier.z == "1"`,
	`metadata.access == "PUBLIC"`, `has(metadata.access)`, `metadata.n > 1`, `metadata.l.exists(e, e == "a")`,
	`metadata[identifier.x] == "v"`, `size(metadata.l) == 2`, `metadata == null`, `metadata.flag`,
	`[metadata.access, 1].size() == 2`, `{"k": metadata.access}.k == "PUBLIC"`, `type(metadata.n) == int`,
	`document.access == "PUBLIC"`, `has(document.access)`, `document == null`, `document.c in settings.free`,
	`principal.scopes.exists(s, s == metadata.access)`, `principal.scopes.all(s, s == document.access)`,
	`metadata.access == document.access`, `principal.scopes.filter(s, s != metadata.access).size() == 0`,
	`[1].exists(metadata, metadata == 1)`, `[[1]].map(document, document[0])[0] == 1`, `true`, `false`,
}

func expressions() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string { return expression(t, 3) })
}

func expression(t *rapid.T, depth int) string {
	if depth == 0 {
		return rapid.SampledFrom(atoms).Draw(t, "atom")
	}
	sub := func() string { return expression(t, depth-1) }
	switch rapid.IntRange(0, 5).Draw(t, "form") {
	case 0:
		return "(" + sub() + " && " + sub() + ")"
	case 1:
		return "(" + sub() + " || " + sub() + ")"
	case 2:
		return "!(" + sub() + ")"
	case 3:
		return "(" + sub() + " ? " + sub() + " : " + sub() + ")"
	case 4:
		return "((" + sub() + ") == (" + sub() + "))"
	}
	return rapid.SampledFrom(atoms).Draw(t, "atom")
}

// TestStagesDoNotChangeTheDecision compares the policy, which evaluates with parts of the facts, with the plain
// meaning of first match over all facts at once.
func TestStagesDoNotChangeTheDecision(t *testing.T) {
	env := plainEnv(t)
	rapid.Check(t, func(t *rapid.T) {
		specs, f, who := someRules(t), someFacts(t), bearer(someScopes(t)...)
		d, err := policyOf(t, specs).Decide(context.Background(), who, authz.RequestInfo{}, f)
		if err != nil {
			t.Fatal(err)
		}
		vars := map[string]any{
			"principal.anonymous": false, "principal.kind": "bearer", "principal.scopes": who.Scopes,
			"identifier": f.identifier, "metadata": f.metadata, "document": f.document, "settings.free": []string{"PUBLIC"},
		}
		outcome, code := firstMatch(t, env, specs, vars)
		if d.Outcome != outcome || d.Code != code {
			t.Fatalf("the policy says %s %s (%v), the model %s %s\n%v", d.Outcome, d.Code, d.RuleError, outcome, code, specs)
		}
	})
}

func someRules(t *rapid.T) (specs []authz.RuleSpec) {
	qualities := rapid.SampledFrom([]string{"", authz.QualityGray})
	for i := range rapid.IntRange(1, 4).Draw(t, "rules") {
		expr := expressions().Draw(t, "expression")
		specs = append(specs, rapid.SampledFrom([]authz.RuleSpec{
			{Outcome: authz.Allow, Code: fmt.Sprint("r", i), Expr: expr},
			{Outcome: authz.Tier, MaxSide: 9 - i, Code: fmt.Sprint("r", i), Expr: expr},
			{Outcome: authz.Tier, Quality: qualities.Draw(t, "quality"), Watermark: "m", Code: fmt.Sprint("r", i), Expr: expr},
			{Outcome: authz.Tier, MaxSide: 9 - i, Quality: authz.QualityBitonal, Code: fmt.Sprint("r", i), Expr: expr},
			{Outcome: authz.Deny, Code: fmt.Sprint("r", i), Expr: expr},
		}).Draw(t, "outcome"))
	}
	return specs
}

func someFacts(t *rapid.T) *facts {
	access := rapid.SampledFrom([]any{"PUBLIC", "a", nil, int64(3)})
	f := &facts{identifier: map[string]string{"x": rapid.SampledFrom([]string{"a", "access"}).Draw(t, "x")}}
	if rapid.Bool().Draw(t, "metadata") {
		f.metadata = map[string]any{"access": access.Draw(t, "access"), "n": int64(2), "l": []any{"a", int64(1)}, "a": "v", "flag": access.Draw(t, "flag")}
	}
	if rapid.Bool().Draw(t, "document") {
		f.document = map[string]any{"access": access.Draw(t, "access"), "c": access.Draw(t, "c")}
	}
	return f
}

func someScopes(t *rapid.T) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"PUBLIC", "a", "b"}), 0, 3, rapid.ID).Draw(t, "scopes")
}

func policyOf(t *rapid.T, specs []authz.RuleSpec) *authz.Policy {
	p, err := authz.New(authz.Config{Rules: specs, Settings: map[string][]string{"free": {"PUBLIC"}}, Metadata: true, Document: true})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func plainEnv(t *testing.T) *cel.Env {
	env, err := cel.NewEnv(
		cel.CrossTypeNumericComparisons(true),
		cel.Variable("principal.anonymous", cel.BoolType),
		cel.Variable("principal.kind", cel.StringType),
		cel.Variable("principal.scopes", cel.ListType(cel.StringType)),
		cel.Variable("identifier", cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable("metadata", cel.DynType),
		cel.Variable("document", cel.DynType),
		cel.Variable("settings.free", cel.ListType(cel.StringType)),
	)
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// firstMatch is the model: everything known, no stages, no optimisation.
func firstMatch(t *rapid.T, env *cel.Env, specs []authz.RuleSpec, vars map[string]any) (authz.Outcome, string) {
	for _, spec := range specs {
		checked, issues := env.Compile(spec.Expr)
		if issues.Err() != nil {
			t.Fatal(issues.Err())
		}
		program, err := env.Program(checked)
		if err != nil {
			t.Fatal(err)
		}
		out, _, err := program.Eval(vars)
		holds, isBool := false, false
		if err == nil {
			holds, isBool = out.Value().(bool)
		}
		switch {
		case spec.Outcome == authz.Deny && (holds || !isBool):
			return authz.Deny, spec.Code
		case spec.Outcome == authz.Tier && !isBool:
			return authz.Deny, "rule_error"
		case holds:
			return spec.Outcome, spec.Code
		}
	}
	return authz.Deny, "no_rule_matched"
}
