package authz_test

import (
	"context"
	"errors"
	"testing"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/authz"
)

// revisedFacts count what they are asked for, and can be exchanged.
type revisedFacts struct {
	metadata any
	revision uint64
	err      error
	asked    *int
}

func (f revisedFacts) Identifier(context.Context) (map[string]string, error) {
	return map[string]string{"item": "x"}, nil
}

func (f revisedFacts) Metadata(context.Context) (any, error) {
	*f.asked++
	return f.metadata, f.err
}
func (f revisedFacts) Document(context.Context) (any, error) { return nil, nil }
func (f revisedFacts) Revision() uint64                      { return f.revision }

// What is remembered is never answered to another caller, for another question, or for other facts.
func TestDecisionsAreRememberedForTheSameOnly(t *testing.T) {
	policy, err := authz.New(authz.Config{
		Collection: "c", Groups: []string{"item"}, Metadata: true, DenyStatus: 403,
		Rules: []authz.RuleSpec{
			{Outcome: authz.Deny, Reason: "no", Status: 403, Code: "no", Expr: `metadata.access != "PUBLIC" && !("staff" in principal.scopes)`},
			{Outcome: authz.Allow, Code: "yes", Expr: `request.endpoint != "source_file" || "staff" in principal.scopes`},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	restricted := revisedFacts{metadata: map[string]any{"access": "RESTRICTED"}, revision: 1, asked: &asked}
	public := revisedFacts{metadata: map[string]any{"access": "PUBLIC"}, revision: 2, asked: &asked}
	staff := &principal.Principal{Kind: principal.Bearer, Subject: "a", Scopes: []string{"staff"}}
	other := &principal.Principal{Kind: principal.Bearer, Subject: "a"}
	image := authz.RequestInfo{Identifier: "x", Version: "3", Endpoint: "image"}
	source := authz.RequestInfo{Identifier: "x", Version: "3", Endpoint: "source_file"}
	ctx := context.Background()
	decide := func(who *principal.Principal, req authz.RequestInfo, facts authz.Facts) authz.Outcome {
		t.Helper()
		d, err := policy.Decide(ctx, who, req, facts)
		if err != nil {
			t.Fatal(err)
		}
		if d.Identifier != req.Identifier || d.Collection != "c" {
			t.Errorf("%+v", d)
		}
		return d.Outcome
	}
	for round := range 3 {
		for i, test := range []struct {
			who   *principal.Principal
			req   authz.RequestInfo
			facts authz.Facts
			want  authz.Outcome
		}{
			{staff, image, restricted, authz.Allow}, {other, image, restricted, authz.Deny}, {nil, image, restricted, authz.Deny},
			{principal.Nobody(), image, restricted, authz.Deny}, {staff, source, restricted, authz.Allow},
			{other, image, public, authz.Allow}, {other, source, public, authz.Deny}, {other, image, restricted, authz.Deny},
			{nil, image, public, authz.Allow}, {nil, source, public, authz.Deny}, {nil, image, restricted, authz.Deny},
		} {
			if got := decide(test.who, test.req, test.facts); got != test.want {
				t.Errorf("round %d, question %d: %s, not %s", round, i, got, test.want)
			}
		}
	}
	// The facts are looked at each time, and their errors are not passed over.
	before := asked
	decide(other, image, restricted)
	if asked == before {
		t.Error("the metadata was not looked at")
	}
	broken := restricted
	broken.err = errors.New("unreachable")
	if _, err := policy.Decide(ctx, other, image, broken); err == nil {
		t.Error("what cannot be looked at is decided from memory")
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := policy.Decide(cancelled, staff, image, restricted); err == nil {
		t.Error("a caller that left gets a decision")
	}
}
