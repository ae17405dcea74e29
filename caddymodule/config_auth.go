package caddymodule

import "github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

// IssuerConfig is an identity provider whose signed bearer tokens (RFC 7519) are taken.
type IssuerConfig struct {
	// The `iss` that tokens must have, compared exactly. Not checked when empty.
	Issuer string `json:"issuer,omitempty"`
	// Where its keys are: an https address (RFC 7517), or plain http on loopback.
	JWKSURI string `json:"jwks_uri,omitempty"`
	// A file with its keys, instead of jwks_uri.
	JWKSFile string `json:"jwks_file,omitempty"`
	// Takes keys over plain http from any host.
	AllowHTTP bool `json:"allow_http,omitempty"`
	// Tokens must name one of these in `aud`. Not checked when empty.
	Audience []string `json:"audience,omitempty"`
	// Tokens must have one of these in `azp`. Not checked when empty.
	AZP []string `json:"azp,omitempty"`
	// The signature algorithms that are taken. Default: RS256 ES256.
	Algorithms []string `json:"algorithms,omitempty"`
	// The claims that hold scopes, as dotted paths. Default: scopes scope realm_access.roles.
	ScopeClaims []string `json:"scope_claims,omitempty"`
	// Gives values of those claims another name as scope. Values that are not named keep theirs.
	ScopeMap map[string]string `json:"scope_map,omitempty"`
	// Marks an issuer of our own, for demos and development: `caddy gatehouse token` signs for it.
	Development bool `json:"development,omitempty"`
	// The private key file of a development issuer. It is made when missing; no jwks_uri is needed beside it.
	SigningKey string `json:"signing_key,omitempty"`
}

// UnmarshalCaddyfile reads the block `issuer NAME`.
func (c *IssuerConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	if d.NextArg() {
		return d.ArgErr()
	}
	return block{
		"issuer":       text(&c.Issuer),
		"jwks_uri":     text(&c.JWKSURI),
		"jwks_file":    text(&c.JWKSFile),
		"allow_http":   present(&c.AllowHTTP),
		"audience":     texts(&c.Audience),
		"azp":          texts(&c.AZP),
		"algorithms":   texts(&c.Algorithms),
		"scope_claims": texts(&c.ScopeClaims),
		"scope_map":    pairs("scope_map", &c.ScopeMap),
		"development":  present(&c.Development),
		"signing_key":  text(&c.SigningKey),
	}.parse(d, "issuer")
}

// MailLoginConfig is about the tokens that login links carry.
type MailLoginConfig struct {
	// HMAC keys of at least 32 bytes, the newest first: it signs, all of them verify. Placeholders are replaced.
	Secret []string `json:"secret,omitempty"`
	// The scope that a mailed link gives. Default: BD/P.
	Scope string `json:"scope,omitempty"`
	// How long a mailed link is valid. Default: 24h.
	Lifetime Duration `json:"lifetime,omitempty"`
}

// UnmarshalCaddyfile reads the block `mail_login`.
func (c *MailLoginConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	if d.NextArg() {
		return d.ArgErr()
	}
	return block{
		"secret":   texts(&c.Secret),
		"scope":    text(&c.Scope),
		"lifetime": value(&c.Lifetime),
	}.parse(d, "mail_login")
}
