package originals_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit/originals"
)

// The programs of libvips see in files what their kinds say: in one of each format for each look.
func TestKindsShowThePicture(t *testing.T) {
	for _, f := range originals.Write(t, t.TempDir(), examples()...) {
		if strings.Contains(f.Name, "16 bit") {
			f.Tolerance.Max, f.Tolerance.Mean = f.Tolerance.Max+1, f.Tolerance.Mean+0.2 // rounded down
		}
		if err := f.Tolerance.Check(shown(t, f), f.Want); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
}

// examples are kinds of all formats and looks, and of all other ways to store that a program would show otherwise if
// they were wrong. Lab is not among them, which the program takes from a coarse table, nor JPEG 2000 with a profile,
// which it overlooks.
func examples() []originals.Kind {
	var picked []originals.Kind
	seen := map[string]bool{}
	for _, k := range originals.All() {
		key := k.Format + string(k.Look)
		for _, word := range []string{"profile", "orientation", "page", "pdf", "frame 2"} {
			if strings.Contains(k.Name, word) {
				key += word
			}
		}
		if !seen[key] && k.Look != originals.Lab && !k.Strange && key != "jp2colouredprofile" {
			picked = append(picked, k)
		}
		seen[key] = true
	}
	return picked
}

// shown is the page of a file, upright and in sRGB.
func shown(t *testing.T, f originals.File) image.Image {
	t.Helper()
	page := ""
	if f.Pages > 1 {
		page = fmt.Sprintf("[page=%d]", f.Page-1)
	}
	if f.Format == "pdf" {
		page = fmt.Sprintf("[page=%d,dpi=150]", f.Page-1)
	}
	turned, out := filepath.Join(t.TempDir(), "turned.v"), filepath.Join(t.TempDir(), "out.png")
	convert := []string{"colourspace", turned, out + "[compression=0]", "srgb"}
	if f.Look == originals.Printed || strings.Contains(f.Name, "profile") {
		convert = []string{"icc_transform", turned, out + "[compression=0]", "srgb", "--embedded", "--input-profile", "cmyk", "--black-point-compensation", "--intent", "relative"}
	}
	for _, words := range [][]string{{"autorot", f.Path + page, turned}, convert} {
		if text, err := exec.Command("vips", words...).CombinedOutput(); err != nil {
			t.Errorf("%s: vips %v: %v\n%s", f.Name, words, err, text)
			return image.NewGray(image.Rect(0, 0, 1, 1))
		}
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestKindsHaveTheirOwnNames(t *testing.T) {
	names, files := map[string]bool{}, map[string]originals.Kind{}
	for _, k := range originals.All() {
		if names[k.Name] || k.Name == "" {
			t.Errorf("the name %q is given twice", k.Name)
		}
		names[k.Name] = true
		if other, ok := files[k.File]; ok && (other.Page == k.Page || other.Pages != k.Pages) {
			t.Errorf("%s and %s are the same page of one file", k.Name, other.Name)
		}
		files[k.File] = k
	}
}

// A picture that is turned, shifted or of other colours is told from the right one.
func TestMistakesShow(t *testing.T) {
	right := originals.Picture()
	for name, wrong := range map[string]func(x, y int) (int, int){
		"shifted":    func(x, y int) (int, int) { return min(x+1, originals.Width-1), y },
		"mirrored":   func(x, y int) (int, int) { return originals.Width - 1 - x, y },
		"upside":     func(x, y int) (int, int) { return x, originals.Height - 1 - y },
		"turned":     func(x, y int) (int, int) { return originals.Width - 1 - x, originals.Height - 1 - y },
		"shifted up": func(x, y int) (int, int) { return x, max(y-1, 0) },
	} {
		m := image.NewRGBA(right.Rect)
		for y := range originals.Height {
			for x := range originals.Width {
				m.SetRGBA(x, y, right.RGBAAt(wrong(x, y)))
			}
		}
		if d := originals.Compare(m, right); d.Mean < 2 {
			t.Errorf("%s it differs by %.2f only", name, d.Mean)
		}
	}
}
