package vips

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"math"
	"testing"

	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"

	"github.com/gatehouse-server/gatehouse/render"
)

var allFormats = []render.Format{"jpg", "tif", "png", "gif", "jp2", "pdf", "webp", "avif", "jxl"}

// What a format loses.
func formatTolerance(f render.Format) (largest int, mean float64) {
	switch f {
	case "jpg", "pdf":
		return 16, 2.5
	case "avif":
		return 24, 3.5
	case "jxl", "jp2":
		return 16, 2.5
	case "webp":
		return 24, 3.5
	case "gif":
		return 70, 8
	}
	return 5, 1
}

// Every quality in every format, out of colour and grey, opaque and not, turned by right and other angles.
func TestQualitiesInEveryFormat(t *testing.T) {
	r := newRenderer(t, Config{})
	for _, name := range []string{"png", "jpeg grey", "png 16", "jpeg cmyk", "tiff jpeg"} {
		ref := references()[referenceOf(name)]
		o := &memory{name: name, data: fixtures()[name]}
		for _, quality := range []render.Quality{"default", "color", "gray", "bitonal"} {
			job := full(image.Pt(refWidth, refHeight))
			job.Region, job.Size, job.Quality = image.Rect(37, 91, 337, 311), image.Pt(150, 110), quality
			want := inQuality(expected(ref, job, 0), quality)
			for _, format := range allFormats {
				if readByProgram(format) && (testing.Short() || name != "png" && name != "jpeg grey") {
					continue // the pictures are made alike for all formats, and programs are slow to start
				}
				job.Format, job.Rotation = format, 0
				got := draw(t, r, o, job)
				largest, mean := formatTolerance(format)
				largest, mean = largest+14, mean+2.5
				if quality == "bitonal" {
					largest, mean = 255, 6 // a pixel on the threshold goes either way
				}
				if err := compare(got, want, largest, mean); err != nil {
					t.Errorf("%s as %s.%s: %v", name, quality, format, err)
				}
				if quality == "gray" || quality == "bitonal" {
					onlyGrey(t, got, quality == "bitonal" && isPure(format))
				}
				job.Rotation = 90
				if s := draw(t, r, o, job).Bounds().Size(); s != image.Pt(110, 150) {
					t.Errorf("%s.%s turned is %v", quality, format, s)
				}
			}
		}
	}
}

func inQuality(im *image.RGBA, quality render.Quality) image.Image {
	out := image.NewRGBA(im.Bounds())
	for y := range im.Bounds().Dy() {
		for x := range im.Bounds().Dx() {
			c := im.RGBAAt(x, y)
			v := luma(c)
			switch {
			case quality == "gray":
				c = color.RGBA{R: uint8(v + 0.5), G: uint8(v + 0.5), B: uint8(v + 0.5), A: 255}
			case quality == "bitonal" && v >= 128:
				c = color.RGBA{R: 255, G: 255, B: 255, A: 255}
			case quality == "bitonal":
				c = color.RGBA{A: 255}
			}
			out.SetRGBA(x, y, c)
		}
	}
	return out
}

// readByProgram tells the formats that Go has no decoder for.
func readByProgram(f render.Format) bool {
	return f == "jp2" || f == "pdf" || f == "avif" || f == "jxl"
}

// isPure tells the formats that hold black and white without loss.
func isPure(f render.Format) bool {
	return f == "png" || f == "tif" || f == "gif" || f == "jp2" || f == "jxl"
}

// onlyGrey checks that all channels are alike, and where pure is set, that there is black and white alone.
func onlyGrey(t *testing.T, im image.Image, pure bool) {
	t.Helper()
	for y := range im.Bounds().Dy() {
		for x := range im.Bounds().Dx() {
			r, g, b, _ := im.At(x, y).RGBA()
			if d := max(r, g, b) - min(r, g, b); d>>8 > 3 {
				t.Errorf("a coloured pixel at %d,%d: %d %d %d", x, y, r>>8, g>>8, b>>8)
				return
			}
			if pure && r>>8 != 0 && r>>8 != 255 {
				t.Errorf("a grey pixel at %d,%d: %d", x, y, r>>8)
				return
			}
		}
	}
}

// Grey stays one band, and black and white one bit where the format has it.
func TestBandsAreKeptSmall(t *testing.T) {
	r := newRenderer(t, Config{})
	job := full(image.Pt(refWidth, refHeight))
	job.Size = image.Pt(200, 139)
	tests := []struct {
		name    string
		quality render.Quality
		// bit depth and colour type of PNG (§11.2.2)
		depth, kind byte
	}{
		{"png", "default", 8, 2}, {"png", "gray", 8, 0}, {"png", "bitonal", 1, 0},
		{"jpeg grey", "default", 8, 0}, {"jpeg grey", "color", 8, 0}, {"tiff grey", "default", 8, 0},
		{"tiff g4", "default", 8, 0}, {"png 1", "bitonal", 1, 0},
		{"tiff cmyk", "default", 8, 2}, {"png 16", "default", 8, 2}, {"gif", "default", 8, 2},
	}
	for _, test := range tests {
		job.Quality = test.quality
		data, err := r.Render(context.Background(), &memory{name: test.name, data: fixtures()[test.name]}, job)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		depth, kind := data[24], data[25]
		if kind == 3 { // a palette of one bit is as good
			kind = 0
		}
		if depth != test.depth || kind != test.kind {
			t.Errorf("%s as %s: depth %d, colour type %d", test.name, test.quality, data[24], data[25])
		}
	}
}

func TestBitonalOriginals(t *testing.T) {
	r := newRenderer(t, Config{})
	for _, name := range []string{"tiff g4", "png 1"} {
		got := draw(t, r, &memory{name: name, data: fixtures()[name]}, full(image.Pt(refWidth, refHeight)))
		if err := compare(got, bits(), 0, 0); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// transparent is half transparent at the left, opaque at the right, and hides red below full transparency at the top.
func transparent() *image.NRGBA {
	im := image.NewNRGBA(image.Rect(0, 0, 200, 100))
	for y := range 100 {
		for x := range 200 {
			c := color.NRGBA{R: 0, G: 0, B: 200, A: 255}
			if x < 100 {
				c.A = 128
			}
			if y < 50 {
				c = color.NRGBA{R: 255, A: 0}
			}
			im.SetNRGBA(x, y, c)
		}
	}
	return im
}

func TestTransparency(t *testing.T) {
	r := newRenderer(t, Config{})
	o := &memory{data: encodePNG(transparent())}
	job := full(image.Pt(200, 100))
	for _, size := range []image.Point{{X: 200, Y: 100}, {X: 50, Y: 25}, {X: 400, Y: 200}} {
		job.Size = size
		at := func(im image.Image, x, y float64) color.NRGBA {
			return color.NRGBAModel.Convert(im.At(int(x*float64(size.X)), int(y*float64(size.Y)))).(color.NRGBA)
		}
		for _, format := range []render.Format{"png", "webp", "tif", "jp2", "avif", "jxl"} {
			job.Format = format
			im := draw(t, r, o, job)
			if c := at(im, 0.25, 0.75); math.Abs(float64(c.A)-128) > 3 || c.B < 185 || c.R > 20 {
				t.Errorf("%s %v: half transparent is %v", format, size, c)
			}
			if c := at(im, 0.75, 0.25); c.A > 2 {
				t.Errorf("%s %v: transparent is %v", format, size, c)
			}
			if c := at(im, 0.75, 0.75); c.A != 255 || c.B < 190 {
				t.Errorf("%s %v: opaque is %v", format, size, c)
			}
		}
		job.Format = "jpg"
		im := draw(t, r, o, job)
		if c := at(im, 0.75, 0.25); min(c.R, c.G, c.B) < 245 {
			t.Errorf("jpg %v: transparent is not white but %v", size, c)
		}
		if c := at(im, 0.25, 0.75); math.Abs(float64(c.R)-127) > 12 || c.B < 215 {
			t.Errorf("jpg %v: half transparent is %v", size, c)
		}
		job.Format, job.Quality = "png", "bitonal"
		im = draw(t, r, o, job)
		onlyGrey(t, im, true)
		if c := at(im, 0.75, 0.25); c.R != 255 || c.A != 255 {
			t.Errorf("bitonal %v: transparent is not white but %v", size, c)
		}
		job.Quality = "default"
	}
	// The colour that transparency hides must not bleed over its edge.
	job.Size, job.Format = image.Pt(40, 21), "png"
	im := draw(t, r, o, job)
	for y := range 21 {
		if c := color.NRGBAModel.Convert(im.At(30, y)).(color.NRGBA); c.A > 8 && c.R > 20 {
			t.Errorf("red bleeds at row %d: %v", y, c)
		}
	}
}

// The box grows to hold the turned picture; what it does not cover is transparent, or white where there is no alpha.
func TestAnyRotation(t *testing.T) {
	r := newRenderer(t, Config{})
	im := image.NewRGBA(image.Rect(0, 0, 200, 100))
	for y := range 100 {
		for x := range 200 {
			im.SetRGBA(x, y, color.RGBA{R: 200, A: 255})
			if x >= 100 {
				im.SetRGBA(x, y, color.RGBA{B: 200, A: 255})
			}
		}
	}
	o := &memory{data: encodePNG(im)}
	for _, degrees := range []float64{0.5, 22.5, 45, 135, 200.25, 359} {
		job := full(image.Pt(200, 100))
		job.Rotation = degrees
		sin, cos := math.Sincos(degrees * math.Pi / 180)
		w, h := 200*math.Abs(cos)+100*math.Abs(sin), 200*math.Abs(sin)+100*math.Abs(cos)
		for _, format := range allFormats {
			for _, mirror := range []bool{false, true} {
				if readByProgram(format) && degrees != 22.5 && degrees != 135 {
					continue
				}
				job.Format, job.Mirror = format, mirror
				out := draw(t, r, o, job)
				size := out.Bounds().Size()
				if math.Abs(float64(size.X)-w) > 2 || math.Abs(float64(size.Y)-h) > 2 {
					t.Errorf("%v degrees as %s: %v, want %.1f x %.1f", degrees, format, size, w, h)
					continue
				}
				// The middle of the left half goes round clockwise; y points down.
				side := -50.0
				if mirror {
					side = 50
				}
				x, y := float64(size.X)/2+side*cos, float64(size.Y)/2+side*sin
				if c := color.NRGBAModel.Convert(out.At(int(x), int(y))).(color.NRGBA); c.R < 150 || c.B > 60 {
					t.Errorf("%v degrees as %s, mirrored %v: the left half is %v", degrees, format, mirror, c)
				}
				if degrees < 5 || degrees > 355 {
					continue
				}
				corner := color.NRGBAModel.Convert(out.At(0, 0)).(color.NRGBA)
				if opaque := format == "jpg" || format == "pdf"; opaque && min(corner.R, corner.G, corner.B) < 240 {
					t.Errorf("%v degrees as %s: corner %v", degrees, format, corner)
				} else if !opaque && corner.A != 0 {
					t.Errorf("%v degrees as %s: corner %v", degrees, format, corner)
				}
			}
		}
	}
}

// A picture turns about its middle, which stays in the middle of the box: half a pixel of shift would show.
func TestAnyRotationIsCentred(t *testing.T) {
	r := newRenderer(t, Config{})
	im := image.NewRGBA(image.Rect(0, 0, 200, 100))
	for y := range 100 {
		for x := range 200 {
			im.SetRGBA(x, y, color.RGBA{R: uint8(20 + x), G: uint8(20 + 2*y), A: 255})
		}
	}
	o := &memory{data: encodePNG(im)}
	for _, degrees := range []float64{1, 30, 45, 89.9, 135, 181, 222.5, 300} {
		job := full(image.Pt(200, 100))
		job.Rotation = degrees
		out := draw(t, r, o, job)
		size := out.Bounds().Size()
		sin, cos := math.Sincos(degrees * math.Pi / 180)
		if want := image.Pt(int(math.Ceil(200*math.Abs(cos)+100*math.Abs(sin))), int(math.Ceil(100*math.Abs(cos)+200*math.Abs(sin)))); size != want {
			t.Errorf("%v degrees: the box is %v, want %v", degrees, size, want)
		}
		for y := range size.Y {
			for x := range size.X {
				dx, dy := float64(x)+0.5-float64(size.X)/2, float64(y)+0.5-float64(size.Y)/2
				u, v := dx*cos+dy*sin+100, -dx*sin+dy*cos+50
				if u < 3 || v < 3 || u > 197 || v > 97 {
					continue
				}
				c := color.NRGBAModel.Convert(out.At(x, y)).(color.NRGBA)
				if math.Abs(float64(c.R)-(19.5+u)) > 1 || math.Abs(float64(c.G)-(19+2*v)) > 1.3 {
					t.Fatalf("%v degrees: %d,%d is %v, want %.1f %.1f", degrees, x, y, c, 19.5+u, 19+2*v)
				}
			}
		}
	}
}

func TestRotatedQualities(t *testing.T) {
	r := newRenderer(t, Config{})
	for _, name := range []string{"png", "jpeg grey"} {
		for _, quality := range []render.Quality{"default", "gray", "bitonal"} {
			job := full(image.Pt(refWidth, refHeight))
			job.Size, job.Rotation, job.Quality = image.Pt(100, 70), 30, quality
			for _, format := range allFormats {
				job.Format = format
				data, err := r.Render(context.Background(), &memory{name: name, data: fixtures()[name]}, job)
				if err != nil {
					t.Fatalf("%s as %s.%s: %v", name, quality, format, err)
				}
				if quality != "default" {
					onlyGrey(t, decode(t, data), quality == "bitonal" && (format == "png" || format == "tif"))
				}
			}
		}
	}
}

// 16 bits become 8 by their value, not by cutting what is above 255.
func TestSixteenBits(t *testing.T) {
	r := newRenderer(t, Config{})
	im := image.NewGray16(image.Rect(0, 0, 256, 16))
	for y := range 16 {
		for x := range 256 {
			im.SetGray16(x, y, color.Gray16{Y: uint16(x * 257)})
		}
	}
	out := draw(t, r, &memory{data: encodePNG(im)}, full(image.Pt(256, 16)))
	for x := range 256 {
		if v, _, _, _ := out.At(x, 5).RGBA(); int(v>>8) != x {
			t.Fatalf("%d became %d", x*257, v>>8)
		}
	}
}

// A profile decides how samples look: the same numbers in Display P3 and in sRGB are different colours.
func TestProfileIsApplied(t *testing.T) {
	r := newRenderer(t, Config{})
	data := fixtures()["tiff profile"]
	size := image.Pt(refWidth, refHeight)
	with := draw(t, r, &memory{name: "with", data: data}, full(size))
	// Without its profile the samples are taken as sRGB.
	tag := binary.LittleEndian.AppendUint16(nil, 34675)
	stripped := bytes.Replace(data, append(tag, 7, 0), append([]byte{0x74, 0x87}, 7, 0), 1)
	without := draw(t, r, &memory{name: "without", data: stripped}, full(size))
	if err := compare(with, reference(), 12, 3); err != nil {
		t.Error(err)
	}
	if l, _ := difference(with, without); l < 15 {
		t.Errorf("the profile changes no sample by more than %d", l)
	}
}

// What cameras and offices write into a file stays there; the resolution of a scan goes along.
func TestMetadataIsStripped(t *testing.T) {
	r := newRenderer(t, Config{})
	o := &memory{data: withExif(withDensity(encodeJPEG(reference(), 90), 300), 1)}
	job := full(image.Pt(refWidth, refHeight))
	for _, format := range allFormats {
		job.Format = format
		data := must(r.Render(context.Background(), o, job))
		for _, word := range []string{"Exif", "GPS", "http://ns.adobe.com", "vips", "xmp"} {
			if bytes.Contains(data, []byte(word)) {
				t.Errorf("%s holds %q", format, word)
			}
		}
	}
	job.Format = "jpg"
	data := must(r.Render(context.Background(), o, job))
	if data[13] != 1 || binary.BigEndian.Uint16(data[14:]) != 300 {
		t.Errorf("density of unit %d: %d", data[13], binary.BigEndian.Uint16(data[14:]))
	}
	job.Size = image.Pt(refWidth/2, refHeight/2)
	data = must(r.Render(context.Background(), o, job))
	if d := binary.BigEndian.Uint16(data[14:]); d < 149 || d > 151 {
		t.Errorf("half the pixels on the same paper: density %d", d)
	}
}

// withDensity puts a JFIF segment of so many dots per inch behind a JPEG's start.
func withDensity(data []byte, dpi uint16) []byte {
	segment := []byte{0xFF, 0xE0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 1}
	segment = binary.BigEndian.AppendUint16(segment, dpi)
	segment = binary.BigEndian.AppendUint16(segment, dpi)
	segment = append(segment, 0, 0)
	return append(append(append([]byte{}, data[:2]...), segment...), data[2:]...)
}

// JPEGs are baseline: the oldest viewers and printers read them.
func TestJPEGIsBaseline(t *testing.T) {
	r := newRenderer(t, Config{})
	job := full(image.Pt(refWidth, refHeight))
	job.Format = "jpg"
	for _, name := range []string{"jpeg progressive", "png", "jpeg grey"} {
		data := must(r.Render(context.Background(), &memory{name: name, data: fixtures()[name]}, job))
		if !bytes.Contains(data, []byte{0xFF, 0xC0}) || bytes.Contains(data, []byte{0xFF, 0xC2}) {
			t.Errorf("%s: no baseline frame", name)
		}
	}
}

func TestCapabilitiesAreTrue(t *testing.T) {
	r := newRenderer(t, Config{})
	c := r.Capabilities()
	if len(c.Formats) != len(allFormats) || len(c.Loaders) < 7 || !c.AnyRotation {
		t.Errorf("%+v", c)
	}
	for _, f := range c.Formats {
		job := full(image.Pt(refWidth, refHeight))
		job.Format, job.Size = f, image.Pt(20, 10)
		draw(t, r, &memory{data: fixtures()["png"]}, job)
	}
	c.Formats[0] = "changed"
	if r.Capabilities().Formats[0] == "changed" {
		t.Error("a caller can change the capabilities")
	}
	if _, err := png.Decode(bytes.NewReader(must(r.Render(context.Background(), &memory{data: fixtures()["png"]}, full(image.Pt(refWidth, refHeight)))))); err != nil {
		t.Error(err)
	}
}
