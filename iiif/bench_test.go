package iiif

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkServe is a whole request, less network, source and renderer.
func BenchmarkServe(b *testing.B) {
	h, err := New(Config{Collection: "c"}, &squares{}, nil)
	if err != nil {
		b.Fatal(err)
	}
	for name, path := range map[string]string{
		"info": "/iiif/3/" + squaresID + "/info.json",
		"tile": "/iiif/3/" + squaresID + "/512,0,488,512/488,512/0/default.jpg",
	} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			w := &discard{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				if err := h.ServeHTTP(w, r); err != nil || w.status != http.StatusOK {
					b.Fatal(w.status, err)
				}
			}
		})
	}
}

// discard is a ResponseWriter that keeps no body.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }

func BenchmarkParsePath(b *testing.B) {
	for name, path := range map[string]string{
		"image": "/iiif/2/edepot:ST_00015~ST00000126_0/1024,2048,512,512/256,/0/default.jpg",
		"info":  "/iiif/3/edepot:ST_00015~ST00000126_0/info.json",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := ParsePath("/iiif", path, "auth=x.y.z"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkResolveAndCanonical(b *testing.B) {
	p, err := ParseParams(2, "1024,2048,512,512", "256,", "0", "default.jpg")
	if err != nil {
		b.Fatal(err)
	}
	rules, img := standard(2), Image{Width: 40_000, Height: 30_000, TileWidth: 256, TileHeight: 256}
	b.ReportAllocs()
	for b.Loop() {
		plan, err := rules.Resolve(p, img)
		if err != nil {
			b.Fatal(err)
		}
		_ = rules.Canonical(p, plan, img)
	}
}

func BenchmarkInfo(b *testing.B) {
	rules, img, can := standard(3), Image{Width: 40_000, Height: 30_000, TileWidth: 256, TileHeight: 256}, allCapabilities()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rules.Info("https://archive.example.org/iiif/3/a", img, can, Description{}); err != nil {
			b.Fatal(err)
		}
	}
}

// TestParsingAllocatesNothing: an ordinary tile request costs no garbage before it is decided.
func TestParsingAllocatesNothing(t *testing.T) {
	const path = "/iiif/2/edepot:ST_00015~ST00000126_0/1024,2048,512,512/256,/0/default.jpg"
	allocations := testing.AllocsPerRun(100, func() {
		if _, _, err := ParsePath("/iiif", path, "auth=x.y.z"); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 0 {
		t.Errorf("%v allocations, want none", allocations)
	}
}
