package authn

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// FuzzAuthenticate wants that nothing but a token whose signature another implementation verifies makes a principal, and
// that everything else is a 401.
func FuzzAuthenticate(f *testing.F) {
	clk := newClock()
	key, secret := newSigner("ES256", "k"), newSecret(1)
	a := newAuthenticator(f, newLogin(f, clk, secret),
		startIssuer(f, IssuerConfig{Name: "named", Issuer: "https://city", DropScopes: []string{"BD/P"}}, clk, key.public()),
		startIssuer(f, IssuerConfig{Name: "open", DropScopes: []string{"BD/P"}}, clk, key.public()))
	good, mail := key.token(goodClaims(nil)), mailToken(secret, nil)
	for _, s := range []struct{ header, query string }{
		{"", ""}, {"", "auth=" + mail}, {"Bearer " + good, ""}, {"Bearer " + mail, "auth=" + good},
		{"Bearer " + key.token(goodClaims(object{"iss": "https://city", "scopes": "BD/P BD/X"})), "auth=" + mail},
		{"Bearer " + testkit.SignToken(object{"alg": "none", "kid": "k"}, goodClaims(nil), nil), "auth=&auth"},
		{"Bearer a.b.c", "auth=%zz"}, {"Basic YTpi", "a;b&%61uth=x"}, {"Bearer e30.e30.e30", "auth=e30.e30."},
	} {
		f.Add(s.header, s.query)
	}
	f.Fuzz(func(t *testing.T, header, query string) {
		r := request(query)
		if header != "" {
			r.Header["Authorization"] = []string{header}
		}
		who, err := a.Authenticate(r)
		if err != nil {
			if e := problem.From(err); e.Status != http.StatusUnauthorized || !e.Denial || who != nil {
				t.Fatalf("got %v, %v", who, err)
			}
			return
		}
		switch who.Kind {
		case principal.Anonymous:
			if header != "" {
				t.Fatalf("the header %q was passed over", header)
			}
		case principal.Bearer:
			if who.HasScope("BD/P") || !signedES256(key, strings.Trim(header[len("Bearer "):], " ")) {
				t.Fatalf("%q gives %+v", header, who)
			}
		case principal.MailLogin:
			raw, queryErr := queryToken(query)
			if header != "" || queryErr != nil || !signedHS256(secret, raw) || !slices.Equal(who.Scopes, []string{"BD/P"}) {
				t.Fatalf("%q gives %+v", query, who)
			}
		default:
			t.Fatalf("got %+v", who)
		}
	})
}

// signedES256 verifies with the standard library alone.
func signedES256(key signer, token string) bool {
	dot := strings.LastIndexByte(token, '.')
	signature, err := decodeSegment(token[dot+1:])
	if dot < 0 || err != nil || len(signature) != 64 {
		return false
	}
	sum := sha256.Sum256([]byte(token[:dot]))
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	return ecdsa.Verify(&key.private.(*ecdsa.PrivateKey).PublicKey, sum[:], r, s)
}

func signedHS256(secret []byte, token string) bool {
	dot := strings.LastIndexByte(token, '.')
	signature, err := decodeSegment(token[dot+1:])
	if dot < 0 || err != nil {
		return false
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(token[:dot]))
	return hmac.Equal(mac.Sum(nil), signature)
}

// FuzzKeySet wants that whatever a provider publishes becomes public keys of configured types, or an error.
func FuzzKeySet(f *testing.F) {
	rsaPublic, ec := newSigner("RS256", "r").public(), newSigner("ES256", "e")
	f.Add(document(rsaPublic, ec.public(), newSigner("ES384", "3").public(), newSigner("ES512", "5").public(), newSigner("EdDSA", "d").public()))
	f.Add(document(object{"kty": "oct", "k": "AAAA", "kid": "s"}, jwkObject(ec.private, object{"kid": "p"})))
	f.Add(document(merged(ec.public(), object{"use": "enc", "alg": "ES256", "key_ops": []string{"verify"}, "x5c": []string{"AAAA"}})))
	f.Add(document(merged(ec.public(), object{"y": "AA"}), merged(rsaPublic, object{"e": "Aw"})))
	f.Add([]byte(`{"keys":[null,1,"x",{},[]]}`))
	f.Add([]byte("<html>"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		ring, err := parseKeyring(doc, asymmetricAlgorithms())
		if err != nil {
			return
		}
		if len(ring.byID) == 0 || len(ring.byID) > maxKeys {
			t.Fatalf("%d kids", len(ring.byID))
		}
		for id, keys := range ring.byID {
			for _, key := range keys {
				allowed := algorithmsOf(key.public)
				if id == "" || len(key.algorithms) == 0 || len(allowed) == 0 {
					t.Fatalf("%q is a %T for %v", id, key.public, key.algorithms)
				}
				for _, name := range key.algorithms {
					if !slices.Contains(allowed, name) {
						t.Fatalf("a %T for %s", key.public, name)
					}
				}
				// A key that was taken must be one that verifying does not stumble over.
				token := &token{raw: "e30.e30.AAAA", algorithm: key.algorithms[0]}
				if token.verify(key.public) == nil {
					t.Fatal("it verifies nonsense")
				}
			}
		}
	})
}

// FuzzClaims wants that no claims and no path are a surprise, and that only strings of the document come out.
func FuzzClaims(f *testing.F) {
	for _, s := range []struct{ doc, path string }{
		{`{"realm_access":{"roles":["BD/R"]}}`, "realm_access.roles"},
		{`{"resource_access":{"my.client":{"roles":["a","b"]}}}`, "resource_access.my.client.roles"},
		{`{"scope":"a b  c","exp":1.5e9,"nbf":-1,"aud":["x",1]}`, "scope"},
		{`{"a":{"a":{"a":"x"}},"a.a":{"a":1},"a.a.a":null}`, "a.a.a"},
		{`{"exp":"1","iat":1e400,"sub":5,"email":"a@b"}`, "...."},
	} {
		f.Add(s.doc, s.path)
	}
	f.Fuzz(func(t *testing.T, doc, path string) {
		var c claims
		if len(doc) > maxTokenBytes || json.Unmarshal([]byte(doc), &c) != nil {
			return
		}
		texts := make(map[string]bool)
		gather(map[string]any(c), texts)
		for _, value := range c.strings(path) {
			if !texts[value] {
				t.Fatalf("%q is no value of %s", value, doc)
			}
		}
		if ends, err := c.checkTimes(noon); err == nil {
			if ends.Before(noon.Add(-clockSkew)) || c["exp"] == nil {
				t.Fatalf("%s ends at %s", doc, ends)
			}
		} else if problem.From(err).Status != http.StatusUnauthorized {
			t.Fatal(err)
		}
		if address := c.email(); address != "" && strings.ContainsAny(address, " \r\n\x00") {
			t.Fatalf("%q is no address", address)
		}
		_ = c.audiences()
	})
}

// gather notes every string of a document, whole and by its words.
func gather(value any, into map[string]bool) {
	switch v := value.(type) {
	case string:
		into[v] = true
		for _, word := range strings.Fields(v) {
			into[word] = true
		}
	case []any:
		for _, member := range v {
			gather(member, into)
		}
	case map[string]any:
		for _, member := range v {
			gather(member, into)
		}
	}
}
