package e2e_test

import (
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// callers lists the ways to come. The house's identity provider signs.
func (h *house) callers() []caller {
	bearer := func(roles ...string) string { return h.idp.RoleToken(roles...) }
	mail := func(change func(testkit.Claims)) string {
		claims := testkit.MailClaims(citizen)
		if change != nil {
			change(claims)
		}
		return testkit.MailToken(mailSecret, claims)
	}
	past := time.Now().Add(-time.Hour).Unix()
	expired := h.idp.Claims("BD/X")
	expired["exp"] = past
	_, kid := h.idp.Key("ES256")
	stranger, _ := testkit.NewIdentityProvider(h.t).Key("ES256")
	forged := testkit.SignToken(map[string]any{"alg": "ES256", "kid": kid, "typ": "JWT"}, h.idp.Claims("BD/X"), stranger)

	const (
		none, scope                = "No token supplied", "Invalid scope"
		ended, signature, anything = "Expired JWT token signature", "Invalid JWT token signature", "Invalid JWT token"
	)
	return []caller{
		{name: "nobody", refusal: none},
		{name: "mail BD/P", query: mail(nil), scope: "BD/P", byMail: true},
		{name: "mail expired", query: mail(func(c testkit.Claims) { c["exp"] = past }), refusal: ended},
		{name: "mail with an unknown scope", query: mail(func(c testkit.Claims) { c["scopes"] = []string{"BD/P", "BD/Q"} }), refusal: scope},
		{name: "mail without a scope", query: mail(func(c testkit.Claims) { c["scopes"] = []string{} }), refusal: scope},
		{name: "mail with another signature", query: testkit.MailToken("another-secret-of-thirty-two-bytes!", testkit.MailClaims(citizen)), refusal: signature},
		{name: "mail garbage", query: "garbage", refusal: anything},
		{name: "bearer without a scope", token: bearer(), refusal: scope},
		{name: "bearer BD/P", token: bearer("BD/P"), refusal: scope},
		{name: "bearer BD/R", token: bearer("BD/R"), scope: "BD/R"},
		{name: "bearer BD/P BD/R", token: bearer("BD/P", "BD/R"), scope: "BD/R"},
		{name: "bearer BD/X", token: bearer("BD/X"), scope: "BD/X"},
		{name: "bearer BD/R BD/X", token: bearer("BD/R", "BD/X"), scope: "BD/X"},
		{name: "bearer expired", token: h.idp.Token("ES256", expired), refusal: ended},
		{name: "bearer with another signature", token: forged, refusal: signature},
		{name: "bearer garbage", token: "gar.ba.ge", refusal: anything},
		{name: "bearer BD/R beside mail", token: bearer("BD/R"), query: mail(nil), scope: "BD/R"},
		{name: "bearer BD/P beside mail", token: bearer("BD/P"), query: mail(nil), refusal: scope},
		{name: "bearer garbage beside mail", token: "gar.ba.ge", query: mail(nil), refusal: anything},
	}
}
