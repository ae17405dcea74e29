package authn

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	mathrand "math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// The tests in this file are attacks: each stands for a rule on tokens and signatures (spec 6).

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// The public key is known to everybody. Whoever gets it taken for an HMAC key can sign anything.
func TestAPublicKeyIsNoSecret(t *testing.T) {
	key := newSigner("RS256", "k")
	der := must(x509.MarshalPKIXPublicKey(key.private.Public()))
	forms := map[string][]byte{
		"DER": der,
		"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		"JWK": must(json.Marshal(key.public())),
		"n":   rsaKey().N.Bytes(),
	}
	issuer := startIssuer(t, IssuerConfig{}, newClock(), key.public())
	for name, secret := range forms {
		for _, alg := range []string{"HS256", "HS384", "HS512"} {
			_, err := issuer.Verify(t.Context(), testkit.SignToken(key.header(object{"alg": alg}), goodClaims(nil), secret))
			if err == nil {
				t.Errorf("%s with the %s of the key", alg, name)
			}
			wantCode(t, err, CodeTokenInvalid)
		}
	}
}

// Nor does a symmetric key that got into the key set become one that bearer tokens are verified with.
func TestASecretInTheKeySetVerifiesNothing(t *testing.T) {
	secret, key := newSecret(7), newSigner("ES256", "k")
	for _, more := range []object{nil, {"alg": "HS256"}, {"alg": "ES256"}, {"use": "sig"}} {
		oct := merged(object{"kty": "oct", "kid": "s", "k": encode(secret)}, more)
		issuer := startIssuer(t, IssuerConfig{}, newClock(), key.public(), oct)
		_, err := issuer.Verify(t.Context(), testkit.SignToken(object{"alg": "HS256", "kid": "s"}, goodClaims(nil), secret))
		wantCode(t, err, CodeTokenInvalid)
	}
}

// Everything that the header of a token can say to choose its own judge.
func TestHeadersThatAreRefused(t *testing.T) {
	key, stranger := newSigner("ES256", "k"), newSigner("ES256", "stranger")
	enc := newSigner("ES256", "enc")
	clk := newClock()
	a := newAuthenticator(t, nil, startIssuer(t, IssuerConfig{Algorithms: []string{"RS256", "ES256", "ES384"}}, clk,
		key.public(), merged(enc.public(), object{"use": "enc"}), newSigner("RS256", "r").public(), newSigner("ES384", "p384").public()))
	if _, err := a.Authenticate(request("", "Bearer "+key.token(goodClaims(nil)))); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		by     signer
		header object
	}{
		"none":                          {key, object{"alg": "none"}},
		"None":                          {key, object{"alg": "None"}},
		"no alg":                        {key, object{"alg": nil}},
		"alg as list":                   {key, object{"alg": []string{"ES256"}}},
		"alg in another case":           {key, object{"alg": "es256"}},
		"an algorithm not configured":   {key, object{"alg": "PS256"}},
		"an algorithm of another type":  {key, object{"alg": "RS256"}},
		"an algorithm of another curve": {key, object{"alg": "ES384"}},
		"ES256 for a P-384 key":         {key, object{"kid": "p384"}},
		"ES256 for an RSA key":          {key, object{"kid": "r"}},
		"no kid":                        {key, object{"kid": nil}},
		"an empty kid":                  {key, object{"kid": ""}},
		"kid as number":                 {key, object{"kid": 1}},
		"a kid that is too long":        {key, object{"kid": strings.Repeat("k", maxKeyIDBytes+1)}},
		"an unknown kid":                {stranger, nil},
		"a kid that is a path":          {key, object{"kid": "../../dev/null"}},
		"a key for encryption":          {enc, nil},
		"an embedded key":               {stranger, object{"jwk": stranger.public()}},
		"an embedded key beside a kid":  {stranger, object{"kid": "k", "jwk": stranger.public()}},
		"a key at a URL":                {stranger, object{"kid": "k", "jku": "https://evil.example/jwks"}},
		"a certificate at a URL":        {stranger, object{"kid": "k", "x5u": "https://evil.example/cert"}},
		"an embedded certificate":       {stranger, object{"kid": "k", "x5c": []string{"AAAA"}}},
		"jwk null":                      {key, object{"jwk": json.RawMessage("null")}},
		"a critical extension":          {key, object{"crit": []string{"exp"}, "exp": 1}},
		"an empty crit":                 {key, object{"crit": []string{}}},
		"a payload not encoded":         {key, object{"b64": false}},
		"a logout token":                {key, object{"typ": "logout+jwt"}},
		"a proof of possession":         {key, object{"typ": "dpop+jwt"}},
		"typ as number":                 {key, object{"typ": 1}},
		"typ empty":                     {key, object{"typ": ""}},
	} {
		t.Run(name, func(t *testing.T) {
			header := test.by.header(test.header)
			signed := testkit.SignToken(test.by.header(nil), goodClaims(nil), test.by.private)
			// The signature is good for the header that is sent, but for the algorithm.
			input := encode(must(json.Marshal(header))) + "." + strings.Split(signed, ".")[1]
			token := input + "." + encode(signES256(test.by, input))
			_, err := a.Authenticate(request("", "Bearer "+token))
			wantCode(t, err, CodeTokenInvalid)
		})
	}
	for _, typ := range []any{nil, "JWT", "jwt", "at+jwt", "application/at+JWT"} {
		token := testkit.SignToken(key.header(object{"typ": typ}), goodClaims(nil), key.private)
		if _, err := a.Authenticate(request("", "Bearer "+token)); err != nil {
			t.Errorf("typ %v: %v", typ, err)
		}
	}
}

func signES256(s signer, input string) []byte {
	r, v := rsOf(s, input)
	return fixed(r, v)
}

func rsOf(s signer, input string) (r, v *big.Int) {
	sum := sha256.Sum256([]byte(input))
	r, v, err := ecdsa.Sign(rand.Reader, s.private.(*ecdsa.PrivateKey), sum[:])
	if err != nil {
		panic(err)
	}
	return r, v
}

func fixed(r, s *big.Int) []byte {
	out := make([]byte, 64)
	r.FillBytes(out[:32])
	s.FillBytes(out[32:])
	return out
}

// (r, s) and (r, n-s) sign the same. Senders make both, so both verify; nothing may take a signature for an identity.
// Values outside 1..n-1, which have broken verifiers, are refused.
func TestECDSASignatures(t *testing.T) {
	key := newSigner("ES256", "k")
	issuer := startIssuer(t, IssuerConfig{}, newClock(), key.public())
	token := key.token(goodClaims(nil))
	input := token[:strings.LastIndexByte(token, '.')]
	n := elliptic.P256().Params().N
	zero, one, big2 := new(big.Int), big.NewInt(1), new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
	for range 8 {
		r, s := rsOf(key, input)
		for name, high := range map[string]*big.Int{"as made": s, "the other": new(big.Int).Sub(n, s)} {
			who, err := issuer.Verify(t.Context(), input+"."+encode(fixed(r, high)))
			if err != nil || who.Subject != "u-1" {
				t.Errorf("%s: got %v, %v", name, who, err)
			}
		}
	}
	r, s := rsOf(key, input)
	der := must(key.private.Sign(rand.Reader, make([]byte, 32), nil))
	for name, signature := range map[string][]byte{
		"zeros":          fixed(zero, zero),
		"r zero":         fixed(zero, s),
		"s zero":         fixed(r, zero),
		"n and n":        fixed(n, n),
		"r is n":         fixed(n, s),
		"s is n":         fixed(r, n),
		"r is 1, s is n": fixed(one, n),
		"the greatest":   fixed(big2, big2),
		"swapped":        fixed(s, r),
		"empty":          {},
		"half":           fixed(r, s)[:32],
		"a byte short":   fixed(r, s)[:63],
		"a byte more":    append(fixed(r, s), 0),
		"a zero before":  append([]byte{0}, fixed(r, s)...),
		"as ASN.1":       der,
	} {
		_, err := issuer.Verify(t.Context(), input+"."+encode(signature))
		if err == nil {
			t.Errorf("%s was accepted", name)
			continue
		}
		wantCode(t, err, CodeTokenSignature)
	}
}

func TestTokensThatAreTooLongAreNotLookedAt(t *testing.T) {
	clk := newClock()
	key, secret := newSigner("ES256", "k"), newSecret(1)
	issuer := startIssuer(t, IssuerConfig{DropScopes: []string{"BD/P"}}, clk, key.public())
	a := newAuthenticator(t, newLogin(t, clk, secret), issuer)
	padded := func(n int) object { return object{"pad": strings.Repeat("x", n)} }
	fill := 0
	for len(key.token(goodClaims(padded(fill+3)))) <= maxTokenBytes {
		fill += 3
	}
	if _, err := a.Authenticate(request("", "Bearer "+key.token(goodClaims(padded(fill))))); err != nil {
		t.Errorf("%d bytes: %v", len(key.token(goodClaims(padded(fill)))), err)
	}
	for _, r := range []*http.Request{
		request("", "Bearer "+key.token(goodClaims(padded(fill+3)))),
		request("auth=" + mailToken(secret, padded(maxTokenBytes))),
		request("", "Bearer "+strings.Repeat("a", 10<<20)),
		request("", "Bearer "+strings.Repeat(".", 1<<20)),
	} {
		_, err := a.Authenticate(r)
		wantCode(t, err, CodeTokenInvalid)
		if !errors.Is(err, errTokenTooLong) {
			t.Errorf("it was looked at: %v", err)
		}
	}
	if _, err := issuer.Verify(t.Context(), strings.Repeat("a", maxTokenBytes+1)); !errors.Is(err, errTokenTooLong) {
		t.Errorf("by the issuer itself: %v", err)
	}
}

// One token has one spelling: what a lenient decoder would take for the same is refused.
func TestSpellingsThatAreRefused(t *testing.T) {
	clk := newClock()
	key, secret := newSigner("ES256", "k"), newSecret(1)
	issuer := startIssuer(t, IssuerConfig{DropScopes: []string{"BD/P"}}, clk, key.public())
	login := newLogin(t, clk, secret)
	for kind, verify := range map[string]func(string) error{
		"bearer": func(s string) error { _, err := issuer.Verify(t.Context(), s); return err },
		"mail":   func(s string) error { _, err := login.Verify(s); return err },
	} {
		good := key.token(goodClaims(nil))
		if kind == "mail" {
			good = mailToken(secret, nil)
		}
		parts := strings.Split(good, ".")
		jsonForm := must(json.Marshal(object{"protected": parts[0], "payload": parts[1], "signature": parts[2]}))
		for name, token := range map[string]string{
			"empty":                     "",
			"dots":                      "..",
			"two parts":                 parts[0] + "." + parts[1],
			"four parts":                good + ".",
			"five parts":                good + ".a.b",
			"no claims":                 parts[0] + ".." + parts[2],
			"padding":                   good + "==",
			"a line break":              parts[0] + "." + parts[1] + "\n." + parts[2],
			"a line break at the end":   good + "\n",
			"a space":                   good + " ",
			"standard base64":           parts[0] + "." + parts[1] + "." + "+/" + parts[2][2:],
			"the JSON form":             string(jsonForm),
			"NUL":                       good + "\x00",
			"a header that is no JSON":  encode([]byte("{")) + "." + parts[1] + "." + parts[2],
			"a header that is null":     encode([]byte("null")) + "." + parts[1] + "." + parts[2],
			"a header that is a list":   encode([]byte("[]")) + "." + parts[1] + "." + parts[2],
			"claims that are null":      parts[0] + "." + encode([]byte("null")) + "." + parts[2],
			"claims that are a string":  parts[0] + "." + encode([]byte(`"x"`)) + "." + parts[2],
			"claims with a second text": parts[0] + "." + encode([]byte(`{}{}`)) + "." + parts[2],
			"deep nesting":              parts[0] + "." + encode([]byte(strings.Repeat("[", 5000))) + "." + parts[2],
		} {
			t.Run(kind+", "+name, func(t *testing.T) { wantCode(t, verify(token), CodeTokenInvalid) })
		}
		// Stray bits after the last whole byte.
		last := strings.LastIndexByte(good, '.')
		if stray := strayBits(good[last+1:]); stray != "" {
			wantCode(t, verify(good[:last+1]+stray), CodeTokenInvalid)
		}
	}
}

// strayBits changes the bits of the last character that no byte is made of.
func strayBits(segment string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if len(segment)%4 == 0 {
		return ""
	}
	last := strings.IndexByte(alphabet, segment[len(segment)-1])
	return segment[:len(segment)-1] + string(alphabet[last|1])
}

// The mail scope opens what was mailed to a citizen, and only the mail proves the address.
func TestTheMailScopeComesFromMailAlone(t *testing.T) {
	clk := newClock()
	key, secret := newSigner("ES256", "k"), newSecret(1)
	config := IssuerConfig{DropScopes: []string{"BD/P"}, ScopeMap: map[string]string{"citizen": "BD/P"}, ScopeClaims: []string{"scopes", "scope", "realm_access.roles", "resource_access.x.roles"}}
	a := newAuthenticator(t, newLogin(t, clk, secret), startIssuer(t, config, clk, key.public()))
	for name, c := range map[string]object{
		"scopes": {"scopes": []string{"BD/P"}}, "scope": {"scope": "BD/P"}, "mapped": {"scope": "citizen"},
		"realm": {"realm_access": object{"roles": []string{"BD/P"}}}, "client": {"resource_access": object{"x": object{"roles": []string{"BD/P"}}}},
	} {
		for range 2 {
			who, err := a.Authenticate(request("", "Bearer "+key.token(goodClaims(c))))
			if err != nil || who.HasScope("BD/P") {
				t.Errorf("%s: got %v, %v", name, who, err)
			}
		}
	}
	if who, err := a.Authenticate(request("auth=" + mailToken(secret, nil))); err != nil || !who.HasScope("BD/P") {
		t.Errorf("by mail: got %v, %v", who, err)
	}
}

// What was verified in one place is not known in another: the memories of the two kinds are apart.
func TestAVerifiedMailTokenIsNoBearerToken(t *testing.T) {
	clk := newClock()
	key, secret := newSigner("ES256", "k"), newSecret(1)
	a := newAuthenticator(t, newLogin(t, clk, secret), startIssuer(t, IssuerConfig{DropScopes: []string{"BD/P"}}, clk, key.public()))
	mail, bearer := mailToken(secret, nil), key.token(goodClaims(nil))
	for range 2 {
		if who, err := a.Authenticate(request("auth=" + mail)); err != nil || who.Kind != principal.MailLogin {
			t.Fatal(who, err)
		}
		if who, err := a.Authenticate(request("", "Bearer "+bearer)); err != nil || who.Kind != principal.Bearer {
			t.Fatal(who, err)
		}
		_, err := a.Authenticate(request("", "Bearer "+mail))
		wantCode(t, err, CodeTokenInvalid)
		_, err = a.Authenticate(request("auth=" + bearer))
		wantCode(t, err, CodeTokenInvalid)
	}
}

// Many requests share one principal: what one of them appends to its scopes must not be seen by another.
func TestSharedScopesHaveNoRoomToGrow(t *testing.T) {
	key := newSigner("ES256", "k")
	issuer := startIssuer(t, IssuerConfig{}, newClock(), key.public())
	who, err := issuer.Verify(t.Context(), key.token(goodClaims(object{"scope": "a b c d a"})))
	if err != nil || len(who.Scopes) != 5 || cap(who.Scopes) != len(who.Scopes) {
		t.Errorf("got %v with room for %d, %v", who, cap(who.Scopes), err)
	}
}

// A refusal tells the caller one of a few sentences, and the log nothing that could be used again.
func TestRefusalsHoldNoToken(t *testing.T) {
	clk := newClock()
	key, secret := newSigner("ES256", "k"), newSecret(1)
	a := newAuthenticator(t, newLogin(t, clk, secret), startIssuer(t, IssuerConfig{DropScopes: []string{"BD/P"}}, clk, key.public()))
	for _, token := range []string{
		key.token(goodClaims(object{"exp": 1})), spoiled(key.token(goodClaims(nil))), key.token(goodClaims(object{"typ": "ID"})),
		newSigner("ES256", "x").token(goodClaims(nil)), mailToken(secret, object{"scopes": []string{"BD/X"}}), mailToken(newSecret(2), nil), "abc.def.ghi",
	} {
		for _, r := range []*http.Request{request("", "Bearer "+token), request("auth=" + token)} {
			_, err := a.Authenticate(r)
			if err == nil {
				t.Fatalf("%s was accepted", token)
			}
			for _, part := range strings.Split(token, ".") {
				if strings.Contains(err.Error(), part) || strings.Contains(problem.From(err).Detail, part) {
					t.Errorf("the error holds a part of the token: %v", err)
				}
			}
		}
	}
}

// Ten thousand damaged tokens: each is refused with 401, and none is a surprise.
func TestTenThousandDamagedTokens(t *testing.T) {
	clk := newClock()
	key, secret := newSigner("ES256", "k"), newSecret(1)
	a := newAuthenticator(t, newLogin(t, clk, secret), startIssuer(t, IssuerConfig{DropScopes: []string{"BD/P"}}, clk, key.public()))
	random := mathrand.New(mathrand.NewPCG(1, 2))
	good := []string{key.token(goodClaims(nil)), mailToken(secret, nil)}
	for n := range 10_000 {
		token := damaged(random, good[n%2])
		r := request("", "Bearer "+token)
		if n%4 >= 2 {
			r = request("auth=" + token)
		}
		if _, err := a.Authenticate(r); err == nil || problem.From(err).Status != http.StatusUnauthorized || !problem.From(err).Denial {
			t.Fatalf("%q: got %v", token, err)
		}
	}
}

// damaged changes, cuts out or adds a few bytes; never to the token itself.
func damaged(random *mathrand.Rand, token string) string {
	for {
		bytes := []byte(token)
		for range 1 + random.IntN(3) {
			at := random.IntN(len(bytes))
			switch random.IntN(3) {
			case 0:
				bytes[at] = byte(0x21 + random.IntN(0x5e))
			case 1:
				bytes = append(bytes[:at], bytes[at+1:]...)
			default:
				bytes = append(bytes[:at], append([]byte{byte(0x21 + random.IntN(0x5e))}, bytes[at:]...)...)
			}
		}
		// In a query these would end the token, or spell the same one.
		if s := string(bytes); s != token && !strings.ContainsAny(s, "&%+") {
			return s
		}
	}
}
