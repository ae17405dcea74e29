package caddymodule

import (
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/gatehouse-server/gatehouse/authn/principal"
)

// audit writes who was shown a restricted original. It holds personal data, so it has a logger of its own.
func (a *App) audit(r *http.Request, granted *grant) {
	who, _ := principal.FromContext(r.Context())
	if who == nil {
		who = principal.Nobody()
	}
	as := endpoint(granted.request.Kind)
	if as == "info" {
		return
	}
	a.auditor.Info("restricted original shown",
		zap.String("collection", granted.decision.Collection),
		zap.String("identifier", granted.decision.Identifier),
		zap.String("as", as),
		zap.String("subject", who.Subject),
		zap.String("credential", string(who.Kind)),
		zap.String("issuer", who.Issuer),
		zap.Strings("scopes", who.Scopes),
		zap.String("rule", granted.decision.Rule),
		zap.String("client", clientAddress(r)),
	)
}

// clientAddress is Caddy's result, which heeds the trusted proxies and nobody else.
func clientAddress(r *http.Request) string {
	address, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	return address
}
