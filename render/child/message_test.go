package child

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

func numbers(kind byte, id uint64, values ...uint64) []byte {
	out := head(nil, kind, id)
	for _, v := range values {
		out = binary.LittleEndian.AppendUint64(out, v)
	}
	return out
}

// What no child has to say is refused.
func TestMessagesThatAreRefused(t *testing.T) {
	for name, packet := range map[string][]byte{
		"nothing":               nil,
		"no call":               {kindAnswer, 1, 2, 3},
		"an unknown kind":       head(nil, 99, 1),
		"a kind of the server":  head(nil, kindCall, 1),
		"a read without length": numbers(kindRead, 1, 0),
		"a read of nothing":     numbers(kindRead, 1, 0, 0),
		"a read before":         numbers(kindRead, 1, 1<<63, 1),
		"a read too long":       numbers(kindRead, 1, 0, maxRead+1),
		"a read and more":       append(numbers(kindRead, 1, 0, 1), 0),
		"a need of nothing":     numbers(kindNeed, 1, 0),
		"a need beyond numbers": numbers(kindNeed, 1, 1<<63),
		"a need cut off":        head(nil, kindNeed, 1),
		"stored, and more":      append(head(nil, kindStored, 1), 1),
		"a long complaint":      append(head(nil, kindFailed, 1), make([]byte, maxText+1)...),
	} {
		if m, err := parse(packet); !errors.Is(err, errMessage) {
			t.Errorf("%s is taken for %+v", name, m)
		}
	}
}

func TestCallsThatAreRefused(t *testing.T) {
	whole := func(change func(*callMessage)) []byte {
		m := &callMessage{id: 1, original: inline, size: 3, ask: []byte("ask"), askLength: 3, data: []byte("xyz")}
		change(m)
		return m.append(nil)
	}
	if _, err := parseCall(whole(func(*callMessage) {})); err != nil {
		t.Fatal(err)
	}
	for name, packet := range map[string][]byte{
		"nothing":                   nil,
		"another kind":              head(nil, kindCancel, 1),
		"cut off":                   whole(func(*callMessage) {})[:callHead-1],
		"a longer ask":              whole(func(m *callMessage) { m.askLength = 7 }),
		"a shorter original":        whole(func(m *callMessage) { m.size = 4 }),
		"a negative size":           whole(func(m *callMessage) { m.size = -1 }),
		"an unknown way":            whole(func(m *callMessage) { m.original = 9 }),
		"bytes of a file":           whole(func(m *callMessage) { m.original = byFile }),
		"an unknown flag":           whole(func(m *callMessage) { m.flags = 64 }),
		"shared bytes of no length": whole(func(m *callMessage) { m.flags = sharedNew }),
		"a length without bytes":    whole(func(m *callMessage) { m.sharedLength = 1 }),
		"new and known":             whole(func(m *callMessage) { m.flags, m.sharedLength = sharedNew|sharedKnown, 1 }),
		"an ask beyond bounds":      whole(func(m *callMessage) { m.flags, m.ask, m.askLength = askByMemory, nil, MaxAsk+1 }),
	} {
		if m, err := parseCall(packet); !errors.Is(err, errMessage) {
			t.Errorf("%s is taken for %+v", name, m)
		}
	}
}

func TestCallsComeOverAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &callMessage{id: rapid.Uint64().Draw(t, "id"), ask: rapid.SliceOf(rapid.Byte()).Draw(t, "ask")}
		m.askLength = uint32(len(m.ask))
		m.original = rapid.SampledFrom([]byte{byReads, byFile, inline}).Draw(t, "original")
		m.size = rapid.Int64Range(0, 1<<60).Draw(t, "size")
		if m.original == inline {
			m.data = rapid.SliceOf(rapid.Byte()).Draw(t, "data")
			m.size = int64(len(m.data))
		}
		if m.flags = rapid.SampledFrom([]byte{0, sharedNew, sharedKnown, idle}).Draw(t, "flags"); m.flags != 0 && m.flags != idle {
			m.shared, m.sharedLength = rapid.Uint64().Draw(t, "shared"), rapid.Uint64Range(1, 1<<40).Draw(t, "length")
		}
		got, err := parseCall(m.append(nil))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.ask, m.ask) || !bytes.Equal(got.data, m.data) {
			t.Fatalf("%+v instead of %+v", got, m)
		}
		got.ask, got.data, m.ask, m.data = nil, nil, nil, nil
		if got.append(nil)[0] != kindCall || !bytes.Equal(got.append(nil), m.append(nil)) {
			t.Fatalf("%+v instead of %+v", got, m)
		}
	})
}

// FuzzMessage: whatever a child says is refused or within bounds.
func FuzzMessage(f *testing.F) {
	f.Add(head(nil, kindAnswer, 1))
	f.Add(numbers(kindRead, 2, 100, 100))
	f.Add(numbers(kindNeed, 3, 1<<40))
	f.Add(append(head(nil, kindFailed, 4), "text"...))
	f.Add(append(head(nil, kindWrite, 5), "bytes"...))
	f.Fuzz(func(t *testing.T, packet []byte) {
		m, err := parse(packet)
		if err != nil {
			return
		}
		if m.offset < 0 || m.length < 0 || m.kind == kindRead && m.length > maxRead || len(m.body) > len(packet) {
			t.Errorf("%+v", m)
		}
		if m.kind < kindHello || m.kind > kindWrite || m.kind == kindWrite && (len(m.body) == 0 || len(m.body) > maxWrite) {
			t.Errorf("a message of the kind %d", m.kind)
		}
	})
}
