package e2e_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// pdf writes objects, numbered from 1; the first is the catalogue. trailer is what stands in it besides.
func pdf(trailer string, objects ...string) []byte {
	var out bytes.Buffer
	out.WriteString("%PDF-1.7\n")
	offsets := make([]int, len(objects))
	for i, object := range objects {
		offsets[i] = out.Len()
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	start := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&out, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&out, "trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, trailer, start)
	return out.Bytes()
}

const (
	pdfCatalog = "<< /Type /Catalog /Pages 2 0 R >>"
	pdfPages   = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
)

// stream is an object with content.
func stream(dict string, content []byte) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", dict, len(content), content)
}

// pdfPage is a document of one page with a box, resources and content; more objects begin with number 5.
func pdfPage(box, resources, content string, more ...string) []byte {
	page := fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [%s] /Contents 4 0 R /Resources << %s >> >>", box, resources)
	return pdf("", append([]string{pdfCatalog, pdfPages, page, stream("", []byte(content))}, more...)...)
}

func hostilePDFs(t *testing.T) []hostile {
	const small = "0 0 72 72"
	form := func(resources, content string) string {
		return stream("/Type /XObject /Subtype /Form /BBox [0 0 72 72] /Resources << "+resources+" >>", []byte(content))
	}
	whole := pdfPage("0 0 300 200", "", "1 0 0 rg 0 0 150 100 re f")
	deep := func(open, shut string) string { return strings.Repeat(open, 100000) + strings.Repeat(shut, 100000) }
	bitmap := func(width, height int) string {
		return stream(fmt.Sprintf("/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 1 /Filter /FlateDecode", width, height),
			zeros(t, (width+7)/8*height))
	}
	files := []hostile{
		{what: "PDF of a page of 200 inches", slow: true, data: pdfPage("0 0 14400 14400", "", ""), end: either, width: 30000, height: 30000},
		{what: "PDF of a page of 1e9 points", data: pdfPage("0 0 1000000000 1000000000", "", ""), end: refused},
		{what: "PDF of a page of a mile", data: pdfPage("0 0 4000000 4000000", "", ""), end: refused},
		{what: "PDF of a page of no size", data: pdfPage("0 0 0 0", "", ""), end: either},
		{what: "PDF of a page of a negative size", data: pdfPage("72 72 0 0", "", ""), end: either},
		{what: "PDF of a page whose size is no number", data: pdfPage("a b /c (d)", "", ""), end: either},
		{what: "PDF of a page of a hair", data: pdfPage("0 0 0.0001 90000", "", ""), end: either},
		{what: "PDF of a unit of 1e9", data: pdf("", pdfCatalog, pdfPages, "<< /Type /Page /Parent 2 0 R /UserUnit 1000000000 /MediaBox [0 0 72 72] >>"), end: either},
		{what: "PDF of a form in itself", data: pdfPage(small, "/XObject << /F 5 0 R >>", "/F Do", form("/XObject << /F 5 0 R >>", "/F Do /F Do")), end: either},
		{what: "PDF of forms in each other", data: pdfPage(small, "/XObject << /F 5 0 R >>", "/F Do", form("/XObject << /F 6 0 R >>", "/F Do"), form("/XObject << /F 5 0 R >>", "/F Do")), end: either},
		{what: "PDF of a pattern in itself", data: pdfPage(small, "/Pattern << /P 5 0 R >>", "/Pattern cs /P scn 0 0 72 72 re f",
			stream("/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 9 /YStep 9 /Resources << /Pattern << /P 5 0 R >> >>", []byte("/Pattern cs /P scn 0 0 9 9 re f"))), end: either},
		{what: "PDF of a mask in itself", data: pdfPage(small, "/ExtGState << /G 5 0 R >>", "/G gs 0 0 72 72 re f",
			"<< /SMask << /S /Luminosity /G 6 0 R >> >>", stream("/Type /XObject /Subtype /Form /BBox [0 0 72 72] /Group << /S /Transparency /CS /DeviceGray >> /Resources << /ExtGState << /G 5 0 R >> >>", []byte("/G gs 0 0 72 72 re f"))), end: either},
		{what: "PDF whose pages have no end", data: pdf("", pdfCatalog, "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 100 >>"), end: refused},
		{what: "PDF of a tree of pages 5000 deep", data: pdf("", func() []string {
			objects := []string{pdfCatalog}
			for i := range 5000 {
				objects = append(objects, fmt.Sprintf("<< /Type /Pages /Kids [%d 0 R] /Count 1 /Parent %d 0 R >>", i+3, max(i+1, 2)))
			}
			return append(objects, "<< /Type /Page /MediaBox [0 0 72 72] >>")
		}()...), end: either},
		{what: "PDF that claims 100000 pages", data: pdf("", pdfCatalog, "<< /Type /Pages /Kids [3 0 R] /Count 100000 >>", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] >>"), end: either},
		{what: "PDF that claims 2^31 pages", data: pdf("", pdfCatalog, "<< /Type /Pages /Kids [3 0 R] /Count 2147483647 >>", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] >>"), end: either},
		{what: "PDF that claims -5 pages", data: pdf("", pdfCatalog, "<< /Type /Pages /Kids [3 0 R] /Count -5 >>", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] >>"), end: either},
		{what: "PDF of no pages", data: pdf("", pdfCatalog, "<< /Type /Pages /Kids [] /Count 0 >>"), end: refused},
		{what: "PDF without a catalogue", data: pdf(""), end: refused},
		{what: "PDF with a script", data: pdf("", "<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> >>", pdfPages,
			"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] /AA << /O << /S /Launch /F (/bin/sh) >> >> >>"), end: shown, width: 150, height: 150},
		{what: "PDF behind a password", data: pdf("/ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>] /Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O <"+
			strings.Repeat("5a", 32)+"> /U <"+strings.Repeat("a5", 32)+"> >>", pdfCatalog, pdfPages, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] >>"), end: refused},
		{what: "PDF with a picture of 100 megapixels", slow: true, data: pdfPage(small, "/XObject << /I 5 0 R >>", "72 0 0 72 0 0 cm /I Do", bitmap(10000, 10000)), end: either},
		{what: "PDF with a picture of 2^31 by 2^31", data: pdfPage(small, "/XObject << /I 5 0 R >>", "72 0 0 72 0 0 cm /I Do",
			stream("/Type /XObject /Subtype /Image /Width 2147483647 /Height 2147483647 /ColorSpace /DeviceRGB /BitsPerComponent 16", nil)), end: either},
		{what: "PDF with a content of a gigabyte", slow: true, data: pdf("", pdfCatalog, pdfPages, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] /Contents 4 0 R >>", stream("/Filter /FlateDecode", zeros(t, 1<<30))), end: either},
		{what: "PDF of arrays in arrays", slow: true, data: pdf("", "<< /Type /Catalog /Pages 2 0 R /X "+deep("[", "]")+" >>", pdfPages, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] >>"), end: either},
		{what: "PDF of arrays in its content", slow: true, data: pdfPage(small, "", deep("[", "]")+" TJ"), end: either},
		{what: "PDF of 100000 saved states", data: pdfPage(small, "", deep("q ", "Q ")), end: either},
		{what: "PDF whose previous table is its own", data: bytes.Replace(pdf("/Prev 99999", pdfCatalog, pdfPages, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] >>"), []byte("/Prev 99999"), []byte("/Prev 00223"), 1), end: either},
		{what: "PDF whose lengths are 2^31", data: bytes.ReplaceAll(whole, []byte("/Length 25"), []byte("/Length 2147483647")), end: either},
		{what: "PDF whose length is an object that is itself", data: pdf("", pdfCatalog, pdfPages, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] /Contents 4 0 R >>", "<< /Length 4 0 R >>\nstream\nq\nendstream"), end: either},
		{what: "PDF of a shading without an end", data: pdfPage(small, "/Shading << /S << /ShadingType 1 /ColorSpace /DeviceGray /Domain [0 1e9 0 1e9] /Function 5 0 R >> >>", "/S sh",
			stream("/FunctionType 4 /Domain [0 1e9 0 1e9] /Range [0 1]", []byte("{ pop sin }"))), end: either},
		{what: "PDF of filters on filters", data: pdf("", pdfCatalog, pdfPages, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] /Contents 4 0 R >>",
			stream("/Filter ["+strings.Repeat("/ASCIIHexDecode ", 5000)+"]", []byte("41>"))), end: either},
		{what: "PDF behind a byte order mark", data: joined("\xef\xbb\xbf", whole), end: shown, width: 625, height: 417},
		{what: "PDF of garbage", data: joined("%PDF-1.7\n", bytes.Repeat([]byte{0xA5, 0x0A, 0x3C}, 30000)), end: refused},
	}
	for i := range files {
		files[i].ext = ".pdf"
	}
	return append(files,
		hostile{what: "PDF cut in its header", ext: ".pdf", data: whole[:12], end: refused},
		hostile{what: "PDF cut in the middle", ext: ".pdf", data: whole[:len(whole)/2], end: either},
		hostile{what: "PDF one byte short", ext: ".pdf", data: whole[:len(whole)-1], end: shown, width: 625, height: 417},
		hostile{what: "PDF named as a picture", ext: ".jpg", data: whole, end: shown, width: 625, height: 417})
}

// endlessPDF is a page that draws a form ten times, which draws another ten times, and so on.
func endlessPDF() []byte {
	var more []string
	const depth = 14
	for i := range depth {
		more = append(more, stream(fmt.Sprintf("/Type /XObject /Subtype /Form /BBox [0 0 72 72] /Resources << /XObject << /F %d 0 R >> >>", 6+i), []byte(strings.Repeat("/F Do ", 10))))
	}
	more = append(more, stream("/Type /XObject /Subtype /Form /BBox [0 0 72 72]", []byte("0 0 9 9 re f")))
	return pdfPage("0 0 72 72", "/XObject << /F 5 0 R >>", "/F Do", more...)
}

// Pages that would be drawn for years are given up in time, and others are served on, although nothing stops Poppler:
// more of them than there are workers, at last without being begun.
func TestPageThatIsDrawnForYears(t *testing.T) {
	h := hostileSite(t, "")
	at := h.place(hostile{what: "years", ext: ".pdf", data: endlessPDF()})
	for range 4 {
		a := h.get("/open/3" + at + imageTail)
		if a.is(t, http.StatusServiceUnavailable) && sentence(a) != "" {
			t.Error(sentence(a))
		}
	}
	for range 10 {
		a, err := h.patiently("/open/2/seed.png/full/100,/0/default.jpg")
		if err != nil || a.status != http.StatusOK {
			t.Errorf("beside it got %d %q, %v", a.status, a.body, err)
		}
	}
	h.calm()
}
