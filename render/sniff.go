package render

import (
	"bytes"
	"encoding/binary"
	"path"
	"strings"
	"unicode/utf8"
)

// SniffSize is how many bytes from the start of a file are enough for Sniff.
const SniffSize = 2048

// magic is a run of bytes at a fixed place that tells a format.
type magic struct {
	offset int
	bytes  string
	format string // empty for what is no picture to us
	kind   string
}

// magics in the order they are tried. Sources: the formats' own specifications.
var magics = [...]magic{
	{0, "\xff\xd8\xff", "jpeg", "JPEG"},
	{0, "\x89PNG\r\n\x1a\n", "png", "PNG"},
	{0, "II\x2a\x00", "tiff", "TIFF"},
	{0, "MM\x00\x2a", "tiff", "TIFF"},
	{0, "II\x2b\x00", "tiff", "TIFF"},
	{0, "MM\x00\x2b", "tiff", "TIFF"},
	{0, "GIF87a", "gif", "GIF"},
	{0, "GIF89a", "gif", "GIF"},
	{0, "\x00\x00\x00\x0cjP  \r\n\x87\n", "jp2", "JP2"},
	{0, "\xff\x4f\xff\x51", "jp2", "JP2"},
	{0, "\x00\x00\x00\x0cJXL \r\n\x87\n", "jxl", "JXL"},
	{0, "\xff\x0a", "jxl", "JXL"},
	{0, "BM", "", "BMP"},
	{0, "8BPS", "", "PSD"},
	{0, "\x1f\x8b", "", "GZIP"},
	{0, "BZh", "", "BZIP2"},
	{0, "\xfd7zXZ\x00", "", "XZ"},
	{0, "\x28\xb5\x2f\xfd", "", "ZSTD"},
	{0, "7z\xbc\xaf\x27\x1c", "", "7Z"},
	{0, "Rar!\x1a\x07", "", "RAR"},
	{257, "ustar", "", "TAR"},
	{0, "ID3", "", "MP3"},
	{0, "OggS", "", "OGG"},
	{0, "fLaC", "", "FLAC"},
	{0, "\x1a\x45\xdf\xa3", "", "MKV"},
	{0, "{\\rtf", "", "RTF"},
	{0, "%!PS", "", "PS"},
	{0, "\x7fELF", "", "ELF"},
	{0, "AC10", "", "DWG"},
	{0, "SQLite format 3\x00", "", "SQLITE"},
}

// Sniff tells the format of a file by its first bytes; SniffSize of them are enough.
//
// format is a loader's name ("jpeg", "png", "tiff", "webp", "gif", "jp2", "pdf", "heif", "avif", "jxl"), or empty for
// what is no picture. kind names the sort of file for people, in upper case. Where the bytes leave it open, as in an
// office document, the extension of name tells the kind, but it never makes a file a picture.
func Sniff(head []byte, name string) (format, kind string) {
	if len(head) == 0 {
		return "", "EMPTY"
	}
	for i := range magics {
		m := &magics[i]
		if len(head) >= m.offset && bytes.HasPrefix(head[m.offset:], []byte(m.bytes)) && !tooWeak(m.kind, head) {
			return m.format, m.kind
		}
	}
	switch {
	case bytes.HasPrefix(head, []byte("RIFF")) && len(head) >= 12:
		return riff(head)
	case len(head) >= 12 && string(head[4:8]) == "ftyp":
		return isoMedia(head)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return "", zipKind(head, name)
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
		return "", extensionKind(name, "OLE")
	}
	return text(head, name)
}

// tooWeak refuses marks of two bytes where the rest says otherwise: a text may start with "BM".
func tooWeak(kind string, head []byte) bool {
	if kind != "BMP" {
		return false
	}
	// The size of the second header is one of a few small numbers.
	return len(head) < 18 || binary.LittleEndian.Uint32(head[14:]) > 256
}

func riff(head []byte) (format, kind string) {
	switch string(head[8:12]) {
	case "WEBP":
		return "webp", "WEBP"
	case "WAVE":
		return "", "WAV"
	case "AVI ":
		return "", "AVI"
	}
	return "", "RIFF"
}

// isoMedia tells files of ISO/IEC 14496-12 by their brands, the major one first.
func isoMedia(head []byte) (format, kind string) {
	size := int(min(binary.BigEndian.Uint32(head), uint32(len(head))))
	for at := 8; at+4 <= size; at += 4 {
		if at == 12 {
			continue // the minor version
		}
		switch string(head[at : at+4]) {
		case "avif", "avis":
			return "avif", "AVIF"
		case "heic", "heix", "heim", "heis", "hevc", "hevx":
			return "heif", "HEIF"
		case "jp2 ", "jpx ":
			return "jp2", "JP2"
		case "qt  ":
			return "", "MOV"
		case "isom", "mp41", "mp42", "iso2", "avc1", "M4V ":
			return "", "MP4"
		case "M4A ":
			return "", "M4A"
		}
	}
	if string(head[8:12]) == "mif1" || string(head[8:12]) == "msf1" {
		return "heif", "HEIF"
	}
	return "", "MP4"
}

// zipKind tells office documents from archives: by the names of the first entries, else by extension.
func zipKind(head []byte, name string) string {
	for _, office := range [...]struct{ entry, kind string }{
		{"word/", "DOCX"}, {"xl/", "XLSX"}, {"ppt/", "PPTX"}, {"opendocument.text", "ODT"},
		{"opendocument.spreadsheet", "ODS"}, {"opendocument.presentation", "ODP"}, {"epub+zip", "EPUB"},
	} {
		if bytes.Contains(head, []byte(office.entry)) {
			return office.kind
		}
	}
	return extensionKind(name, "ZIP")
}

// text tells PDF and texts, which may open with a byte order mark and white space, from unknown bytes.
func text(head []byte, name string) (format, kind string) {
	body := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n\f\x00")
	switch {
	case bytes.HasPrefix(body, []byte("%PDF-")):
		return "pdf", "PDF"
	case !readable(head):
		return "", extensionKind(name, "FILE")
	}
	lower := bytes.ToLower(body)
	switch {
	case bytes.HasPrefix(lower, []byte("<!doctype html")), bytes.HasPrefix(lower, []byte("<html")):
		return "", "HTML"
	case bytes.Contains(lower, []byte("<svg")):
		return "", "SVG"
	case bytes.HasPrefix(lower, []byte("<?xml")):
		return "", "XML"
	case bytes.HasPrefix(lower, []byte("from: ")), bytes.HasPrefix(lower, []byte("received: ")):
		return "", "EML"
	}
	return "", extensionKind(name, "TXT")
}

// readable tells text in UTF-8, UTF-16 with its mark, or an 8-bit encoding from other bytes.
func readable(head []byte) bool {
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return true
	}
	odd := 0
	for _, b := range head {
		switch {
		case b == 0:
			return false
		case b < 0x20 && !bytes.ContainsRune([]byte("\t\n\r\f\x1b"), rune(b)):
			return false
		case b >= 0x80:
			odd++
		}
	}
	return odd*10 <= len(head)*3 || utf8.Valid(head)
}

// extensionKind is the extension of name in upper case, where it is a plain one and does not claim a picture; else
// fallback.
func extensionKind(name, fallback string) string {
	ext := strings.ToUpper(strings.TrimPrefix(path.Ext(name), "."))
	if len(ext) < 1 || len(ext) > 8 {
		return fallback
	}
	for i := range len(ext) {
		if c := ext[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return fallback
		}
	}
	switch ext {
	case "JPG", "JPEG", "PNG", "TIF", "TIFF", "WEBP", "GIF", "JP2", "JPX", "J2K", "PDF", "HEIC", "HEIF", "AVIF", "JXL", "BMP", "SVG":
		return fallback
	}
	return ext
}
