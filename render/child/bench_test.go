//go:build linux

package child

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// What a call costs besides its work: one with a file, answered as a tile is.
func BenchmarkCall(b *testing.B) {
	name := filepath.Join(b.TempDir(), "file")
	if err := os.WriteFile(name, pattern(1000), 0o600); err != nil {
		b.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	p := newPool(b, nil)
	call := callOf(Work, order{Do: "bytes", N: 20_000, Text: "x"}, &stored{data: pattern(1000), file: file})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Call(context.Background(), call); err != nil {
			b.Fatal(err)
		}
	}
}
