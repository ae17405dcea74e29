package vips

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
)

// hostile are files that are cut off, broken, or made to exhaust, by name. Each is refused with a 4xx.
func hostile() map[string][]byte {
	files := map[string][]byte{
		"empty":              {},
		"one byte":           {0xFF},
		"zeros":              make([]byte, 4096),
		"text":               []byte("no picture"),
		"svg":                []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><image href="file:///etc/passwd"/></svg>`),
		"svg behind xml":     []byte(`<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>`),
		"html":               []byte("<html><img src=x>"),
		"netpbm":             []byte("P6 10 10 255\n" + strings.Repeat("x", 300)),
		"csv":                []byte("1,2,3\n4,5,6\n"),
		"radiance":           []byte("#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\nabcd"),
		"fits":               []byte(fmt.Sprintf("%-80s%-80s", "SIMPLE  = T", "BITPIX  = 8")),
		"vips":               append([]byte{0x08, 0xf2, 0xa6, 0xb6}, make([]byte, 200)...),
		"openexr":            append([]byte{0x76, 0x2f, 0x31, 0x01}, make([]byte, 200)...),
		"mat":                []byte("MATLAB 5.0 MAT-file, Platform: GLNXA64" + strings.Repeat(" ", 200)),
		"psd":                append([]byte("8BPS\x00\x01"), make([]byte, 200)...),
		"magick script":      []byte("push graphic-context\nimage over 0,0 0,0 'https://example.org/x'\npop graphic-context"),
		"postscript":         []byte("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n"),
		"heif not allowed":   []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"),
		"jxl not allowed":    []byte("\xff\x0a\x7f\x7f\x7f\x7f"),
		"zip":                []byte("PK\x03\x04\x14\x00\x00\x00"),
		"png head":           []byte("\x89PNG\r\n\x1a\n"),
		"png bomb":           bombPNG(60000, 60000, false),
		"png bomb held":      bombPNG(20000, 20000, true),
		"png over libpng":    bombPNG(1<<31-1, 1<<31-1, false),
		"png of width 0":     bombPNG(0, 10, false),
		"gif bomb":           append([]byte("GIF89a\xff\xff\xff\xff\x80\x00\x00"), make([]byte, 200)...),
		"webp head":          []byte("RIFF\x10\x00\x00\x00WEBPVP8 \x00\x00\x00\x00"),
		"jp2 head":           []byte("\x00\x00\x00\x0cjP  \r\n\x87\n"),
		"jp2 endless box":    append([]byte("\x00\x00\x00\x0cjP  \r\n\x87\n"), []byte("\xff\xff\xff\xffftyp")...),
		"j2k head":           []byte("\xff\x4f\xff\x51\x00\x29"),
		"jpeg head":          []byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00"),
		"jpeg without scan":  []byte("\xff\xd8\xff\xd9\x00\x00\x00\x00"),
		"jpeg of 65500":      bombJPEG(65500, 65500),
		"pdf head":           []byte("%PDF-1.7\n"),
		"pdf loop":           []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[2 0 R]/Count 1>>endobj\ntrailer<</Root 1 0 R>>"),
		"pdf of a mile":      pdfFile(pdfPage{9_000_000, 9_000_000}),
		"pdf behind text":    []byte("a note\n%PDF-1.4"),
		"tiff head":          []byte("II\x2a\x00\x08\x00\x00\x00"),
		"tiff loop":          []byte("II\x2a\x00\x08\x00\x00\x00\x01\x00\x00\x01\x04\x00\x01\x00\x00\x00\x0a\x00\x00\x00\x08\x00\x00\x00"),
		"tiff huge":          tinyTIFF(9_000_000, 9_000_000, nil),
		"tiff bomb":          tinyTIFF(30000, 30000, nil),
		"tiff huge tiles":    tinyTIFF(1000, 1000, map[uint16]uint32{322: 1 << 30, 323: 1 << 30}),
		"tiff large tiles":   tinyTIFF(1000, 1000, map[uint16]uint32{322: 1 << 15, 323: 1 << 15}),
		"tiff odd codec":     tinyTIFF(10, 10, map[uint16]uint32{259: 12345}),
		"tiff 1000 samples":  tinyTIFF(10, 10, map[uint16]uint32{277: 1000}),
		"tiff strip outside": tinyTIFF(10, 10, map[uint16]uint32{273: 1 << 30}),
		"tiff jpeg strip":    tinyTIFF(10, 10, map[uint16]uint32{259: 7, 262: 6}),
		"big tiff head":      []byte("II\x2b\x00\x08\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00"),
	}
	for _, name := range []string{
		"jpeg", "jpeg progressive", "jpeg cmyk", "png", "png 16", "png interlaced", "webp", "gif", "jp2", "jp2 untiled", "pdf",
		"tiff plain", "tiff strips", "tiff tiled", "tiff pages", "tiff subifds", "tiff jpeg", "tiff g4", "tiff 16", "tiff scan",
	} {
		data := fixtures()[name]
		files[name+", cut at a half"] = data[:len(data)/2]
		if name != "pdf" {
			// Poppler finds its way in a PDF without an end.
			files[name+", cut at a tenth"] = data[:len(data)/10]
		}
	}
	return files
}

// tinyTIFF is a TIFF of a few bytes whose fields claim what they like.
func tinyTIFF(width, height uint32, more map[uint16]uint32) []byte {
	fields := map[uint16]uint32{256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: 10}
	for tag, v := range more {
		fields[tag] = v
	}
	if _, tiled := more[322]; tiled {
		delete(fields, 273)
		delete(fields, 279)
		fields[324], fields[325] = 8, 10
	}
	le := binary.LittleEndian
	out := le.AppendUint16([]byte("II\x2a\x00\x08\x00\x00\x00"), uint16(len(fields)))
	for tag := range uint16(400) {
		if v, ok := fields[tag]; ok {
			out = le.AppendUint32(le.AppendUint32(le.AppendUint16(le.AppendUint16(out, tag), 4), 1), v)
		}
	}
	return le.AppendUint32(out, 0)
}

// bombJPEG claims a size in its frame header and then ends.
func bombJPEG(width, height uint16) []byte {
	data := append([]byte{}, encodeJPEG(reference(), 50)[:]...)
	at := bytes.Index(data, []byte{0xFF, 0xC0})
	binary.BigEndian.PutUint16(data[at+5:], height)
	binary.BigEndian.PutUint16(data[at+7:], width)
	return data
}

func TestHostileFiles(t *testing.T) {
	files := hostile()
	if len(files) < 60 {
		t.Fatalf("only %d files", len(files))
	}
	r := newRenderer(t, Config{})
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			o := newLocal(t, data)
			info, err := r.Describe(context.Background(), o, 0)
			if err == nil {
				job := full(image.Pt(info.Width, info.Height))
				job.Format = "jpg"
				job.Region = job.Region.Intersect(image.Rect(0, 0, 8192, 8192))
				job.Size = job.Region.Size()
				if job.Region.Max.Y < info.Height {
					// The lower end of what is too large, so that nothing is left out.
					job.Region = job.Region.Add(image.Pt(0, info.Height-job.Region.Max.Y))
				}
				_, err = r.Render(context.Background(), o, job)
			}
			var p *problem.Error
			if !errors.As(err, &p) || p.Status < 400 || p.Status > 499 {
				t.Errorf("err = %v", err)
				return
			}
			wantProblem(t, err, p.Status, p.Code)
			var unsupported *render.UnsupportedError
			if (p.Code == "not_an_image") != errors.As(err, &unsupported) || (p.Status == http.StatusUnsupportedMediaType) != (p.Code == "not_an_image") {
				t.Errorf("err = %v", err)
			}
		})
	}
	if tracked := r.Stats().LibraryBytes; tracked > 1<<20 {
		t.Errorf("libvips still holds %d bytes", tracked)
	}
}

// Faults that many files of real archives have, and that cost no pixel, do not hide the picture.
func TestHarmlessFaults(t *testing.T) {
	r := newRenderer(t, Config{})
	for _, name := range []string{"jpeg", "jpeg progressive", "png", "tiff strips", "tiff pages", "webp", "gif", "jp2 untiled"} {
		data := append(append([]byte{}, fixtures()[name]...), bytes.Repeat([]byte("rest"), 2000)...)
		draw(t, r, &memory{name: name, data: data}, full(image.Pt(refWidth, refHeight)))
	}
	// Bytes between two segments, which libjpeg warns of.
	data := fixtures()["jpeg"]
	filled := append(append([]byte{0xFF, 0xD8}, 0x11, 0x22, 0x33), data[2:]...)
	at := bytes.Index(data, []byte{0xFF, 0xC4})
	between := append(append(append([]byte{}, data[:at]...), 0x11, 0x22), data[at:]...)
	draw(t, r, &memory{data: between}, full(image.Pt(refWidth, refHeight)))
	_, err := r.Render(context.Background(), &memory{data: filled}, full(image.Pt(refWidth, refHeight)))
	wantProblem(t, err, http.StatusUnsupportedMediaType, "not_an_image")
}

// A picture whose end is broken is shown as far as a request does not need the end: tiles that are whole are served.
func TestWholeTilesOfABrokenFile(t *testing.T) {
	r := newRenderer(t, Config{})
	data := append([]byte{}, fixtures()["png"]...)
	copy(data[len(data)-400:], make([]byte, 300))
	job := full(image.Pt(refWidth, refHeight))
	job.Region = image.Rect(0, 0, 100, 50)
	job.Size = job.Region.Size()
	draw(t, r, &memory{data: data}, job)
	job.Region = image.Rect(0, refHeight-50, 100, refHeight)
	_, err := r.Render(context.Background(), &memory{data: data}, job)
	wantProblem(t, err, http.StatusUnprocessableEntity, "broken_image")
}

// Files whose bytes are flipped at random never crash the process, nor do they leave memory behind.
func TestFlippedBytes(t *testing.T) {
	r := newRenderer(t, Config{MaxPixels: 2_000_000, MaxHeldPixels: 2_000_000})
	for name, whole := range fixtures() {
		for seed := range 12 {
			data := append([]byte{}, whole...)
			for i := range 5 {
				at := (seed*7919 + i*104729) % min(len(data), 600+seed*len(data)/12)
				data[at] ^= byte(1 + seed*31 + i*7)
			}
			o := &memory{name: name, data: data}
			info, err := r.Describe(context.Background(), o, 0)
			if err != nil {
				continue
			}
			job := full(image.Pt(info.Width, info.Height))
			job.Size, job.Format = image.Pt(50, 50), "jpg"
			_, err = r.Render(context.Background(), o, job)
			var p *problem.Error
			if err != nil && (!errors.As(err, &p) || p.Status >= 500) {
				t.Errorf("%s, seed %d: %v", name, seed, err)
			}
		}
	}
	if tracked := r.Stats().LibraryBytes; tracked > 1<<20 {
		t.Errorf("libvips still holds %d bytes", tracked)
	}
}

// No loader but the allowed ones can be reached in this process, by whatever way.
func TestForeignLoadersAreBlocked(t *testing.T) {
	newRenderer(t, Config{})
	for _, operation := range []string{"svgload", "magickload", "csvload", "rawload", "ppmload", "vipsload", "openslideload", "matload", "fitsload", "radload", "openexrload", "analyzeload"} {
		if !blocked(operation) {
			t.Errorf("%s is not blocked", operation)
		}
	}
	for _, operation := range []string{"jpegload_source", "pngload_source", "tiffload_source", "pdfload_source", "jp2kload_source"} {
		if blocked(operation) {
			t.Errorf("%s is blocked", operation)
		}
	}
}

// The vector code of libvips 8.14 crashes under concurrency; it must be off, whatever the environment says.
func TestVectorCodeIsOff(t *testing.T) {
	newRenderer(t, Config{})
	if vectorEnabled() {
		t.Error("vector code is on")
	}
	if _, err := exec.LookPath("vips"); err != nil {
		t.Fatal("the tests need libvips-tools")
	}
}
