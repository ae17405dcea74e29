package placeholder_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"testing"
	"testing/iotest"

	"github.com/gatehouse-server/gatehouse/render/placeholder"
	"github.com/gatehouse-server/gatehouse/source"
)

func decode(t *testing.T, o source.Original) image.Image {
	t.Helper()
	data := make([]byte, o.Info().Size)
	if n, err := o.ReadAt(context.Background(), data, 0); n != len(data) || (err != nil && !errors.Is(err, io.EOF)) {
		t.Fatalf("ReadAt = %d, %v", n, err)
	}
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// ink counts the pixels that are nearly white, and the box that they lie in.
func ink(picture image.Image) (int, image.Rectangle) {
	count, box := 0, image.Rectangle{}
	for y := range placeholder.Side {
		for x := range placeholder.Side {
			if r, _, _, _ := picture.At(x, y).RGBA(); r > 0xF000 {
				count++
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return count, box
}

func TestWordsAreReadable(t *testing.T) {
	for _, kind := range []string{"7Z", "TXT", "XLS", "XLSX", "DOCX", "WWWWWWWW", "GEOJSON1"} {
		picture := decode(t, placeholder.New(kind))
		if picture.Bounds() != image.Rect(0, 0, placeholder.Side, placeholder.Side) {
			t.Fatalf("%v", picture.Bounds())
		}
		if r, g, b, a := picture.At(0, 0).RGBA(); g <= r || g <= b || a != 0xFFFF {
			t.Errorf("%s: the paper is not green: %d %d %d", kind, r>>8, g>>8, b>>8)
		}
		n, box := ink(picture)
		middle := box.Min.Add(box.Max).Div(2)
		off := middle.Sub(image.Pt(placeholder.Side/2, placeholder.Side/2))
		if n < 1000 || box.Dx() < placeholder.Side/4 || box.Dy() < 25 || !box.In(picture.Bounds().Inset(20)) {
			t.Errorf("%s: %d white pixels in %v", kind, n, box)
		}
		if off.X*off.X > 9 || off.Y*off.Y > 9 {
			t.Errorf("%s: the word is off the middle by %v", kind, off)
		}
	}
}

func TestKindsAreCleaned(t *testing.T) {
	same := map[string]string{"xls": "XLS", "<b>T\x00X\u00e9T": "BTXT", "": "FILE", "../..": "FILE", "ABCDEFGHIJKL": "ABCDEFGH"}
	for kind, want := range same {
		a, b := placeholder.New(kind), placeholder.New(want)
		if a.Info() != b.Info() {
			t.Errorf("New(%q) is %+v, want %+v", kind, a.Info(), b.Info())
		}
	}
	if placeholder.New("XLS").Info().Version == placeholder.New("DOC").Info().Version {
		t.Error("two kinds share a version")
	}
}

func TestBehavesAsAnOriginal(t *testing.T) {
	o := placeholder.New("ZIP")
	info := o.Info()
	if info.ContentType != "image/png" || info.Name != "zip.png" || o.File() != nil {
		t.Errorf("%+v", info)
	}
	whole := make([]byte, info.Size)
	_, _ = o.ReadAt(context.Background(), whole, 0)
	if err := iotest.TestReader(io.NewSectionReader(source.ReaderAt(context.Background(), o), 0, info.Size), whole); err != nil {
		t.Error(err)
	}
	if _, err := o.ReadAt(context.Background(), make([]byte, 1), -1); err == nil {
		t.Error("a negative offset is read")
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := o.ReadAt(ended, make([]byte, 1), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
}

func ExampleNew() {
	o := placeholder.New("xls")
	fmt.Println(o.Info().Name, o.Info().ContentType)
	// Output: xls.png image/png
}
