package vips

import (
	"context"
	"errors"
	"image"
	"os"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit/originals"
	"github.com/gatehouse-server/gatehouse/render"
)

// What libvips alone would show in false colours.
func TestColoursThatTheLibraryOverlooks(t *testing.T) {
	r := newRenderer(t, Config{Loaders: LoaderNames()})
	for _, f := range originals.Write(t, t.TempDir(), originals.Named("tiff lab", "jp2 with wide profile", "jxl lossless")...) {
		o := newLocal(t, must(os.ReadFile(f.Path)))
		if err := f.Tolerance.Check(draw(t, r, o, full(image.Pt(f.Width, f.Height))), f.Want); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
}

// What the library shows in false colours, or calls broken, and nobody mends, is not called a picture.
func TestStrangeTIFFsAreNoPictures(t *testing.T) {
	r := newRenderer(t, Config{})
	for _, f := range originals.Write(t, t.TempDir(), originals.Named("tiff ycbcr", "tiff old jpeg", "tiff tiles of separate planes")...) {
		_, err := r.Describe(context.Background(), newLocal(t, must(os.ReadFile(f.Path))), 0)
		var unsupported *render.UnsupportedError
		if !errors.As(err, &unsupported) || unsupported.Kind != "TIFF" {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
}
