package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/caddyserver/caddy/v2"

	"github.com/gatehouse-server/gatehouse/authn"
	"github.com/gatehouse-server/gatehouse/authn/principal"
)

// issuerKey identifies an issuer by its whole configuration and the state that keeps its keys.
type issuerKey struct {
	state  stateKey
	config string
}

// sharedIssuer fetches keys for as long as any configuration uses it.
type sharedIssuer struct {
	*authn.Issuer
	running *issuerRun
}

type issuerRun struct {
	once sync.Once
	err  error
	stop context.CancelFunc
}

// start begins to fetch keys, once.
func (s sharedIssuer) start() error {
	s.running.once.Do(func() {
		var ctx context.Context
		ctx, s.running.stop = context.WithCancel(context.Background())
		s.running.err = s.Start(ctx)
	})
	return s.running.err
}

// Destruct implements caddy.Destructor.
func (s sharedIssuer) Destruct() error {
	// Nobody can start it any more; an issuer that was never started has nothing to stop.
	s.running.once.Do(func() {})
	if s.running.stop != nil {
		s.running.stop()
		s.Stop()
	}
	return nil
}

// keyMemoryKey identifies the one memory of key sets that the process has.
type keyMemoryKey struct{}

type sharedKeyMemory struct{ *authn.MemoryKeys }

// Destruct implements caddy.Destructor.
func (sharedKeyMemory) Destruct() error { return nil }

// handedKeys hands the keys of a source from one configuration to the next, also when the issuer got another name or
// the state another place, where nothing is kept of it: a reload never makes callers wait for a fetch.
type handedKeys struct {
	state  authn.KeyCache
	memory *authn.MemoryKeys
	source string
}

// LoadKeys implements authn.KeyCache.
func (k handedKeys) LoadKeys(ctx context.Context, issuer string) (authn.CachedKeys, error) {
	if keys, err := k.memory.LoadKeys(ctx, k.source); err == nil {
		return keys, nil
	}
	return k.state.LoadKeys(ctx, issuer)
}

// SaveKeys implements authn.KeyCache.
func (k handedKeys) SaveKeys(ctx context.Context, issuer string, keys authn.CachedKeys) error {
	if err := k.memory.SaveKeys(ctx, k.source, keys); err != nil {
		return err
	}
	return k.state.SaveKeys(ctx, issuer, keys)
}

// provisionAuth builds the issuers and the mail login. It fetches nothing.
func (a *App) provisionAuth() error {
	var err error
	if a.mailLogin, err = a.newMailLogin(); err != nil {
		return err
	}
	memory, err := share(&a.pooled, keyMemoryKey{}, func() (sharedKeyMemory, error) {
		return sharedKeyMemory{authn.NewMemoryKeys()}, nil
	})
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(a.Issuers)) {
		config, err := a.Issuers[name].authn(name, a.mailLogin)
		if err != nil {
			return fmt.Errorf("issuer %q: %w", name, err)
		}
		identity, err := json.Marshal(config)
		if err != nil {
			return err
		}
		issuer, err := share(&a.pooled, issuerKey{a.stateKey, string(identity)}, func() (sharedIssuer, error) {
			issuer, err := authn.NewIssuer(config, authn.Dependencies{
				Logger: poolLogger("gatehouse.jwks"),
				Cache:  handedKeys{state: a.engine.Engine, memory: memory.MemoryKeys, source: config.JWKSURI},
			})
			return sharedIssuer{issuer, new(issuerRun)}, err
		})
		if err != nil {
			return err
		}
		a.issuers = append(a.issuers, issuer)
	}
	return nil
}

// newMailLogin makes what issues and verifies the tokens of login links; nil when it is not configured.
func (c *Config) newMailLogin() (*authn.MailLogin, error) {
	if c.MailLogin == nil {
		return nil, nil
	}
	secrets, err := secretValues("mail_login secret", c.MailLogin.Secret)
	if err != nil {
		return nil, err
	}
	return authn.NewMailLogin(authn.MailLoginConfig{
		Secrets:  secrets,
		Scope:    c.MailLogin.Scope,
		Lifetime: c.MailLogin.Lifetime.std(),
	}, nil)
}

// authn is the issuer's configuration with its placeholders replaced. A scope that login links give is never taken out
// of a bearer token.
func (c *IssuerConfig) authn(name string, mail *authn.MailLogin) (authn.IssuerConfig, error) {
	config := authn.IssuerConfig{
		Name:        name,
		AllowHTTP:   c.AllowHTTP,
		Algorithms:  c.Algorithms,
		ScopeClaims: c.ScopeClaims,
		ScopeMap:    c.ScopeMap,
		Development: c.Development,
	}
	if mail != nil {
		config.DropScopes = []string{mail.Scope()}
	}
	var errs []error
	for _, field := range []struct {
		into *string
		from string
	}{
		{&config.Issuer, c.Issuer},
		{&config.JWKSURI, c.JWKSURI},
		{&config.JWKSFile, c.JWKSFile},
		{&config.SigningKeyFile, c.SigningKey},
	} {
		var err error
		*field.into, err = replaced(field.from)
		errs = append(errs, err)
	}
	for _, list := range []struct{ into, from *[]string }{{&config.Audience, &c.Audience}, {&config.AZP, &c.AZP}} {
		for _, item := range *list.from {
			value, err := replaced(item)
			errs = append(errs, err)
			*list.into = append(*list.into, value)
		}
	}
	return config, errors.Join(errs...)
}

// authenticator reads these kinds of credential.
func (a *App) authenticator(kinds []string) (*authn.Authenticator, error) {
	config := authn.AuthenticatorConfig{MailLogin: a.mailLogin}
	for _, kind := range kinds {
		switch kind {
		case credentialBearer:
			config.Credentials = append(config.Credentials, principal.Bearer)
		case credentialMailLogin:
			config.Credentials = append(config.Credentials, principal.MailLogin)
		default:
			return nil, fmt.Errorf("credential %q is not known; choose from %s", kind, choices([]string{credentialBearer, credentialMailLogin}))
		}
	}
	for _, issuer := range a.issuers {
		config.Issuers = append(config.Issuers, issuer.Issuer)
	}
	return authn.NewAuthenticator(config)
}

// replaced fills placeholders in. One that has no value is an error, never an empty text.
func replaced(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	return caddy.NewReplacer().ReplaceOrErr(s, true, true)
}

// secretValues fills placeholders in. The error names the option and never a value.
func secretValues(option string, texts []string) ([][]byte, error) {
	secrets := make([][]byte, 0, len(texts))
	for i, s := range texts {
		value, err := replaced(s)
		if err != nil || value == "" {
			return nil, fmt.Errorf("%s %d has no value: its file or variable is missing or empty", option, i+1)
		}
		secrets = append(secrets, []byte(value))
	}
	return secrets, nil
}
