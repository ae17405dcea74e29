package pictures_test

import (
	"bytes"
	"fmt"
	"image/color"
	"regexp"
	"strconv"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit/pictures"
)

func TestPDFFindsItsObjects(t *testing.T) {
	data := pictures.PDF(
		pictures.PDFPage{Width: 72, Height: 144, Color: color.RGBA{R: 255, A: 255}},
		pictures.PDFPage{Width: 144, Height: 72, Color: color.RGBA{G: 255, A: 255}},
	)
	if !bytes.HasPrefix(data, []byte("%PDF-1.4\n")) || !bytes.HasSuffix(data, []byte("%%EOF\n")) {
		t.Error("it neither begins nor ends like a PDF")
	}
	offsets := regexp.MustCompile(`(?m)^(\d{10}) 00000 n $`).FindAllSubmatch(data, -1)
	if len(offsets) != 6 {
		t.Fatalf("%d objects", len(offsets))
	}
	for i, m := range offsets {
		at, _ := strconv.Atoi(string(m[1]))
		if want := fmt.Sprintf("%d 0 obj\n", i+1); !bytes.HasPrefix(data[at:], []byte(want)) {
			t.Errorf("object %d is not at %d", i+1, at)
		}
	}
	start := regexp.MustCompile(`startxref\n(\d+)\n`).FindSubmatch(data)
	if at, _ := strconv.Atoi(string(start[1])); !bytes.HasPrefix(data[at:], []byte("xref\n")) {
		t.Error("the table is not where startxref says")
	}
	for _, part := range []string{"/Count 2", "/MediaBox [0 0 72 144]", "/MediaBox [0 0 144 72]", "0.000 1.000 0.000 rg"} {
		if !bytes.Contains(data, []byte(part)) {
			t.Errorf("%q is missing", part)
		}
	}
}
