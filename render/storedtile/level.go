package storedtile

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/gatehouse-server/gatehouse/render/tiffdir"
)

// grid is how many tiles a level has, across and down.
func (l *level) grid() (across, down int) {
	return (l.width + l.tileWidth - 1) / l.tileWidth, (l.height + l.tileHeight - 1) / l.tileHeight
}

// spans reads where tiles from to to lie; nil where that makes no sense. An error is one of the source.
func (l *level) spans(r io.ReaderAt, order binary.ByteOrder, size int64, from, to int) ([]span, error) {
	if l.tiles != nil {
		return l.tiles[from:to], nil
	}
	offsets, err := numbers(r, order, size, l.offsets, from, to)
	if err != nil || offsets == nil {
		return nil, err
	}
	counts, err := numbers(r, order, size, l.counts, from, to)
	if err != nil || counts == nil {
		return nil, err
	}
	out := make([]span, to-from)
	for i := range out {
		offset, length := offsets.at(i), counts.at(i)
		if offset > uint64(size) || length > uint64(size)-offset || length > maxTile {
			// A tile like that is not answered from here, the others are.
			offset, length = 0, 0
		}
		out[i] = span{int64(offset), int32(length)} //nolint:gosec // both were compared just now
	}
	return out, nil
}

// table is numbers as they stand in the file.
type table struct {
	data  []byte
	width int
	order binary.ByteOrder
}

func (t *table) at(i int) uint64 {
	b := t.data[i*t.width:]
	switch t.width {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(t.order.Uint16(b))
	case 4:
		return uint64(t.order.Uint32(b))
	}
	return t.order.Uint64(b)
}

// numbers reads entries from to to of a table; nil where it lies outside the file.
func numbers(r io.ReaderAt, order binary.ByteOrder, size int64, t tiffdir.Table, from, to int) (*table, error) {
	width := int64(t.Width)
	if t.Offset < 0 || t.Offset > size || int64(to) > t.Count || t.Count > (size-t.Offset)/width {
		return nil, nil
	}
	data, err := readFull(r, t.Offset+int64(from)*width, (to-from)*t.Width)
	if err != nil || data == nil {
		return nil, err
	}
	return &table{data, t.Width, order}, nil
}

// readFull reads a part of a file; nil where it is cut off.
func readFull(r io.ReaderAt, offset int64, length int) ([]byte, error) {
	data := make([]byte, length)
	n, err := r.ReadAt(data, offset)
	switch {
	case n == length:
		return data, nil
	case err == nil || errors.Is(err, io.EOF):
		return nil, nil
	}
	return nil, err
}
