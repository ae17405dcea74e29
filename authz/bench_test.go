package authz_test

import (
	"context"
	"testing"

	"github.com/gatehouse-server/gatehouse/authz"
)

// BenchmarkDecide measures a policy of the size and kind of the dossier preset, all facts at hand.
func BenchmarkDecide(b *testing.B) {
	c := withRules(
		deny("No token supplied", `principal.anonymous`),
		deny("Invalid scope", `!("BD/X" in principal.scopes || "BD/R" in principal.scopes || principal.kind == "mail_login" && "BD/P" in principal.scopes)`),
		deny("wabo", `principal.kind == "mail_login" && identifier.source == "wabo"`),
		allow(`"BD/X" in principal.scopes`),
		deny("access", `!has(metadata.access) || metadata.access != "PUBLIC"`),
		deny("access", `!has(document.access) || document.access != "PUBLIC"`),
		deny("copyright", `!("BD/R" in principal.scopes) && !(has(document.copyright) && document.copyright in settings.free_copyright)`),
		allow(`true`),
	)
	p := newPolicy(b, c)
	f := &quietFacts{identifier: map[string]string{"source": "edepot"}, metadata: dossier("PUBLIC"), document: map[string]any{"access": "PUBLIC", "copyright": "N"}}
	req := authz.RequestInfo{Identifier: "edepot:ST_1~2_0", Version: "2", Endpoint: "image"}
	for name, scope := range map[string]string{"allowed": "BD/R", "highest": "BD/X", "refused": "none"} {
		b.Run(name, func(b *testing.B) {
			who := bearer(scope)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Decide(context.Background(), who, req, f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDecideLoop measures a rule whose cost is watched because it loops over a list.
func BenchmarkDecideLoop(b *testing.B) {
	p := rules(b, allow(`metadata.groups.exists(g, g in principal.scopes)`))
	f := &quietFacts{metadata: map[string]any{"groups": []any{"a", "b", "c", "staff"}}}
	who := bearer("staff")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Decide(context.Background(), who, authz.RequestInfo{}, f); err != nil {
			b.Fatal(err)
		}
	}
}

type quietFacts struct {
	identifier         map[string]string
	metadata, document any
}

func (f *quietFacts) Identifier(context.Context) (map[string]string, error) { return f.identifier, nil }
func (f *quietFacts) Metadata(context.Context) (any, error)                 { return f.metadata, nil }
func (f *quietFacts) Document(context.Context) (any, error)                 { return f.document, nil }
