package container

import (
	"bytes"
	"fmt"
	"strconv"
)

const (
	// pointsPerMillimetre: a point is 1/72 inch.
	pointsPerMillimetre = 72 / millimetresPerInch
	// maxPoints is the longest side that readers take (ISO 32000-1 annex C.2).
	maxPoints = 14400
)

// PDF writes a document of one page (ISO 32000-1) around a JPEG: as large as the picture is on paper, or where that is
// not known, a point a pixel.
func PDF(jpeg []byte, p Picture) []byte {
	width, height := float64(p.Width), float64(p.Height)
	if p.Sized() {
		width *= pointsPerMillimetre / p.XRes
		height *= pointsPerMillimetre / p.YRes
	}
	if longest := max(width, height); longest > maxPoints {
		width, height = width*maxPoints/longest, height*maxPoints/longest
	}
	profile, space, bands := Profile(p.Grey), "/DeviceRGB", 3
	if p.Grey {
		space, bands = "/DeviceGray", 1
	}
	content := fmt.Sprintf("q %s 0 0 %s 0 0 cm /I Do Q", points(width), points(height))

	w := pdfWriter{}
	w.out.Grow(len(jpeg) + 2048)
	w.out.WriteString("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n") // four high bytes tell that it is no text
	w.object("<</Type/Catalog/Pages 2 0 R>>", nil)
	w.object("<</Type/Pages/Kids[3 0 R]/Count 1>>", nil)
	w.object(fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 %s %s]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>",
		points(width), points(height)), nil)
	w.object(fmt.Sprintf("<</Length %d>>", len(content)), []byte(content))
	w.object(fmt.Sprintf("<</Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace[/ICCBased 6 0 R]/Filter/DCTDecode/Length %d>>",
		p.Width, p.Height, len(jpeg)), jpeg)
	w.object(fmt.Sprintf("<</N %d/Alternate%s/Length %d>>", bands, space, len(profile)), profile)
	return w.finish()
}

// points writes a length with as many digits as matter.
func points(v float64) string {
	return strconv.FormatFloat(max(v, 0.01), 'f', -1, 32)
}

// pdfWriter writes objects, numbered from 1, and the table that finds them.
type pdfWriter struct {
	out     bytes.Buffer
	offsets []int
}

func (w *pdfWriter) object(dictionary string, stream []byte) {
	w.offsets = append(w.offsets, w.out.Len())
	fmt.Fprintf(&w.out, "%d 0 obj\n%s\n", len(w.offsets), dictionary)
	if stream != nil {
		w.out.WriteString("stream\n")
		w.out.Write(stream)
		w.out.WriteString("\nendstream\n")
	}
	w.out.WriteString("endobj\n")
}

// finish writes the table, whose lines have 20 bytes each (ISO 32000-1 §7.5.4). The first object is the catalog.
func (w *pdfWriter) finish() []byte {
	start := w.out.Len()
	fmt.Fprintf(&w.out, "xref\n0 %d\n0000000000 65535 f \n", len(w.offsets)+1)
	for _, offset := range w.offsets {
		fmt.Fprintf(&w.out, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&w.out, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(w.offsets)+1, start)
	return w.out.Bytes()
}
