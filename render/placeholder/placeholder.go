// Package placeholder draws the picture that stands for a file that is no picture: a green square with the kind of
// file in it. It is an original like any other, so that it is cut, scaled and cached as they are.
package placeholder

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"os"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/gatehouse-server/gatehouse/source"
)

// Side is the width and height of a placeholder in pixels.
const Side = 360

const (
	// maxLetters is how many letters of a kind are shown.
	maxLetters = 8
	// room is how wide the word may become, and largest how many pixels high its font at most is.
	room    = Side * 4 / 5
	largest = 120
)

var (
	paper = color.RGBA{R: 0x2E, G: 0x7D, B: 0x4F, A: 0xFF}
	ink   = color.White
)

// New makes the placeholder for a kind of file as render.UnsupportedError names it, "XLS" for example. What is no
// letter or digit of ASCII is left out. Equal kinds give equal bytes and versions.
func New(kind string) source.Original {
	word := clean(kind)
	return &original{word: word, data: picture(word)}
}

// clean keeps what can be shown.
func clean(kind string) string {
	word := strings.Map(func(r rune) rune {
		if (r >= 'A' && r <= 'Z') || (r >= '0' && r <= '9') {
			return r
		}
		return -1
	}, strings.ToUpper(kind))
	if len(word) > maxLetters {
		word = word[:maxLetters]
	}
	if word == "" {
		return "FILE"
	}
	return word
}

// picture draws a word as large as fits, and encodes it.
func picture(word string) []byte {
	// A palette of the steps between paper and ink: the file stays at a few kilobytes.
	steps := make(color.Palette, 16)
	for i := range steps {
		part := func(from, to uint8) uint8 { return uint8((int(from)*(15-i) + int(to)*i) / 15) }
		steps[i] = color.RGBA{R: part(paper.R, 0xFF), G: part(paper.G, 0xFF), B: part(paper.B, 0xFF), A: 0xFF}
	}
	canvas := image.NewPaletted(image.Rect(0, 0, Side, Side), steps)
	draw.Draw(canvas, canvas.Bounds(), image.NewUniform(paper), image.Point{}, draw.Src)
	face := fit(word)
	bounds, _ := font.BoundString(face, word)
	drawer := font.Drawer{Dst: canvas, Src: image.NewUniform(ink), Face: face}
	drawer.Dot = fixed.Point26_6{
		X: (fixed.I(Side) - bounds.Min.X - bounds.Max.X) / 2,
		Y: (fixed.I(Side) - bounds.Min.Y - bounds.Max.Y) / 2,
	}
	drawer.DrawString(word)
	var out bytes.Buffer
	if err := png.Encode(&out, canvas); err != nil {
		panic(err) // a paletted picture of a fixed size always encodes
	}
	return out.Bytes()
}

// fit gives the Go Bold font in the size in which word fills the room.
func fit(word string) font.Face {
	parsed, err := opentype.Parse(gobold.TTF)
	if err != nil {
		panic(err) // the font is compiled in
	}
	size := float64(largest)
	for {
		face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
		if err != nil {
			panic(err)
		}
		width := font.MeasureString(face, word).Ceil()
		if width <= room {
			return face
		}
		size *= 0.98 * room / float64(width)
	}
}

// original is bytes in memory.
type original struct {
	word string
	data []byte
}

// Info implements source.Original.
func (o *original) Info() source.Info {
	return source.Info{
		Size: int64(len(o.data)), Version: "placeholder-1-" + o.word, ContentType: "image/png", Name: strings.ToLower(o.word) + ".png",
	}
}

// ReadAt implements source.Original.
func (o *original) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, errors.New("negative offset")
	}
	if off >= int64(len(o.data)) {
		return 0, io.EOF
	}
	n := copy(p, o.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// File implements source.Original: there is none.
func (o *original) File() *os.File { return nil }

// Close implements source.Original.
func (o *original) Close() error { return nil }

var _ source.Original = (*original)(nil)
