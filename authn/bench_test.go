package authn

import (
	"fmt"
	"testing"
)

// BenchmarkAuthenticate tells what the question who asks costs on each request: of a viewer's stream of tiles with one
// token, which is remembered, and of first requests.
func BenchmarkAuthenticate(b *testing.B) {
	clk := newClock()
	secret := newSecret(1)
	login := newLogin(b, clk, secret)
	for _, algorithm := range []string{"RS256", "ES256"} {
		key := newSigner(algorithm, "k")
		a := newAuthenticator(b, login, startIssuer(b, IssuerConfig{DropScopes: []string{"BD/P"}}, clk, key.public()))
		remembered := request("", "Bearer "+key.token(goodClaims(nil)))
		b.Run(algorithm+"/remembered", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := a.Authenticate(remembered); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
		b.Run(algorithm+"/first", func(b *testing.B) {
			t, err := parseToken(key.token(goodClaims(nil)))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				parsed, err := parseToken(t.raw)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := a.issuers[0].verify(b.Context(), parsed, sumOf(fmt.Sprint(n))); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	a := newAuthenticator(b, login)
	mail := request("auth=" + mailToken(secret, nil))
	b.Run("mail/remembered", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := a.Authenticate(mail); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// Each tile of a viewer asks again with the same token: its bytes are copied once, to be hashed.
func TestARememberedTokenCostsOneAllocation(t *testing.T) {
	clk, key := newClock(), newSigner("ES256", "k")
	a := newAuthenticator(t, nil, startIssuer(t, IssuerConfig{}, clk, key.public()))
	r := request("", "Bearer "+key.token(goodClaims(nil)))
	if n := testing.AllocsPerRun(100, func() { _, _ = a.Authenticate(r) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
