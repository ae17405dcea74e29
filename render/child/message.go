package child

import (
	"encoding/binary"
	"errors"
)

// Messages are packets on a socket pair: a byte that tells the kind, eight for the call that it belongs to, and what
// the kind has. Numbers are little-endian.
const (
	// maxPacket is the longest message, in bytes. Sockets hold about 200 kB by default.
	maxPacket = 160 << 10
	// maxInline is what a packet carries of an ask, an original or an answer; more goes through memory that both map.
	maxInline = 128 << 10
	// smallOriginal is up to which length an original that is no file is handed over whole.
	smallOriginal = 1 << 20
	// maxRead is the longest read that a child may ask for, maxWrite the longest write.
	maxRead  = 128 << 10
	maxWrite = 128 << 10
	// maxText bounds what a child says went wrong.
	maxText = 1 << 10
)

// The kinds: to the child.
const (
	kindSetup   byte = iota + 1
	kindCall         // see callMessage
	kindCancel       // the call is to stop
	kindData         // a status byte, and what was read
	kindRoom         // a descriptor of memory for the answer
	kindWritten      // a status byte
)

// The kinds: from the child.
const (
	kindHello  byte = iota + 16 // what the Handler said
	kindRead                    // offset and length of the original that the child wants
	kindNeed                    // how much memory the answer needs
	kindAnswer                  // the answer
	kindStored                  // the answer lies in the memory
	kindFailed                  // a text
	kindWrite                   // bytes for the sink
)

const headSize = 9

// head begins a message.
func head(to []byte, kind byte, id uint64) []byte {
	return binary.LittleEndian.AppendUint64(append(to, kind), id)
}

// errMessage says that a message is not what it has to be.
var errMessage = errors.New("a message that makes no sense")

// said is a message of a child.
type said struct {
	kind   byte
	id     uint64
	offset int64
	length int64
	// body is the rest, within the packet.
	body []byte
}

// parse reads a message of a child, which may be anything.
func parse(packet []byte) (said, error) {
	if len(packet) < headSize {
		return said{}, errMessage
	}
	m := said{kind: packet[0], id: binary.LittleEndian.Uint64(packet[1:]), body: packet[headSize:]}
	number := func() int64 {
		if len(m.body) < 8 {
			return -1
		}
		n := binary.LittleEndian.Uint64(m.body)
		m.body = m.body[8:]
		if n > 1<<62 {
			return -1
		}
		return int64(n)
	}
	switch m.kind {
	case kindHello, kindAnswer:
		return m, nil
	case kindRead:
		m.offset, m.length = number(), number()
		if m.offset < 0 || m.length < 1 || m.length > maxRead || len(m.body) > 0 {
			return said{}, errMessage
		}
		return m, nil
	case kindNeed:
		if m.length = number(); m.length < 1 || len(m.body) > 0 {
			return said{}, errMessage
		}
		return m, nil
	case kindStored:
		if len(m.body) > 0 {
			return said{}, errMessage
		}
		return m, nil
	case kindWrite:
		if len(m.body) < 1 || len(m.body) > maxWrite {
			return said{}, errMessage
		}
		return m, nil
	case kindFailed:
		if len(m.body) > maxText {
			return said{}, errMessage
		}
		return m, nil
	}
	return said{}, errMessage
}

// How an original comes to the child.
const (
	byReads byte = iota
	byFile
	inline
)

// How the ask and the shared bytes come.
const (
	askByMemory = 1 << iota
	sharedNew
	sharedKnown
	idle // whoever else wants the processor goes first
)

// callMessage is a call to the child. Descriptors come beside it: the original's, the ask's and the shared memory's, as
// far as there are any, in this order.
type callMessage struct {
	id       uint64
	original byte
	flags    byte
	// size of the original.
	size int64
	// shared is the number that the shared bytes have between the two, sharedLength their length.
	shared, sharedLength uint64
	// askLength is the length of ask, wherever it lies; ask and data of the original, or its beginning, are within the packet.
	askLength uint32
	ask, data []byte
}

const callHead = headSize + 2 + 3*8 + 4

func (m *callMessage) append(to []byte) []byte {
	to = head(to, kindCall, m.id)
	to = append(to, m.original, m.flags)
	for _, n := range [...]uint64{uint64(m.size), m.shared, m.sharedLength} {
		to = binary.LittleEndian.AppendUint64(to, n)
	}
	to = binary.LittleEndian.AppendUint32(to, m.askLength)
	to = append(to, m.ask...)
	return append(to, m.data...)
}

// parseCall reads a call in the child.
func parseCall(packet []byte) (*callMessage, error) {
	if len(packet) < callHead || packet[0] != kindCall {
		return nil, errMessage
	}
	number := func(at int) uint64 { return binary.LittleEndian.Uint64(packet[at:]) }
	m := &callMessage{
		id: number(1), original: packet[9], flags: packet[10], size: int64(number(11)), shared: number(19), sharedLength: number(27),
		askLength: binary.LittleEndian.Uint32(packet[35:]),
	}
	body := packet[callHead:]
	if m.flags&askByMemory == 0 {
		if int64(m.askLength) > int64(len(body)) {
			return nil, errMessage
		}
		m.ask, body = body[:m.askLength], body[m.askLength:]
	}
	m.data = body
	known := m.flags&sharedKnown != 0 || m.flags&sharedNew != 0
	switch {
	case m.size < 0, m.original > inline, m.askLength > MaxAsk:
		return nil, errMessage
	case m.original == inline && int64(len(m.data)) != m.size, m.original == byFile && len(m.data) > 0, int64(len(m.data)) > m.size:
		return nil, errMessage
	case known != (m.sharedLength > 0), m.flags >= idle<<1, m.flags&sharedKnown != 0 && m.flags&sharedNew != 0:
		return nil, errMessage
	}
	return m, nil
}
