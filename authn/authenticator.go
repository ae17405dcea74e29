package authn

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// mailParameter is the query parameter with the token of a login link.
const mailParameter = "auth"

// AuthenticatorConfig says which credentials a route reads.
type AuthenticatorConfig struct {
	// Credentials are principal.Bearer, principal.MailLogin or both. A bearer header always goes first: beside one, even
	// a wrong one, the mail token is never read.
	Credentials []principal.Kind
	// Issuers verify bearer tokens. Each must drop the scope of MailLogin (IssuerConfig.DropScopes).
	Issuers []*Issuer
	// MailLogin verifies the tokens of login links.
	MailLogin *MailLogin
}

// Validate tells what is wrong.
func (c AuthenticatorConfig) Validate() error {
	if len(c.Credentials) == 0 {
		return errors.New("authentication: no kind of credential is named")
	}
	for i, kind := range c.Credentials {
		if slices.Contains(c.Credentials[:i], kind) {
			return fmt.Errorf("authentication: the credential %s is named twice", kind)
		}
		switch {
		case kind != principal.Bearer && kind != principal.MailLogin:
			return fmt.Errorf("authentication: the credential %q is not one of %s, %s", kind, principal.Bearer, principal.MailLogin)
		case kind == principal.Bearer && len(c.Issuers) == 0:
			return fmt.Errorf("authentication: the credential %s needs an issuer", kind)
		case kind == principal.MailLogin && c.MailLogin == nil:
			return fmt.Errorf("authentication: the credential %s needs mail_login", kind)
		}
	}
	return c.validateIssuers()
}

func (c AuthenticatorConfig) validateIssuers() error {
	var names, identities []string
	for _, issuer := range c.Issuers {
		if slices.Contains(names, issuer.Name()) {
			return fmt.Errorf("authentication: the issuer %s is named twice", issuer.Name())
		}
		names = append(names, issuer.Name())
		if identity := issuer.config.Issuer; identity != "" {
			if slices.Contains(identities, identity) {
				return fmt.Errorf("authentication: two issuers have the iss %s", identity)
			}
			identities = append(identities, identity)
		}
		if c.MailLogin != nil && !slices.Contains(issuer.config.DropScopes, c.MailLogin.Scope()) {
			return fmt.Errorf("authentication: the issuer %s does not drop the scope %s, which mail_login alone may give", issuer.Name(), c.MailLogin.Scope())
		}
	}
	return nil
}

// Authenticator finds out who sent a request. It is safe for concurrent use.
type Authenticator struct {
	bearer  bool
	mail    bool
	issuers []*Issuer
	login   *MailLogin
}

// NewAuthenticator validates config.
func NewAuthenticator(config AuthenticatorConfig) (*Authenticator, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	return &Authenticator{
		bearer:  slices.Contains(config.Credentials, principal.Bearer),
		mail:    slices.Contains(config.Credentials, principal.MailLogin),
		issuers: slices.Clone(config.Issuers),
		login:   config.MailLogin,
	}, nil
}

// Authenticate verifies the one credential of a request. Without one, and for OPTIONS, the caller is anonymous. A bad one
// is a *problem.Error: never is another credential tried in its place. On a route that does not read bearer tokens the
// Authorization header belongs to somebody else and is not looked at.
func (a *Authenticator) Authenticate(r *http.Request) (*principal.Principal, error) {
	if r.Method == http.MethodOptions {
		return principal.Nobody(), nil
	}
	if a.bearer {
		if lines := r.Header["Authorization"]; len(lines) > 0 {
			raw, err := bearerToken(lines)
			if err != nil {
				return nil, invalid(err)
			}
			return a.verifyBearer(r, raw)
		}
	}
	if a.mail {
		raw, err := queryToken(r.URL.RawQuery)
		if err != nil {
			return nil, invalid(err)
		}
		if raw != "" {
			return a.login.Verify(raw)
		}
	}
	return principal.Nobody(), nil
}

// bearerToken reads the header (RFC 6750 §2.1).
func bearerToken(lines []string) (string, error) {
	if len(lines) > 1 {
		return "", errors.New("more than one Authorization header")
	}
	scheme, raw, found := strings.Cut(lines[0], " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return "", errors.New("the Authorization header is not of the scheme Bearer")
	}
	if raw = strings.Trim(raw, " "); raw == "" {
		return "", errors.New("the Authorization header holds no token")
	}
	return raw, nil
}

// queryToken reads the query by itself: what net/url drops as malformed would otherwise hide a credential. An empty
// parameter is none.
func queryToken(query string) (string, error) {
	raw, seen := "", false
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(name); err != nil || name != mailParameter {
			continue
		}
		if seen {
			return "", errors.New("more than one token in the query")
		}
		seen = true
		var err error
		if raw, err = url.QueryUnescape(value); err != nil {
			return "", errors.New("the token in the query is not percent-encoded")
		}
	}
	return raw, nil
}

// verifyBearer finds the issuer that a token is of and lets it verify.
func (a *Authenticator) verifyBearer(r *http.Request, raw string) (*principal.Principal, error) {
	if len(raw) > maxTokenBytes {
		return nil, invalid(errTokenTooLong)
	}
	sum := sumOf(raw)
	for _, issuer := range a.issuers {
		if who, ok := issuer.remembered(sum); ok {
			return who, nil
		}
	}
	t, err := parseToken(raw)
	if err != nil {
		return nil, invalid(err)
	}
	candidates := a.candidates(t)
	if len(candidates) == 0 {
		return nil, invalid(errNoCandidate)
	}
	for _, issuer := range candidates {
		if issuer.keys.usable().has(t.keyID) {
			return issuer.verify(r.Context(), t, sum)
		}
	}
	return verifyAny(r, candidates, t, sum)
}

// candidates are the issuer that the token's iss names, else those that are configured without one. What the token
// says of itself only chooses; the issuer then verifies it in full.
func (a *Authenticator) candidates(t *token) []*Issuer {
	if len(a.issuers) == 1 {
		return a.issuers
	}
	name := t.claims.text("iss")
	var open []*Issuer
	for i, issuer := range a.issuers {
		switch issuer.config.Issuer {
		case "":
			open = append(open, issuer)
		case name:
			return a.issuers[i : i+1]
		}
	}
	return open
}

// verifyAny asks issuers none of which knows the key yet. While one of them has no keys at all, the token may be its:
// that is no refusal.
func verifyAny(r *http.Request, candidates []*Issuer, t *token, sum tokenSum) (*principal.Principal, error) {
	var refused, waiting error
	for _, issuer := range candidates {
		who, err := issuer.verify(r.Context(), t, sum)
		if err == nil {
			return who, nil
		}
		if problem.From(err).Code == CodeKeysUnavailable {
			waiting = err
		} else {
			refused = err
		}
	}
	if waiting != nil {
		return nil, waiting
	}
	return nil, refused
}
