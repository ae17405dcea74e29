package conformance_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

// mediaTypes are those of the formats that the specification names (§4.5), and of two more.
func mediaTypes() map[string]string {
	return map[string]string{
		"jpg": "image/jpeg", "tif": "image/tiff", "png": "image/png", "gif": "image/gif", "jp2": "image/jp2", "pdf": "application/pdf",
		"webp": "image/webp", "avif": "image/avif", "jxl": "image/jxl",
	}
}

// signed tells whether data begins as files of a format do.
func signed(format string, data []byte) bool {
	at := func(offset int, want string) bool {
		return len(data) > offset && bytes.HasPrefix(data[offset:], []byte(want))
	}
	switch format {
	case "jpg":
		return at(0, "\xff\xd8\xff")
	case "png":
		return at(0, "\x89PNG\r\n\x1a\n")
	case "tif":
		return at(0, "II*\x00") || at(0, "MM\x00*")
	case "gif":
		return at(0, "GIF87a") || at(0, "GIF89a")
	case "webp":
		return at(0, "RIFF") && at(8, "WEBP")
	case "jp2":
		return at(4, "jP  \r\n\x87\n")
	case "pdf":
		return at(0, "%PDF-")
	case "avif":
		return at(4, "ftypavif")
	case "jxl":
		return at(0, "\xff\x0a") || at(4, "JXL \r\n\x87\n")
	}
	return false
}

// decode reads a picture with another library than the one that wrote it, as far as Go has one.
func decode(t testing.TB, format string, data []byte) (*image.NRGBA, error) {
	t.Helper()
	if !signed(format, data) {
		return nil, fmt.Errorf("this is no %s: %.20q", format, data)
	}
	var m image.Image
	var err error
	in := bytes.NewReader(data)
	switch format {
	case "jpg":
		m, err = jpeg.Decode(in)
	case "png":
		m, err = png.Decode(in)
	case "gif":
		m, err = gif.Decode(in)
	case "tif":
		m, err = tiff.Decode(in)
	case "webp":
		m, err = webp.Decode(in)
	default:
		m, err = decodeByTool(t, format, data)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", format, err)
	}
	if format == "webp" {
		m = videoRange(m)
	}
	return plain(m), nil
}

// plain gives a picture in one form, at 0,0. Without transparency, premultiplied colours are the colours themselves, and
// image/draw is much faster at them.
func plain(m image.Image) *image.NRGBA {
	bounds := image.Rectangle{Max: m.Bounds().Size()}
	if opaque, ok := m.(interface{ Opaque() bool }); ok && opaque.Opaque() {
		out := image.NewRGBA(bounds)
		draw.Draw(out, bounds, m, m.Bounds().Min, draw.Src)
		return (*image.NRGBA)(out)
	}
	if same, ok := m.(*image.NRGBA); ok && same.Rect.Min == (image.Point{}) {
		return same
	}
	out := image.NewNRGBA(bounds)
	draw.Draw(out, bounds, m, m.Bounds().Min, draw.Src)
	return out
}

// decodeByTool has libvips' own command turn into PNG what Go cannot read. A PDF is no picture but holds one, as a JPEG.
func decodeByTool(t testing.TB, format string, data []byte) (image.Image, error) {
	t.Helper()
	if format == "pdf" {
		return jpeg.Decode(bytes.NewReader(embedded(data)))
	}
	dir := t.TempDir()
	from, to := filepath.Join(dir, "in."+format), filepath.Join(dir, "out.png")
	if err := os.WriteFile(from, data, 0o600); err != nil {
		return nil, err
	}
	if out, err := exec.CommandContext(t.Context(), "vips", "copy", from, to).CombinedOutput(); err != nil {
		return nil, errors.Join(err, errors.New(string(out)))
	}
	made, err := os.ReadFile(to)
	if err != nil {
		return nil, err
	}
	return png.Decode(bytes.NewReader(made))
}

// videoRange makes colours of the luma and chroma of a WebP, whose range is that of video (16 to 235, ITU-R BT.601; WebP
// lossy bitstream, RFC 6386 §9.2). Go's library hands them out as if they had JPEG's range.
func videoRange(m image.Image) image.Image {
	var planes *image.YCbCr
	alpha := func(int, int) uint8 { return 255 }
	switch m := m.(type) {
	case *image.YCbCr:
		planes = m
	case *image.NYCbCrA:
		planes = &m.YCbCr
		alpha = func(x, y int) uint8 { return m.A[m.AOffset(x, y)] }
	default:
		return m
	}
	out := image.NewNRGBA(planes.Bounds())
	for y := planes.Rect.Min.Y; y < planes.Rect.Max.Y; y++ {
		for x := planes.Rect.Min.X; x < planes.Rect.Max.X; x++ {
			c := planes.YCbCrAt(x, y)
			light, blue, red := 1.164*(float64(c.Y)-16), float64(c.Cb)-128, float64(c.Cr)-128
			out.SetNRGBA(x, y, color.NRGBA{R: round(light + 1.596*red), G: round(light - 0.392*blue - 0.813*red), B: round(light + 2.017*blue), A: alpha(x, y)})
		}
	}
	return out
}

// slow tells which formats are decoded by a program of its own, a tenth of a second each.
func slow(format string) bool { return format == "jp2" || format == "avif" || format == "jxl" }

// embedded is the JPEG inside a PDF: from its first marker to its last.
func embedded(data []byte) []byte {
	start := bytes.Index(data, []byte("\xff\xd8\xff"))
	end := bytes.LastIndex(data, []byte("\xff\xd9"))
	if start < 0 || end < start {
		return nil
	}
	return data[start : end+2]
}
