package vips

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// stream writes the start of a JPEG 2000 code stream.
func stream(width, height, tileWidth, tileHeight, offset uint32, levels byte) []byte {
	be := binary.BigEndian
	out := []byte{0xFF, 0x4F, 0xFF, 0x51, 0, 47, 0, 0}
	for _, v := range []uint32{width, height, offset, 0, tileWidth, tileHeight, 0, 0} {
		out = be.AppendUint32(out, v)
	}
	out = append(out, 0, 3, 7, 1, 1, 7, 1, 1, 7, 1, 1)
	return append(out, 0xFF, 0x52, 0, 12, 0, 0, 0, 1, 1, levels, 4, 4, 0, 0)
}

func box(name string, body []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body)+8)), append([]byte(name), body...)...)
}

func TestJP2Shape(t *testing.T) {
	tiled := jp2Shape{tileWidth: 256, tileHeight: 128, width: 1000, height: 700, reductions: 5}
	code := stream(1000, 700, 256, 128, 0, 5)
	large := append([]byte{0, 0, 0, 1, 'j', 'p', '2', 'c', 0, 0, 0, 0, 0, 0, 2, 0}, code...)
	tests := map[string]struct {
		data []byte
		want jp2Shape
	}{
		"bare":          {code, tiled},
		"in boxes":      {bytes.Join([][]byte{box("jP  ", []byte("\r\n\x87\n")), box("ftyp", make([]byte, 12)), box("jp2c", code)}, nil), tiled},
		"long box":      {append(box("ftyp", nil), large...), tiled},
		"to the end":    {append(box("ftyp", nil), append([]byte{0, 0, 0, 0, 'j', 'p', '2', 'c'}, code...)...), tiled},
		"untiled":       {stream(100, 70, 100, 70, 0, 3), jp2Shape{tileWidth: 100, tileHeight: 70, width: 100, height: 70, reductions: 3}},
		"shifted":       {stream(100, 70, 10, 10, 5, 3), jp2Shape{reductions: 3}},
		"no tile":       {stream(100, 70, 0, 10, 0, 3), jp2Shape{reductions: 3}},
		"many levels":   {stream(100, 70, 10, 10, 0, 255), jp2Shape{tileWidth: 10, tileHeight: 10, width: 100, height: 70, reductions: 24}},
		"empty":         {nil, jp2Shape{}},
		"short":         {code[:20], jp2Shape{}},
		"no stream":     {box("ftyp", make([]byte, 12)), jp2Shape{}},
		"box outside":   {append([]byte{0x7F, 0, 0, 0}, "ftyp........"...), jp2Shape{}},
		"box of 0":      {[]byte("\x00\x00\x00\x00ftypxxxxxxxx"), jp2Shape{}},
		"marker of 0":   {append(append([]byte{}, code[:49]...), 0xFF, 0x52, 0, 0), jp2Shape{tileWidth: 256, tileHeight: 128, width: 1000, height: 700}},
		"tile before":   {append(append([]byte{}, code[:49]...), 0xFF, 0x90, 0, 2), jp2Shape{tileWidth: 256, tileHeight: 128, width: 1000, height: 700}},
		"no code start": {append(box("jp2c", make([]byte, 100)), 0), jp2Shape{}},
	}
	for name, test := range tests {
		got, err := readJP2Shape(bytes.NewReader(test.data), int64(len(test.data)))
		if got != test.want || err != nil {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, test.want)
		}
	}
	boom := errors.New("archive is down")
	if _, err := readJP2Shape(iotest{boom}, 1000); !errors.Is(err, boom) {
		t.Errorf("err = %v", err)
	}
	if !tiled.tiled() || (jp2Shape{}).tiled() || (jp2Shape{tileWidth: 9, tileHeight: 9, width: 9, height: 9}).tiled() {
		t.Error("tiled")
	}
}

func TestJP2Profile(t *testing.T) {
	colour := func(method byte, more string) []byte { return box("colr", append([]byte{method, 0, 0}, more...)) }
	header := func(boxes ...[]byte) []byte {
		return append(box("jP  ", []byte("\r\n\x87\n")), box("jp2h", bytes.Join(boxes, nil))...)
	}
	code := box("jp2c", stream(10, 10, 10, 10, 0, 1))
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"sRGB":               {header(box("ihdr", make([]byte, 14)), colour(1, "\x00\x00\x00\x10")), ""},
		"profile":            {header(box("ihdr", make([]byte, 14)), colour(2, "profile")), "profile"},
		"any profile":        {header(colour(3, "profile")), "profile"},
		"behind another":     {header(colour(1, "\x00\x00\x00\x10"), colour(2, "profile")), "profile"},
		"none":               {header(box("ihdr", make([]byte, 14))), ""},
		"no header":          {box("jP  ", nil), ""},
		"empty colr":         {header(box("colr", nil)), ""},
		"colr outside":       {header([]byte("\x7f\xff\xff\xffcolr\x02\x00\x00")), ""},
		"beside the header":  {append(header(), colour(2, "profile")...), ""},
		"bare code stream":   {stream(10, 10, 10, 10, 0, 1), ""},
		"before code stream": {append(header(colour(2, "profile")), code...), "profile"},
	} {
		got, err := readJP2Profile(bytes.NewReader(test.data), int64(len(test.data)))
		if string(got) != test.want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	boom := errors.New("archive is down")
	if _, err := readJP2Profile(iotest{boom}, 1000); !errors.Is(err, boom) {
		t.Errorf("err = %v", err)
	}
}

// iotest is a reader that fails.
type iotest struct{ err error }

func (r iotest) ReadAt([]byte, int64) (int, error) { return 0, r.err }

func FuzzJP2Shape(f *testing.F) {
	f.Add(stream(1000, 700, 256, 128, 0, 5))
	f.Add(append(box("jP  ", nil), box("jp2c", stream(10, 10, 10, 10, 0, 1))...))
	f.Add([]byte{0, 0, 0, 1, 'j', 'p', '2', 'c', 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := readJP2Profile(bytes.NewReader(data), int64(len(data))); err != nil || len(p) > len(data) {
			t.Fatalf("a profile of %d bytes, %v", len(p), err)
		}
		s, err := readJP2Shape(bytes.NewReader(data), int64(len(data)))
		if err != nil || s.reductions < 0 || s.reductions > 24 || s.tileWidth < 0 || s.tileHeight < 0 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestCeilShift(t *testing.T) {
	for _, test := range [][3]int{{10, 0, 10}, {10, 1, 5}, {11, 1, 6}, {1, 5, 1}, {33, 5, 2}, {1 << 24, 24, 1}} {
		if got := ceilShift(test[0], test[1]); got != test[2] {
			t.Errorf("ceilShift(%d, %d) = %d", test[0], test[1], got)
		}
	}
}
