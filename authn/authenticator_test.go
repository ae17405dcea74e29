package authn

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

func mailToken(secret []byte, more object) string {
	claims := merged(object{"sub": "a@example.org", "exp": noon.Add(time.Hour).Unix(), "scopes": []string{"BD/P"}}, more)
	return testkit.MailToken(string(secret), claims)
}

// spoiled has another signature of the same length.
func spoiled(token string) string {
	dot := strings.LastIndexByte(token, '.')
	c := byte('A')
	if token[dot+1] == c {
		c = 'B'
	}
	return token[:dot+1] + string(c) + token[dot+2:]
}

func TestAnswers(t *testing.T) {
	clk := newClock()
	key, secret := newSigner("ES256", "k1"), newSecret(1)
	issuer := startIssuer(t, IssuerConfig{DropScopes: []string{"BD/P"}}, clk, key.public())
	a := newAuthenticator(t, newLogin(t, clk, secret), issuer)
	good, mail := key.token(goodClaims(nil)), mailToken(secret, nil)
	late := noon.Add(-time.Hour).Unix()
	for name, test := range map[string]struct {
		header []string
		query  string
		code   string         // of the refusal; else the kind counts
		kind   principal.Kind // empty is anonymous
	}{
		"no credential":                    {},
		"another query":                    {query: "source_file=true&authx=1&xauth=2"},
		"an empty auth":                    {query: "auth="},
		"a bearer token":                   {header: []string{"Bearer " + good}, kind: principal.Bearer},
		"the scheme in another case":       {header: []string{"bEARER  " + good + " "}, kind: principal.Bearer},
		"a mail token":                     {query: "auth=" + mail, kind: principal.MailLogin},
		"a mail token after others":        {query: "a=%zz&b;c&auth=" + mail, kind: principal.MailLogin},
		"a percent-encoded mail token":     {query: "%61uth=" + strings.ReplaceAll(mail, ".", "%2E"), kind: principal.MailLogin},
		"both":                             {header: []string{"Bearer " + good}, query: "auth=" + mail, kind: principal.Bearer},
		"an expired bearer token":          {header: []string{"Bearer " + key.token(goodClaims(object{"exp": late}))}, code: CodeTokenExpired},
		"a wrong bearer signature":         {header: []string{"Bearer " + spoiled(good)}, code: CodeTokenSignature},
		"a bearer token that is none":      {header: []string{"Bearer abc"}, code: CodeTokenInvalid},
		"an expired one, wrongly signed":   {header: []string{"Bearer " + spoiled(key.token(goodClaims(object{"exp": late})))}, code: CodeTokenSignature},
		"an expired mail token":            {query: "auth=" + mailToken(secret, object{"exp": late}), code: CodeTokenExpired},
		"a wrong mail signature":           {query: "auth=" + spoiled(mail), code: CodeTokenSignature},
		"a mail token of another secret":   {query: "auth=" + mailToken(newSecret(9), nil), code: CodeTokenSignature},
		"a mail token that is none":        {query: "auth=abc", code: CodeTokenInvalid},
		"a mail token without scopes":      {query: "auth=" + mailToken(secret, object{"scopes": nil}), code: CodeScopeInvalid},
		"a mail token with an empty list":  {query: "auth=" + mailToken(secret, object{"scopes": []string{}}), code: CodeScopeInvalid},
		"a mail token with another scope":  {query: "auth=" + mailToken(secret, object{"scopes": []string{"BD/X"}}), code: CodeScopeInvalid},
		"a mail token with a second scope": {query: "auth=" + mailToken(secret, object{"scopes": []string{"BD/P", "BD/X"}}), code: CodeScopeInvalid},
		"a mail token with a number":       {query: "auth=" + mailToken(secret, object{"scopes": 1}), code: CodeScopeInvalid},
		"a mail token without an address":  {query: "auth=" + mailToken(secret, object{"sub": nil}), code: CodeTokenInvalid},
		"a bad bearer beside a good mail":  {header: []string{"Bearer abc"}, query: "auth=" + mail, code: CodeTokenInvalid},
		"no token beside a good mail":      {header: []string{"Bearer "}, query: "auth=" + mail, code: CodeTokenInvalid},
		"an empty header":                  {header: []string{""}, query: "auth=" + mail, code: CodeTokenInvalid},
		"another scheme":                   {header: []string{"Basic dTpw"}, query: "auth=" + mail, code: CodeTokenInvalid},
		"another scheme, a good token":     {header: []string{"Token " + good}, code: CodeTokenInvalid},
		"no scheme":                        {header: []string{good}, code: CodeTokenInvalid},
		"two headers":                      {header: []string{"Bearer " + good, "Bearer " + good}, code: CodeTokenInvalid},
		"two tokens in a header":           {header: []string{"Bearer " + good + ", Bearer " + good}, code: CodeTokenInvalid},
		"two auths":                        {query: "auth=" + mail + "&auth=" + mail, code: CodeTokenInvalid},
		"an empty and a good auth":         {query: "auth=&auth=" + mail, code: CodeTokenInvalid},
		"a broken encoding":                {query: "auth=%zz", code: CodeTokenInvalid},
		"a mail token as bearer":           {header: []string{"Bearer " + mail}, code: CodeTokenInvalid},
		"a bearer token as mail":           {query: "auth=" + good, code: CodeTokenInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			for _, pass := range []string{"first", "again"} {
				who, err := a.Authenticate(request(test.query, test.header...))
				if test.code != "" {
					wantCode(t, err, test.code)
					continue
				}
				kind := test.kind
				if kind == "" {
					kind = principal.Anonymous
				}
				if err != nil || who.Kind != kind {
					t.Errorf("%s: got %v, %v; want %s", pass, who, err, kind)
				}
			}
		})
	}
}

func TestPreflightsAreAnonymous(t *testing.T) {
	clk := newClock()
	a := newAuthenticator(t, newLogin(t, clk, newSecret(1)), startIssuer(t, IssuerConfig{DropScopes: []string{"BD/P"}}, clk))
	r := request("auth=wrong", "Bearer wrong", "twice")
	r.Method = http.MethodOptions
	if who, err := a.Authenticate(r); err != nil || !who.Anonymous() {
		t.Errorf("got %v, %v", who, err)
	}
}

func TestARouteReadsOnlyItsCredentials(t *testing.T) {
	clk := newClock()
	key, secret := newSigner("ES256", "k1"), newSecret(1)
	issuer := startIssuer(t, IssuerConfig{DropScopes: []string{"BD/P"}}, clk, key.public())
	both := request("auth="+mailToken(secret, nil), "Bearer "+key.token(goodClaims(nil)))
	for name, test := range map[string]struct {
		a    *Authenticator
		want principal.Kind
	}{
		"bearer": {newAuthenticator(t, nil, issuer), principal.Bearer},
		"mail":   {newAuthenticator(t, newLogin(t, clk, secret)), principal.MailLogin},
	} {
		if who, err := test.a.Authenticate(both); err != nil || who.Kind != test.want {
			t.Errorf("%s: got %v, %v", name, who, err)
		}
	}
	if who, err := newAuthenticator(t, nil, issuer).Authenticate(request("auth=wrong")); err != nil || !who.Anonymous() {
		t.Errorf("a mail token where none is read: got %v, %v", who, err)
	}
}

func TestAuthenticatorConfigRefusals(t *testing.T) {
	clk := newClock()
	login := newLogin(t, clk, newSecret(1))
	plain := startIssuer(t, IssuerConfig{Name: "plain"}, clk)
	drops := startIssuer(t, IssuerConfig{Name: "drops", Issuer: "https://a", DropScopes: []string{"BD/P"}}, clk)
	twin := startIssuer(t, IssuerConfig{Name: "twin", Issuer: "https://a", DropScopes: []string{"BD/P"}}, clk)
	kinds := func(k ...principal.Kind) []principal.Kind { return k }
	for want, config := range map[string]AuthenticatorConfig{
		"no kind of credential":        {Issuers: []*Issuer{plain}},
		"not one of bearer":            {Credentials: kinds("cookie")},
		"needs an issuer":              {Credentials: kinds(principal.Bearer), MailLogin: login},
		"needs mail_login":             {Credentials: kinds(principal.MailLogin), Issuers: []*Issuer{plain}},
		"bearer is named twice":        {Credentials: kinds(principal.Bearer, principal.Bearer), Issuers: []*Issuer{plain}},
		"drops is named twice":         {Credentials: kinds(principal.Bearer), Issuers: []*Issuer{drops, drops}},
		"two issuers have the iss":     {Credentials: kinds(principal.Bearer), Issuers: []*Issuer{drops, twin}},
		"does not drop the scope BD/P": {Credentials: kinds(principal.Bearer), Issuers: []*Issuer{drops, plain}, MailLogin: login},
	} {
		if _, err := NewAuthenticator(config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %q", err, want)
		}
	}
}

func TestSeveralIssuers(t *testing.T) {
	clk := newClock()
	cityKey, partnerKey, openKey, otherKey := newSigner("ES256", "c"), newSigner("ES256", "p"), newSigner("ES256", "o"), newSigner("ES256", "x")
	a := newAuthenticator(t, nil,
		startIssuer(t, IssuerConfig{Name: "city", Issuer: "https://city"}, clk, cityKey.public()),
		startIssuer(t, IssuerConfig{Name: "partner", Issuer: "https://partner"}, clk, partnerKey.public()),
		startIssuer(t, IssuerConfig{Name: "open1"}, clk, openKey.public()),
		startIssuer(t, IssuerConfig{Name: "open2"}, clk, otherKey.public()),
	)
	for name, test := range map[string]struct {
		key          signer
		iss          any
		issuer, code string
	}{
		"by iss":                              {key: cityKey, iss: "https://city", issuer: "city"},
		"by the other iss":                    {key: partnerKey, iss: "https://partner", issuer: "partner"},
		"by kid":                              {key: openKey, iss: "https://elsewhere", issuer: "open1"},
		"by the other kid, without an iss":    {key: otherKey, issuer: "open2"},
		"an iss with somebody else's key":     {key: partnerKey, iss: "https://city", code: CodeTokenInvalid},
		"an iss of a wrong type":              {key: cityKey, iss: 5, code: CodeTokenInvalid},
		"a kid of an issuer with another iss": {key: cityKey, iss: "https://elsewhere", code: CodeTokenInvalid},
		"an unknown kid":                      {key: newSigner("ES256", "n"), code: CodeTokenInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			who, err := a.Authenticate(request("", "Bearer "+test.key.token(goodClaims(object{"iss": test.iss}))))
			if test.code != "" {
				wantCode(t, err, test.code)
			} else if err != nil || who.Issuer != test.issuer {
				t.Errorf("got %v, %v; want the issuer %s", who, err, test.issuer)
			}
		})
	}
}

func TestNoIssuerFits(t *testing.T) {
	clk := newClock()
	key := newSigner("ES256", "k")
	a := newAuthenticator(t, nil,
		startIssuer(t, IssuerConfig{Name: "a", Issuer: "https://a"}, clk, key.public()),
		startIssuer(t, IssuerConfig{Name: "b", Issuer: "https://b"}, clk, key.public()))
	_, err := a.Authenticate(request("", "Bearer "+key.token(goodClaims(object{"iss": "https://c"}))))
	wantCode(t, err, CodeTokenInvalid)
}

// A token that an issuer without keys may have made is not refused for good.
func TestATokenOfAnIssuerThatWaitsForItsKeys(t *testing.T) {
	clk := newClock()
	key := newSigner("ES256", "k")
	ready := startIssuer(t, IssuerConfig{Name: "ready"}, clk, key.public())
	waits := startIssuer(t, IssuerConfig{Name: "waits"}, clk)
	a := newAuthenticator(t, nil, ready, waits)
	if who, err := a.Authenticate(request("", "Bearer "+key.token(goodClaims(nil)))); err != nil || who.Issuer != "ready" {
		t.Errorf("got %v, %v", who, err)
	}
	_, err := a.Authenticate(request("", "Bearer "+newSigner("ES256", "new").token(goodClaims(nil))))
	wantCode(t, err, CodeKeysUnavailable)
	_, err = newAuthenticator(t, nil, waits).Authenticate(request("", "Bearer abc"))
	wantCode(t, err, CodeTokenInvalid)
}

func TestIssuersShareNoVerifiedTokens(t *testing.T) {
	clk := newClock()
	key := newSigner("ES256", "k")
	first := startIssuer(t, IssuerConfig{Name: "first"}, clk, key.public())
	second := startIssuer(t, IssuerConfig{Name: "second", Audience: []string{"other"}}, clk, key.public())
	token := "Bearer " + key.token(goodClaims(nil))
	if _, err := newAuthenticator(t, nil, first).Authenticate(request("", token)); err != nil {
		t.Fatal(err)
	}
	_, err := newAuthenticator(t, nil, second).Authenticate(request("", token))
	wantCode(t, err, CodeTokenInvalid)
}

func TestTheQueryIsReadAsURLsAre(t *testing.T) {
	for query, want := range map[string]string{
		"auth=a.b": "a.b", "x=1&auth=a%2Eb&y": "a.b", "": "", "auth": "", "AUTH=a": "", "auth%3Da": "",
		"auth=a=b": "a=b", "&&auth=a&&": "a",
	} {
		got, err := queryToken(query)
		values, parseErr := url.ParseQuery(query)
		if err != nil || got != want || parseErr == nil && got != values.Get("auth") {
			t.Errorf("%q: got %q, %v; want %q", query, got, err, want)
		}
	}
}
