package authz_test

import (
	"context"
	"fmt"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/authz"
)

func Example() {
	policy, err := authz.New(authz.Config{
		Collection: "drawings",
		Metadata:   true,
		Rules: []authz.RuleSpec{
			{Outcome: authz.Deny, Reason: "Document access is restricted", Expr: `metadata.access != "PUBLIC" && !("staff" in principal.scopes)`},
			{Outcome: authz.Tier, MaxSide: 800, Expr: `principal.anonymous`},
			{Outcome: authz.Allow, Expr: `true`},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	public := &facts{metadata: map[string]any{"access": "PUBLIC"}}
	d, _ := policy.Decide(context.Background(), principal.Nobody(), authz.RequestInfo{Identifier: "plan-7", Version: "3", Endpoint: "image"}, public)
	fmt.Println(d.Outcome, d.MaxSide)

	secret := &facts{metadata: map[string]any{"access": "RESTRICTED"}}
	d, _ = policy.Decide(context.Background(), principal.Nobody(), authz.RequestInfo{Identifier: "plan-8", Version: "3", Endpoint: "image"}, secret)
	fmt.Println(d.Outcome, d.Status, d.Reason)
	// Output:
	// tier 800
	// deny 403 Document access is restricted
}
