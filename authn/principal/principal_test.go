package principal_test

import (
	"fmt"
	"testing"

	"github.com/gatehouse-server/gatehouse/authn/principal"
)

func TestWhoIsAnonymous(t *testing.T) {
	var none *principal.Principal
	for name, test := range map[string]struct {
		who  *principal.Principal
		want bool
	}{
		"nobody":       {principal.Nobody(), true},
		"nil":          {none, true},
		"the zero one": {&principal.Principal{}, true},
		"a bearer":     {&principal.Principal{Kind: principal.Bearer}, false},
		"a mail login": {&principal.Principal{Kind: principal.MailLogin}, false},
	} {
		if got := test.who.Anonymous(); got != test.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

func TestHasScope(t *testing.T) {
	who := &principal.Principal{Kind: principal.Bearer, Scopes: []string{"BD/R", "BD/X"}}
	for scope, want := range map[string]bool{"BD/R": true, "BD/X": true, "BD/P": false, "BD": false, "bd/r": false, "": false} {
		if got := who.HasScope(scope); got != want {
			t.Errorf("%q: got %t", scope, got)
		}
	}
	var none *principal.Principal
	if none.HasScope("BD/R") || principal.Nobody().HasScope("BD/R") {
		t.Error("nobody has a scope")
	}
}

func TestTheContextTellsWhetherAnybodyLooked(t *testing.T) {
	if who, looked := principal.FromContext(t.Context()); looked || who != nil {
		t.Errorf("got %v, %t", who, looked)
	}
	ctx := principal.NewContext(t.Context(), principal.Nobody())
	if who, looked := principal.FromContext(ctx); !looked || !who.Anonymous() {
		t.Errorf("got %v, %t", who, looked)
	}
}

func ExamplePrincipal_HasScope() {
	who := &principal.Principal{Kind: principal.Bearer, Subject: "u-1", Scopes: []string{"BD/R"}}
	fmt.Println(who.HasScope("BD/R"), who.HasScope("BD/X"))
	// Output: true false
}
