package tiffdir_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/gatehouse-server/gatehouse/render/tiffdir"
)

// Files that are made to exhaust or mislead. Each is refused, in a bounded number of reads.
func TestRefusals(t *testing.T) {
	one := func(fields map[uint16][]uint64) []byte {
		b := &builder{}
		b.add(fields)
		return b.bytes()
	}
	loop := func() []byte {
		b := &builder{}
		b.add(picture(10, 10))
		b.add(picture(20, 20))
		data := b.bytes()
		f, err := tiffdir.Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		binary.LittleEndian.PutUint32(data[f.Pages[1].Next:], uint32(f.Pages[0].Offset))
		return data
	}
	chain := func() []byte {
		b := &builder{}
		for range 5000 {
			b.add(map[uint16][]uint64{256: {1}, 257: {1}})
		}
		return b.bytes()
	}
	many := func() []byte {
		fields := picture(10, 10)
		for tag := range uint16(2000) {
			fields[40000+tag] = []uint64{1}
		}
		return one(fields)
	}
	whole := one(picture(10, 10))
	tests := map[string][]byte{
		"empty":                      {},
		"header only":                whole[:8],
		"seven bytes":                whole[:7],
		"cut in the directory":       whole[:20],
		"cut before the next offset": whole[:len(whole)-8],
		"wrong byte order":           append([]byte("IM"), whole[2:]...),
		"wrong version":              append([]byte("II\x2b\x2a"), whole[4:]...),
		"no directory":               []byte("II\x2a\x00\x00\x00\x00\x00"),
		"directory outside":          []byte("II\x2a\x00\xff\xff\xff\xff"),
		"empty directory":            []byte("II\x2a\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
		"BigTIFF of 4-byte offsets":  []byte("II\x2b\x00\x04\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00"),
		"BigTIFF with reserved bits": []byte("II\x2b\x00\x08\x00\x01\x00\x10\x00\x00\x00\x00\x00\x00\x00"),
		"BigTIFF negative offset":    []byte("II\x2b\x00\x08\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"),
		"BigTIFF short":              []byte("II\x2b\x00\x08\x00\x00\x00\x10\x00"),
		"BigTIFF huge count":         append([]byte("II\x2b\x00\x08\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00"), bytes.Repeat([]byte{0x7f}, 64)...),
		"loop":                       loop(),
		"endless chain":              chain(),
		"too many fields":            many(),
		"no width":                   one(map[uint16][]uint64{257: {10}}),
		"no height":                  one(map[uint16][]uint64{256: {10}}),
		"width 0":                    one(picture(0, 10)),
		"width of 2^31":              one(picture(1<<31, 10)),
		"width over libvips":         one(picture(10_000_001, 10)),
		"tile width alone":           one(picture(10, 10, map[uint16][]uint64{322: {16}})),
		"tile height alone":          one(picture(10, 10, map[uint16][]uint64{323: {16}})),
		"bits of 65":                 one(picture(10, 10, map[uint16][]uint64{258: {65, 65, 65}})),
		"samples of 2000":            one(picture(10, 10, map[uint16][]uint64{277: {2000}})),
		"hundred SubIFDs":            one(picture(10, 10, map[uint16][]uint64{330: make([]uint64, 100)})),
		"hundred extra samples":      one(picture(10, 10, map[uint16][]uint64{338: make([]uint64, 100)})),
		"only a mask":                one(picture(10, 10, map[uint16][]uint64{254: {4}})),
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			c := &counter{ReaderAt: bytes.NewReader(data)}
			_, err := tiffdir.Read(c, int64(len(data)))
			var broken *tiffdir.FormatError
			if !errors.As(err, &broken) {
				t.Errorf("err = %v", err)
			}
			if c.reads > 10000 {
				t.Errorf("%d reads", c.reads)
			}
		})
	}
}

// A source that claims more bytes than it has is a broken file, not an error of the source.
func TestSizeThatLies(t *testing.T) {
	b := &builder{}
	b.add(picture(10, 10))
	data := b.bytes()
	_, err := tiffdir.Read(bytes.NewReader(data[:30]), int64(len(data)))
	var broken *tiffdir.FormatError
	if !errors.As(err, &broken) {
		t.Errorf("err = %v", err)
	}
}

func TestProfileOutsideTheFile(t *testing.T) {
	b := &builder{}
	b.add(picture(10, 10, map[uint16][]uint64{34675: make([]uint64, 64)}))
	data := b.bytes()
	i := bytes.Index(data, []byte{0x73, 0x87, 7, 0, 64, 0, 0, 0})
	binary.LittleEndian.PutUint32(data[i+4:], 1<<31)
	_, err := tiffdir.Read(bytes.NewReader(data), int64(len(data)))
	var broken *tiffdir.FormatError
	if !errors.As(err, &broken) {
		t.Errorf("err = %v", err)
	}
}

func FuzzRead(f *testing.F) {
	for _, big := range []bool{false, true} {
		b := &builder{big: big}
		i := b.add(picture(4000, 3000, tiles(256)))
		b.addSub(i, picture(1000, 750, tiles(256)))
		b.add(picture(2000, 1500, tiles(256), reduced()))
		b.add(picture(20, 10, map[uint16][]uint64{34675: make([]uint64, 20), 338: {0, 2, 1}}))
		f.Add(b.bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := tiffdir.Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			var broken *tiffdir.FormatError
			if !errors.As(err, &broken) {
				t.Fatalf("no FormatError: %v", err)
			}
			return
		}
		if len(file.Pages) == 0 {
			t.Fatal("no page and no error")
		}
		for _, p := range file.Pages {
			last := p.Directory
			for _, d := range append([]tiffdir.Directory{p.Directory}, p.Levels...) {
				if d.Width < 1 || d.Height < 1 || d.Orientation < 1 || d.Orientation > 8 || d.RowsPerStrip < 1 {
					t.Fatalf("%+v", d)
				}
				if d.Width > last.Width {
					t.Fatalf("levels grow: %v", shape(p))
				}
				if d.Next <= d.Offset || d.Next >= int64(len(data)) {
					t.Fatalf("%+v", d)
				}
				last = d
			}
		}
	})
}
