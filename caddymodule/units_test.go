package caddymodule

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestUnits(t *testing.T) {
	sizes := map[string]ByteSize{"0": 0, "12": 12, "12B": 12, "1KB": 1000, "1KiB": 1024, "1.5MiB": 3 << 19, "20GiB": 20 << 30, "2TB": 2e12}
	for in, want := range sizes {
		var got ByteSize
		if err := got.parseText(in); err != nil || got != want {
			t.Errorf("ByteSize %q = %d, %v; want %d", in, got, err, want)
		}
	}
	pixels := map[string]Pixels{"5": 5, "400MP": 400e6, "100GP": 100e9, "0.5MP": 500_000}
	for in, want := range pixels {
		var got Pixels
		if err := got.parseText(in); err != nil || got != want {
			t.Errorf("Pixels %q = %d, %v; want %d", in, got, err, want)
		}
	}
	durations := map[string]Duration{"0": 0, "90s": Duration(90 * time.Second), "30d": Duration(30 * 24 * time.Hour)}
	for in, want := range durations {
		var got Duration
		if err := got.parseText(in); err != nil || got != want {
			t.Errorf("Duration %q = %d, %v; want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "-1", "1 MiB", "MiB", "1e3", "0x10", "1.2.3MB", "99999999999TiB"} {
		if err := new(ByteSize).parseText(in); err == nil {
			t.Errorf("ByteSize %q was taken", in)
		}
	}
	for _, in := range []string{"", "8192", "x", "0x0", "1x", "x1", "-1x5", "1x1x1", "99999999999x1", "+1x1"} {
		if err := new(Dimensions).parseText(in); err == nil {
			t.Errorf("Dimensions %q were taken", in)
		}
	}
}

func TestUnitsInJSON(t *testing.T) {
	var got struct {
		Size   ByteSize
		Pixels Pixels
		Time   Duration
		Box    Dimensions
	}
	err := json.Unmarshal([]byte(`{"Size":"2KiB","Pixels":7,"Time":"1m","Box":"3x4"}`), &got)
	if err != nil || got.Size != 2048 || got.Pixels != 7 || got.Time != Duration(time.Minute) || got.Box != (Dimensions{3, 4}) {
		t.Errorf("got %+v, %v", got, err)
	}
	text, err := json.Marshal(got.Box)
	if err != nil || string(text) != `"3x4"` {
		t.Errorf("Dimensions became %s, %v", text, err)
	}
	for _, bad := range []string{`{"Size":-1}`, `{"Size":1.5}`, `{"Size":[]}`, `{"Box":3}`, `{"Time":"soon"}`} {
		if err := json.Unmarshal([]byte(bad), &got); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func FuzzUnits(f *testing.F) {
	for _, seed := range []string{"1", "20GiB", "400MP", "8192x8192", "30d", "1.5.", "..", "9e9", "-0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var size ByteSize
		if size.parseText(s) == nil && (size < 0 || strings.ContainsAny(s, "-+eE ")) {
			t.Errorf("ByteSize %q = %d", s, size)
		}
		var pixels Pixels
		if pixels.parseText(s) == nil && pixels < 0 {
			t.Errorf("Pixels %q = %d", s, pixels)
		}
		var span Duration
		if span.parseText(s) == nil && span < 0 {
			t.Errorf("Duration %q = %d", s, span)
		}
		var box Dimensions
		if box.parseText(s) == nil && (box.Width < 1 || box.Height < 1) {
			t.Errorf("Dimensions %q = %v", s, box)
		}
	})
}
