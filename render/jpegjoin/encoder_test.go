package jpegjoin_test

import (
	"encoding/binary"
	"math/bits"
)

// sampling of the components of a test picture.
type sampling [][2]int

func (s sampling) mcu() (width, height int) {
	for _, c := range s {
		width, height = max(width, 8*c[0]), max(height, 8*c[1])
	}
	return width, height
}

func (s sampling) blocks() int {
	n := 0
	for _, c := range s {
		n += c[0] * c[1]
	}
	return n
}

// block is quantized coefficients in zigzag order.
type block [64]int

// picture is blocks in the order of MCUs, each of all components: across MCUs in each row.
type picture struct {
	sampling sampling
	across   int
	mcus     [][]block
}

// code lengths of the test tables: some symbols are short, most are as long as codes get.
func acSpec(variant int) []byte {
	counts, values := make([]byte, 16), []byte{}
	add := func(length int, symbols ...byte) {
		counts[length-1] += byte(len(symbols))
		values = append(values, symbols...)
	}
	add(2, 0x01)
	add(3, 0x00, 0x02)
	add(4, 0x11)
	add(5, 0x03, 0x21)
	add(9, 0x12, 0xF0)
	if variant == 0 {
		add(11, 0x31, 0x13)
	} else {
		add(11, 0x13, 0x31)
	}
	used := map[byte]bool{}
	for _, v := range values {
		used[v] = true
	}
	for run := range 16 {
		for size := 1; size <= 10; size++ {
			if v := byte(run<<4 | size); !used[v] {
				add(16, v)
			}
		}
	}
	return append(counts, values...)
}

func dcSpec() []byte {
	counts := make([]byte, 16)
	counts[2], counts[3], counts[8] = 4, 4, 4
	return append(counts, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
}

type code struct {
	bits   uint32
	length int
}

func codesOf(spec []byte) map[byte]code {
	out, next, k := map[byte]code{}, uint32(0), 16
	for length := 1; length <= 16; length++ {
		for range spec[length-1] {
			out[spec[k]] = code{next, length}
			next++
			k++
		}
		next <<= 1
	}
	return out
}

// encoder writes scans the plain way: a bit at a time.
type encoder struct {
	out    []byte
	dc, ac map[byte]code
	held   uint32
	n      int
}

func (e *encoder) put(v uint32, length int) {
	for i := length - 1; i >= 0; i-- {
		e.held = e.held<<1 | v>>i&1
		if e.n++; e.n == 8 {
			e.out = append(e.out, byte(e.held))
			if byte(e.held) == 0xFF {
				e.out = append(e.out, 0)
			}
			e.held, e.n = 0, 0
		}
	}
}

func (e *encoder) pad() {
	for e.n != 0 {
		e.put(1, 1)
	}
}

func (e *encoder) number(table map[byte]code, run, v int) {
	size := bits.Len(uint(max(v, -v)))
	c := table[byte(run<<4|size)]
	e.put(c.bits, c.length)
	if v < 0 {
		v += 1<<size - 1
	}
	e.put(uint32(v), size)
}

func (e *encoder) block(b *block, before int) {
	e.number(e.dc, 0, b[0]-before)
	run := 0
	for _, v := range b[1:] {
		if v == 0 {
			run++
			continue
		}
		for ; run > 15; run -= 16 {
			e.put(e.ac[0xF0].bits, e.ac[0xF0].length)
		}
		e.number(e.ac, run, v)
		run = 0
	}
	if run > 0 {
		e.put(e.ac[0].bits, e.ac[0].length)
	}
}

// scan encodes a picture, with a restart after each interval of MCUs.
func (p *picture) scan(interval, variant int) []byte {
	e := &encoder{dc: codesOf(dcSpec()), ac: codesOf(acSpec(variant))}
	pred := make([]int, len(p.sampling))
	for i, mcu := range p.mcus {
		if interval > 0 && i > 0 && i%interval == 0 {
			e.pad()
			e.out = append(e.out, 0xFF, 0xD0+byte((i/interval-1)%8))
			clear(pred)
		}
		at := 0
		for c, s := range p.sampling {
			for range s[0] * s[1] {
				e.block(&mcu[at], pred[c])
				pred[c] = mcu[at][0]
				at++
			}
		}
	}
	e.pad()
	return e.out
}

func segment(marker byte, body []byte) []byte {
	out := []byte{0xFF, marker}
	return append(binary.BigEndian.AppendUint16(out, uint16(len(body)+2)), body...)
}

func quantization() []byte {
	body := make([]byte, 65)
	for i := range 64 {
		body[1+i] = byte(3 + i/8)
	}
	return body
}

// tables is an abbreviated stream of tables alone.
func tables(variant int) []byte {
	out := []byte{0xFF, 0xD8}
	out = append(out, segment(0xDB, quantization())...)
	out = append(out, segment(0xC4, append([]byte{0x00}, dcSpec()...))...)
	out = append(out, segment(0xC4, append([]byte{0x10}, acSpec(variant)...))...)
	return append(out, 0xFF, 0xD9)
}

// abbreviated is the picture without its tables.
func (p *picture) abbreviated(width, height, interval, variant int) []byte {
	out := []byte{0xFF, 0xD8}
	out = append(out, segment(0xFE, []byte("a comment that must not get out"))...)
	frame := []byte{8, byte(height >> 8), byte(height), byte(width >> 8), byte(width), byte(len(p.sampling))}
	scan := []byte{byte(len(p.sampling))}
	for i, s := range p.sampling {
		frame = append(frame, byte(i+10), byte(s[0]<<4|s[1]), 0)
		scan = append(scan, byte(i+10), 0)
	}
	out = append(out, segment(0xC0, frame)...)
	if interval > 0 {
		out = append(out, segment(0xDD, []byte{byte(interval >> 8), byte(interval)})...)
	}
	out = append(out, segment(0xDA, append(scan, 0, 63, 0))...)
	return append(append(out, p.scan(interval, variant)...), 0xFF, 0xD9)
}
