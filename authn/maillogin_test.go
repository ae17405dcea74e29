package authn

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

func TestMailLoginConfigRefusals(t *testing.T) {
	short := newSecret(1)[:31]
	for want, config := range map[string]MailLoginConfig{
		"there must be 1 to 8 secrets":   {},
		"must be 1 to 8 secrets":         {Secrets: slices.Repeat([][]byte{newSecret(1)}, 9)},
		"secret 1 has 31 bytes":          {Secrets: [][]byte{short}},
		"secret 2 has 0 bytes":           {Secrets: [][]byte{newSecret(1), nil}},
		"the lifetime -1s is not":        {Secrets: [][]byte{newSecret(1)}, Lifetime: -time.Second},
		"the lifetime 10000h0m0s is not": {Secrets: [][]byte{newSecret(1)}, Lifetime: 10_000 * time.Hour},
	} {
		_, err := NewMailLogin(config, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %q", err, want)
		} else if strings.Contains(err.Error(), string(short)) {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
}

func TestIssuedMailTokens(t *testing.T) {
	clk := newClock()
	login := newLogin(t, clk, newSecret(1))
	token, ends, err := login.Issue("citizen@example.org")
	if err != nil || !ends.Equal(noon.Add(24*time.Hour)) {
		t.Fatalf("it ends at %v, %v", ends, err)
	}
	who, err := login.Verify(token)
	if err != nil || who.Kind != principal.MailLogin || who.Subject != "citizen@example.org" || who.Email != who.Subject ||
		!slices.Equal(who.Scopes, []string{"BD/P"}) || !who.Expires.Equal(ends) || who.Issuer != "" {
		t.Errorf("got %+v, %v", who, err)
	}
	clk.Advance(24*time.Hour + 29*time.Second)
	if _, err := login.Verify(token); err != nil {
		t.Errorf("within the skew: %v", err)
	}
	clk.Advance(time.Second)
	_, err = login.Verify(token)
	wantCode(t, err, CodeTokenExpired)
}

// The claims are a contract with the systems that read or make such tokens beside this one (spec 1 §4).
func TestTheFormOfMailTokens(t *testing.T) {
	token, _, err := newLogin(t, newClock(), newSecret(1)).Issue("citizen@example.org")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	header, body := must(decodeObject(parts[0])), must(decodeObject(parts[1]))
	if header["alg"] != "HS256" || header["typ"] != "JWT" || len(header) != 2 {
		t.Errorf("the header is %v", header)
	}
	want := `{"exp":1772452800,"scopes":["BD/P"],"sub":"citizen@example.org"}`
	if got := string(must(json.Marshal(body))); got != want {
		t.Errorf("the claims are %s, want %s", got, want)
	}
}

func TestMailSecretsRotate(t *testing.T) {
	clk := newClock()
	older, newer := newLogin(t, clk, newSecret(1)), newLogin(t, clk, newSecret(2), newSecret(1))
	last := newLogin(t, clk, newSecret(2))
	oldToken, _, err := older.Issue("a@example.org")
	if err != nil {
		t.Fatal(err)
	}
	newToken, _, err := newer.Issue("a@example.org")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		login *MailLogin
		token string
		fine  bool
	}{
		"the old token, both keys":    {newer, oldToken, true},
		"the new token, both keys":    {newer, newToken, true},
		"the new token, the new key":  {last, newToken, true},
		"the old token, the new key":  {last, oldToken, false},
		"the new token, the old key":  {older, newToken, false},
		"the old token, the old key ": {older, oldToken, true},
	} {
		_, err := test.login.Verify(test.token)
		if test.fine && err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !test.fine {
			wantCode(t, err, CodeTokenSignature)
		}
	}
}

func TestAnotherMailScope(t *testing.T) {
	clk := newClock()
	login, err := NewMailLogin(MailLoginConfig{Secrets: [][]byte{newSecret(1)}, Scope: "citizen", Lifetime: time.Minute}, clk)
	if err != nil {
		t.Fatal(err)
	}
	token, ends, err := login.Issue("a@example.org")
	if err != nil || !ends.Equal(noon.Add(time.Minute)) {
		t.Fatal(ends, err)
	}
	if who, err := login.Verify(token); err != nil || !who.HasScope(login.Scope()) || !who.HasScope("citizen") {
		t.Errorf("got %v, %v", who, err)
	}
	_, err = login.Verify(mailToken(newSecret(1), nil))
	wantCode(t, err, CodeScopeInvalid)
}

func TestMailTokensOfOtherKinds(t *testing.T) {
	login := newLogin(t, newClock(), newSecret(1))
	c := object{"sub": "a@example.org", "exp": noon.Add(time.Hour).Unix(), "scopes": []string{"BD/P"}}
	sign := func(alg string, more object) string {
		return testkit.SignToken(merged(object{"alg": alg}, more), c, newSecret(1))
	}
	for name, token := range map[string]string{
		"HS384":       sign("HS384", nil),
		"HS512":       sign("HS512", nil),
		"none":        sign("none", nil),
		"crit":        sign("HS256", object{"crit": []string{"exp"}}),
		"jku":         sign("HS256", object{"jku": "https://example.org"}),
		"another typ": sign("HS256", object{"typ": "JWE"}),
		"8 KiB more":  sign("HS256", object{"x": strings.Repeat("x", 8<<10)}),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := login.Verify(token)
			wantCode(t, err, CodeTokenInvalid)
		})
	}
	if _, err := login.Verify(sign("HS256", object{"kid": "whatever"})); err != nil {
		t.Errorf("a kid does no harm: %v", err)
	}
}
