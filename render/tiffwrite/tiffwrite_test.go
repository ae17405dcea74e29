package tiffwrite_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"io"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatehouse-server/gatehouse/render/tiffdir"
	"github.com/gatehouse-server/gatehouse/render/tiffwrite"
)

// sparse is a file that may be longer than memory: it keeps its beginning and its end.
type sparse struct {
	head   []byte
	length int64
	tail   []byte
}

const kept = 32 << 20

func (s *sparse) Write(p []byte) (int, error) {
	if missing := 16 - len(s.head); missing > 0 {
		s.head = append(s.head, p[:min(missing, len(p))]...)
	}
	s.length += int64(len(p))
	s.tail = append(s.tail, p[max(0, len(p)-kept):]...)
	if len(s.tail) > 2*kept {
		s.tail = append([]byte(nil), s.tail[len(s.tail)-kept:]...)
	}
	return len(p), nil
}

func (s *sparse) WriteAt(p []byte, off int64) (int, error) { return copy(s.head[off:], p), nil }

func (s *sparse) ReadAt(p []byte, off int64) (int, error) {
	for i := range p {
		switch at := off + int64(i); {
		case at < 16:
			p[i] = s.head[at]
		case at >= s.length:
			return i, io.EOF
		case at >= s.length-int64(len(s.tail)):
			p[i] = s.tail[at-(s.length-int64(len(s.tail)))]
		default:
			p[i] = 0
		}
	}
	return len(p), nil
}

// tiles are made up: which tile of which size it is.
func tile(size, number, length int) []byte {
	data := binary.LittleEndian.AppendUint32([]byte{byte(size)}, uint32(number))
	return append(data, make([]byte, length)...)
}

// What is written is what package tiffdir reads, whatever the sizes.
func TestReadersFindEachTile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		page := tiffwrite.Page{
			Width:     rapid.IntRange(60, 3000).Draw(t, "width"),
			TileWidth: 16 * rapid.IntRange(1, 20).Draw(t, "tile width"), TileHeight: 16 * rapid.IntRange(1, 20).Draw(t, "tile height"),
		}
		// What is a single line in its smallest size is no smaller size of the whole for everybody.
		page.Height = rapid.IntRange(page.Width/3, 2*page.Width).Draw(t, "height")
		finish := tiffwrite.Finish{
			Grey: rapid.Bool().Draw(t, "grey"), Halved: rapid.Bool().Draw(t, "halved"), Tables: tables,
			XRes: float64(rapid.IntRange(0, 100).Draw(t, "resolution")),
		}
		finish.YRes = finish.XRes
		var file sparse
		w, err := tiffwrite.New(&file, page, 1<<40)
		if err != nil {
			t.Fatal(err)
		}
		written := map[image.Point][]byte{}
		for i, size := range page.Sizes() {
			n := ((size.X + page.TileWidth - 1) / page.TileWidth) * ((size.Y + page.TileHeight - 1) / page.TileHeight)
			for k := range n {
				data := tile(i, k, (i*7+k*3)%19)
				written[image.Pt(i, k)] = data
				if err := w.Tile(i, data); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Finish(finish); err != nil {
			t.Fatal(err)
		}
		read, err := tiffdir.Read(&file, file.length)
		if err != nil {
			t.Fatal(err)
		}
		if len(read.Pages) != 1 || read.Big || len(read.Pages[0].Levels) != len(page.Sizes())-1 {
			t.Fatalf("%d pages, %d levels", len(read.Pages), len(read.Pages[0].Levels))
		}
		for i, d := range append([]tiffdir.Directory{read.Pages[0].Directory}, read.Pages[0].Levels...) {
			checkDirectory(t, &file, &d, page, finish, i)
			for k := range int(d.TileOffsets.Count) {
				want := written[image.Pt(i, k)]
				got := make([]byte, number(&file, d.TileByteCounts, k))
				if _, err := file.ReadAt(got, number(&file, d.TileOffsets, k)); err != nil || !bytes.Equal(got, want) {
					t.Fatalf("size %d, tile %d: %x, not %x (%v)", i, k, got, want, err)
				}
			}
		}
	})
}

func checkDirectory(t *rapid.T, file *sparse, d *tiffdir.Directory, page tiffwrite.Page, finish tiffwrite.Finish, i int) {
	size := page.Sizes()[i]
	if image.Pt(d.Width, d.Height) != size || d.TileWidth != page.TileWidth || d.TileHeight != page.TileHeight || d.Compression != 7 {
		t.Fatalf("size %d: %+v", i, d)
	}
	if (d.SamplesPerPixel == 1) != finish.Grey || (d.Photometric == tiffdir.PhotometricYCbCr) == finish.Grey || d.BitsPerSample != 8 {
		t.Fatalf("size %d: %+v", i, d)
	}
	tables := make([]byte, d.JPEGTables.Length)
	if _, err := file.ReadAt(tables, d.JPEGTables.Offset); err != nil || !bytes.Equal(tables, finish.Tables) {
		t.Fatalf("size %d: tables %q", i, tables)
	}
	if want := finish.XRes / float64(int(1)<<i); d.XResolution-want > 0.001 || want-d.XResolution > 0.001 {
		t.Fatalf("size %d: %g pixels per millimetre, not %g", i, d.XResolution, want)
	}
}

// number reads one of a table, which a file with one tile holds in its entry.
func number(file *sparse, table tiffdir.Table, i int) int64 {
	b := make([]byte, 8)
	_, _ = file.ReadAt(b[:table.Width], table.Offset+int64(i*table.Width))
	return int64(binary.LittleEndian.Uint64(b))
}

// Beyond four gigabytes it is a BigTIFF.
func TestBig(t *testing.T) {
	page := tiffwrite.Page{Width: 64, Height: 16 * 20, TileWidth: 64, TileHeight: 16}
	var file sparse
	w, err := tiffwrite.New(&file, page, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	large := make([]byte, 300<<20)
	for i, size := range page.Sizes() {
		for range (size.Y + 15) / 16 {
			if err := w.Tile(i, large); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Finish(tiffwrite.Finish{Grey: true, Tables: tables}); err != nil {
		t.Fatal(err)
	}
	read, err := tiffdir.Read(&file, file.length)
	if err != nil {
		t.Fatal(err)
	}
	d := read.Pages[0].Directory
	if !read.Big || d.Height != 320 || number(&file, d.TileOffsets, 19)+int64(len(large)) > file.length || number(&file, d.TileOffsets, 19) < 19*int64(len(large)) {
		t.Errorf("%+v", d)
	}
}

// tables stand for those of a JPEG.
var tables = []byte("tables of JPEGs")

func TestRefusals(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, page := range []tiffwrite.Page{{}, {Width: 1, Height: 1, TileWidth: 8, TileHeight: 16}, {Width: 1, Height: 1, TileWidth: 24, TileHeight: 16}, {Width: -1, Height: 1, TileWidth: 16, TileHeight: 16}} {
		if _, err := tiffwrite.New(file, page, 1<<20); err == nil {
			t.Errorf("%+v is taken", page)
		}
	}
	w, err := tiffwrite.New(file, tiffwrite.Page{Width: 32, Height: 16, TileWidth: 16, TileHeight: 16}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Tile(0, nil); err == nil {
		t.Error("a tile of nothing is taken")
	}
	if err := w.Tile(2, []byte{1}); err == nil {
		t.Error("a tile of no size is taken")
	}
	if err := w.Tile(0, []byte{1}); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(tiffwrite.Finish{Tables: tables}); err == nil {
		t.Error("a file without all of its tiles is whole")
	}
	if err := w.Tile(0, make([]byte, 1000)); !errors.Is(err, tiffwrite.ErrTooLong) {
		t.Errorf("more than allowed: %v", err)
	}
	if w, err = tiffwrite.New(file, tiffwrite.Page{Width: 16, Height: 16, TileWidth: 16, TileHeight: 16}, 1000); err != nil {
		t.Fatal(err)
	}
	if err := w.Tile(0, []byte{1}); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(tiffwrite.Finish{Tables: []byte("\xff\xd8\xff\xd9")}); err == nil {
		t.Error("tables that say nothing are taken")
	}
}
