package tiffdir_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"io"
	"slices"
	"testing"

	"github.com/gatehouse-server/gatehouse/render/tiffdir"
)

func read(t *testing.T, data []byte) *tiffdir.File {
	t.Helper()
	f, err := tiffdir.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	return f
}

// shape is the sizes of a page and its levels.
func shape(p tiffdir.Page) []image.Point {
	sizes := []image.Point{{X: p.Width, Y: p.Height}}
	for _, l := range p.Levels {
		sizes = append(sizes, image.Pt(l.Width, l.Height))
	}
	return sizes
}

func TestFieldsInAllForms(t *testing.T) {
	for name, b := range map[string]*builder{
		"little":    {order: binary.LittleEndian},
		"big":       {order: binary.BigEndian},
		"little 64": {order: binary.LittleEndian, big: true},
		"big 64":    {order: binary.BigEndian, big: true},
	} {
		t.Run(name, func(t *testing.T) {
			b.add(picture(700, 500, tiles(256), map[uint16][]uint64{
				258: {16, 16, 16, 16}, 259: {7}, 262: {6}, 274: {6}, 277: {4}, 284: {2}, 338: {2}, 339: {2}, 34675: make([]uint64, 99),
			}))
			data := b.bytes()
			f := read(t, data)
			d := f.Pages[0].Directory
			if d.Width != 700 || d.Height != 500 || d.TileWidth != 256 || d.TileHeight != 256 || d.BitsPerSample != 16 ||
				d.Compression != 7 || d.Photometric != 6 || d.Orientation != 6 || d.SamplesPerPixel != 4 || d.PlanarConfig != 2 ||
				d.SampleFormat != 2 || !slices.Equal(d.ExtraSamples, []int{2}) || d.Profile.Length != 99 || !d.Tiled() {
				t.Errorf("directory %+v", d)
			}
			if f.Big != b.big || f.Order.Uint16([]byte{1, 0}) != b.order.(binary.ByteOrder).Uint16([]byte{1, 0}) {
				t.Errorf("file %+v", f)
			}
			// The places that a reader patches to see one directory alone.
			width := 4
			if b.big {
				width = 8
			}
			if got := number(f.Order, data[f.Head:], width); got != d.Offset {
				t.Errorf("Head leads to %d, the directory is at %d", got, d.Offset)
			}
			if got := number(f.Order, data[d.Next:], width); got != 0 {
				t.Errorf("Next of the last directory holds %d", got)
			}
		})
	}
}

func number(order binary.ByteOrder, b []byte, width int) int64 {
	if width == 4 {
		return int64(order.Uint32(b))
	}
	return int64(order.Uint64(b))
}

func TestDefaults(t *testing.T) {
	b := &builder{}
	b.add(map[uint16][]uint64{256: {10}, 257: {20}})
	d := read(t, b.bytes()).Pages[0].Directory
	if d.BitsPerSample != 1 || d.SamplesPerPixel != 1 || d.Compression != 1 || d.PlanarConfig != 1 || d.Orientation != 1 || d.RowsPerStrip != 20 || d.SampleFormat != 1 {
		t.Errorf("%+v", d)
	}
	b = &builder{}
	b.add(map[uint16][]uint64{256: {10}, 257: {20}, 274: {9}, 278: {1<<32 - 1}})
	if d := read(t, b.bytes()).Pages[0].Directory; d.Orientation != 1 || d.RowsPerStrip != 20 {
		t.Errorf("%+v", d)
	}
}

func TestGrouping(t *testing.T) {
	pt := func(w, h int) image.Point { return image.Pt(w, h) }
	mask := map[uint16][]uint64{254: {4}}
	old := map[uint16][]uint64{255: {2}}
	page := map[uint16][]uint64{254: {2}}
	grey := map[uint16][]uint64{262: {1}, 277: {1}, 258: {8}}
	ycc := map[uint16][]uint64{262: {6}}
	tests := map[string]struct {
		build func(b *builder)
		want  [][]image.Point
	}{
		"one page": {func(b *builder) { b.add(picture(9, 7)) }, [][]image.Point{{pt(9, 7)}}},
		"scan of equal pages": {func(b *builder) {
			for range 3 {
				b.add(picture(800, 600))
			}
		}, [][]image.Point{{pt(800, 600)}, {pt(800, 600)}, {pt(800, 600)}}},
		"scan whose second page is half the size": {func(b *builder) { b.add(picture(800, 600)); b.add(picture(400, 300)) },
			[][]image.Point{{pt(800, 600)}, {pt(400, 300)}}},
		"unmarked pyramid, rounded down": {func(b *builder) {
			b.add(picture(1001, 701, tiles(128)))
			b.add(picture(500, 350, tiles(128)))
			b.add(picture(250, 175, tiles(128)))
			b.add(picture(125, 87, tiles(128)))
		}, [][]image.Point{{pt(1001, 701), pt(500, 350), pt(250, 175), pt(125, 87)}}},
		"unmarked pyramid, rounded up, down to one pixel": {func(b *builder) {
			for w, h := 9, 5; ; w, h = (w+1)/2, (h+1)/2 {
				b.add(picture(uint64(w), uint64(h), tiles(16)))
				if w == 1 && h == 1 {
					break
				}
			}
		}, [][]image.Point{{pt(9, 5), pt(5, 3), pt(3, 2), pt(2, 1), pt(1, 1)}}},
		"tiled pages of one size": {func(b *builder) { b.add(picture(512, 512, tiles(256))); b.add(picture(512, 512, tiles(256))) },
			[][]image.Point{{pt(512, 512)}, {pt(512, 512)}}},
		"tiled pages marked as pages": {func(b *builder) {
			b.add(picture(512, 512, tiles(256), page))
			b.add(picture(256, 256, tiles(256), page))
		},
			[][]image.Point{{pt(512, 512)}, {pt(256, 256)}}},
		"half the size in other tiles is a page": {func(b *builder) { b.add(picture(512, 512, tiles(256))); b.add(picture(256, 256, tiles(128))) },
			[][]image.Point{{pt(512, 512)}, {pt(256, 256)}}},
		"half the size in other colours is a page": {func(b *builder) { b.add(picture(512, 512, tiles(256))); b.add(picture(256, 256, tiles(256), grey)) },
			[][]image.Point{{pt(512, 512)}, {pt(256, 256)}}},
		"marked pyramids of two pages": {func(b *builder) {
			b.add(picture(4000, 3000, tiles(256)))
			b.add(picture(2000, 1500, tiles(256), reduced()))
			b.add(picture(500, 375, tiles(256), reduced()))
			b.add(picture(3000, 4000, tiles(256)))
			b.add(picture(1500, 2000, tiles(256), reduced()))
		}, [][]image.Point{{pt(4000, 3000), pt(2000, 1500), pt(500, 375)}, {pt(3000, 4000), pt(1500, 2000)}}},
		"levels in SubIFDs, out of order and one twice": {func(b *builder) {
			i := b.add(picture(4000, 3000, tiles(256)))
			b.addSub(i, picture(1000, 750, tiles(256)))
			b.addSub(i, picture(2000, 1500, tiles(256), reduced()))
			b.addSub(i, picture(1000, 750, tiles(256), reduced()))
		}, [][]image.Point{{pt(4000, 3000), pt(2000, 1500), pt(1000, 750)}}},
		"YCbCr and RGB levels mix": {func(b *builder) {
			b.add(picture(512, 512, tiles(256), ycc))
			b.add(picture(256, 256, tiles(256)))
		}, [][]image.Point{{pt(512, 512), pt(256, 256)}}},
		"masks are no pages": {func(b *builder) { b.add(picture(50, 50)); b.add(picture(50, 50, mask)); b.add(picture(40, 40)) },
			[][]image.Point{{pt(50, 50)}, {pt(40, 40)}}},
		"a thumbnail of another shape is neither page nor level": {func(b *builder) { b.add(picture(800, 600)); b.add(picture(160, 160, reduced())) },
			[][]image.Point{{pt(800, 600)}}},
		"a flat thumbnail of a tiled page is no level": {func(b *builder) { b.add(picture(800, 600, tiles(256))); b.add(picture(400, 300, reduced())) },
			[][]image.Point{{pt(800, 600)}}},
		"a thumbnail marked the old way": {func(b *builder) { b.add(picture(800, 600)); b.add(picture(200, 150, old)) },
			[][]image.Point{{pt(800, 600), pt(200, 150)}}},
		"first directory is a thumbnail": {func(b *builder) { b.add(picture(160, 120, reduced())) }, [][]image.Point{{pt(160, 120)}}},
	}
	for name, test := range tests {
		for _, big := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				b := &builder{big: big}
				test.build(b)
				var got [][]image.Point
				for _, p := range read(t, b.bytes()).Pages {
					got = append(got, shape(p))
				}
				if !slices.EqualFunc(got, test.want, slices.Equal) {
					t.Errorf("got %v, want %v", got, test.want)
				}
			})
		}
	}
}

// A broken SubIFD costs that level, never the page.
func TestBrokenSubDirectoryIsSkipped(t *testing.T) {
	b := &builder{}
	b.add(picture(100, 100, tiles(16), map[uint16][]uint64{330: {1 << 30}}))
	if f := read(t, b.bytes()); len(f.Pages) != 1 || len(f.Pages[0].Levels) != 0 {
		t.Errorf("%+v", f)
	}
}

type counter struct {
	io.ReaderAt
	reads, bytes int
}

func (c *counter) ReadAt(p []byte, off int64) (int, error) {
	c.reads++
	c.bytes += len(p)
	return c.ReaderAt.ReadAt(p, off)
}

// Two gigapixels: the tables of tile offsets are megabytes, and none of them is read.
func TestReadsOnlyDirectories(t *testing.T) {
	b := &builder{big: true}
	for w, h := 50000, 40000; w > 256; w, h = w/2, h/2 {
		n := ((w + 255) / 256) * ((h + 255) / 256)
		b.add(picture(uint64(w), uint64(h), tiles(256), map[uint16][]uint64{324: make([]uint64, n), 325: make([]uint64, n)}))
	}
	data := b.bytes()
	c := &counter{ReaderAt: bytes.NewReader(data)}
	f, err := tiffdir.Read(c, int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Pages) != 1 || len(f.Pages[0].Levels) != 7 {
		t.Fatalf("%d pages, levels %v", len(f.Pages), shape(f.Pages[0]))
	}
	if c.reads > 2+2*8 || c.bytes > 100_000 {
		t.Errorf("%d reads of %d bytes in a file of %d", c.reads, c.bytes, len(data))
	}
}

func TestReaderErrorsComeBack(t *testing.T) {
	b := &builder{}
	b.add(picture(10, 10))
	data := b.bytes()
	boom := errors.New("archive is down")
	for fail := range 2 {
		r := &failing{Reader: bytes.NewReader(data), after: fail, err: boom}
		_, err := tiffdir.Read(r, int64(len(data))+1<<20)
		var broken *tiffdir.FormatError
		if fail == 0 && (!errors.Is(err, boom) || errors.As(err, &broken)) {
			t.Errorf("failing read %d: %v", fail, err)
		}
	}
}

type failing struct {
	*bytes.Reader
	after int
	err   error
}

func (f *failing) ReadAt(p []byte, off int64) (int, error) {
	if f.after--; f.after < 0 {
		return 0, f.err
	}
	return f.Reader.ReadAt(p, off)
}
