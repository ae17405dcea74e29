package tiffdir_test

import (
	"encoding/binary"
	"sort"
)

// builder writes directories for tests. It knows nothing of how they are read.
type builder struct {
	order binary.AppendByteOrder
	big   bool
	dirs  []map[uint16][]uint64
	// chain lists the directories of the main chain; the others are reached by SubIFDs or not at all.
	chain []int
	// subs maps a directory to those that its SubIFDs name.
	subs map[int][]int
}

func (b *builder) add(fields map[uint16][]uint64) int {
	b.dirs = append(b.dirs, fields)
	b.chain = append(b.chain, len(b.dirs)-1)
	return len(b.dirs) - 1
}

func (b *builder) addSub(parent int, fields map[uint16][]uint64) {
	b.dirs = append(b.dirs, fields)
	if b.subs == nil {
		b.subs = map[int][]int{}
	}
	b.subs[parent] = append(b.subs[parent], len(b.dirs)-1)
}

// bytes lays the file out: header, then each directory with its values behind it.
func (b *builder) bytes() []byte {
	if b.order == nil {
		b.order = binary.LittleEndian
	}
	offsets := make([]uint64, len(b.dirs))
	// Two rounds: the first finds the offsets that the second writes.
	var out []byte
	for range 2 {
		out = b.header(offsets)
		for i := range b.dirs {
			offsets[i] = uint64(len(out))
			out = b.directory(out, i, offsets)
		}
	}
	return out
}

func (b *builder) header(offsets []uint64) []byte {
	mark := "II"
	if b.order == binary.AppendByteOrder(binary.BigEndian) {
		mark = "MM"
	}
	first := uint64(0)
	if len(b.chain) > 0 {
		first = offsets[b.chain[0]]
	}
	if b.big {
		out := b.order.AppendUint16([]byte(mark), 43)
		out = b.order.AppendUint16(out, 8)
		out = b.order.AppendUint16(out, 0)
		return b.order.AppendUint64(out, first)
	}
	return b.order.AppendUint32(b.order.AppendUint16([]byte(mark), 42), uint32(first))
}

func (b *builder) pointer(out []byte, v uint64) []byte {
	if b.big {
		return b.order.AppendUint64(out, v)
	}
	return b.order.AppendUint32(out, uint32(v))
}

func (b *builder) directory(out []byte, i int, offsets []uint64) []byte {
	fields := map[uint16][]uint64{}
	for tag, v := range b.dirs[i] {
		fields[tag] = v
	}
	for _, sub := range b.subs[i] {
		fields[330] = append(fields[330], offsets[sub])
	}
	tags := make([]int, 0, len(fields))
	for tag := range fields {
		tags = append(tags, int(tag))
	}
	sort.Ints(tags)
	slot, entry := 4, 12
	if b.big {
		slot, entry = 8, 20
		out = b.order.AppendUint64(out, uint64(len(tags)))
	} else {
		out = b.order.AppendUint16(out, uint16(len(tags)))
	}
	behind := uint64(len(out) + len(tags)*entry + slot)
	var values []byte
	for _, tag := range tags {
		v := fields[uint16(tag)]
		kind, width := uint16(4), 4
		switch {
		case tag == 34675:
			kind, width = 7, 1
		case b.big && (tag == 330 || tag == 324):
			kind, width = 16, 8
		case tag == 258 || tag == 338:
			kind, width = 3, 2
		}
		out = b.order.AppendUint16(b.order.AppendUint16(out, uint16(tag)), kind)
		out = b.pointer(out, uint64(len(v)))
		var raw []byte
		for _, x := range v {
			switch width {
			case 1:
				raw = append(raw, byte(x))
			case 2:
				raw = b.order.AppendUint16(raw, uint16(x))
			case 4:
				raw = b.order.AppendUint32(raw, uint32(x))
			case 8:
				raw = b.order.AppendUint64(raw, x)
			}
		}
		if len(raw) <= slot {
			out = append(out, append(raw, make([]byte, slot-len(raw))...)...)
			continue
		}
		out = b.pointer(out, behind+uint64(len(values)))
		values = append(values, raw...)
	}
	next := uint64(0)
	for k, dir := range b.chain {
		if dir == i && k+1 < len(b.chain) {
			next = offsets[b.chain[k+1]]
		}
	}
	return append(b.pointer(out, next), values...)
}

// picture is the fields of an RGB picture of 8 bits, in strips.
func picture(width, height uint64, more ...map[uint16][]uint64) map[uint16][]uint64 {
	fields := map[uint16][]uint64{
		256: {width}, 257: {height}, 258: {8, 8, 8}, 259: {1}, 262: {2}, 277: {3}, 278: {16}, 273: {8}, 279: {0},
	}
	for _, m := range more {
		for tag, v := range m {
			fields[tag] = v
		}
	}
	return fields
}

// tiles makes a picture a tiled one.
func tiles(side uint64) map[uint16][]uint64 { return map[uint16][]uint64{322: {side}, 323: {side}} }

// reduced marks a picture as a smaller version.
func reduced() map[uint16][]uint64 { return map[uint16][]uint64{254: {1}} }
