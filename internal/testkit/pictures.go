package testkit

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit/pictures"
)

// JPEG is a baseline JPEG of a test card: every pixel tells where it was.
func JPEG(t testing.TB, width, height int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, pictures.Card(width, height), &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// PNG is the same test card as a PNG.
func PNG(t testing.TB, width, height int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, pictures.Card(width, height)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// PyramidTIFF is the test card as a tiled TIFF with JPEG tiles of 256 x 256 and all smaller levels behind it.
func PyramidTIFF(t testing.TB, width, height int) []byte {
	t.Helper()
	data, err := pictures.Pyramid(pictures.Parts(pictures.Card(width, height)), 256)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// MultiPageTIFF is a TIFF of pages in strips: page n, from 1, is a test card whose sides are divided by n.
func MultiPageTIFF(t testing.TB, width, height, pages int) []byte {
	t.Helper()
	all := make([]image.Image, pages)
	for i := range all {
		all[i] = pictures.Card(width/(i+1), height/(i+1))
	}
	data, err := pictures.Pages(all...)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
