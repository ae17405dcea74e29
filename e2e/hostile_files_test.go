package e2e_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"strings"
	"testing"
)

// hostile is a file that somebody broke, or made to hurt.
type hostile struct {
	what string // tells it from the others, and names the file
	ext  string
	data []byte
	end  ending
	// slow is what keeps a worker until its time is over, or nearly: it is asked for less.
	slow bool
	// width and height are what info.json must tell where the end is shown or large; 0 is anything.
	width, height int
}

// ending is what may come of a hostile file. Whatever it is, no answer is a 5xx but 503.
type ending int

const (
	// either: one decoder shows what it has, another refuses. What is shown has the size that info.json tells.
	either ending = iota
	// refused: no picture of the whole.
	refused
	// shown: a picture; what is odd about the file does it no harm.
	shown
	// large: described, and too large to be shown as a whole.
	large
	// stands: a placeholder stands for it.
	stands
)

// name is a file name that its identifier need not escape.
func (h hostile) name() string {
	return strings.NewReplacer(" ", "-", ",", "", "^", "", "'", "").Replace(h.what) + h.ext
}

// cuts are three ways to lose the end of a file.
func cuts(kind, ext string, data []byte, header int) []hostile {
	return []hostile{
		{what: kind + " cut in its header", ext: ext, data: data[:header], end: refused},
		{what: kind + " cut in the middle", ext: ext, data: data[:len(data)/2], end: refused},
		{what: kind + " one byte short", ext: ext, data: data[:len(data)-1], end: either},
	}
}

// patched is a copy with bytes at a place replaced.
func patched(data []byte, at int, with ...byte) []byte {
	out := bytes.Clone(data)
	copy(out[at:], with)
	return out
}

// inserted is a copy with bytes put in at a place.
func inserted(data []byte, at int, more ...byte) []byte {
	return bytes.Join([][]byte{data[:at], more, data[at:]}, nil)
}

// find is the place of a mark that must be there.
func find(t *testing.T, data []byte, mark string) int {
	t.Helper()
	at := bytes.Index(data, []byte(mark))
	if at < 0 {
		t.Fatalf("no %q in the file that is to be broken", mark)
	}
	return at
}

// zeros is a zlib stream of n zero bytes, made fast: one piece again and again, and the sum of all (RFC 1950).
func zeros(t *testing.T, n int) []byte {
	t.Helper()
	const piece = 1 << 20
	var part bytes.Buffer
	w, err := flate.NewWriter(&part, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	write := func(n int) []byte {
		part.Reset()
		if _, err := w.Write(make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		return bytes.Clone(part.Bytes())
	}
	out := []byte{0x78, 0xDA}
	if n >= piece {
		// The window of the first piece is empty, that of the second is all zeros: it can be repeated.
		out = append(out, write(piece)...)
		out = append(out, bytes.Repeat(write(piece), n/piece-1)...)
	}
	out = append(out, write(n%piece)...)
	out = append(out, 1, 0, 0, 0xFF, 0xFF) // the last block, stored and empty
	return append(out, be32(n%65521<<16|1)...)
}

func be16(v int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(v)) }
func be32(v int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }
func le16(v int) []byte { return binary.LittleEndian.AppendUint16(nil, uint16(v)) }
func le24(v int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(v))[:3] }
func le32(v int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(v)) }

// joined puts byte strings together: []byte, string, or a single byte.
func joined(parts ...any) []byte {
	var out []byte
	for _, part := range parts {
		switch p := part.(type) {
		case []byte:
			out = append(out, p...)
		case string:
			out = append(out, p...)
		case int:
			out = append(out, byte(p))
		}
	}
	return out
}
