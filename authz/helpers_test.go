package authz_test

import (
	"context"
	"testing"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/authz"
)

// facts is an authz.Facts that counts what is asked of it, in order.
type facts struct {
	identifier map[string]string
	metadata   any
	document   any
	// failing names the fact that cannot be had, and err why.
	failing string
	err     error
	asked   []string
}

func (f *facts) ask(name string) error {
	f.asked = append(f.asked, name)
	if f.failing == name {
		return f.err
	}
	return nil
}

func (f *facts) Identifier(context.Context) (map[string]string, error) {
	return f.identifier, f.ask("identifier")
}

func (f *facts) Metadata(context.Context) (any, error) { return f.metadata, f.ask("metadata") }

func (f *facts) Document(context.Context) (any, error) { return f.document, f.ask("document") }

func newPolicy(t testing.TB, c authz.Config) *authz.Policy {
	t.Helper()
	p, err := authz.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// rules makes a policy that knows everything a policy can know.
func rules(t testing.TB, specs ...authz.RuleSpec) *authz.Policy {
	t.Helper()
	return newPolicy(t, withRules(specs...))
}

func withRules(specs ...authz.RuleSpec) authz.Config {
	return authz.Config{
		Collection: "c",
		Rules:      specs,
		Settings:   map[string][]string{"free_copyright": {"N"}},
		Metadata:   true,
		Document:   true,
	}
}

func allow(expr string) authz.RuleSpec { return authz.RuleSpec{Outcome: authz.Allow, Expr: expr} }

func deny(reason, expr string) authz.RuleSpec {
	return authz.RuleSpec{Outcome: authz.Deny, Reason: reason, Expr: expr}
}

func tier(side int, expr string) authz.RuleSpec {
	return authz.RuleSpec{Outcome: authz.Tier, MaxSide: side, Expr: expr}
}

// limited is a tier by more than its size.
func limited(side int, quality, watermark, expr string) authz.RuleSpec {
	return authz.RuleSpec{Outcome: authz.Tier, MaxSide: side, Quality: quality, Watermark: watermark, Expr: expr}
}

func bearer(scopes ...string) *principal.Principal {
	return &principal.Principal{Kind: principal.Bearer, Subject: "u1", Issuer: "city", Scopes: scopes}
}

func dossier(access any) map[string]any { return map[string]any{"access": access} }
