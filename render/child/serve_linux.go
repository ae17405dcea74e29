package child

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gatehouse-server/gatehouse/source"
)

// socketFD is the descriptor that a child finds its socket at.
const socketFD = 3

// Serve is the whole of a child's life: it answers calls by h until the server is gone, or lets it go. It must be called
// before anything else is done in the process. It gives an error when the process is no child of a Pool.
func Serve(h Handler) error {
	// Signals to the server's process group, or its whole service, are the server's matter: it lets its children end their
	// work.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	if kind, err := unix.GetsockoptInt(socketFD, unix.SOL_SOCKET, unix.SO_TYPE); err != nil || kind != unix.SOCK_SEQPACKET {
		return errors.New("this command is for the server itself")
	}
	closeInherited()
	s := &server{handler: h, calls: map[uint64]*running{}, shared: map[uint64][]byte{}, buffer: make([]byte, maxPacket)}
	packet, fds, err := s.receive()
	if err != nil || len(fds) > 0 || len(packet) < headSize+8 || packet[0] != kindSetup {
		return errors.New("this command is for the server itself")
	}
	limit := int64(binary.LittleEndian.Uint64(packet[headSize:]))
	if err := limitSelf(limit); err != nil {
		return err
	}
	debug.SetMemoryLimit(limit / 2)
	hello, err := h.Start(packet[headSize+8:])
	if err != nil {
		_ = s.send(kindFailed, 0, text(err))
		return err
	}
	if err := s.send(kindHello, 0, hello); err != nil {
		return err
	}
	s.serve()
	// It has become the work of a call, and others go on.
	select {}
}

// server is the child's side.
type server struct {
	handler Handler
	buffer  []byte

	mu     sync.Mutex
	calls  map[uint64]*running
	shared map[uint64][]byte
}

// running is a call that is being worked on.
type running struct {
	cancel context.CancelFunc
	// answers to what was asked of the server.
	data    chan []byte
	room    chan int
	written chan byte
}

// serve takes messages until the server hangs up, which ends the process. Who takes a call does its work, and leaves the
// messages to another: handing the work over instead would cost it the wake-up of a thread.
func (s *server) serve() {
	for {
		packet, fds, err := s.receive()
		if err == nil && len(packet) == 0 {
			os.Exit(0)
		}
		var work func()
		if err == nil {
			work, err = s.take(packet, fds)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if work != nil {
			go s.serve()
			work()
			return
		}
	}
}

// take does what a message says, or gives the work that it asks for. It keeps nothing of the packet.
func (s *server) take(packet []byte, fds []int) (work func(), err error) {
	if len(packet) < headSize {
		return nil, errMessage
	}
	if packet[0] == kindCall {
		return s.begin(packet, fds)
	}
	s.mu.Lock()
	call := s.calls[binary.LittleEndian.Uint64(packet[1:])]
	s.mu.Unlock()
	if call == nil {
		// It ended before the server knew.
		closeAll(fds)
		return nil, nil
	}
	switch packet[0] {
	case kindCancel:
		call.cancel()
	case kindWritten:
		if len(packet) != headSize+1 {
			return nil, errMessage
		}
		call.written <- packet[headSize]
	case kindData:
		call.data <- append([]byte(nil), packet[headSize:]...)
	case kindRoom:
		if len(fds) != 1 {
			return nil, errMessage
		}
		call.room <- fds[0]
	}
	return nil, nil
}

// begin makes a call ready and gives the work.
func (s *server) begin(packet []byte, fds []int) (work func(), err error) {
	m, err := parseCall(packet)
	if err != nil {
		return nil, err
	}
	next := func() int {
		if len(fds) == 0 {
			return -1
		}
		fd := fds[0]
		fds = fds[1:]
		return fd
	}
	ctx, cancel := context.WithCancel(context.Background())
	call := &running{cancel: cancel, data: make(chan []byte, 1), room: make(chan int, 1), written: make(chan byte, 1)}
	task := &Task{Write: func(p []byte) (int, error) { return s.write(ctx, m.id, call, p) }}
	switch m.original {
	case byFile:
		task.Original = &fileOriginal{base{m.size}, os.NewFile(uintptr(next()), "original")}
	case inline:
		task.Original = &bytesOriginal{base{m.size}, append([]byte(nil), m.data...)}
	default:
		task.Original = &readOriginal{base: base{m.size}, server: s, call: call, id: m.id, window: append([]byte(nil), m.data...)}
	}
	task.Ask = append([]byte(nil), m.ask...)
	if m.flags&askByMemory != 0 {
		if task.Ask, err = readAll(next(), int(m.askLength)); err != nil {
			return nil, err
		}
	}
	if m.flags&sharedNew != 0 {
		data, err := mapped(next(), int(m.sharedLength), unix.PROT_READ)
		if err != nil {
			return nil, err
		}
		s.shared[m.shared] = data
	}
	if m.sharedLength > 0 {
		task.Shared = s.shared[m.shared]
		if uint64(len(task.Shared)) != m.sharedLength {
			return nil, errMessage
		}
	}
	s.mu.Lock()
	s.calls[m.id] = call
	s.mu.Unlock()
	low := m.flags&idle != 0
	return func() {
		if low {
			yield()
		}
		s.work(ctx, m.id, call, task)
	}, nil
}

// niceness is how much less than others this thread gets of a processor that others want, from 0 to 19.
const niceness = 10

// yield lets all others go before the work of this goroutine, for good.
func yield() {
	runtime.LockOSThread()
	// It works as well without.
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, niceness)
}

// errWrite says that the sink could not take what was written. The server knows why.
var errWrite = errors.New("what was made could not be written")

// write hands bytes to the sink of a call.
func (s *server) write(ctx context.Context, id uint64, call *running, p []byte) (n int, err error) {
	for n < len(p) {
		part := p[n:min(n+maxWrite, len(p))]
		if err := s.send(kindWrite, id, part); err != nil {
			return n, err
		}
		select {
		case status := <-call.written:
			if status != readOK {
				return n, errWrite
			}
		case <-ctx.Done():
			return n, ctx.Err()
		}
		n += len(part)
	}
	return n, nil
}

// work does a call, answers it and forgets it.
func (s *server) work(ctx context.Context, id uint64, call *running, task *Task) {
	answered := false
	// The call is over before the server hears so, and may send the next one.
	end := sync.OnceFunc(func() {
		_ = task.Original.Close()
		s.mu.Lock()
		delete(s.calls, id)
		s.mu.Unlock()
		call.cancel()
	})
	err := s.handler.Handle(ctx, task, func(parts ...[]byte) error {
		if answered {
			return errors.New("answered twice")
		}
		answered = true
		return s.answer(ctx, id, call, end, parts)
	})
	end()
	if err == nil && !answered {
		err = errors.New("no answer")
	}
	if err != nil && !answered {
		err = s.send(kindFailed, id, text(err))
	}
	if err != nil {
		// The server cannot be told, so that it has to see.
		os.Exit(1)
	}
}

// answer sends an answer: as a packet, or where it is too long through memory that the server makes for it.
func (s *server) answer(ctx context.Context, id uint64, call *running, end func(), parts [][]byte) error {
	length := 0
	for _, part := range parts {
		length += len(part)
	}
	if length <= maxInline {
		end()
		return s.send(kindAnswer, id, parts...)
	}
	if err := s.send(kindNeed, id, binary.LittleEndian.AppendUint64(nil, uint64(length))); err != nil {
		return err
	}
	var room int
	select {
	case room = <-call.room:
	case <-ctx.Done():
		end()
		return s.send(kindFailed, id, text(ctx.Err()))
	}
	memory, err := mapped(room, length, unix.PROT_READ|unix.PROT_WRITE)
	if err != nil {
		return err
	}
	at := 0
	for _, part := range parts {
		at += copy(memory[at:], part)
	}
	if err := unix.Munmap(memory); err != nil {
		return err
	}
	end()
	return s.send(kindStored, id)
}

var _ source.Original = (*fileOriginal)(nil)
