package authn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/internal/clock"
)

// Dependencies are what an Issuer needs of its surroundings. The zero value works.
type Dependencies struct {
	// Logger gets a line when keys change, cannot be fetched, and can be again. Default: none.
	Logger *slog.Logger
	// Clock defaults to the machine's.
	Clock clock.Clock
	// Client lends its Transport to the fetches of keys; its other settings are not used. Default: a transport that
	// keeps no connection open.
	Client *http.Client
	// Cache keeps key sets over restarts and reloads. Default: nowhere.
	Cache KeyCache
	// VerifiedTokens bounds how many verified tokens are remembered; 4096 by default.
	VerifiedTokens int
}

// Issuer verifies the bearer tokens of one identity provider. It is safe for concurrent use.
type Issuer struct {
	config   IssuerConfig
	clock    clock.Clock
	keys     *keySet
	verified *tokenCache
}

// NewIssuer validates config and touches neither files nor the network. Until Start has brought keys, tokens are
// answered with 503.
func NewIssuer(config IssuerConfig, deps Dependencies) (*Issuer, error) {
	config = config.WithDefaults()
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.Clock == nil {
		deps.Clock = clock.System{}
	}
	keys := &keySet{
		issuer:     config.Name,
		algorithms: config.Algorithms,
		source:     newKeySource(config, deps.Client),
		cache:      deps.Cache,
		clock:      deps.Clock,
		logger:     deps.Logger,
		wanted:     make(chan *keyFlight, 1),
	}
	return &Issuer{config: config, clock: deps.Clock, keys: keys, verified: newTokenCache(deps.VerifiedTokens)}, nil
}

func newKeySource(config IssuerConfig, client *http.Client) keySource {
	switch {
	case config.JWKSURI != "":
		return newURLSource(config.JWKSURI, client)
	case config.SigningKeyFile != "":
		return &fileSource{path: config.SigningKeyFile, convert: publicDocument}
	}
	return &fileSource{path: config.JWKSFile}
}

// Name is the configured name.
func (i *Issuer) Name() string { return i.config.Name }

// Config is what the issuer was made with, defaults filled in. It must not be changed.
func (i *Issuer) Config() IssuerConfig { return i.config }

// Start begins to fetch keys, until ctx ends or Stop. It waits for no identity provider: one that is down is an answer
// of 503 to callers and is noticed when it comes back. Its one error is a development key that cannot be made. A second
// Start does nothing.
func (i *Issuer) Start(ctx context.Context) error {
	if i.config.SigningKeyFile != "" {
		if err := ensureSigningKeys(i.config); err != nil {
			return fmt.Errorf("issuer %q: %w", i.config.Name, err)
		}
	}
	i.keys.start(ctx)
	return nil
}

// Stop ends the fetching and waits for it. Tokens are verified on with the keys that are there, for the requests still
// in flight.
func (i *Issuer) Stop() { i.keys.stop() }

// Verify checks a bearer token and tells whose it is. The error is a *problem.Error with one of this package's codes.
// ctx bounds how long an unknown kid is waited for.
func (i *Issuer) Verify(ctx context.Context, raw string) (*principal.Principal, error) {
	if len(raw) > maxTokenBytes {
		return nil, invalid(errTokenTooLong)
	}
	sum := sumOf(raw)
	if who, ok := i.remembered(sum); ok {
		return who, nil
	}
	t, err := parseToken(raw)
	if err != nil {
		return nil, invalid(err)
	}
	return i.verify(ctx, t, sum)
}

// remembered answers from what was verified before with the keys that still count.
func (i *Issuer) remembered(sum tokenSum) (*principal.Principal, bool) {
	ring := i.keys.usable()
	if ring == nil {
		return nil, false
	}
	return i.verified.get(sum, ring, i.clock.Now())
}

func (i *Issuer) verify(ctx context.Context, t *token, sum tokenSum) (*principal.Principal, error) {
	if !slices.Contains(i.config.Algorithms, t.algorithm) {
		return nil, invalid(fmt.Errorf("the algorithm %.16q is not configured", t.algorithm))
	}
	if t.keyID == "" {
		return nil, invalid(errors.New("kid is missing"))
	}
	key, ring, err := i.keys.lookup(ctx, t.keyID, t.algorithm)
	if err != nil {
		return nil, err
	}
	if err := t.verify(key); err != nil {
		return nil, badSignature(err)
	}
	ends, err := t.claims.checkTimes(i.clock.Now())
	if err != nil {
		return nil, err
	}
	if err := i.checkClaims(t.claims); err != nil {
		return nil, invalid(err)
	}
	who := &principal.Principal{
		Kind:    principal.Bearer,
		Subject: t.claims.text("sub"),
		Email:   t.claims.email(),
		Issuer:  i.config.Name,
		Scopes:  i.scopes(t.claims),
		Expires: ends,
	}
	i.verified.put(sum, ring, who)
	return who, nil
}

// checkClaims holds a genuine token against the configuration.
func (i *Issuer) checkClaims(c claims) error {
	if i.config.Issuer != "" && c.text("iss") != i.config.Issuer {
		return errors.New("iss is another one")
	}
	if len(i.config.Audience) > 0 && !intersects(c.audiences(), i.config.Audience) {
		return errors.New("aud names nobody here")
	}
	if len(i.config.AZP) > 0 && !slices.Contains(i.config.AZP, c.text("azp")) {
		return errors.New("azp is not on the list")
	}
	// Keycloak signs ID and refresh tokens with the same keys and tells them apart by this claim.
	if typ, found := c["typ"]; found && typ != "Bearer" {
		return errors.New("the claim typ is not Bearer")
	}
	return nil
}

// scopes gathers what the configured claims hold: sorted, without repeats.
func (i *Issuer) scopes(c claims) []string {
	var scopes []string
	for _, path := range i.config.ScopeClaims {
		for _, scope := range c.strings(path) {
			if mapped, found := i.config.ScopeMap[scope]; found {
				scope = mapped
			}
			if scope != "" && !slices.Contains(i.config.DropScopes, scope) {
				scopes = append(scopes, scope)
			}
		}
	}
	slices.Sort(scopes)
	// Without room to spare, nobody's append can write into what others share.
	return slices.Clip(slices.Compact(scopes))
}

// KeyStatus describes the keys of an issuer for a status page. Source and LastError are for operators alone.
type KeyStatus struct {
	Issuer string `json:"issuer"`
	Source string `json:"source"`
	// Ready tells whether tokens can be verified.
	Ready bool `json:"ready"`
	// KeyIDs are the kids of the usable keys, sorted; Skipped counts the others of the set.
	KeyIDs  []string `json:"key_ids"`
	Skipped int      `json:"skipped"`
	// Fetched is when the current set was last fetched or confirmed; zero without one.
	Fetched time.Time `json:"fetched,omitzero"`
	// Kept marks a set from before a restart that no fetch has confirmed.
	Kept bool `json:"kept"`
	// LastAttempt is when the latest fetch ended, and LastError how it failed; empty when it did not.
	LastAttempt time.Time `json:"last_attempt,omitzero"`
	LastError   string    `json:"last_error,omitempty"`
}

// Status describes the keys as they are now.
func (i *Issuer) Status() KeyStatus {
	s := KeyStatus{Issuer: i.config.Name, Source: i.keys.source.String(), Ready: i.keys.usable() != nil}
	if state := i.keys.current.Load(); state != nil {
		s.KeyIDs, s.Skipped, s.Fetched, s.Kept = state.ring.ids(), state.ring.skipped, state.fetched, state.kept
	}
	if attempt := i.keys.last.Load(); attempt != nil {
		s.LastAttempt = attempt.at
		if attempt.err != nil {
			s.LastError = attempt.err.Error()
		}
	}
	return s
}

// Age is how long ago the current keys were fetched or confirmed; false when there are none.
func (i *Issuer) Age(now time.Time) (time.Duration, bool) {
	state := i.keys.current.Load()
	if state == nil {
		return 0, false
	}
	return max(0, now.Sub(state.fetched)), true
}
