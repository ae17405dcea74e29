package jpegjoin

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// longestSymbol of AC coefficients in bits, with its extra bits.
const longestSymbol = maxCode + 10

// padding follows the data in a scan's buffer, so that eight bytes can be read from any place in it.
const padding = 16

// scanReader goes through the blocks of one stream.
type scanReader struct {
	stream *Stream
	// data is the scan without stuffed zeros and restart markers, padded.
	data []byte
	// at and end are positions in bits.
	at, end int
	// restarts are the positions, in bytes, behind restart markers; next counts the ones that were met.
	restarts []int
	next     int
	// met counts MCUs.
	met  int
	pred [maxComponents]int32
}

// open prepares reading s. The buffers of r are used again.
func (r *scanReader) open(s *Stream) error {
	data, restarts := r.data[:0], r.restarts[:0]
	scan := s.scan
	for {
		i := bytes.IndexByte(scan, 0xFF)
		if i < 0 {
			data = append(data, scan...)
			break
		}
		if i+1 >= len(scan) {
			return unfit("a marker is cut off")
		}
		marker := scan[i+1]
		switch {
		case marker == 0:
			data = append(data, scan[:i+1]...)
		case marker == 0xD0|byte(len(restarts)&7) && s.interval > 0:
			data = append(data, scan[:i]...)
			restarts = append(restarts, len(data))
		default:
			return unfit("marker %#x in the data", marker)
		}
		scan = scan[i+2:]
	}
	length := len(data)
	data = append(data, make([]byte, padding)...)
	*r = scanReader{stream: s, data: data, end: 8 * length, restarts: restarts}
	return nil
}

// peek gives at least 57 bits from the position on, aligned to the left.
func (r *scanReader) peek(at int) uint64 {
	return binary.BigEndian.Uint64(r.data[at>>3:]) << (at & 7)
}

// startMCU goes over a restart, where there is one; broken tells that the next differences count from zero.
func (r *scanReader) startMCU() (broken bool, err error) {
	if r.stream.interval > 0 && r.met > 0 && r.met%r.stream.interval == 0 {
		if r.next >= len(r.restarts) {
			return false, unfit("a restart marker is missing")
		}
		start := 8 * r.restarts[r.next]
		// What is left are fewer than 8 bits of padding.
		if r.at > start || start-r.at >= 8 {
			return false, unfit("a restart marker stands at the wrong place")
		}
		r.at = start
		r.next++
		r.pred = [maxComponents]int32{}
		broken = true
	}
	r.met++
	return broken, nil
}

// dc reads a DC difference (ISO/IEC 10918-1 §F.2.2.1) and adds it to the component's prediction.
func (r *scanReader) dc(i int, t *huffman) error {
	if r.at >= r.end {
		return unfit("the data is cut off")
	}
	w := r.peek(r.at)
	length, category := t.symbol(w)
	if length == 0 || category > maxCategory {
		return unfit("no DC symbol")
	}
	if category > 0 {
		v := int32(w << length >> (64 - category))
		if v < 1<<(category-1) {
			v -= 1<<category - 1
		}
		r.pred[i] += v
	}
	r.at += length + int(category)
	return nil
}

// ac goes over the AC coefficients of a block.
func (r *scanReader) ac(t *huffman) error {
	at, k := r.at, 1
	for k < 64 {
		if at > r.end {
			return unfit("the data is cut off")
		}
		w := r.peek(at)
		// 57 bits hold four windows at least.
		for left := 57; left >= window && k < 64; {
			if group := t.many[w>>(64-window)]; group != 0 {
				n, ahead := int(group&15), int(group>>4&127)
				if k+ahead <= 63 || k+ahead == 64 && group&endOfBlock == 0 {
					at, k, left, w = at+n, k+ahead, left-n, w<<(n&63)
					if group&endOfBlock != 0 {
						k = 64
					}
					continue
				}
			}
			n, ahead := one(t, w, k)
			if n > left || n == 0 && left < longestSymbol {
				break // for fresh bits
			}
			if n == 0 {
				return unfit("no AC symbol")
			}
			at, k, left, w = at+n, k+ahead, left-n, w<<(n&63)
		}
	}
	if at > r.end {
		return unfit("the data is cut off")
	}
	r.at = at
	return nil
}

// one measures a single AC symbol (ISO/IEC 10918-1 §F.2.2.2): its bits, and how far it leads from coefficient k. n is 0
// where it does not fit.
func one(t *huffman, w uint64, k int) (n, ahead int) {
	length, value := t.symbol(w)
	run, size := int(value>>4), int(value&15)
	switch {
	case length == 0 || size > 10:
		return 0, 0
	case size == 0 && run == 0:
		return length, 64 - k
	case size == 0 && run != 15 || k+run > 63:
		return 0, 0
	}
	return length + size, run + 1
}

// skip goes over n MCUs.
func (r *scanReader) skip(n int) error {
	for range n {
		if _, err := r.startMCU(); err != nil {
			return err
		}
		if err := r.mcu(); err != nil {
			return err
		}
	}
	return nil
}

// mcu goes over the blocks of one MCU.
func (r *scanReader) mcu() error {
	s := r.stream
	for i := range s.count {
		c := &s.components[i]
		for range c.blocks {
			if err := r.dc(i, c.dcTable); err != nil {
				return err
			}
			if err := r.ac(c.acTable); err != nil {
				return err
			}
		}
	}
	return nil
}

// scanWriter writes entropy-coded data.
type scanWriter struct {
	out []byte
	// held are the bits that are not written yet, fewer than 32, aligned to the left.
	held uint64
	n    int
	pred [maxComponents]int32
}

// put writes up to 32 bits, which are aligned to the right.
func (w *scanWriter) put(v uint32, n int) {
	w.held |= uint64(v) << (64 - n) >> w.n
	w.n += n
	if w.n >= 32 {
		w.flush(uint32(w.held >> 32))
		w.held <<= 32
		w.n -= 32
	}
}

// flush writes four bytes, a zero behind each 0xFF.
func (w *scanWriter) flush(v uint32) {
	// A byte of v is 0xFF where one of its complement is zero.
	if c := ^v; (c-0x01010101)&^c&0x80808080 == 0 {
		w.out = binary.BigEndian.AppendUint32(w.out, v)
		return
	}
	for shift := 24; shift >= 0; shift -= 8 {
		w.byte(byte(v >> shift))
	}
}

func (w *scanWriter) byte(b byte) {
	w.out = append(w.out, b)
	if b == 0xFF {
		w.out = append(w.out, 0)
	}
}

// copy writes the bits of r from one position to another.
func (w *scanWriter) copy(r *scanReader, from, to int) {
	for ; to-from >= 32; from += 32 {
		w.put(uint32(r.peek(from)>>32), 32)
	}
	if rest := to - from; rest > 0 {
		w.put(uint32(r.peek(from)>>(64-rest)), rest)
	}
}

// dc writes the difference to a DC coefficient.
func (w *scanWriter) dc(i int, value int32, t *huffman) error {
	diff := value - w.pred[i]
	w.pred[i] = value
	category := bits.Len32(uint32(max(diff, -diff)))
	if category > maxCategory || t.lengths[category] == 0 {
		return unfit("the table has no code for a difference of %d", diff)
	}
	w.put(uint32(t.codes[category]), int(t.lengths[category]))
	if diff < 0 {
		diff += 1<<category - 1
	}
	if category > 0 {
		w.put(uint32(diff), category)
	}
	return nil
}

// end fills the last byte with ones.
func (w *scanWriter) end() {
	if rest := w.n & 7; rest != 0 {
		w.put(1<<(8-rest)-1, 8-rest)
	}
	for ; w.n > 0; w.n -= 8 {
		w.byte(byte(w.held >> 56))
		w.held <<= 8
	}
}

// take copies n MCUs of r. The first of them, and the first behind a restart, get new differences.
func (w *scanWriter) take(r *scanReader, n int) error {
	from := r.at
	for i := range n {
		before, pred := r.at, r.pred
		broken, err := r.startMCU()
		if err != nil {
			return err
		}
		if i > 0 && !broken {
			if err := r.mcu(); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			w.copy(r, from, before)
			w.pred = pred
		}
		if err := w.first(r); err != nil {
			return err
		}
		from = r.at
	}
	w.copy(r, from, r.at)
	w.pred = r.pred
	return nil
}

// first copies one MCU with differences to what was written before.
func (w *scanWriter) first(r *scanReader) error {
	s := r.stream
	for i := range s.count {
		c := &s.components[i]
		for block := range c.blocks {
			from := r.at
			if err := r.dc(i, c.dcTable); err != nil {
				return err
			}
			if block == 0 {
				if err := w.dc(i, r.pred[i], c.dcTable); err != nil {
					return err
				}
				from = r.at
			}
			if err := r.ac(c.acTable); err != nil {
				return err
			}
			w.copy(r, from, r.at)
		}
	}
	return nil
}
