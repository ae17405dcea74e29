package originals

import (
	"encoding/binary"
	"image"
	"math"
	"slices"
	"sync"
)

// jpegPlane is a component of a baseline JPEG (ITU-T T.81): its samples at full resolution, and how many of them
// horizontally and vertically a component of full resolution has for each block of this one's.
type jpegPlane struct {
	h, v int
	at   func(x, y int) byte
}

// jpegFile writes a baseline JPEG in the forms that neither Go nor the programs write: any sampling, any count of
// components. The segments come before the picture's.
func jpegFile(size image.Point, planes []jpegPlane, segments ...[]byte) []byte {
	e := &jpegEncoder{}
	e.out = append(e.out, 0xFF, 0xD8)
	for _, s := range segments {
		e.out = append(e.out, s...)
	}
	tables := []byte{0}
	for _, z := range zigzag {
		tables = append(tables, byte(quantum(z)))
	}
	e.out = append(e.out, segment(0xDB, tables)...)
	frame := []byte{8, byte(size.Y >> 8), byte(size.Y), byte(size.X >> 8), byte(size.X), byte(len(planes))}
	scan := []byte{byte(len(planes))}
	for i, p := range planes {
		frame = append(frame, byte(i+1), byte(p.h<<4|p.v), 0)
		scan = append(scan, byte(i+1), 0)
	}
	e.out = append(e.out, segment(0xC0, frame)...)
	e.out = append(e.out, segment(0xC4, huffmanSegment(0, dcCounts(), dcValues()))...)
	e.out = append(e.out, segment(0xC4, huffmanSegment(0x10, acCounts(), acValues()))...)
	e.out = append(e.out, segment(0xDA, append(scan, 0, 63, 0))...)
	e.dc, e.ac = codes(dcCounts(), dcValues()), codes(acCounts(), acValues())
	e.scan(size, planes)
	return append(e.out, 0xFF, 0xD9)
}

type jpegEncoder struct {
	out    []byte
	bits   uint32
	count  uint
	dc, ac map[byte]huffmanCode
}

type huffmanCode struct {
	bits   uint32
	length uint
}

// scan writes all components, interleaved.
func (e *jpegEncoder) scan(size image.Point, planes []jpegPlane) {
	most := image.Pt(1, 1)
	for _, p := range planes {
		most = image.Pt(max(most.X, p.h), max(most.Y, p.v))
	}
	before := make([]int, len(planes))
	for my := 0; my < size.Y; my += 8 * most.Y {
		for mx := 0; mx < size.X; mx += 8 * most.X {
			for i, p := range planes {
				step := image.Pt(most.X/p.h, most.Y/p.v)
				for b := range p.h * p.v {
					from := image.Pt(mx+b%p.h*8*step.X, my+b/p.h*8*step.Y)
					before[i] = e.block(blockOf(size, p, from, step), before[i])
				}
			}
		}
	}
	e.put(0x7F, 7)
}

// blockOf averages samples to a block; beyond the picture its edge goes on.
func blockOf(size image.Point, p jpegPlane, from, step image.Point) *[64]float64 {
	var out [64]float64
	share := 1 / float64(step.X*step.Y)
	for i := range out {
		sum := 0
		for v := range step.Y {
			for u := range step.X {
				sum += int(p.at(min(from.X+i%8*step.X+u, size.X-1), min(from.Y+i/8*step.Y+v, size.Y-1)))
			}
		}
		out[i] = float64(sum)*share - 128
	}
	return &out
}

// block writes one block and gives its DC value.
func (e *jpegEncoder) block(samples *[64]float64, before int) int {
	transform(samples)
	var quantized [64]int
	for i, z := range zigzag {
		quantized[i] = int(math.Round(samples[z] / float64(quantum(z))))
	}
	e.value(e.dc, 0, quantized[0]-before)
	run := 0
	for _, v := range quantized[1:] {
		if v == 0 {
			run++
			continue
		}
		for ; run > 15; run -= 16 {
			e.code(e.ac[0xF0])
		}
		e.value(e.ac, run, v)
		run = 0
	}
	if run > 0 {
		e.code(e.ac[0])
	}
	return quantized[0]
}

// value writes a number behind the code of its length and the zeros before it.
func (e *jpegEncoder) value(table map[byte]huffmanCode, run, v int) {
	length, bits := uint(0), v
	for n := max(v, -v); n > 0; n >>= 1 {
		length++
	}
	if v < 0 {
		bits--
	}
	e.code(table[byte(run<<4)|byte(length)])
	e.put(uint32(bits)&(1<<length-1), length)
}

func (e *jpegEncoder) code(c huffmanCode) { e.put(c.bits, c.length) }

func (e *jpegEncoder) put(bits uint32, length uint) {
	e.bits, e.count = e.bits<<length|bits, e.count+length
	for ; e.count >= 8; e.count -= 8 {
		b := byte(e.bits >> (e.count - 8))
		e.out = append(e.out, b)
		if b == 0xFF {
			e.out = append(e.out, 0)
		}
	}
}

// cosines are those of the transform, with its factors.
var cosines = sync.OnceValue(func() *[8][8]float64 {
	var c [8][8]float64
	for u := range 8 {
		for x := range 8 {
			c[u][x] = math.Cos(float64(2*x+1)*float64(u)*math.Pi/16) / 2
			if u == 0 {
				c[u][x] /= math.Sqrt2
			}
		}
	}
	return &c
})

// transform is the discrete cosine transform, along rows and then along columns.
func transform(b *[64]float64) {
	var rows [64]float64
	c := cosines()
	for y := range 8 {
		for u := range 8 {
			sum := 0.0
			for x := range 8 {
				sum += c[u][x] * b[8*y+x]
			}
			rows[8*y+u] = sum
		}
	}
	for u := range 8 {
		for v := range 8 {
			sum := 0.0
			for y := range 8 {
				sum += c[v][y] * rows[8*y+u]
			}
			b[8*v+u] = sum
		}
	}
}

// quantum is coarser for higher frequencies.
func quantum(at int) int { return 2 + (at%8+at/8)/2 }

// zigzag is the order of coefficients, computed as T.81 figure 5 draws it.
var zigzag = func() (order [64]int) {
	x, y := 0, 0
	for i := range order {
		order[i] = 8*y + x
		switch up := (x+y)%2 == 0; {
		case up && x == 7, !up && y < 7 && x == 0:
			y++
		case up && y == 0, !up && y == 7:
			x++
		case up:
			x, y = x+1, y-1
		default:
			x, y = x-1, y+1
		}
	}
	return order
}()

// The Huffman codes need not be good: all lengths of numbers have codes of four bits, and all pairs of a run of zeros
// and a length have codes of eight, with the shortest left for the end of a block.
func dcCounts() []byte { return []byte{3: 12, 15: 0} }

func dcValues() []byte {
	values := make([]byte, 12)
	for i := range values {
		values[i] = byte(i)
	}
	return values
}

func acCounts() []byte { return []byte{0: 0, 1: 1, 7: 161, 15: 0} }

func acValues() []byte {
	values := []byte{0, 0xF0}
	for run := range 16 {
		for length := 1; length <= 10; length++ {
			values = append(values, byte(run<<4|length))
		}
	}
	return values
}

func huffmanSegment(class byte, counts, values []byte) []byte {
	return slices.Concat([]byte{class}, counts, values)
}

// codes gives the codes of a table (T.81 annex C).
func codes(counts, values []byte) map[byte]huffmanCode {
	table := map[byte]huffmanCode{}
	code, next := uint32(0), 0
	for i, n := range counts {
		for range n {
			table[values[next]] = huffmanCode{code, uint(i + 1)}
			code, next = code+1, next+1
		}
		code <<= 1
	}
	return table
}

// segment is a marker segment of a JPEG.
func segment(marker byte, body []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(len(body)+2)), body...)
}

// withSegments puts segments behind a JPEG's start.
func withSegments(data []byte, segments ...[]byte) []byte {
	out := slices.Clone(data[:2])
	for _, s := range segments {
		out = append(out, s...)
	}
	return append(out, data[2:]...)
}
