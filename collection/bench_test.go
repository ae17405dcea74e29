package collection_test

import (
	"context"
	"testing"

	"github.com/gatehouse-server/gatehouse/collection"
	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// BenchmarkWarmRequest is what one tile of a dossier costs before its original is opened: the identifier, metadata
// that is still fresh, the decision, and the place of the original.
func BenchmarkWarmRequest(b *testing.B) {
	server := testkit.NewMetadataServer(b, simple("PUBLIC", "PUBLIC", "N"))
	config := bouwdossiers(server.URL())
	config.Metadata.Fresh = 1 << 62
	c := newCollection(b, config, collection.Deps{})
	policy, who := policyOf(b, c), reader()
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		lookup := c.Lookup(simpleIdentifier)
		d, err := policy.Decide(ctx, who, request(), lookup)
		if err != nil || !d.Allowed() {
			b.Fatal(d, err)
		}
		if _, err := lookup.Item(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
