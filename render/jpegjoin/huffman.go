package jpegjoin

import "bytes"

const (
	// window is how many bits are looked up at once.
	window = 12
	// maxCode is the longest code in bits.
	maxCode = 16
	// tableSize is what a table takes in memory, in bytes.
	tableSize = 4<<window + 1024
	// endOfBlock flags a group of symbols that ends its block.
	endOfBlock = 1 << 15
)

// huffman is a table (ISO/IEC 10918-1 annex C) for measuring: how many bits do the symbols take that come next.
type huffman struct {
	// spec is the segment's: 16 counts, then the values.
	spec []byte
	// one is, by the next bits, the first symbol's code length in the high byte, and its value; 0 where the code is longer.
	one [1 << window]uint16
	// many is, by the next bits, as many symbols of AC coefficients as lie in them whole, extra bits included: how many bits
	// (bits 0 to 3), how many coefficients (4 to 10), and endOfBlock. 0 where there is not even one.
	many [1 << window]uint16
	// limit is the code after the last of each length, aligned to 16 bits; base leads from a code to its value.
	limit [maxCode + 2]uint32
	base  [maxCode + 1]int32
	// codes and lengths by value, for the writing of DC coefficients.
	codes   [maxCategory + 1]uint16
	lengths [maxCategory + 1]uint8
}

// maxCategory of a DC difference with 8 bits of precision (ISO/IEC 10918-1 table F.1).
const maxCategory = 11

// newHuffman reads a table of a DHT segment. spec must hold it whole and nothing else.
func newHuffman(spec []byte) (*huffman, error) {
	t := &huffman{spec: bytes.Clone(spec)}
	values := t.spec[maxCode:]
	code, k := uint32(0), 0
	for length := 1; length <= maxCode; length++ {
		n := int(spec[length-1])
		if code+uint32(n) > 1<<length {
			return nil, unfit("a Huffman table with too many codes")
		}
		t.base[length] = int32(k) - int32(code)
		for range n {
			t.enter(uint16(code), length, values[k])
			code++
			k++
		}
		t.limit[length] = code << (maxCode - length)
		code <<= 1
	}
	t.limit[maxCode+1] = 1 << maxCode
	t.group()
	return t, nil
}

func (t *huffman) enter(code uint16, length int, value byte) {
	if value <= maxCategory {
		t.codes[value], t.lengths[value] = code, uint8(length)
	}
	if length > window {
		return
	}
	first := int(code) << (window - length)
	for i := range 1 << (window - length) {
		t.one[first+i] = uint16(length)<<8 | uint16(value)
	}
}

// group fills in many.
func (t *huffman) group() {
	for bits := range t.many {
		used, ahead, end := 0, 0, uint16(0)
		for end == 0 {
			symbol := t.one[(bits<<used)&(1<<window-1)]
			length, run, size := int(symbol>>8), int(symbol>>4&15), int(symbol&15)
			if length == 0 || used+length+size > window || ahead+run+1 > 63 || size == 0 && run > 0 && run < 15 {
				// The last are runs of blocks, which belong to progressive pictures; measured one by one they are refused.
				break
			}
			if size == 0 && run == 0 {
				end = endOfBlock
			} else {
				ahead += run + 1
			}
			used += length + size
		}
		t.many[bits] = uint16(used) | uint16(ahead)<<4 | end
	}
}

// symbol gives the code length and the value of the first symbol in bits, which are aligned to the left. The length is 0
// where there is no such code.
func (t *huffman) symbol(bits uint64) (length int, value byte) {
	if s := t.one[bits>>(64-window)]; s != 0 {
		return int(s >> 8), byte(s)
	}
	next := uint32(bits >> (64 - maxCode))
	for length = window + 1; length <= maxCode; length++ {
		if next < t.limit[length] {
			return length, t.spec[maxCode+int(int32(next>>(maxCode-length))+t.base[length])]
		}
	}
	return 0, 0
}

func (t *huffman) equal(o *huffman) bool { return t == o || bytes.Equal(t.spec, o.spec) }
