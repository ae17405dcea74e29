package authn

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"

	"github.com/gatehouse-server/gatehouse/internal/clock"
)

// DevelopmentClaims is what a development token says.
type DevelopmentClaims struct {
	Subject string
	Scopes  []string
	// Email is left out when empty.
	Email string
	// Lifetime is one hour by default.
	Lifetime time.Duration
}

// DevelopmentToken makes a bearer token that the issuer accepts, with the first key of its SigningKeyFile, which is made
// if it is not there. It refuses for an issuer that is not marked Development.
func DevelopmentToken(config IssuerConfig, want DevelopmentClaims, clk clock.Clock) (string, error) {
	config = config.WithDefaults()
	if err := config.Validate(); err != nil {
		return "", err
	}
	if !config.Development || config.SigningKeyFile == "" {
		return "", fmt.Errorf("issuer %q makes no tokens: it is not marked development with a signing_key_file", config.Name)
	}
	for _, scope := range want.Scopes {
		if scope == "" || strings.ContainsAny(scope, " \t\r\n") {
			return "", fmt.Errorf("the scope %q is no word", scope)
		}
		if slices.Contains(config.DropScopes, scope) {
			return "", fmt.Errorf("the scope %s counts from a mail token alone", scope)
		}
	}
	if err := ensureSigningKeys(config); err != nil {
		return "", err
	}
	key, err := readSigningKey(config)
	if err != nil {
		return "", err
	}
	if clk == nil {
		clk = clock.System{}
	}
	payload, err := json.Marshal(developmentPayload(config, want, clk.Now()))
	if err != nil {
		return "", fmt.Errorf("make token: %w", err)
	}
	return signCompact(payload, key)
}

// developmentPayload passes the issuer's own checks.
func developmentPayload(config IssuerConfig, want DevelopmentClaims, now time.Time) map[string]any {
	lifetime := want.Lifetime
	if lifetime <= 0 {
		lifetime = time.Hour
	}
	payload := map[string]any{"sub": want.Subject, "iat": now.Unix(), "exp": now.Add(lifetime).Unix(), "typ": "Bearer"}
	if want.Email != "" {
		payload["email"] = want.Email
	}
	if config.Issuer != "" {
		payload["iss"] = config.Issuer
	}
	if len(config.Audience) > 0 {
		payload["aud"] = config.Audience[0]
	}
	if len(config.AZP) > 0 {
		payload["azp"] = config.AZP[0]
	}
	object := payload
	names := strings.Split(config.ScopeClaims[0], ".")
	for _, name := range names[:len(names)-1] {
		inner := make(map[string]any)
		object[name] = inner
		object = inner
	}
	object[names[len(names)-1]] = slices.Concat([]string{}, want.Scopes)
	return payload
}

func signCompact(payload []byte, key jwk.Key) (string, error) {
	name, _ := key.Algorithm()
	alg, err := signatureAlgorithm(name.String())
	if err != nil {
		return "", err
	}
	headers := jws.NewHeaders()
	if err := headers.Set(jws.TypeKey, "JWT"); err != nil {
		return "", fmt.Errorf("make token: %w", err)
	}
	// jwx takes the kid over from the key.
	signed, err := jws.Sign(payload, jws.WithKey(alg, key, jws.WithProtectedHeaders(headers)))
	if err != nil {
		return "", fmt.Errorf("make token: %w", err)
	}
	return string(signed), nil
}
