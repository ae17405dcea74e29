package vips

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"testing"

	"golang.org/x/image/webp"
)

func TestWithJFIF(t *testing.T) {
	im := image.NewGray(image.Rect(0, 0, 9, 7))
	plain := encodeJPEG(im, 90)
	for _, test := range []struct {
		xres, yres float64
		unit       byte
		x, y       uint16
	}{{300 / 25.4, 150 / 25.4, 1, 300, 150}, {1, 1, 1, 25, 25}, {0, 1, 0, 1, 1}, {1e9, 1, 0, 1, 1}, {0.001, 0.001, 0, 1, 1}} {
		data := withJFIF(plain, test.xres, test.yres)
		if data[13] != test.unit || binary.BigEndian.Uint16(data[14:]) != test.x || binary.BigEndian.Uint16(data[16:]) != test.y {
			t.Errorf("%+v: % x", test, data[:20])
		}
		if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
			t.Errorf("%+v: %v", test, err)
		}
	}
	if got := withJFIF([]byte{1}, 1, 1); len(got) != 1 {
		t.Errorf("% x", got)
	}
}

func chunk(name string, body ...byte) []byte {
	out := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(body)))
	out = append(out, body...)
	return append(out, make([]byte, len(body)%2)...)
}

func TestWithoutExif(t *testing.T) {
	r := newRenderer(t, Config{})
	job := full(image.Pt(refWidth, refHeight))
	job.Format, job.Size = "webp", image.Pt(60, 40)
	data := must(r.Render(t.Context(), &memory{data: fixtures()["png"]}, job))
	if bytes.Contains(data, []byte("EXIF")) {
		t.Error("EXIF is still there")
	}
	if c, err := webp.DecodeConfig(bytes.NewReader(data)); err != nil || c.Width != 60 || c.Height != 40 {
		t.Errorf("%+v, %v", c, err)
	}
	vp8x := chunk("VP8X", 0x18, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	file := func(chunks ...[]byte) []byte {
		body := append([]byte("WEBP"), bytes.Join(chunks, nil)...)
		return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
	}
	kept := []byte{0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	with := file(vp8x, chunk("VP8 ", 1, 2, 3), chunk("EXIF", 9, 9, 9), chunk("ALPH", 4))
	want := file(chunk("VP8X", kept...), chunk("VP8 ", 1, 2, 3), chunk("ALPH", 4))
	if got := withoutExif(with); !bytes.Equal(got, want) {
		t.Errorf("% x\nwant % x", got, want)
	}
	for name, same := range map[string][]byte{
		"short": with[:20], "simple": file(chunk("VP8 ", make([]byte, 20)...)),
		"no Exif": want, "cut": append(with[:len(with)-6:len(with)-6], 0xFF, 0xFF),
	} {
		if got := withoutExif(same); !bytes.Equal(got, same) && name != "cut" {
			t.Errorf("%s: changed to % x", name, got)
		}
	}
}
