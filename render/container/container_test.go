package container

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/webp"
)

var printed = Picture{Width: 9, Height: 7, Grey: true, XRes: 300 / 25.4, YRes: 150 / 25.4}

func greyJPEG(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 9, 7)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestJPEGTellsItsSizeOnPaper(t *testing.T) {
	plain := greyJPEG(t)
	for _, test := range []struct {
		xres, yres float64
		unit       byte
		x, y       uint16
	}{{300 / 25.4, 150 / 25.4, 1, 300, 150}, {1, 1, 1, 25, 25}, {0, 1, 0, 1, 1}, {1e9, 1, 0, 1, 1}, {0.001, 0.001, 0, 1, 1}} {
		data := JPEG(plain, Picture{Grey: true, XRes: test.xres, YRes: test.yres})
		if data[13] != test.unit || binary.BigEndian.Uint16(data[14:]) != test.x || binary.BigEndian.Uint16(data[16:]) != test.y {
			t.Errorf("%+v: % x", test, data[:20])
		}
		if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
			t.Errorf("%+v: %v", test, err)
		}
		if !bytes.Contains(data, append([]byte("ICC_PROFILE\x00\x01\x01"), Profile(true)...)) {
			t.Errorf("%+v: no profile", test)
		}
	}
	if got := JPEG([]byte{1}, Picture{}); len(got) != 1 {
		t.Errorf("% x", got)
	}
}

func TestPNGTellsItsColoursAndWhatItKnowsOfItsSize(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 9, 7))); err != nil {
		t.Fatal(err)
	}
	head := b.Bytes()[:33]
	with := appendPNGChunk(append([]byte{}, head...), "pHYs", []byte{0, 0, 1, 0, 0, 0, 1, 0, 1})
	with = append(with, b.Bytes()[33:]...)
	for _, test := range []struct {
		picture  Picture
		hasPaper bool
	}{{printed, true}, {Picture{}, false}} {
		got := PNG(with, test.picture)
		if _, err := png.Decode(bytes.NewReader(got)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(got, []byte("sRGB\x01")) || bytes.Contains(got, []byte("pHYs")) != test.hasPaper {
			t.Errorf("%+v: %q", test.picture, got[:80])
		}
	}
	for _, broken := range [][]byte{nil, head[:20], []byte("GIF89a"), with[:40]} {
		PNG(broken, printed)
	}
}

func chunk(name string, body ...byte) []byte { return appendWebPChunk(nil, name, body) }

func webpFile(chunks ...[]byte) []byte {
	body := append([]byte("WEBP"), bytes.Join(chunks, nil)...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func TestWebPHasAProfileAndNoExif(t *testing.T) {
	simple := []byte{ // a lossless picture of one pixel
		'R', 'I', 'F', 'F', 0x1a, 0, 0, 0, 'W', 'E', 'B', 'P', 'V', 'P', '8', 'L', 0x0d, 0, 0, 0, 0x2f, 0, 0, 0, 0x10, 0x07, 0x10, 0x11, 0x11, 0x88, 0x88, 0xfe, 0x07, 0,
	}
	extended := webpFile(chunk("VP8X", 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0), simple[12:], chunk("EXIF", 9, 9, 9))
	for name, data := range map[string][]byte{"simple": simple, "with Exif": extended} {
		got := WebP(data, Picture{Width: 1, Height: 1, Grey: true})
		c, err := webp.DecodeConfig(bytes.NewReader(got))
		if err != nil || c.Width != 1 || c.Height != 1 {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
		if bytes.Contains(got, []byte("EXIF")) || !bytes.Contains(got, Profile(false)) || got[20] != webpICC {
			t.Errorf("%s: %q", name, got[:40])
		}
	}
	for name, same := range map[string][]byte{"short": extended[:10], "cut": extended[:len(extended)-6], "no WebP": []byte("RIFF\x04\x00\x00\x00WAVE")} {
		if got := WebP(same, printed); !bytes.Equal(got, same) {
			t.Errorf("%s: changed to % x", name, got)
		}
	}
}

func TestJP2TellsItsSizeOnPaper(t *testing.T) {
	header := []byte("\x00\x00\x00\x08jp2h")
	file := append(append([]byte("\x00\x00\x00\x0cjP  \r\n\x87\n"), header...), "\x00\x00\x00\x0ajp2cXX"...)
	got := JP2(file, printed)
	want := "\x00\x00\x00\x22jp2h\x00\x00\x00\x1ares \x00\x00\x00\x12resc"
	if !bytes.Contains(got, []byte(want)) || !bytes.HasSuffix(got, []byte("jp2cXX")) || len(got) != len(file)+26 {
		t.Fatalf("%q", got)
	}
	at := bytes.Index(got, []byte("resc")) + 4
	for i, perMetre := range []float64{150 / 0.0254, 300 / 0.0254} {
		n, d := binary.BigEndian.Uint16(got[at+4*i:]), binary.BigEndian.Uint16(got[at+4*i+2:])
		value := float64(n) / float64(d)
		for range got[at+8+i] {
			value *= 10
		}
		if value < perMetre*0.999 || value > perMetre*1.001 {
			t.Errorf("%v pixels per metre, want %v", value, perMetre)
		}
	}
	for name, same := range map[string][]byte{"no header": file[:12], "broken": []byte("\x00\x00\x00\x02jp2h"), "empty": nil} {
		if got := JP2(same, printed); !bytes.Equal(got, same) {
			t.Errorf("%s: changed to % x", name, got)
		}
	}
	if got := JP2(file, Picture{}); !bytes.Equal(got, file) {
		t.Errorf("an unknown size became %q", got)
	}
}

// Another library's program reads the document back.
func TestPDFShowsThePictureInItsSize(t *testing.T) {
	pixel := image.NewRGBA(image.Rect(0, 0, 20, 10))
	for i := range pixel.Pix {
		pixel.Pix[i] = []byte{200, 30, 40, 255}[i%4]
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, pixel, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		res           float64
		width, height string
	}{{0, "20", "10"}, {36 / 25.4, "40", "20"}, {1e-6, "20", "10"}} {
		file := filepath.Join(t.TempDir(), "made.pdf")
		if err := os.WriteFile(file, PDF(b.Bytes(), Picture{Width: 20, Height: 10, XRes: test.res, YRes: test.res}), 0o600); err != nil {
			t.Fatal(err)
		}
		if w, h := field(t, file, "width"), field(t, file, "height"); w != test.width || h != test.height {
			t.Errorf("%v pixels per millimetre: %s by %s points", test.res, w, h)
		}
		middle := run(t, "vips", "getpoint", file, "5", "5")
		if !strings.HasPrefix(middle, "199 ") && !strings.HasPrefix(middle, "200 ") && !strings.HasPrefix(middle, "201 ") {
			t.Errorf("the colour is %s", middle)
		}
	}
}

func TestPDFPagesAreNoLargerThanReadersTake(t *testing.T) {
	out := string(PDF([]byte("x"), Picture{Width: 20000, Height: 10000}))
	if !strings.Contains(out, "/MediaBox[0 0 14400 7200]") {
		t.Error(out[:300])
	}
}

// The colour library behind libvips takes the profiles for what they are: sRGB in is sRGB out.
func TestProfilesAreSRGB(t *testing.T) {
	ramp := image.NewRGBA(image.Rect(0, 0, 256, 3))
	for x := range 256 {
		ramp.SetRGBA(x, 0, color.RGBA{R: uint8(x), G: uint8(x), B: uint8(x), A: 255})
		ramp.SetRGBA(x, 1, color.RGBA{R: uint8(x), G: uint8(255 - x), B: 128, A: 255})
		ramp.SetRGBA(x, 2, color.RGBA{R: 255, G: uint8(x), B: uint8(x / 2), A: 255})
	}
	dir := t.TempDir()
	var b bytes.Buffer
	if err := png.Encode(&b, ramp); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"in.png": b.Bytes(), "colour.icc": Profile(false), "grey.icc": Profile(true)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if len(Profile(false)) > 500 || len(Profile(true)) > 500 {
		t.Errorf("%d and %d bytes are much for a tile", len(Profile(false)), len(Profile(true)))
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	run(t, "vips", "icc_transform", at("in.png"), at("out.png"), "srgb", "--input-profile", at("colour.icc"))
	same(t, ramp, at("out.png"), 1)
	run(t, "vips", "extract_band", at("in.png"), at("grey.png"), "0")
	run(t, "vips", "icc_transform", at("grey.png"), at("greyed.png"), "srgb", "--input-profile", at("grey.icc"))
	greyed := image.NewRGBA(ramp.Bounds())
	for x := range 256 {
		for y := range 3 {
			v := ramp.RGBAAt(x, y).R
			greyed.SetRGBA(x, y, color.RGBA{R: v, G: v, B: v, A: 255})
		}
	}
	same(t, greyed, at("greyed.png"), 1)
}

func same(t *testing.T, want *image.RGBA, file string, tolerance int) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for y := range want.Bounds().Dy() {
		for x := range want.Bounds().Dx() {
			g, w := color.RGBAModel.Convert(got.At(x, y)).(color.RGBA), want.RGBAAt(x, y)
			for _, d := range []int{int(g.R) - int(w.R), int(g.G) - int(w.G), int(g.B) - int(w.B)} {
				if d > tolerance || d < -tolerance {
					t.Fatalf("%s: the pixel at %d,%d is %v, want %v", filepath.Base(file), x, y, g, w)
				}
			}
		}
	}
}

func field(t *testing.T, file, name string) string {
	t.Helper()
	return run(t, "vipsheader", "-f", name, file)
}

func run(t *testing.T, name string, arguments ...string) string {
	t.Helper()
	out, err := exec.Command(name, arguments...).Output()
	if err != nil {
		t.Fatalf("%s %v (Debian: libvips-tools): %v", name, arguments, err)
	}
	return strings.TrimSpace(string(out))
}
