package main

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"slices"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

func TestScalesFindsPyramids(t *testing.T) {
	for name, test := range map[string]struct {
		levels []level
		want   []int
	}{
		"rounded down":  {[]level{{"", 101, 51}, {"page=1", 50, 25}, {"page=2", 25, 12}}, []int{1, 2, 4}},
		"rounded up":    {[]level{{"", 101, 51}, {"subifd=0", 51, 26}, {"subifd=1", 26, 13}}, []int{1, 2, 4}},
		"pages":         {[]level{{"", 101, 51}, {"page=1", 101, 51}, {"page=2", 90, 40}}, []int{1}},
		"a level lacks": {[]level{{"", 101, 51}, {"page=1", 25, 12}}, []int{1, 4}},
	} {
		var got []int
		for _, l := range scales(test.levels) {
			got = append(got, l.scale)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: scales %v, want %v", name, got, test.want)
		}
	}
}

func TestTilesAreWholeOnes(t *testing.T) {
	p := &picture{dir: "/d", name: "p", extension: ".tif", width: 1001, height: 601, levels: []scaled{
		{level{"", 1001, 601}, 1}, {level{"page=1", 500, 300}, 2},
	}}
	jobs := p.tiles(256)(7)
	if len(jobs) != 3*2+1 {
		t.Fatalf("%d tiles: %v", len(jobs), jobs)
	}
	for _, want := range []job{
		{"p-7.tif/512,256,256,256/256,256/0/default.jpg", "tile jpg 512 256 256 256 /d/p-7.tif"},
		{"p-7.tif/0,0,512,512/256,256/0/default.jpg", "tile jpg 0 0 256 256 /d/p-7.tif[page=1]"},
	} {
		if !slices.Contains(jobs, want) {
			t.Errorf("%v is missing in %v", want, jobs)
		}
	}
}

func TestSamePicture(t *testing.T) {
	card := testkit.JPEG(t, 100, 80)
	var dark bytes.Buffer
	black := image.NewUniform(color.Black)
	if err := jpeg.Encode(&dark, &cut{black, image.Rect(0, 0, 100, 80)}, nil); err != nil {
		t.Fatal(err)
	}
	if err := samePicture(card, testkit.PNG(t, 100, 80), 8); err != nil {
		t.Errorf("without loss it is another: %v", err)
	}
	for name, other := range map[string][]byte{
		"of another size": testkit.JPEG(t, 80, 100), "dark": dark.Bytes(), "no picture": []byte("x"),
	} {
		if samePicture(card, other, 8) == nil || samePicture(other, card, 8) == nil {
			t.Errorf("one that is %s is the same", name)
		}
	}
}

// cut is a part of a picture without bounds.
type cut struct {
	image.Image
	bounds image.Rectangle
}

func (c *cut) Bounds() image.Rectangle { return c.bounds }
