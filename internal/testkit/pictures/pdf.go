package pictures

import (
	"bytes"
	"fmt"
	"image/color"
)

// PDFPage is a page of one colour.
type PDFPage struct {
	// Width and Height in points, 1/72 inch.
	Width, Height int
	Color         color.RGBA
}

// PDF writes a document of such pages (PDF 1.4, without compression).
func PDF(pages ...PDFPage) []byte {
	var kids bytes.Buffer
	for i := range pages {
		fmt.Fprintf(&kids, "%d 0 R ", 3+2*i)
	}
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", kids.String(), len(pages)),
	}
	for i, page := range pages {
		share := func(v uint8) float64 { return float64(v) / 255 }
		content := fmt.Sprintf("%.3f %.3f %.3f rg 0 0 %d %d re f", share(page.Color.R), share(page.Color.G), share(page.Color.B), page.Width, page.Height)
		objects = append(objects,
			fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Resources << >> /Contents %d 0 R >>", page.Width, page.Height, 4+2*i),
			fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(content), content),
		)
	}
	var out bytes.Buffer
	out.WriteString("%PDF-1.4\n")
	offsets := make([]int, len(objects))
	for i, object := range objects {
		offsets[i] = out.Len()
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	table := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&out, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&out, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table)
	return out.Bytes()
}
