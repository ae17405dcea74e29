package caddymodule

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
)

func newMark(t *testing.T, content []byte, c WatermarkConfig) *render.Watermark {
	t.Helper()
	c.File = filepath.Join(t.TempDir(), "mark")
	writeFile(t, c.File, string(content))
	w, err := newWatermark(&c)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWatermarkKeepsTransparency(t *testing.T) {
	none, half := color.NRGBA{R: 255}, color.NRGBA{R: 200, G: 100, B: 50, A: 128}
	picture := image.NewNRGBA(image.Rect(0, 0, 3, 2))
	picture.SetNRGBA(0, 0, none)
	picture.SetNRGBA(1, 1, half)
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	w := newMark(t, out.Bytes(), WatermarkConfig{})
	if w.Image.Bounds() != picture.Bounds() || w.Image.NRGBAAt(0, 0).A != 0 || w.Image.NRGBAAt(2, 1).A != 0 {
		t.Errorf("the mark is %v", w.Image)
	}
	if got := w.Image.NRGBAAt(1, 1); got.A != 128 || got.R < 198 || got.R > 202 || got.B < 48 || got.B > 52 {
		t.Errorf("a half transparent pixel is %v, want %v", got, half)
	}
	if w.Position != render.PositionCenter || w.Opacity != defaultOpacity || w.Scale != defaultScale {
		t.Errorf("by default it is %+v", w)
	}
	out.Reset()
	if err := jpeg.Encode(&out, picture, nil); err != nil {
		t.Fatal(err)
	}
	if w := newMark(t, out.Bytes(), WatermarkConfig{Position: "tile", Opacity: 1, Scale: 0.1}); w.Image.Bounds() != picture.Bounds() ||
		w.Image.NRGBAAt(0, 0).A != 255 || w.Position != render.PositionTile || w.Opacity != 1 || w.Scale != 0.1 {
		t.Errorf("the mark of a JPEG is %+v", w)
	}
}

// Pictures that were kept with another mark must not be found again.
func TestWatermarkVersionFollowsWhatIsSeen(t *testing.T) {
	encode := func(c color.Color) []byte {
		picture := image.NewNRGBA(image.Rect(0, 0, 1, 1))
		picture.Set(0, 0, c)
		var out bytes.Buffer
		if err := png.Encode(&out, picture); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	black := encode(color.Black)
	seen := map[string]bool{}
	for _, w := range []*render.Watermark{
		newMark(t, black, WatermarkConfig{}), newMark(t, encode(color.White), WatermarkConfig{}), newMark(t, black, WatermarkConfig{Opacity: 0.6}),
		newMark(t, black, WatermarkConfig{Scale: 0.6}), newMark(t, black, WatermarkConfig{Position: "tile"}),
	} {
		if w.Version == "" || seen[w.Version] {
			t.Errorf("%+v has a version that another has", w)
		}
		seen[w.Version] = true
	}
	if !seen[newMark(t, black, WatermarkConfig{Opacity: defaultOpacity, Scale: defaultScale, Position: "center"}).Version] {
		t.Error("the defaults, written out, are another version")
	}
}

// Nothing is shown without the mark that a rule wants.
func TestWatermarkThatCannotBeDrawn(t *testing.T) {
	mark := new(render.Watermark)
	app := &App{watermarks: map[string]*render.Watermark{"city": mark}}
	for _, test := range []struct {
		name  string
		draws bool
		want  *render.Watermark
		fails bool
	}{
		{"", false, nil, false},
		{"", true, nil, false},
		{"city", true, mark, false},
		{"city", false, nil, true},
		{"state", true, nil, true},
	} {
		got, err := app.watermark(test.name, render.Capabilities{Watermarks: test.draws})
		if got != test.want || (err != nil) != test.fails {
			t.Errorf("%+v gives %v, %v", test, got, err)
		}
		var known *problem.Error
		if err != nil && (!errors.As(err, &known) || known.Status != http.StatusNotImplemented || known.Code != "watermark") {
			t.Errorf("%+v: the error is %v", test, err)
		}
	}
}
