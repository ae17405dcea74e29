package e2e_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"
	"os"
	"slices"
	"testing"

	kinds "github.com/gatehouse-server/gatehouse/internal/testkit/originals"
)

// Where a picture was taken, by whom, with which camera, and what was written beside it, stays in the original: no
// format of a picture that is made of it holds a word of that, nor a container for it.
func TestKindsTellNothingPrivate(t *testing.T) {
	t.Parallel()
	var private []kinds.Kind
	for _, k := range kinds.All() {
		// Of a document's pages one will do.
		if k.Private && k.Page == 1 {
			private = append(private, k)
		}
	}
	g := newGallery(t, private...)
	for i, f := range g.files {
		holdsSecrets(t, f)
		e := g.exhibit(t, "kinds", []string{"2", "3"}[i%2], f)
		for _, format := range e.formats() {
			for _, params := range []string{"full/600,/0/default.", "10,20,300,200/150,/0/gray."} {
				path := e.base + "/" + params + format
				a := g.ask(t, path)
				if a.is(t, http.StatusOK) {
					for _, found := range privateIn(format, a.body) {
						t.Errorf("%s holds %q", path, found)
					}
				}
			}
		}
	}
}

// holdsSecrets checks that there is something to be found.
func holdsSecrets(t *testing.T, f kinds.File) {
	t.Helper()
	found := 0
	for _, secret := range kinds.Secrets() {
		if bytes.Contains(readFile(t, f.Path), secret) {
			found++
		}
	}
	if found < 3 {
		t.Errorf("%s holds %d secrets only", f.Name, found)
	}
}

// formats lists those that info.json offers.
func (e exhibit) formats() []string {
	e.t.Helper()
	body := e.ask(e.t, e.base+"/info.json").body
	var three struct{ ExtraFormats []string }
	var two struct{ Profile []json.RawMessage }
	var more struct{ Formats []string }
	if e.version == "3" {
		if err := json.Unmarshal(body, &three); err != nil {
			e.t.Fatal(err)
		}
		return append([]string{"jpg", "png"}, three.ExtraFormats...)
	}
	if err := json.Unmarshal(body, &two); err != nil || len(two.Profile) != 2 {
		e.t.Fatalf("%v in %s", err, body)
	}
	if err := json.Unmarshal(two.Profile[1], &more); err != nil {
		e.t.Fatal(err)
	}
	return slices.Compact(slices.Sorted(slices.Values(append([]string{"jpg", "png"}, more.Formats...))))
}

// privateIn lists what a picture should not hold: words of the original, and containers for such words.
func privateIn(format string, data []byte) []string {
	var found []string
	marks := append(kinds.Secrets(), []byte("Exif\x00\x00"), []byte("<x:xmpmeta"), []byte("xpacket"), []byte("Photoshop 3.0"), []byte("8BIM\x04\x04"))
	for _, mark := range marks {
		if bytes.Contains(data, mark) {
			found = append(found, string(mark))
		}
	}
	allowed := map[string][]string{
		"jpg":  {"\xC0", "\xC4", "\xDB", "\xDD", "\xDA", "\xE0", "\xE2", "\xEE"},
		"png":  {"IHDR", "PLTE", "tRNS", "pHYs", "sRGB", "gAMA", "cHRM", "iCCP", "sBIT", "IDAT", "IEND"},
		"webp": {"VP8 ", "VP8L", "VP8X", "ALPH", "ICCP", "ANIM", "ANMF"},
	}[format]
	for _, name := range blocks(format, data) {
		if !slices.Contains(allowed, name) {
			found = append(found, name)
		}
	}
	if format == "tif" {
		// Descriptions, maker, model, software, date, artist, copyright, XMP, IPTC, Photoshop, Exif, GPS.
		for _, tag := range []uint16{270, 271, 272, 305, 306, 315, 33432, 700, 33723, 34377, 34665, 34853} {
			if _, ok := tiffValue(data, tag); ok {
				found = append(found, "a TIFF field")
			}
		}
	}
	return found
}

// blocks lists the names of a file's parts, for formats that have parts.
func blocks(format string, data []byte) []string {
	var names []string
	switch format {
	case "jpg":
		for at := 2; at+4 <= len(data); at += 2 + int(binary.BigEndian.Uint16(data[at+2:])) {
			names = append(names, string(data[at+1:at+2]))
			if data[at+1] == 0xDA {
				break
			}
		}
	case "png":
		for at := 8; at+8 <= len(data); at += 12 + int(binary.BigEndian.Uint32(data[at:])) {
			names = append(names, string(data[at+4:at+8]))
		}
	case "webp":
		for at := 12; at+8 <= len(data); at += 8 + (int(binary.LittleEndian.Uint32(data[at+4:]))+1)&^1 {
			names = append(names, string(data[at:at+4]))
		}
	}
	return names
}

// The resolution of a scan goes along, in the formats that have a place for it, and shrinks with the picture.
func TestKindsKeepTheirResolution(t *testing.T) {
	t.Parallel()
	g := newGallery(t, kinds.Named("jpeg with private data", "png with private data", "tiff strips", "tiff pyramid", "tiff orientation 6")...)
	for i, f := range g.files {
		e := g.exhibit(t, "kinds", []string{"3", "2"}[i%2], f)
		for size, want := range map[string]float64{"max": float64(f.DPI), "pct:50": float64(f.DPI) / 2} {
			for format, read := range map[string]func([]byte) float64{"jpg": jpegDPI, "png": pngDPI, "tif": tiffDPI} {
				path := e.base + "/full/" + size + "/0/default." + format
				a := g.ask(t, path)
				if got := read(a.body); a.status != http.StatusOK || math.Abs(got-want) > 1 {
					t.Errorf("%s: %d, %.1f dots per inch, want %.1f", path, a.status, got, want)
				}
			}
		}
	}
}

// jpegDPI reads the JFIF segment, which is the first.
func jpegDPI(data []byte) float64 {
	if len(data) < 18 || string(data[6:11]) != "JFIF\x00" || data[13] != 1 {
		return 0
	}
	return float64(binary.BigEndian.Uint16(data[14:]))
}

// pngDPI reads pHYs, which counts pixels to the metre.
func pngDPI(data []byte) float64 {
	at := bytes.Index(data, []byte("pHYs"))
	if at < 0 || at+13 > len(data) || data[at+12] != 1 {
		return 0
	}
	return float64(binary.BigEndian.Uint32(data[at+4:])) * 0.0254
}

// tiffDPI reads the horizontal resolution and its unit, 2 for inches and 3 for centimetres.
func tiffDPI(data []byte) float64 {
	x, ok := tiffValue(data, 282)
	unit, okUnit := tiffValue(data, 296)
	if !ok || !okUnit || int(x)+8 > len(data) {
		return 0
	}
	dots := float64(binary.LittleEndian.Uint32(data[x:])) / float64(binary.LittleEndian.Uint32(data[x+4:]))
	if unit&0xFFFF == 3 {
		return dots * 2.54
	}
	return dots
}

// tiffValue gives what stands in the value's place of a field of the first directory of a little-endian TIFF.
func tiffValue(data []byte, tag uint16) (uint32, bool) {
	if len(data) < 8 || string(data[:4]) != "II\x2a\x00" {
		return 0, false
	}
	at := int(binary.LittleEndian.Uint32(data[4:]))
	for i := range int(binary.LittleEndian.Uint16(data[at:])) {
		field := data[at+2+12*i:]
		if binary.LittleEndian.Uint16(field) == tag {
			return binary.LittleEndian.Uint32(field[8:]), true
		}
	}
	return 0, false
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
