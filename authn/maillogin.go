package authn

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lestrrat-go/jwx/v3/jws"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/internal/clock"
)

const (
	mailAlgorithm = "HS256"
	// minSecretBytes is the size of the hash: a shorter HMAC key weakens it (RFC 7518 §3.2).
	minSecretBytes = 32
	// maxSecrets bounds the keys that one token is tried with.
	maxSecrets = 8
	// maxMailLifetime keeps a mistyped lifetime from making tokens for good.
	maxMailLifetime = 366 * 24 * time.Hour
)

// MailLoginConfig is the configuration of tokens in mailed login links.
type MailLoginConfig struct {
	// Secrets are the HMAC keys of at least 32 bytes, the new one first: it signs, all of them verify.
	Secrets [][]byte `json:"-"`
	// Scope is what a token gives, and the only one it may name. Default: BD/P.
	Scope string `json:"scope,omitempty"`
	// Lifetime is how long a link works. Default: 24 hours.
	Lifetime time.Duration `json:"lifetime,omitempty"`
}

// WithDefaults fills in what was left out.
func (c MailLoginConfig) WithDefaults() MailLoginConfig {
	if c.Scope == "" {
		c.Scope = "BD/P"
	}
	if c.Lifetime == 0 {
		c.Lifetime = 24 * time.Hour
	}
	return c
}

// Validate tells what is wrong; never what a secret is.
func (c MailLoginConfig) Validate() error {
	if len(c.Secrets) == 0 || len(c.Secrets) > maxSecrets {
		return fmt.Errorf("mail_login: there must be 1 to %d secrets", maxSecrets)
	}
	for i, secret := range c.Secrets {
		if len(secret) < minSecretBytes {
			return fmt.Errorf("mail_login: secret %d has %d bytes; at least %d are needed", i+1, len(secret), minSecretBytes)
		}
	}
	if c.Lifetime < time.Second || c.Lifetime > maxMailLifetime {
		return fmt.Errorf("mail_login: the lifetime %s is not between 1s and %s", c.Lifetime, maxMailLifetime)
	}
	return nil
}

// MailLogin makes and verifies the HS256 tokens of login links. It is safe for concurrent use.
type MailLogin struct {
	config   MailLoginConfig
	clock    clock.Clock
	verified *tokenCache
}

// NewMailLogin validates config. A nil clock is the machine's.
func NewMailLogin(config MailLoginConfig, clk clock.Clock) (*MailLogin, error) {
	config = config.WithDefaults()
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if clk == nil {
		clk = clock.System{}
	}
	return &MailLogin{config: config, clock: clk, verified: newTokenCache(0)}, nil
}

// Scope is what a token of this kind gives.
func (m *MailLogin) Scope() string { return m.config.Scope }

// Issue makes a token for a mail address, which the caller has checked, and tells when it ends.
func (m *MailLogin) Issue(email string) (string, time.Time, error) {
	ends := m.clock.Now().Add(m.config.Lifetime).Truncate(time.Second)
	payload, err := json.Marshal(map[string]any{"sub": email, "exp": ends.Unix(), "scopes": []string{m.config.Scope}})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("make mail token: %w", err)
	}
	alg, err := signatureAlgorithm(mailAlgorithm)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("make mail token: %w", err)
	}
	headers := jws.NewHeaders()
	if err := headers.Set(jws.TypeKey, "JWT"); err != nil {
		return "", time.Time{}, fmt.Errorf("make mail token: %w", err)
	}
	signed, err := jws.Sign(payload, jws.WithKey(alg, m.config.Secrets[0], jws.WithProtectedHeaders(headers)))
	if err != nil {
		return "", time.Time{}, fmt.Errorf("make mail token: %w", err)
	}
	return string(signed), ends, nil
}

// Verify checks a token of a login link and tells whose it is. The error is a *problem.Error with one of this package's
// codes.
func (m *MailLogin) Verify(raw string) (*principal.Principal, error) {
	if len(raw) > maxTokenBytes {
		return nil, invalid(errTokenTooLong)
	}
	sum := sumOf(raw)
	if who, ok := m.verified.get(sum, nil, m.clock.Now()); ok {
		return who, nil
	}
	t, err := parseToken(raw)
	if err != nil {
		return nil, invalid(err)
	}
	if t.algorithm != mailAlgorithm {
		return nil, invalid(errors.New("a mail token is signed with " + mailAlgorithm + " alone"))
	}
	if err := m.verifySignature(t); err != nil {
		return nil, badSignature(err)
	}
	ends, err := t.claims.checkTimes(m.clock.Now())
	if err != nil {
		return nil, err
	}
	subject := t.claims.text("sub")
	if !looksLikeEmail(subject) {
		return nil, invalid(errors.New("sub is no mail address"))
	}
	scopes := t.claims.strings("scopes")
	if len(scopes) == 0 {
		return nil, invalidScope(errors.New("a mail token without a scope"))
	}
	for _, scope := range scopes {
		if scope != m.config.Scope {
			return nil, invalidScope(errors.New("a mail token with an unknown scope"))
		}
	}
	who := &principal.Principal{Kind: principal.MailLogin, Subject: subject, Email: subject, Scopes: []string{m.config.Scope}, Expires: ends}
	m.verified.put(sum, nil, who)
	return who, nil
}

// verifySignature tries the keys, the new one first.
func (m *MailLogin) verifySignature(t *token) error {
	var err error
	for _, secret := range m.config.Secrets {
		if err = t.verify(secret); err == nil {
			return nil
		}
	}
	return err
}
