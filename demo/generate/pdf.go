package main

import (
	"bytes"
	"fmt"
	"strings"
)

// document writes a PDF (ISO 32000-1) of A4 pages with a heading and lines of text each, in the standard font that every
// reader has.
func document(pages ...letter) []byte {
	var objects []string
	add := func(body string) int {
		objects = append(objects, body)
		return len(objects)
	}
	const catalog, tree = 1, 2
	add(fmt.Sprintf("<< /Type /Catalog /Pages %d 0 R >>", tree))
	add("") // the tree of pages, once they are known
	bold := add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>")
	plain := add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
	var kids []string
	for _, page := range pages {
		content := page.content()
		stream := add(fmt.Sprintf("<< /Length %d >>\nstream\n%sendstream", len(content), content))
		kid := add(fmt.Sprintf("<< /Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "+
			"/Resources << /Font << /B %d 0 R /P %d 0 R >> >> >>", tree, stream, bold, plain))
		kids = append(kids, fmt.Sprintf("%d 0 R", kid))
	}
	objects[tree-1] = fmt.Sprintf("<< /Type /Pages /Count %d /Kids [%s] >>", len(kids), strings.Join(kids, " "))

	var out bytes.Buffer
	out.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	offsets := make([]int, len(objects))
	for i, body := range objects {
		offsets[i] = out.Len()
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, body)
	}
	start := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&out, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&out, "trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, catalog, start)
	return out.Bytes()
}

// content is the page in PDF's operators.
func (l letter) content() string {
	var b strings.Builder
	fmt.Fprintf(&b, "0.16 0.24 0.42 rg 0 806 595 36 re f\n1 1 1 rg BT /B 13 Tf 56 818 Td (%s) Tj ET\n", escaped(l.reference))
	fmt.Fprintf(&b, "0.1 0.1 0.12 rg BT /B 22 Tf 56 752 Td (%s) Tj ET\n", escaped(l.heading))
	b.WriteString("0.16 0.24 0.42 RG 1.2 w 56 738 m 539 738 l S\n")
	b.WriteString("BT /P 11.5 Tf 17 TL 56 710 Td\n")
	for _, words := range l.lines {
		fmt.Fprintf(&b, "(%s) Tj T*\n", escaped(words))
	}
	b.WriteString("ET\n")
	return b.String()
}

func escaped(words string) string {
	return strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`, "–", "-").Replace(words)
}
