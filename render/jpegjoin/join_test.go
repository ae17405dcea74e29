package jpegjoin_test

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatehouse-server/gatehouse/render/jpegjoin"
)

func always() bool { return true }

func soi(out []byte) []byte { return append(out, 0xFF, 0xD8) }

// noise is coefficients as they might be: most are zero, few are large.
func noise(r *rand.Rand) block {
	var b block
	b[0] = r.IntN(1600) - 800
	for i := 1; i < 64; i++ {
		switch n := r.IntN(100); {
		case n < 70:
		case n < 95:
			b[i] = r.IntN(7) - 3
		case n < 99:
			b[i] = r.IntN(127) - 63
		default:
			b[i] = r.IntN(2046) - 1023
		}
	}
	for cut := r.IntN(90); cut < 64; cut++ {
		b[max(cut, 1)] = 0
	}
	return b
}

// grid is a picture that is cut into tiles of the same MCUs.
type grid struct {
	whole             picture
	down              int // MCUs
	tileX, tileY      int // MCUs of a tile
	acrossN, downN    int // tiles
	tiles             [][]byte
	mcuWidth, mcuHigh int
}

func newGrid(r *rand.Rand, s sampling, tileX, tileY, acrossN, downN, interval int) *grid {
	g := &grid{tileX: tileX, tileY: tileY, acrossN: acrossN, downN: downN}
	g.mcuWidth, g.mcuHigh = s.mcu()
	g.whole = picture{sampling: s, across: tileX * acrossN}
	g.down = tileY * downN
	for range g.whole.across * g.down {
		mcu := make([]block, s.blocks())
		for i := range mcu {
			mcu[i] = noise(r)
		}
		g.whole.mcus = append(g.whole.mcus, mcu)
	}
	for v := range downN {
		for u := range acrossN {
			tile := g.part(image.Rect(u*tileX, v*tileY, (u+1)*tileX, (v+1)*tileY))
			g.tiles = append(g.tiles, tile.abbreviated(tileX*g.mcuWidth, tileY*g.mcuHigh, interval, 0))
		}
	}
	return g
}

// part is a picture of some MCUs.
func (g *grid) part(r image.Rectangle) picture {
	out := picture{sampling: g.whole.sampling, across: r.Dx()}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		out.mcus = append(out.mcus, g.whole.mcus[y*g.whole.across+r.Min.X:y*g.whole.across+r.Max.X]...)
	}
	return out
}

func (g *grid) join(t *rapid.T, part image.Rectangle) ([]byte, error) {
	shared, err := jpegjoin.ReadTables(tables(0))
	if err != nil {
		t.Fatal(err)
	}
	wanted := jpegjoin.Grid{Across: g.acrossN, Part: part}
	for _, tile := range g.tiles {
		s, err := jpegjoin.Read(shared, tile)
		if err != nil {
			t.Fatal(err)
		}
		wanted.Streams = append(wanted.Streams, s)
	}
	return jpegjoin.Join(nil, wanted, soi, always)
}

var samplings = map[string]sampling{
	"grey":  {{1, 1}},
	"4:4:4": {{1, 1}, {1, 1}, {1, 1}},
	"4:2:2": {{2, 1}, {1, 1}, {1, 1}},
	"4:4:0": {{1, 2}, {1, 1}, {1, 1}},
	"4:2:0": {{2, 2}, {1, 1}, {1, 1}},
	"4:1:1": {{4, 1}, {1, 1}, {1, 1}},
	"odd":   {{2, 2}, {2, 1}, {1, 2}},
}

// What is joined is, bit for bit, what an encoder makes of the same coefficients in one piece.
func TestJoinIsWhatAnEncoderMakes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"grey", "4:4:4", "4:2:2", "4:4:0", "4:2:0", "4:1:1", "odd"}).Draw(t, "sampling")
		small := rapid.IntRange(1, 4)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		g := newGrid(r, samplings[name], small.Draw(t, "tile width"), small.Draw(t, "tile height"), small.Draw(t, "across"), small.Draw(t, "down"),
			rapid.IntRange(0, 5).Draw(t, "interval"))
		left, top := rapid.IntRange(0, g.whole.across-1).Draw(t, "left"), rapid.IntRange(0, g.down-1).Draw(t, "top")
		mcus := image.Rect(left, top, rapid.IntRange(left+1, g.whole.across).Draw(t, "right"), rapid.IntRange(top+1, g.down).Draw(t, "bottom"))
		pixels := image.Rect(mcus.Min.X*g.mcuWidth, mcus.Min.Y*g.mcuHigh, mcus.Max.X*g.mcuWidth, mcus.Max.Y*g.mcuHigh)
		// The last MCUs may be seen in part.
		pixels.Max.X -= rapid.IntRange(0, g.mcuWidth-1).Draw(t, "cut right")
		pixels.Max.Y -= rapid.IntRange(0, g.mcuHigh-1).Draw(t, "cut below")

		joined, err := g.join(t, pixels)
		if err != nil {
			t.Fatal(err)
		}
		want := g.part(mcus)
		data := dataOf(joined)
		alone := len(g.tiles) == 1 && pixels.Size() == image.Pt(g.tileX*g.mcuWidth, g.tileY*g.mcuHigh)
		if !alone && !bytes.Equal(data, want.scan(0, 0)) {
			t.Fatalf("joined %d bytes, want %d", len(data), len(want.scan(0, 0)))
		}
		config, err := jpeg.DecodeConfig(bytes.NewReader(joined))
		if name != "odd" && (err != nil || config.Width != pixels.Dx() || config.Height != pixels.Dy()) {
			t.Fatalf("%v is read as %v, %v", pixels, config, err)
		}
		if bytes.Contains(joined, []byte("comment")) {
			t.Fatal("a comment went along")
		}
	})
}

// dataOf is what stands between the scan's header and the end.
func dataOf(data []byte) []byte {
	at := bytes.Index(data, []byte{0xFF, 0xDA})
	at += 2 + int(data[at+2])<<8 + int(data[at+3])
	return data[at : len(data)-2]
}

// One tile alone goes out with its data untouched, restarts included.
func TestAsItLies(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for name, s := range samplings {
		for _, interval := range []int{0, 3} {
			g := newGrid(r, s, 4, 4, 1, 1, interval)
			shared, err := jpegjoin.ReadTables(tables(0))
			if err != nil {
				t.Fatal(err)
			}
			stream, err := jpegjoin.Read(shared, g.tiles[0])
			if err != nil {
				t.Fatal(name, err)
			}
			out, err := jpegjoin.AsItLies(nil, stream, soi)
			if err != nil {
				t.Fatal(name, err)
			}
			if !bytes.Equal(dataOf(out), dataOf(g.tiles[0])) {
				t.Errorf("%s, restarts each %d: the data changed", name, interval)
			}
			if name == "odd" {
				continue // Go's decoder does not know it
			}
			if _, err := jpeg.Decode(bytes.NewReader(out)); err != nil {
				t.Errorf("%s, restarts each %d: %v", name, interval, err)
			}
		}
	}
}

// Whatever is cut off or changed in a tile, the joining refuses it or makes a picture; it never panics.
func TestDamagedTiles(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	g := newGrid(r, samplings["4:2:0"], 2, 2, 2, 2, 3)
	shared, err := jpegjoin.ReadTables(tables(0))
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for range 20000 {
		tiles := make([]*jpegjoin.Stream, len(g.tiles))
		victim := r.IntN(len(tiles))
		ok := true
		for i, tile := range g.tiles {
			data := bytes.Clone(tile)
			if i == victim {
				for range 1 + r.IntN(3) {
					data[r.IntN(len(data))] = byte(r.Uint32())
				}
				if r.IntN(4) == 0 {
					at := r.IntN(len(data))
					data = append(data[:at:at], data[min(len(data), at+r.IntN(200)):]...)
				}
			}
			s, err := jpegjoin.Read(shared, data)
			if err != nil {
				if !errors.Is(err, jpegjoin.ErrUnfit) {
					t.Fatal(err)
				}
				ok = false
				break
			}
			tiles[i] = s
		}
		if !ok {
			refused++
			continue
		}
		_, err := jpegjoin.Join(nil, jpegjoin.Grid{Streams: tiles, Across: 2, Part: image.Rect(16, 0, 50, 64)}, soi, always)
		if err != nil {
			refused++
			if !errors.Is(err, jpegjoin.ErrUnfit) {
				t.Fatal(err)
			}
		}
	}
	if refused < 5000 {
		t.Errorf("only %d of 20000 were refused", refused)
	}
}

func TestRefusals(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	g := newGrid(r, samplings["4:4:4"], 2, 2, 1, 1, 0)
	shared, err := jpegjoin.ReadTables(tables(0))
	if err != nil {
		t.Fatal(err)
	}
	other, err := jpegjoin.ReadTables(tables(1))
	if err != nil {
		t.Fatal(err)
	}
	good, err := jpegjoin.Read(shared, g.tiles[0])
	if err != nil {
		t.Fatal(err)
	}
	with := func(from, to string) []byte { return bytes.Replace(g.tiles[0], []byte(from), []byte(to), 1) }
	streams := map[string][]byte{
		"nothing":               nil,
		"no start":              g.tiles[0][2:],
		"progressive":           with("\xff\xc0", "\xff\xc2"),
		"lossless":              with("\xff\xc0", "\xff\xc3"),
		"arithmetic":            with("\xff\xc0", "\xff\xc9"),
		"12 bits":               with("\xff\xc0\x00\x11\x08", "\xff\xc0\x00\x11\x0c"),
		"of no height":          with("\xff\xc0\x00\x11\x08\x00\x10", "\xff\xc0\x00\x11\x08\x00\x00"),
		"two components":        with("\xff\xc0\x00\x11\x08\x00\x10\x00\x10\x03", "\xff\xc0\x00\x11\x08\x00\x10\x00\x10\x02"),
		"a scan of another":     with("\xff\xda\x00\x0c\x03\x0a", "\xff\xda\x00\x0c\x03\x0b"),
		"a table that is not":   with("\xff\xda\x00\x0c\x03\x0a\x00", "\xff\xda\x00\x0c\x03\x0a\x33"),
		"a part of the bands":   with("\x00\x3f\x00", "\x00\x05\x00"),
		"no end":                g.tiles[0][:len(g.tiles[0])-2],
		"cut in a segment":      g.tiles[0][:20],
		"an end without a scan": tables(0),
	}
	for name, data := range streams {
		if _, err := jpegjoin.Read(shared, data); !errors.Is(err, jpegjoin.ErrUnfit) {
			t.Errorf("%s: err = %v", name, err)
		}
	}
	if _, err := jpegjoin.Read(nil, g.tiles[0]); !errors.Is(err, jpegjoin.ErrUnfit) {
		t.Errorf("without tables: err = %v", err)
	}
	if _, err := jpegjoin.ReadTables(g.tiles[0]); !errors.Is(err, jpegjoin.ErrUnfit) {
		t.Errorf("a picture for tables: err = %v", err)
	}
	foreign, err := jpegjoin.Read(other, g.tiles[0])
	if err != nil {
		t.Fatal(err)
	}
	two := []*jpegjoin.Stream{good, good}
	for name, bad := range map[string]jpegjoin.Grid{
		"other tables":    {Streams: []*jpegjoin.Stream{good, foreign}, Across: 2, Part: image.Rect(0, 0, 20, 8)},
		"off the grid":    {Streams: two, Across: 2, Part: image.Rect(1, 0, 20, 8)},
		"off above":       {Streams: two, Across: 2, Part: image.Rect(0, 4, 20, 8)},
		"outside":         {Streams: two, Across: 2, Part: image.Rect(0, 0, 40, 8)},
		"nothing":         {Streams: two, Across: 2},
		"a row too short": {Streams: two, Across: 3, Part: image.Rect(0, 0, 20, 8)},
	} {
		if _, err := jpegjoin.Join(nil, bad, soi, always); !errors.Is(err, jpegjoin.ErrUnfit) {
			t.Errorf("%s: err = %v", name, err)
		}
	}
	never := func() bool { return false }
	if _, err := jpegjoin.Join(nil, jpegjoin.Grid{Streams: two, Across: 2, Part: image.Rect(0, 0, 20, 8)}, soi, never); !errors.Is(err, jpegjoin.ErrUnfit) {
		t.Errorf("left alone: err = %v", err)
	}
}

func FuzzJoin(f *testing.F) {
	r := rand.New(rand.NewPCG(9, 10))
	for _, s := range samplings {
		g := newGrid(r, s, 2, 2, 1, 1, 2)
		f.Add(tables(0), g.tiles[0], uint16(3), uint16(9))
	}
	f.Fuzz(func(t *testing.T, shared, tile []byte, right, bottom uint16) {
		common, err := jpegjoin.ReadTables(shared)
		if err != nil {
			common = nil
		}
		s, err := jpegjoin.Read(common, tile)
		if err != nil {
			return
		}
		part := image.Rect(0, 0, int(right), int(bottom))
		out, err := jpegjoin.Join(nil, jpegjoin.Grid{Streams: []*jpegjoin.Stream{s, s, s, s}, Across: 2, Part: part}, soi, always)
		if err != nil {
			if !errors.Is(err, jpegjoin.ErrUnfit) {
				t.Fatal(err)
			}
			return
		}
		// What comes out can be read again, and is as large as asked for.
		again, err := jpegjoin.Read(nil, out)
		if err != nil || again.Width != part.Dx() || again.Height != part.Dy() {
			t.Fatalf("read again: %v, %v", again, err)
		}
		if _, err := jpegjoin.Join(nil, jpegjoin.Grid{Streams: []*jpegjoin.Stream{again}, Across: 1, Part: image.Rect(0, 0, 1, part.Dy())}, soi, always); err != nil {
			t.Fatalf("join again: %v", err)
		}
	})
}
