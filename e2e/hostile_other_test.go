package e2e_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

func gzipOf(t *testing.T, content string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// strangers are files that are no pictures to us, though libvips, as Debian builds it, has a loader for many of them.
// Each is named as a picture.
func strangers(t *testing.T) []hostile {
	const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64" fill="red"/><image href="file:///etc/passwd"/></svg>`
	pad := strings.Repeat("\x00", 4096)
	files := map[string]any{
		"a file of nothing":               "",
		"a file of one byte":              "\xff",
		"a file of two bytes":             "\xff\xd8",
		"zeros":                           pad,
		"an SVG":                          svg,
		"an SVG behind a byte order mark": "\xef\xbb\xbf" + svg,
		"an SVG in UTF-16":                utf16(svg),
		"an SVG behind a declaration":     `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>`,
		"an SVG of a billion laughs":      `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><svg>&b;</svg>`,
		"an SVG behind 3000 blanks":       strings.Repeat(" ", 3000) + svg,
		"an SVG in gzip":                  gzipOf(t, svg),
		"a drawing for ImageMagick":       "push graphic-context\nviewbox 0 0 64 64\nimage over 0,0 0,0 'https://example.org/x'\npop graphic-context\n",
		"a script for ImageMagick":        `<?xml version="1.0"?><image><read filename="/etc/passwd"/><write filename="/tmp/x"/></image>`,
		"a picture of ImageMagick":        "id=ImageMagick version=1.0\nclass=DirectClass columns=9 rows=9\n\f\n:\x1a" + pad,
		"an address for ImageMagick":      "label:@/etc/passwd",
		"PostScript":                      "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n(/etc/passwd) (r) file\n",
		"PostScript with a preview":       "\xc5\xd0\xd3\xc6\x1e\x00\x00\x00" + pad,
		"a Radiance picture":              "#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 8 +X 8\n" + pad,
		"a bitmap of Netpbm":              "P4\n64 64\n" + pad,
		"a greymap of Netpbm":             "P5\n64 64\n255\n" + pad,
		"a pixmap of Netpbm":              "P6\n64 64\n255\n" + pad,
		"a pixmap in letters":             "P3\n2 2\n255\n" + strings.Repeat("0 ", 400),
		"a floating pixmap":               "PF\n64 64\n-1.0\n" + pad,
		"a PAM of Netpbm":                 "P7\nWIDTH 64\nHEIGHT 64\nDEPTH 1\nMAXVAL 255\nENDHDR\n" + pad,
		"a FITS picture":                  fmt.Sprintf("%-80s%-80s%-80s%-80s%-80s%-80s", "SIMPLE  =                    T", "BITPIX  =                    8", "NAXIS   =                    2", "NAXIS1  =                   64", "NAXIS2  =                   64", "END") + strings.Repeat(" ", 2400) + pad,
		"a Matlab file":                   "MATLAB 5.0 MAT-file, Platform: GLNXA64" + strings.Repeat(" ", 86) + "\x00\x01IM" + pad,
		"a table":                         "1,2,3\n4,5,6\n7,8,9\n",
		"a picture of libvips":            "\x08\xf2\xa6\xb6" + pad,
		"a picture of libvips, reversed":  "\xb6\xa6\xf2\x08" + pad,
		"an OpenEXR picture":              "\x76\x2f\x31\x01\x02\x00\x00\x00" + pad,
		"a NIfTI volume":                  "\x5c\x01\x00\x00" + strings.Repeat("\x00", 340) + "n+1\x00" + pad,
		"an Analyze header":               "\x00\x00\x01\x5c" + strings.Repeat("\x00", 344),
		"a slide of Hamamatsu":            "[Virtual Microscope Specimen]\nNoLayers=1\nImageFile=../../etc/passwd\n",
		"a slide of MIRAX":                "[GENERAL]\nSLIDE_VERSION = 01.02\nINDEXFILE = /etc/passwd\n",
		"a DICOM file":                    strings.Repeat("\x00", 128) + "DICM" + pad,
		"a BMP":                           "BM\x36\x30\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00\x40\x00\x00\x00\x40\x00\x00\x00\x01\x00\x18\x00" + pad,
		"an icon":                         "\x00\x00\x01\x00\x01\x00\x10\x10\x00\x00\x01\x00\x20\x00" + pad,
		"a Photoshop file":                "8BPS\x00\x01" + pad,
		"a Windows metafile":              "\xd7\xcd\xc6\x9a\x00\x00" + pad,
		"a PCX":                           "\x0a\x05\x01\x08" + pad,
		"an XPM":                          "/* XPM */\nstatic char *x[] = {\n\"1 1 1 1\",\n\"a c #ff0000\",\n\"a\"};\n",
		"an XBM":                          "#define x_width 8\n#define x_height 8\nstatic char x_bits[] = { 0x00 };\n",
		"a QOI":                           "qoif\x00\x00\x00\x40\x00\x00\x00\x40\x03\x00" + pad,
		"an MNG":                          "\x8aMNG\r\n\x1a\n" + pad,
		"a DjVu":                          "AT&TFORM\x00\x00\x10\x00DJVU" + pad,
		"HEIF that is not allowed":        "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + pad,
		"AVIF that is not allowed":        "\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf" + pad,
		"JPEG XL that is not allowed":     "\xff\x0a\x7f\x7f\x7f\x7f" + pad,
		"a program for Linux":             "\x7fELF\x02\x01\x01" + pad,
		"a program for Windows":           "MZ\x90\x00\x03\x00\x00\x00" + pad,
		"a shell script":                  "#!/bin/sh\ncat /etc/passwd\n",
		"a web page":                      "<!DOCTYPE html><html><script>alert(1)</script><svg/></html>",
		"an archive":                      zipOf(t),
		"an archive of another kind":      "7z\xbc\xaf\x27\x1c" + pad,
		"a database":                      "SQLite format 3\x00" + pad,
		"a PDF behind a letter":           "Dear all,\n%PDF-1.4\n",
		"a PNG that was translated":       "\x89PNG\n\x1a\n" + pad,
		"a JPEG behind a byte":            joined("\x00", testkit.JPEG(t, 64, 64)),
		"a name that is a path":           "../../../etc/passwd\n",
	}
	var out []hostile
	for what, data := range files {
		out = append(out, hostile{what: what, ext: ".jpg", data: joined(data), end: stands})
	}
	return append(out,
		hostile{what: "an SVG named so", ext: ".svg", data: []byte(svg), end: stands},
		hostile{what: "an SVG named as a PNG", ext: ".png", data: []byte(svg), end: stands},
		hostile{what: "a pixmap named so", ext: ".ppm", data: []byte("P6\n64 64\n255\n" + pad), end: stands},
		hostile{what: "a table named so", ext: ".csv", data: []byte("1,2\n3,4\n"), end: stands},
		hostile{what: "raw pixels", ext: ".raw", data: bytes.Repeat([]byte{0x80, 0x01}, 4096), end: stands},
	)
}

func utf16(text string) []byte {
	out := []byte{0xFF, 0xFE}
	for _, c := range []byte(text) {
		out = append(out, c, 0)
	}
	return out
}
