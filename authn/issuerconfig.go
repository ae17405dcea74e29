package authn

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// IssuerConfig says which bearer tokens are believed, and what is read out of them.
type IssuerConfig struct {
	// Name is the operator's name for the issuer: letters, digits, '-', '_' and '.', at most 64. It stands in logs,
	// metrics and Principal.Issuer.
	Name string `json:"name"`
	// Issuer, when set, must be the token's iss, exactly.
	Issuer string `json:"issuer,omitempty"`
	// JWKSURI is where the keys are published: https, or http on this machine. Exactly one of JWKSURI, JWKSFile and
	// SigningKeyFile is set.
	JWKSURI string `json:"jwks_uri,omitempty"`
	// JWKSFile is a file with the keys; a change is noticed within seconds.
	JWKSFile string `json:"jwks_file,omitempty"`
	// AllowHTTP allows a plain http JWKSURI on another machine.
	AllowHTTP bool `json:"allow_http,omitempty"`
	// Audience, when set, must hold one of the token's aud values.
	Audience []string `json:"audience,omitempty"`
	// AZP, when set, must hold the token's azp: the clients that may ask. Where Audience is set too, both count.
	AZP []string `json:"azp,omitempty"`
	// Algorithms are the signature algorithms that count: RS256 to RS512, PS256 to PS512, ES256 to ES512, EdDSA.
	// Default: RS256 and ES256.
	Algorithms []string `json:"algorithms,omitempty"`
	// ScopeClaims are the dotted paths of the claims with scopes, lists of strings or words with spaces between; all of
	// them count. Default: scopes, scope and realm_access.roles.
	ScopeClaims []string `json:"scope_claims,omitempty"`
	// ScopeMap gives values of those claims another name as scope. Values that it does not name keep theirs.
	ScopeMap map[string]string `json:"scope_map,omitempty"`
	// DropScopes never come out of a bearer token: those that only a mail-login token can give.
	DropScopes []string `json:"drop_scopes,omitempty"`
	// Development marks an issuer whose tokens this machine may make itself. Never set it where real data is served.
	Development bool `json:"development,omitempty"`
	// SigningKeyFile is a file with a private JWK set, for Development alone. It is made at the start if it is not
	// there, and its public part verifies.
	SigningKeyFile string `json:"signing_key_file,omitempty"`
}

// Bounds on the configuration.
const (
	maxIssuerName    = 64
	maxClaimPath     = 256
	maxListedStrings = 256
)

// WithDefaults fills in what was left out.
func (c IssuerConfig) WithDefaults() IssuerConfig {
	if len(c.Algorithms) == 0 {
		c.Algorithms = []string{"RS256", "ES256"}
	}
	if len(c.ScopeClaims) == 0 {
		c.ScopeClaims = []string{"scopes", "scope", "realm_access.roles"}
	}
	return c
}

// Validate tells what is wrong, without touching a file or the network.
func (c IssuerConfig) Validate() error {
	checks := []func() error{c.validateName, c.validateSource, c.validateClaims, func() error { return checkAlgorithms(c.Algorithms) }}
	for _, check := range checks {
		if err := check(); err != nil {
			return fmt.Errorf("issuer %q: %w", c.Name, err)
		}
	}
	return nil
}

func (c IssuerConfig) validateName() error {
	if !regexp.MustCompile(`^[A-Za-z0-9._-]+$`).MatchString(c.Name) || len(c.Name) > maxIssuerName {
		return fmt.Errorf("the name is not 1 to %d letters, digits, '-', '_' or '.'", maxIssuerName)
	}
	return nil
}

func (c IssuerConfig) validateSource() error {
	sources := 0
	for _, source := range []string{c.JWKSURI, c.JWKSFile, c.SigningKeyFile} {
		if source != "" {
			sources++
		}
	}
	if sources != 1 {
		return errors.New("exactly one of jwks_uri, jwks_file and signing_key_file must be set")
	}
	if c.SigningKeyFile != "" && !c.Development {
		return errors.New("signing_key_file is for an issuer marked development alone")
	}
	if c.JWKSURI != "" {
		return checkKeyURI(c.JWKSURI, c.AllowHTTP)
	}
	if c.AllowHTTP {
		return errors.New("allow_http is for jwks_uri alone")
	}
	return nil
}

func (c IssuerConfig) validateClaims() error {
	for _, path := range c.ScopeClaims {
		if path == "" || len(path) > maxClaimPath || strings.Trim(path, ".") != path || strings.Contains(path, "..") {
			return fmt.Errorf("scope claim %q is not a path of names with dots between, at most %d bytes", path, maxClaimPath)
		}
	}
	lists := map[string][]string{"audience": c.Audience, "azp": c.AZP, "drop_scopes": c.DropScopes, "scope_claims": c.ScopeClaims}
	for name, list := range lists {
		if slices.Contains(list, "") || len(list) > maxListedStrings {
			return fmt.Errorf("%s holds an empty string or more than %d", name, maxListedStrings)
		}
	}
	for from, to := range c.ScopeMap {
		if from == "" || to == "" {
			return errors.New("scope_map holds an empty string")
		}
	}
	return nil
}
