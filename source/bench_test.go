package source_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/source"
)

func ExampleNew() {
	spool, err := source.NewSpool(source.SpoolConfig{Dir: "/var/lib/gatehouse/spool", MaxBytes: 1 << 30}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	archive, err := source.New(&source.HTTPConfig{
		Base:   "https://edepot.example.org/rest/",
		Remote: source.Remote{Timeout: 10 * time.Second, NameVariants: true},
	}, source.Deps{Spool: spool})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = archive.Close() }()
	_, err = archive.Open(context.Background(), "../secret")
	fmt.Println(err)
	// Output:
	// source_not_found: No source file could be found: original not found
	// unusable path: it holds a dot segment
}

// What one tile of an original costs before any pixel is touched.
func BenchmarkTile(b *testing.B) {
	folder := newFolder(b)
	folder.Put(b, "x.tif", testBytes(9<<20))
	sources := map[string]source.Source{
		"folder":  folder.Open(b, false),
		"ranged":  newArchive(b, testBytes(9<<20)).open(b, source.HTTPConfig{}, source.Deps{}),
		"spooled": newArchive(b, testBytes(1<<20)).open(b, source.HTTPConfig{}, source.Deps{}),
	}
	for name, s := range sources {
		b.Run(name, func(b *testing.B) {
			tile := make([]byte, 20_000)
			for b.Loop() {
				o, err := s.Open(b.Context(), "x.tif")
				if err != nil {
					b.Fatal(err)
				}
				if o.Info().Size == 0 {
					b.Fatal("it is empty")
				}
				if _, err := o.ReadAt(b.Context(), tile, 700_000); err != nil {
					b.Fatal(err)
				}
				_ = o.Close()
			}
		})
	}
}
