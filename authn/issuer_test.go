package authn

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

func TestIssuerConfigRefusals(t *testing.T) {
	file := func(c IssuerConfig) IssuerConfig { c.JWKSFile = "jwks.json"; return c }
	for want, config := range map[string]IssuerConfig{
		"the name is not":                   file(IssuerConfig{}),
		`issuer "a b": the name is not`:     file(IssuerConfig{Name: "a b"}),
		"1 to 64 letters":                   file(IssuerConfig{Name: strings.Repeat("a", 65)}),
		"exactly one of":                    {Name: "a"},
		"one of jwks_uri, jwks_file":        {Name: "a", JWKSURI: "https://a/", JWKSFile: "f"},
		"for an issuer marked development":  {Name: "a", SigningKeyFile: "f"},
		"not an absolute URL":               {Name: "a", JWKSURI: "/certs"},
		`scheme "ftp"`:                      {Name: "a", JWKSURI: "ftp://a/certs", AllowHTTP: true},
		"user info or a fragment":           {Name: "a", JWKSURI: "https://u:p@a/certs"},
		"use https, or allow_http":          {Name: "a", JWKSURI: "http://login.example.org/certs"},
		"plain http off this machine":       {Name: "a", JWKSURI: "http://localhost.example.org/certs"},
		"allow_http is for jwks_uri alone":  file(IssuerConfig{Name: "a", AllowHTTP: true}),
		`algorithm "HS256" is not one of`:   file(IssuerConfig{Name: "a", Algorithms: []string{"RS256", "HS256"}}),
		`algorithm "none" is not one of`:    file(IssuerConfig{Name: "a", Algorithms: []string{"none"}}),
		`algorithm "rs256" is not one of`:   file(IssuerConfig{Name: "a", Algorithms: []string{"rs256"}}),
		`scope claim "" is not`:             file(IssuerConfig{Name: "a", ScopeClaims: []string{""}}),
		`scope claim ".a" is not`:           file(IssuerConfig{Name: "a", ScopeClaims: []string{".a"}}),
		`scope claim "a..b" is not`:         file(IssuerConfig{Name: "a", ScopeClaims: []string{"a..b"}}),
		"audience holds an empty string":    file(IssuerConfig{Name: "a", Audience: []string{""}}),
		"azp holds an empty string":         file(IssuerConfig{Name: "a", AZP: []string{""}}),
		"drop_scopes holds an empty string": file(IssuerConfig{Name: "a", DropScopes: []string{""}}),
		"scope_map holds an empty string":   file(IssuerConfig{Name: "a", ScopeMap: map[string]string{"a": ""}}),
	} {
		if _, err := NewIssuer(config, Dependencies{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %q", err, want)
		}
	}
}

func TestIssuerConfigsThatAreFine(t *testing.T) {
	for _, config := range []IssuerConfig{
		{Name: "a", JWKSURI: "https://login.example.org/certs"},
		{Name: "a", JWKSURI: "http://127.0.0.1:8080/certs"},
		{Name: "a", JWKSURI: "http://[::1]/certs"},
		{Name: "a", JWKSURI: "http://LOCALHOST/certs"},
		{Name: "a", JWKSURI: "http://login.internal/certs", AllowHTTP: true},
		{Name: "a-B_1.x", JWKSFile: "f", Algorithms: asymmetricAlgorithms(), Development: true},
	} {
		issuer, err := NewIssuer(config, Dependencies{})
		if err != nil {
			t.Errorf("%+v: %v", config, err)
			continue
		}
		if got := issuer.Config(); got.Name != issuer.Name() || len(got.Algorithms) == 0 || !slices.Equal(got.ScopeClaims, []string{"scopes", "scope", "realm_access.roles"}) {
			t.Errorf("the defaults: got %+v", got)
		}
	}
}

func TestEveryAlgorithm(t *testing.T) {
	clk := newClock()
	for _, algorithm := range asymmetricAlgorithms() {
		t.Run(algorithm, func(t *testing.T) {
			key := newSigner(algorithm, "k")
			token := key.token(goodClaims(nil))
			for _, published := range []object{key.public(), merged(key.public(), object{"alg": algorithm, "use": "sig", "key_ops": []string{"verify"}})} {
				issuer := startIssuer(t, IssuerConfig{Algorithms: []string{algorithm}}, clk, published)
				if who, err := issuer.Verify(t.Context(), token); err != nil || who.Subject != "u-1" {
					t.Errorf("got %v, %v", who, err)
				}
				_, err := issuer.Verify(t.Context(), spoiled(token))
				wantCode(t, err, CodeTokenSignature)
			}
			others := slices.DeleteFunc(asymmetricAlgorithms(), func(a string) bool { return a == algorithm })
			_, err := startIssuer(t, IssuerConfig{Algorithms: others}, clk, key.public(), newSigner("RS256", "r").public(), newSigner("ES256", "e").public()).Verify(t.Context(), token)
			wantCode(t, err, CodeTokenInvalid)
		})
	}
}

func TestThePrincipal(t *testing.T) {
	clk := newClock()
	key := newSigner("ES256", "k")
	issuer := startIssuer(t, IssuerConfig{}, clk, key.public())
	who, err := issuer.Verify(t.Context(), key.token(goodClaims(object{"email": "j@example.org", "scope": "openid BD/R BD/X"})))
	if err != nil {
		t.Fatal(err)
	}
	if who.Kind != principal.Bearer || who.Subject != "u-1" || who.Email != "j@example.org" || who.Issuer != "city" ||
		!who.Expires.Equal(noon.Add(time.Hour)) || !slices.Equal(who.Scopes, []string{"BD/R", "BD/X", "openid"}) {
		t.Errorf("got %+v", who)
	}
}

func TestTimes(t *testing.T) {
	clk := newClock()
	key := newSigner("ES256", "k")
	issuer := startIssuer(t, IssuerConfig{}, clk, key.public())
	at := func(d time.Duration) int64 { return noon.Add(d).Unix() }
	for name, test := range map[string]struct {
		claims object
		code   string
	}{
		"no exp":                  {object{"exp": nil}, CodeTokenInvalid},
		"exp as text":             {object{"exp": "1900000000"}, CodeTokenInvalid},
		"exp as list":             {object{"exp": []int{1900000000}}, CodeTokenInvalid},
		"exp in milliseconds":     {object{"exp": at(time.Hour) * 1000}, CodeTokenInvalid},
		"exp negative":            {object{"exp": -1}, CodeTokenInvalid},
		"exp zero":                {object{"exp": 0}, CodeTokenExpired},
		"exp with a fraction":     {object{"exp": float64(at(time.Hour)) + 0.5}, ""},
		"exp in the last year":    {object{"exp": maxNumericDate}, ""},
		"expired within the skew": {object{"exp": at(-29 * time.Second)}, ""},
		"expired":                 {object{"exp": at(-30 * time.Second)}, CodeTokenExpired},
		"nbf within the skew":     {object{"nbf": at(30 * time.Second)}, ""},
		"nbf ahead":               {object{"nbf": at(31 * time.Second)}, CodeTokenInvalid},
		"nbf as text":             {object{"nbf": "0"}, CodeTokenInvalid},
		"iat within the skew":     {object{"iat": at(30 * time.Second)}, ""},
		"iat ahead":               {object{"iat": at(31 * time.Second)}, CodeTokenInvalid},
		"iat as text":             {object{"iat": "0"}, CodeTokenInvalid},
		"no iat":                  {object{"iat": nil}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := issuer.Verify(t.Context(), key.token(goodClaims(test.claims)))
			if test.code != "" {
				wantCode(t, err, test.code)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestATokenEndsWhileItIsRemembered(t *testing.T) {
	clk := newClock()
	key := newSigner("ES256", "k")
	issuer := startIssuer(t, IssuerConfig{}, clk, key.public())
	token := key.token(goodClaims(nil))
	for _, step := range []struct {
		forward time.Duration
		fine    bool
	}{{0, true}, {time.Hour - time.Second, true}, {30 * time.Second, true}, {time.Second, false}, {time.Hour, false}} {
		clk.Advance(step.forward)
		_, err := issuer.Verify(t.Context(), token)
		if step.fine && err != nil {
			t.Fatalf("at %s: %v", clk.Now(), err)
		}
		if !step.fine {
			wantCode(t, err, CodeTokenExpired)
		}
	}
}

func TestClaimsThatAreConfigured(t *testing.T) {
	clk := newClock()
	key := newSigner("ES256", "k")
	for name, test := range map[string]struct {
		config IssuerConfig
		claims object
		fine   bool
	}{
		"iss":                       {IssuerConfig{Issuer: "https://a"}, object{"iss": "https://a"}, true},
		"iss with a slash":          {IssuerConfig{Issuer: "https://a"}, object{"iss": "https://a/"}, false},
		"iss in another case":       {IssuerConfig{Issuer: "https://a"}, object{"iss": "https://A"}, false},
		"no iss":                    {IssuerConfig{Issuer: "https://a"}, object{"iss": nil}, false},
		"iss as list":               {IssuerConfig{Issuer: "https://a"}, object{"iss": []string{"https://a"}}, false},
		"aud":                       {IssuerConfig{Audience: []string{"x", "y"}}, object{"aud": "y"}, true},
		"aud as list":               {IssuerConfig{Audience: []string{"x", "y"}}, object{"aud": []string{"z", "x"}}, true},
		"another aud":               {IssuerConfig{Audience: []string{"x", "y"}}, object{"aud": "xy"}, false},
		"aud with spaces":           {IssuerConfig{Audience: []string{"x", "y"}}, object{"aud": "x y"}, false},
		"no aud":                    {IssuerConfig{Audience: []string{"x"}}, object{"aud": nil}, false},
		"an empty aud":              {IssuerConfig{Audience: []string{"x"}}, object{"aud": []string{}}, false},
		"aud with a number":         {IssuerConfig{Audience: []string{"x"}}, object{"aud": []any{"x", 1}}, false},
		"aud as object":             {IssuerConfig{Audience: []string{"x"}}, object{"aud": object{"x": "x"}}, false},
		"azp":                       {IssuerConfig{AZP: []string{"x", "y"}}, object{"azp": "x"}, true},
		"another azp":               {IssuerConfig{AZP: []string{"x"}}, object{"azp": "z"}, false},
		"no azp":                    {IssuerConfig{AZP: []string{"x"}}, object{"azp": nil}, false},
		"azp as list":               {IssuerConfig{AZP: []string{"x"}}, object{"azp": []string{"x"}}, false},
		"aud and azp":               {IssuerConfig{Audience: []string{"x"}, AZP: []string{"y"}}, object{"aud": "x", "azp": "y"}, true},
		"aud but not azp":           {IssuerConfig{Audience: []string{"x"}, AZP: []string{"y"}}, object{"aud": "x", "azp": "z"}, false},
		"no typ":                    {IssuerConfig{}, object{"typ": nil}, true},
		"an ID token":               {IssuerConfig{}, object{"typ": "ID"}, false},
		"a refresh token":           {IssuerConfig{}, object{"typ": "Refresh"}, false},
		"typ as number":             {IssuerConfig{}, object{"typ": 1}, false},
		"nothing configured: any":   {IssuerConfig{}, object{"iss": 1, "aud": 1, "azp": 1}, true},
		"sub of a wrong type":       {IssuerConfig{}, object{"sub": []int{1}}, true},
		"claims that nobody knows":  {IssuerConfig{}, object{"x": object{"y": []any{1, nil, "z"}}}, true},
		"typ in another case fails": {IssuerConfig{}, object{"typ": "bearer"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			issuer := startIssuer(t, test.config, clk, key.public())
			_, err := issuer.Verify(t.Context(), key.token(goodClaims(test.claims)))
			if !test.fine {
				wantCode(t, err, CodeTokenInvalid)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestScopes(t *testing.T) {
	clk := newClock()
	key := newSigner("ES256", "k")
	for name, test := range map[string]struct {
		config IssuerConfig
		claims object
		want   []string
	}{
		"a list":                  {IssuerConfig{}, object{"scopes": []string{"b", "a", "b"}}, []string{"a", "b"}},
		"words":                   {IssuerConfig{}, object{"scope": " b  a "}, []string{"a", "b"}},
		"Keycloak's roles":        {IssuerConfig{}, object{"realm_access": object{"roles": []string{"a"}}}, []string{"a"}},
		"all the claims":          {IssuerConfig{}, object{"scopes": []string{"a"}, "scope": "b", "realm_access": object{"roles": []string{"c"}}}, []string{"a", "b", "c"}},
		"none":                    {IssuerConfig{}, object{}, nil},
		"a wrong type beside":     {IssuerConfig{}, object{"scopes": 5, "scope": "b", "realm_access": []string{"c"}}, []string{"b"}},
		"a list with a number":    {IssuerConfig{}, object{"scopes": []any{"a", 1}}, nil},
		"a client's roles":        {IssuerConfig{ScopeClaims: []string{"resource_access.my.client.roles"}}, object{"resource_access": object{"my.client": object{"roles": []string{"a"}}}}, []string{"a"}},
		"claims left out":         {IssuerConfig{ScopeClaims: []string{"groups"}}, object{"scope": "a", "groups": []string{"g"}}, []string{"g"}},
		"mapped":                  {IssuerConfig{ScopeMap: map[string]string{"archive-staff": "BD/R"}}, object{"scope": "archive-staff other"}, []string{"BD/R", "other"}},
		"dropped":                 {IssuerConfig{DropScopes: []string{"BD/P"}}, object{"scope": "BD/P BD/R"}, []string{"BD/R"}},
		"dropped when mapped":     {IssuerConfig{DropScopes: []string{"BD/P"}, ScopeMap: map[string]string{"p": "BD/P"}}, object{"scope": "p"}, nil},
		"an empty string in list": {IssuerConfig{}, object{"scopes": []string{"", "a"}}, []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			issuer := startIssuer(t, test.config, clk, key.public())
			token := key.token(merged(goodClaims(object{"realm_access": nil}), test.claims))
			for range 2 {
				if who, err := issuer.Verify(t.Context(), token); err != nil || !slices.Equal(who.Scopes, test.want) {
					t.Errorf("got %v, %v; want %v", who, err, test.want)
				}
			}
		})
	}
}

func TestEmail(t *testing.T) {
	for name, test := range map[string]struct {
		claims claims
		want   string
	}{
		"sub":                {claims{"sub": "a@example.org", "email": "b@example.org"}, "a@example.org"},
		"the email claim":    {claims{"sub": "u-1", "email": "b@example.org"}, "b@example.org"},
		"verified":           {claims{"email": "b@example.org", "email_verified": true}, "b@example.org"},
		"not verified":       {claims{"email": "b@example.org", "email_verified": false}, ""},
		"verified as text":   {claims{"email": "b@example.org", "email_verified": "true"}, ""},
		"no address":         {claims{"sub": "u-1", "email": "b"}, ""},
		"two @":              {claims{"email": "a@b@c"}, ""},
		"a line break":       {claims{"email": "a@example.org\r\nBcc: b"}, ""},
		"nothing before @":   {claims{"email": "@example.org"}, ""},
		"of a wrong type":    {claims{"sub": 1, "email": []any{"a@example.org"}}, ""},
		"nothing after @":    {claims{"sub": "a@"}, ""},
		"a control in sub":   {claims{"sub": "a\x00@example.org"}, ""},
		"neither of the two": {claims{}, ""},
	} {
		if got := test.claims.email(); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestWithoutStartThereAreNoKeys(t *testing.T) {
	issuer, err := NewIssuer(IssuerConfig{Name: "a", JWKSFile: "absent"}, Dependencies{Clock: newClock()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = issuer.Verify(t.Context(), newSigner("ES256", "k").token(goodClaims(nil)))
	wantCode(t, err, CodeKeysUnavailable)
	if _, ok := issuer.Age(noon); ok || issuer.Status().Ready {
		t.Error("it says that it has keys")
	}
	issuer.Stop()
}

func TestTokensOfTheStandIn(t *testing.T) {
	provider, log := testkit.NewIdentityProvider(t), newLogWatch()
	issuer, err := NewIssuer(IssuerConfig{
		Name: "city", Issuer: provider.Issuer(), JWKSURI: provider.JWKSURL(), Audience: []string{"gatehouse"},
		Algorithms: []string{"RS256", "ES256", "ES384", "EdDSA"},
	}, Dependencies{Logger: log.logger()})
	if err != nil {
		t.Fatal(err)
	}
	start(t, issuer)
	log.wait("keys loaded")
	for _, algorithm := range issuer.Config().Algorithms {
		who, err := issuer.Verify(t.Context(), provider.Token(algorithm, provider.Claims("BD/R")))
		if err != nil || !who.HasScope("BD/R") || who.Email == "" {
			t.Errorf("%s: got %+v, %v", algorithm, who, err)
		}
	}
	if provider.Count() != 1 {
		t.Errorf("%d requests to the provider", provider.Count())
	}
}
