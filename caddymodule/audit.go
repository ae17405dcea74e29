package caddymodule

import (
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/gatehouse-server/gatehouse/authn/principal"
)

// audit writes who was shown a restricted original. It holds personal data, so it has a logger of its own.
func (a *App) audit(r *http.Request, granted grant) {
	who, _ := principal.FromContext(r.Context())
	if who == nil {
		who = principal.Nobody()
	}
	as := endpoint(granted.request.Kind)
	if as == "info" {
		return
	}
	a.auditor.Info("restricted original shown",
		"collection", granted.decision.Collection,
		"identifier", granted.decision.Identifier,
		"as", as,
		"subject", who.Subject,
		"credential", string(who.Kind),
		"issuer", who.Issuer,
		"scopes", who.Scopes,
		"rule", granted.decision.Rule,
		"client", clientAddress(r),
	)
}

// clientAddress is Caddy's result, which heeds the trusted proxies and nobody else.
func clientAddress(r *http.Request) string {
	address, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	return address
}
