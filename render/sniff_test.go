package render_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
)

func ftyp(brands ...string) string {
	body := "ftyp" + brands[0] + "\x00\x00\x00\x00" + strings.Join(brands[1:], "")
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(body)+4))) + body + "\x00\x00\x00\x08moov"
}

func bmp() string { return "BM\x00\x10\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00" }

func TestSniff(t *testing.T) {
	tests := []struct{ head, name, format, kind string }{
		{"\xff\xd8\xff\xe0\x00\x10JFIF", "a.jpg", "jpeg", "JPEG"},
		{"\xff\xd8\xff\xe1", "report.xls", "jpeg", "JPEG"},
		{"\xff\xd8", "cut.jpg", "", "FILE"},
		{"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", "", "png", "PNG"},
		{"\x89PNG\n\x1a\n", "translated.png", "", "FILE"},
		{"II\x2a\x00\x08", "", "tiff", "TIFF"}, {"MM\x00\x2a", "", "tiff", "TIFF"},
		{"II\x2b\x00\x08\x00", "", "tiff", "TIFF"}, {"MM\x00\x2b", "", "tiff", "TIFF"},
		{"GIF89a", "", "gif", "GIF"}, {"GIF87a", "", "gif", "GIF"},
		{"RIFF\x00\x00\x00\x00WEBPVP8 ", "", "webp", "WEBP"},
		{"RIFF\x00\x00\x00\x00WAVEfmt ", "", "", "WAV"},
		{"RIFF\x00\x00\x00\x00AVI LIST", "", "", "AVI"},
		{"RIFF\x00\x00\x00\x00sfbk", "", "", "RIFF"},
		{"\x00\x00\x00\x0cjP  \r\n\x87\n", "", "jp2", "JP2"},
		{"\xff\x4f\xff\x51\x00", "", "jp2", "JP2"},
		{"\x00\x00\x00\x0cJXL \r\n\x87\n", "", "jxl", "JXL"}, {"\xff\x0a\x00", "", "jxl", "JXL"},
		{ftyp("avif", "mif1"), "", "avif", "AVIF"},
		{ftyp("mif1", "avif", "miaf"), "", "avif", "AVIF"},
		{ftyp("heic", "mif1"), "", "heif", "HEIF"},
		{ftyp("mif1", "miaf"), "", "heif", "HEIF"},
		{ftyp("isom", "mp42"), "", "", "MP4"}, {ftyp("qt  "), "", "", "MOV"}, {ftyp("M4A "), "", "", "M4A"},
		{ftyp("zzzz"), "", "", "MP4"},
		{"%PDF-1.7\n", "a.txt", "pdf", "PDF"},
		{"\xef\xbb\xbf\r\n%PDF-1.4", "", "pdf", "PDF"},
		{"A letter on %PDF-1.4", "a.pdf", "", "TXT"},
		{"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg", "", "SVG"},
		{"<?xml version='1.0'?>\n<!-- drawing -->\n<SVG/>", "a.png", "", "SVG"},
		{"<?xml version='1.0'?><dossier/>", "a.jpg", "", "XML"},
		{"<!DOCTYPE html><title>x</title><svg/>", "a.jpg", "", "HTML"},
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "jaar.xls", "", "XLS"},
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "brief.DOC", "", "DOC"},
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "bericht.msg", "", "MSG"},
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "photo.jpg", "", "OLE"},
		{"PK\x03\x04\x14\x00[Content_Types].xml....xl/workbook.xml", "a.zip", "", "XLSX"},
		{"PK\x03\x04\x14\x00[Content_Types].xml....word/document.xml", "", "", "DOCX"},
		{"PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.text", "", "", "ODT"},
		{"PK\x03\x04\x14\x00[Content_Types].xml", "tabel.xlsx", "", "XLSX"},
		{"PK\x03\x04\x14\x00readme", "bundle", "", "ZIP"}, {"PK\x05\x06\x00\x00", "x.zip", "", "ZIP"},
		{"\x1f\x8b\x08\x00", "a.svgz", "", "GZIP"}, {"BZh91AY", "", "", "BZIP2"}, {"7z\xbc\xaf\x27\x1c", "", "", "7Z"},
		{strings.Repeat("\x00", 257) + "ustar", "x", "", "TAR"}, {"Rar!\x1a\x07\x00", "", "", "RAR"},
		{bmp(), "a.bmp", "", "BMP"}, {"BMW, Opel and others", "cars.txt", "", "TXT"}, {"8BPS\x00\x01", "", "", "PSD"},
		{"{\\rtf1", "", "", "RTF"}, {"%!PS-Adobe", "", "", "PS"}, {"AC1027\x00\x00", "plan.dwg", "", "DWG"},
		{"hello", "notes.txt", "", "TXT"}, {"a;b;c\n1;2;3", "x.csv", "", "CSV"}, {"hello", "picture.jpg", "", "TXT"},
		{"Beste gemeente, caf\xe9 in latin-1 is een tekst, en nog wat meer woorden", "", "", "TXT"},
		{"\xff\xfeh\x00i\x00", "", "", "TXT"}, {"日本語のテキスト", "", "", "TXT"},
		{"\x00\x01\x02\x03", "data.bin", "", "BIN"}, {"\x00\x01\x02\x03", "fake.jpg", "", "FILE"},
		{"\x00\x01\x02\x03", "odd.<script>", "", "FILE"}, {"\x00\x01\x02\x03", "x.verylongext", "", "FILE"},
		{"\x00\x01\x02\x03", "x.", "", "FILE"}, {"\x00\x01\x02\x03", "", "", "FILE"},
		{"", "a.jpg", "", "EMPTY"},
	}
	for _, test := range tests {
		format, kind := render.Sniff([]byte(test.head), test.name)
		if format != test.format || kind != test.kind {
			t.Errorf("Sniff(%.40q, %q) = %q, %q; want %q, %q", test.head, test.name, format, kind, test.format, test.kind)
		}
	}
}

var kindShape = regexp.MustCompile(`^[A-Z0-9]{1,8}$`)

func FuzzSniff(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xe0"), "a.jpg")
	f.Add([]byte(ftyp("mif1", "avif")), "")
	f.Add([]byte("PK\x03\x04word/"), "x.zip")
	f.Add([]byte(bmp()), "../../etc/passwd")
	f.Add([]byte("<svg>"), ".svg")
	f.Fuzz(func(t *testing.T, head []byte, name string) {
		format, kind := render.Sniff(head, name)
		if !kindShape.MatchString(kind) {
			t.Fatalf("kind %q", kind)
		}
		if again, _ := render.Sniff(head, "other.jpg"); again != format {
			t.Fatalf("the name decides the format: %q and %q", format, again)
		}
		if kind == "SVG" && format != "" {
			t.Fatal("SVG is no picture to render")
		}
	})
}

func TestTimer(t *testing.T) {
	if render.TimerFrom(context.Background()) != nil {
		t.Error("a timer out of nowhere")
	}
	var none *render.Timer
	none.Add(time.Second)
	if none.Elapsed() != 0 {
		t.Error("the nil timer counts")
	}
	ctx, timer := render.WithTimer(context.Background())
	render.TimerFrom(ctx).Add(2 * time.Second)
	render.TimerFrom(ctx).Add(time.Second)
	if timer.Elapsed() != 3*time.Second {
		t.Errorf("%v", timer.Elapsed())
	}
}

func ExampleSniff() {
	format, kind := render.Sniff([]byte("%PDF-1.7\n"), "letter.jpg")
	fmt.Println(format, kind)
	format, kind = render.Sniff([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "budget.xls")
	fmt.Printf("%q %s\n", format, kind)
	// Output:
	// pdf PDF
	// "" XLS
}

func ExampleUnsupportedError() {
	err := error(problem.Wrap(&render.UnsupportedError{Kind: "XLS"}, 415, "not_an_image", "The file is not an image"))
	var unsupported *render.UnsupportedError
	if errors.As(err, &unsupported) {
		fmt.Println(unsupported.Kind)
	}
	// Output: XLS
}
