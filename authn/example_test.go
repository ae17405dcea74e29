package authn_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/gatehouse-server/gatehouse/authn"
	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/internal/problem"
)

func Example() {
	dir, err := os.MkdirTemp("", "authn")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	login, err := authn.NewMailLogin(authn.MailLoginConfig{Secrets: [][]byte{bytes.Repeat([]byte("s"), 32)}}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	config := authn.IssuerConfig{
		Name: "dev", Development: true, SigningKeyFile: filepath.Join(dir, "signing.json"),
		Algorithms: []string{"ES256"}, DropScopes: []string{login.Scope()},
	}
	issuer, err := authn.NewIssuer(config, authn.Dependencies{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := issuer.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	defer issuer.Stop()
	authenticator, err := authn.NewAuthenticator(authn.AuthenticatorConfig{
		Credentials: []principal.Kind{principal.Bearer, principal.MailLogin},
		Issuers:     []*authn.Issuer{issuer},
		MailLogin:   login,
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	staff, _ := authn.DevelopmentToken(config, authn.DevelopmentClaims{Subject: "j.vanderberg", Scopes: []string{"BD/R"}}, nil)
	citizen, _, _ := login.Issue("citizen@example.org")
	for _, credential := range []struct{ header, query string }{
		{},
		{header: "Bearer " + staff},
		{query: "?auth=" + citizen},
		{header: "Bearer wrong", query: "?auth=" + citizen},
	} {
		r := httptest.NewRequest(http.MethodGet, "/iiif/2/edepot:ST_00015~ST00000126_0/info.json"+credential.query, nil)
		if credential.header != "" {
			r.Header.Set("Authorization", credential.header)
		}
		who, err := authenticator.Authenticate(r)
		if err != nil {
			fmt.Println(problem.From(err).Status, problem.From(err).Detail)
			continue
		}
		fmt.Println(who.Kind, who.Subject, who.Scopes)
	}
	// Output:
	// anonymous  []
	// bearer j.vanderberg [BD/R]
	// mail_login citizen@example.org [BD/P]
	// 401 Invalid JWT token
}
