package vips

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/source"
)

// The reference picture: smooth, without symmetry, so that a wrong turn, shift or scale shows in every pixel.
const (
	refWidth  = 601
	refHeight = 417
)

func refColor(x, y float64) [3]float64 {
	return [3]float64{
		20 + 215*x/refWidth,
		128 + 100*math.Sin(y/40)*math.Cos(x/97),
		235 - 190*y/refHeight,
	}
}

// reference is the picture as Go has it; all fixtures are made of it.
var reference = sync.OnceValue(func() *image.RGBA {
	im := image.NewRGBA(image.Rect(0, 0, refWidth, refHeight))
	for y := range refHeight {
		for x := range refWidth {
			c := refColor(float64(x)+0.5, float64(y)+0.5)
			im.SetRGBA(x, y, color.RGBA{R: uint8(c[0] + 0.5), G: uint8(c[1] + 0.5), B: uint8(c[2] + 0.5), A: 255})
		}
	}
	return im
})

func grey(im image.Image) *image.Gray {
	out := image.NewGray(im.Bounds())
	for y := range im.Bounds().Dy() {
		for x := range im.Bounds().Dx() {
			out.Set(x, y, im.At(x, y))
		}
	}
	return out
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func encodePNG(im image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, im); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func encodeJPEG(im image.Image, quality int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, im, &jpeg.Options{Quality: quality}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func deep() []byte {
	im := image.NewRGBA64(reference().Bounds())
	for y := range refHeight {
		for x := range refWidth {
			c := refColor(float64(x)+0.5, float64(y)+0.5)
			im.SetRGBA64(x, y, color.RGBA64{R: uint16(c[0] * 257), G: uint16(c[1] * 257), B: uint16(c[2] * 257), A: 65535})
		}
	}
	return encodePNG(im)
}

// tool runs a program of libvips-tools or libtiff-tools over files in dir, which are named by what they hold.
func tool(dir string, args ...string) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%s (Debian: libvips-tools, libtiff-tools): %v\n%s", strings.Join(args, " "), err, out))
	}
}

// fixtures are the reference picture in all forms, by name.
var fixtures = sync.OnceValue(func() map[string][]byte {
	dir := must(os.MkdirTemp("", "gatehouse-render"))
	defer func() { _ = os.RemoveAll(dir) }()
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			panic(err)
		}
	}
	files := map[string][]byte{
		"jpeg":       encodeJPEG(reference(), 97),
		"jpeg grey":  encodeJPEG(grey(reference()), 97),
		"png":        encodePNG(reference()),
		"png grey":   encodePNG(grey(reference())),
		"png 16":     deep(),
		"png 1":      encodePNG(bits()),
		"gif":        encodeGIF(reference()),
		"pdf":        pdfFile(pdfPage{300, 200}, pdfPage{100, 400}),
		"jpeg stale": withExif(encodeJPEG(reference(), 97), 99),
	}
	write("rgb.png", files["png"])
	write("grey.png", files["png grey"])
	write("deep.png", files["png 16"])
	for name, args := range map[string]string{
		"jpeg progressive": "vips jpegsave rgb.png OUT.jpg --Q 97 --interlace",
		"jpeg cmyk":        "vips jpegsave cmyk.tif OUT.jpg --Q 97",
		"png interlaced":   "vips pngsave rgb.png OUT.png --interlace",
		"webp":             "vips webpsave rgb.png OUT.webp --lossless",
		"jp2":              "vips jp2ksave rgb.png OUT.jp2 --lossless --tile-width 128 --tile-height 128",
		"jp2 untiled":      "vips jp2ksave rgb.png OUT.jp2 --lossless --tile-width 1024 --tile-height 1024",
		"tiff pages":       "vips tiffsave rgb.png OUT.tif --tile --pyramid --tile-width 128 --tile-height 128 --compression deflate",
		"tiff subifds":     "vips tiffsave rgb.png OUT.tif --tile --pyramid --subifd --tile-width 128 --tile-height 128 --compression lzw --bigtiff",
		"tiff jpeg":        "vips tiffsave rgb.png OUT.tif --tile --pyramid --tile-width 64 --tile-height 64 --compression jpeg --Q 95",
		"tiff tiled":       "vips tiffsave rgb.png OUT.tif --tile --tile-width 64 --tile-height 32",
		"tiff strips":      "vips tiffsave rgb.png OUT.tif --compression lzw",
		"tiff plain":       "vips tiffsave rgb.png OUT.tif",
		"tiff one strip":   "vips tiffsave rgb.png OUT.tif --compression deflate --tile-height 1000",
		"tiff grey":        "vips tiffsave grey.png OUT.tif --tile --pyramid --tile-width 128 --tile-height 128",
		"tiff 16":          "vips tiffsave deep.png OUT.tif --compression deflate --predictor horizontal",
		"tiff 16 pyramid":  "vips tiffsave deep.png OUT.tif --tile --pyramid --tile-width 128 --tile-height 128",
		"tiff g4":          "vips tiffsave bits.png OUT.tif --compression ccittfax4 --bitdepth 1",
		"tiff cmyk":        "vips tiffsave cmyk.tif OUT.tif --compression lzw --strip",
		"printed":          "vips icc_transform cmyk.tif OUT.png srgb --input-profile cmyk --black-point-compensation",
		"tiff profile":     "vips icc_transform rgb.png OUT.tif p3",
		"tiff lab":         "vips colourspace rgb.png OUT.tif lab",
		"tiff float":       "vips colourspace rgb.png OUT.tif scrgb",
	} {
		words := strings.Fields(args)
		if strings.Contains(args, "cmyk") {
			onceFile(dir, "cmyk.tif", func() { tool(dir, "vips", "icc_export", "rgb.png", "cmyk.tif", "--output-profile", "cmyk") })
		}
		if strings.Contains(args, "bits.png") {
			write("bits.png", encodePNG(grey(bits())))
		}
		for i, w := range words {
			if ext, ok := strings.CutPrefix(w, "OUT"); ok {
				words[i] = "made" + ext
			}
		}
		tool(dir, words...)
		for _, w := range words {
			if strings.HasPrefix(w, "made") {
				files[name] = must(os.ReadFile(filepath.Join(dir, w)))
			}
		}
	}
	write("one.tif", files["tiff strips"])
	write("two.tif", files["tiff pages"])
	tool(dir, "tiffcp", "-c", "lzw", "one.tif", "one.tif", "scan.tif")
	files["tiff scan"] = must(os.ReadFile(filepath.Join(dir, "scan.tif")))
	for o := 1; o <= 8; o++ {
		files[fmt.Sprintf("jpeg turned %d", o)] = withExif(encodeJPEG(unturn(reference(), o), 97), o)
		write("turned.tif", files["tiff pages"])
	}
	for o := 2; o <= 8; o++ {
		write("stored.png", encodePNG(unturn(reference(), o)))
		tool(dir, "vips", "tiffsave", "stored.png", "turned.tif", "--tile", "--pyramid", "--tile-width", "128", "--tile-height", "128")
		files[fmt.Sprintf("tiff turned %d", o)] = withOrientation(must(os.ReadFile(filepath.Join(dir, "turned.tif"))), o)
	}
	return files
})

func onceFile(dir, name string, create func()) {
	if _, err := os.Stat(filepath.Join(dir, name)); errors.Is(err, os.ErrNotExist) {
		create()
	}
}

// bits is the reference as black and white.
func bits() *image.Paletted {
	im := image.NewPaletted(reference().Bounds(), color.Palette{color.Black, color.White})
	for y := range refHeight {
		for x := range refWidth {
			if luma(reference().RGBAAt(x, y)) >= 128 {
				im.SetColorIndex(x, y, 1)
			}
		}
	}
	return im
}

func luma(c color.RGBA) float64 {
	return 0.299*float64(c.R) + 0.587*float64(c.G) + 0.114*float64(c.B)
}

func encodeGIF(im image.Image) []byte {
	// Two frames of few colours, so that a palette holds them exactly.
	palette := make(color.Palette, 0, 256)
	for r := range 6 {
		for g := range 6 {
			for b := range 6 {
				palette = append(palette, color.RGBA{R: uint8(r * 51), G: uint8(g * 51), B: uint8(b * 51), A: 255})
			}
		}
	}
	var frames gif.GIF
	for range 2 {
		p := image.NewPaletted(im.Bounds(), palette)
		for y := range refHeight {
			for x := range refWidth {
				p.Set(x, y, im.At(x, y))
			}
		}
		frames.Image, frames.Delay = append(frames.Image, p), append(frames.Delay, 10)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &frames); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// unturn stores a picture so that the orientation shows it upright again (Exif 2.3: what the first row and column of
// the stored picture are to the eye).
func unturn(im *image.RGBA, orientation int) *image.RGBA {
	w, h := im.Bounds().Dx(), im.Bounds().Dy()
	// For each orientation, where the stored pixel (x, y) is seen.
	seen := map[int]func(x, y int) (int, int){
		1: func(x, y int) (int, int) { return x, y },
		2: func(x, y int) (int, int) { return w - 1 - x, y },         // row: top, column: right
		3: func(x, y int) (int, int) { return w - 1 - x, h - 1 - y }, // bottom, right
		4: func(x, y int) (int, int) { return x, h - 1 - y },         // bottom, left
		5: func(x, y int) (int, int) { return y, x },                 // row: left, column: top
		6: func(x, y int) (int, int) { return w - 1 - y, x },         // row: right, column: top
		7: func(x, y int) (int, int) { return w - 1 - y, h - 1 - x }, // right, bottom
		8: func(x, y int) (int, int) { return y, h - 1 - x },         // left, bottom
	}[orientation]
	sw, sh := w, h
	if orientation >= 5 {
		sw, sh = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, sw, sh))
	for y := range sh {
		for x := range sw {
			out.SetRGBA(x, y, im.RGBAAt(seen(x, y)))
		}
	}
	return out
}

// withExif puts an Exif segment with an orientation, and a position on earth, behind a JPEG's start.
func withExif(data []byte, orientation int) []byte {
	le := binary.LittleEndian
	tiff := []byte("II\x2a\x00\x08\x00\x00\x00")
	tiff = le.AppendUint16(tiff, 2)
	entry := func(tag, kind uint16, count, value uint32) {
		tiff = le.AppendUint16(le.AppendUint16(tiff, tag), kind)
		tiff = le.AppendUint32(le.AppendUint32(tiff, count), value)
	}
	entry(274, 3, 1, uint32(orientation))
	entry(0x8825, 4, 1, 38)
	tiff = le.AppendUint32(tiff, 0)
	tiff = le.AppendUint16(tiff, 1)
	entry(1, 2, 2, 'N')
	tiff = le.AppendUint32(tiff, 0)
	body := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{}, data[:2]...)
	out = append(out, 0xFF, 0xE1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(body)+2))
	return append(append(out, body...), data[2:]...)
}

// withOrientation changes the orientation in every directory of a little-endian TIFF of libvips, which always writes
// the field.
func withOrientation(data []byte, orientation int) []byte {
	field := []byte{0x12, 0x01, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0}
	with := []byte{0x12, 0x01, 3, 0, 1, 0, 0, 0, byte(orientation), 0, 0, 0}
	if !bytes.Contains(data, field) {
		panic("no orientation field")
	}
	return bytes.ReplaceAll(data, field, with)
}

type pdfPage struct{ width, height int }

// pdfFile writes pages in points. Each is blue on the left half, and red with a yellow quarter at the top on the right.
func pdfFile(pages ...pdfPage) []byte {
	var b bytes.Buffer
	var offsets []int
	object := func(format string, args ...any) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n", len(offsets))
		fmt.Fprintf(&b, format, args...)
		b.WriteString("\nendobj\n")
	}
	b.WriteString("%PDF-1.4\n")
	object("<< /Type /Catalog /Pages 2 0 R >>")
	var kids []string
	for i := range pages {
		kids = append(kids, fmt.Sprintf("%d 0 R", 3+2*i))
	}
	object("<< /Type /Pages /Kids [%s] /Count %d >>", strings.Join(kids, " "), len(pages))
	for i, p := range pages {
		object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R /Resources << >> >>", p.width, p.height, 4+2*i)
		w, h := p.width/2, p.height/2
		content := fmt.Sprintf("0 0 1 rg 0 0 %d %d re f 1 0 0 rg %d 0 %d %d re f 1 1 0 rg %d %d %d %d re f",
			w, p.height, w, w, p.height, w, h, w, h)
		object("<< /Length %d >>\nstream\n%s\nendstream", len(content), content)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, start)
	return b.Bytes()
}

// memory is an original that is read through Go, as one from another server.
type memory struct {
	name string
	data []byte
	// read, when set, looks at each read first.
	read func(off int64, n int) error
}

func (m *memory) Info() source.Info {
	return source.Info{Size: int64(len(m.data)), Version: fmt.Sprint(len(m.data)), Name: m.name}
}

func (m *memory) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if m.read != nil {
		if err := m.read(off, len(p)); err != nil {
			return 0, err
		}
	}
	return bytes.NewReader(m.data).ReadAt(p, off)
}

func (m *memory) File() *os.File { return nil }
func (m *memory) Close() error   { return nil }

// local is an original in a file.
type local struct{ file *os.File }

func newLocal(t testing.TB, data []byte) *local {
	t.Helper()
	name := filepath.Join(t.TempDir(), "original")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return &local{f}
}

func (l *local) Info() source.Info {
	stat := must(l.file.Stat())
	return source.Info{Size: stat.Size(), Version: stat.ModTime().String(), Name: stat.Name()}
}

func (l *local) ReadAt(_ context.Context, p []byte, off int64) (int, error) {
	return l.file.ReadAt(p, off)
}
func (l *local) File() *os.File { return l.file }
func (l *local) Close() error   { return nil }

func newRenderer(t testing.TB, c Config) *Renderer {
	t.Helper()
	r, err := New(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// full is the job for a whole picture in its own size.
func full(size image.Point) render.Job {
	return render.Job{Canvas: size, Region: image.Rectangle{Max: size}, Size: size, Quality: "default", Format: "png"}
}

// failer is what helpers need of testing.T, testing.B and rapid.T.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// drawer is what helpers need of a Renderer.
type drawer interface {
	Render(ctx context.Context, original source.Original, job render.Job) ([]byte, error)
}

// draw renders and decodes.
func draw(t failer, r drawer, o source.Original, job render.Job) image.Image {
	t.Helper()
	data, err := r.Render(context.Background(), o, job)
	if err != nil {
		t.Fatalf("Render(%+v): %v", job, err)
	}
	return decode(t, data)
}

// decode reads a picture by Go's decoders, or where these do not know its kind, by the program vips.
func decode(t failer, data []byte) image.Image {
	t.Helper()
	if im, _, err := image.Decode(bytes.NewReader(data)); err == nil {
		return im
	}
	dir := must(os.MkdirTemp("", "gatehouse-render"))
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.WriteFile(filepath.Join(dir, "made"), data, 0o600); err != nil {
		t.Fatalf("%v", err)
	}
	tool(dir, "vips", "copy", "made", "made.png")
	return must(png.Decode(bytes.NewReader(must(os.ReadFile(filepath.Join(dir, "made.png"))))))
}

var (
	_ source.Original = (*memory)(nil)
	_ source.Original = (*local)(nil)
	_ io.ReaderAt     = (*bytes.Reader)(nil)
)

// pyramid makes a tiled pyramid of a picture with the program vips.
func pyramid(im image.Image, options ...string) []byte {
	dir := must(os.MkdirTemp("", "gatehouse-render"))
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.WriteFile(filepath.Join(dir, "in.png"), encodePNG(im), 0o600); err != nil {
		panic(err)
	}
	tool(dir, append([]string{"vips", "tiffsave", "in.png", "out.tif", "--tile", "--pyramid"}, options...)...)
	return must(os.ReadFile(filepath.Join(dir, "out.tif")))
}
