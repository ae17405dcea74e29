package originals

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"image"
)

// pdfSize is the picture's size in points at pdfDPI, which is what a server takes unless it is told otherwise.
const (
	pdfWidth  = Width * 72 / pdfDPI
	pdfHeight = Height * 72 / pdfDPI
	pdfDPI    = 150
)

// pdfs are pages of one document: upright, turned either way, and with more around the picture than is to be seen.
func pdfs() []Kind {
	var kinds []Kind
	pages := []struct{ name, attributes, place string }{
		{"pdf page 1", fmt.Sprintf("/MediaBox [0 0 %d %d]", pdfWidth, pdfHeight), fmt.Sprintf("%d 0 0 %d 0 0", pdfWidth, pdfHeight)},
		{"pdf page 2, turned by 90", fmt.Sprintf("/MediaBox [0 0 %d %d] /Rotate 90", pdfHeight, pdfWidth), fmt.Sprintf("%d 0 0 %d 0 0", pdfHeight, pdfWidth)},
		{"pdf page 3, turned by 270", fmt.Sprintf("/MediaBox [0 0 %d %d] /Rotate 270", pdfHeight, pdfWidth), fmt.Sprintf("%d 0 0 %d 0 0", pdfHeight, pdfWidth)},
		{"pdf page 4, turned by 180", fmt.Sprintf("/MediaBox [0 0 %d %d] /Rotate 180", pdfWidth, pdfHeight), fmt.Sprintf("%d 0 0 %d 0 0", pdfWidth, pdfHeight)},
		{
			"pdf page 5, cropped", fmt.Sprintf("/MediaBox [-20 -30 900 800] /CropBox [50 60 %d %d]", 50+pdfWidth, 60+pdfHeight),
			fmt.Sprintf("%d 0 0 %d 50 60", pdfWidth, pdfHeight),
		},
	}
	// For each page the orientation in which the picture has to lie there.
	orientations := []int{1, 6, 8, 3, 1}
	document := func(*workshop) []byte {
		d := &pdfDocument{}
		for i, p := range pages {
			d.page(p.attributes, p.place, unturned(picture(), orientations[i]))
		}
		return d.finish()
	}
	for i, p := range pages {
		kinds = append(kinds, Kind{
			Name: p.name, File: "pages.pdf", Format: "pdf", Page: i + 1, Pages: len(pages), Private: true, make: document,
			// The renderer of pages may place the picture a fraction of a pixel beside the grid.
			Tolerance: Tolerance{Max: 2, Mean: 0.1},
		})
	}
	return kinds
}

// pdfDocument writes pages with one picture each (PDF 1.4). Objects 1 to 4 are the catalogue, the list of pages, what
// is known of the document, and the same as XMP.
type pdfDocument struct {
	objects []string
	kids    string
}

func (d *pdfDocument) page(attributes, place string, m *image.RGBA) {
	pixels := deflate(func(z *zlib.Writer) {
		row := make([]byte, 0, 3*m.Rect.Dx())
		for i := 0; i < len(m.Pix); i += 4 {
			if row = append(row, m.Pix[i:i+3]...); len(row) == 3*m.Rect.Dx() {
				_, _ = z.Write(row)
				row = row[:0]
			}
		}
	})
	n := 5 + len(d.objects)
	content := "q " + place + " cm /Im Do Q"
	d.objects = append(d.objects,
		fmt.Sprintf("<< /Type /Page /Parent 2 0 R %s /Resources << /XObject << /Im %d 0 R >> >> /Contents %d 0 R >>", attributes, n+2, n+1),
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(content), content),
		fmt.Sprintf("<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8 "+
			"/Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream", m.Rect.Dx(), m.Rect.Dy(), len(pixels), pixels),
	)
	d.kids += fmt.Sprintf("%d 0 R ", n)
}

func (d *pdfDocument) finish() []byte {
	xmp := xmpPacket()
	objects := append([]string{
		"<< /Type /Catalog /Pages 2 0 R /Metadata 4 0 R >>",
		fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", d.kids, len(d.objects)/3),
		fmt.Sprintf("<< /Author (%s) /Subject (%s) /Title (%s) >>", secretArtist, secretComment, secretInfo),
		fmt.Sprintf("<< /Type /Metadata /Subtype /XML /Length %d >>\nstream\n%s\nendstream", len(xmp), xmp),
	}, d.objects...)
	var out bytes.Buffer
	out.WriteString("%PDF-1.4\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = out.Len()
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	table := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&out, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&out, "trailer\n<< /Size %d /Root 1 0 R /Info 3 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table)
	return out.Bytes()
}
