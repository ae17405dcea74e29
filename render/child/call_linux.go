package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/source"
)

// exchange has a child do one call.
type exchange struct {
	child *process
	call  *Call
	id    uint64
	// events is what the child says of it. There is never more than one that waits.
	events    chan said
	readError error
	// room is memory for a long answer.
	room *os.File
	// buffer is for what the child reads of the original.
	buffer []byte
}

// do sends the call and serves the child until it answers. When ctx ends, the child is told to stop; if it does not
// within the grace, it is killed.
func (c *process) do(ctx context.Context, call *Call, p *packed) (Answer, error) {
	x := &exchange{child: c, call: call, events: make(chan said, 1), id: c.pool.ids.Add(1)}
	if err := x.begin(p); err != nil {
		return Answer{}, err
	}
	for {
		select {
		case m := <-x.events:
			data, done, err := x.heard(ctx, m)
			if !done {
				continue
			}
			x.end()
			return Answer{Data: data, ReadError: x.readError}, err
		case <-c.ended:
			x.end()
			return Answer{}, c.cause()
		case <-ctx.Done():
			x.stop()
			return Answer{}, ctx.Err()
		}
	}
}

// end makes the call one that the child has nothing to say about any more.
func (x *exchange) end() {
	x.child.mu.Lock()
	delete(x.child.calls, x.id)
	x.child.mu.Unlock()
	if x.room != nil {
		_ = x.room.Close()
	}
}

// headGrace is how many times the grace a call of the lane Head may take to stop before the child is killed, which has
// other calls as well. Its caller does not wait for that.
const headGrace = 20

// stop ends the call before its time.
func (x *exchange) stop() {
	_ = send(x.child.conn, head(nil, kindCancel, x.id))
	grace := x.child.pool.conf.Grace
	if x.child.lane.kind == Work {
		x.expire(grace)
		return
	}
	x.child.pool.group.Go(func() { x.expire(headGrace * grace) })
}

// expire waits for the child to stop. It leaves the original alone, which the caller may have closed.
func (x *exchange) expire(grace time.Duration) {
	defer x.end()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	for {
		select {
		case m := <-x.events:
			if m.kind == kindRead || m.kind == kindNeed {
				// It has heard of its end before it looks for an answer.
				continue
			}
			return
		case <-x.child.ended:
			return
		case <-timer.C:
			x.child.kill(ReasonDeadline)
			<-x.child.ended
			return
		}
	}
}

// packed is a call made ready before it has a child: a slow source is waited for without one.
type packed struct {
	message callMessage
	// files are to be passed beside it; they belong to the call.
	files     []*os.File
	readError error
}

// pack makes a call ready. What goes wrong with the original is in readError as well.
func pack(ctx context.Context, call *Call) (*packed, error) {
	p := &packed{message: callMessage{size: call.Original.Info().Size, askLength: uint32(len(call.Ask)), ask: call.Ask}}
	if err := p.fill(ctx, call); err != nil {
		p.close()
		return p, err
	}
	return p, nil
}

func (p *packed) close() {
	for _, file := range p.files {
		_ = file.Close()
	}
}

func (p *packed) hold(file *os.File, err error) error {
	if err == nil {
		p.files = append(p.files, file)
	}
	return err
}

func (p *packed) fill(ctx context.Context, call *Call) error {
	m := &p.message
	if file := call.Original.File(); file != nil {
		m.original = byFile
		if p.readError = p.hold(readOnly(file)); p.readError != nil {
			return p.readError
		}
	} else if m.size <= smallOriginal || call.Lane == Head {
		length := m.size
		if m.original = inline; length > smallOriginal {
			// What a header takes, as a rule.
			m.original, length = byReads, maxInline-int64(min(len(call.Ask), maxInline))
		}
		if p.readError = p.read(ctx, call.Original, length); p.readError != nil {
			return p.readError
		}
		if len(m.data)+len(m.ask) > maxInline && len(m.data) > 0 {
			data := m.data
			m.original, m.data = byFile, nil
			if err := p.hold(filled(data)); err != nil {
				return err
			}
		}
	}
	if len(m.ask)+len(m.data) > maxInline {
		m.ask, m.flags = nil, m.flags|askByMemory
		return p.hold(filled(call.Ask))
	}
	return nil
}

// read reads the beginning of an original.
func (p *packed) read(ctx context.Context, original source.Original, length int64) error {
	m := &p.message
	m.data = make([]byte, max(length, 0))
	if length <= 0 {
		return nil
	}
	n, err := guarded(ctx, original, m.data, 0)
	switch {
	case n == len(m.data):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		// It is shorter than it said. What reads it knows what to make of that.
		m.data = m.data[:n]
		m.original, m.size = inline, int64(n)
		return nil
	}
	return err
}

// begin sends the call.
func (x *exchange) begin(p *packed) error {
	m := p.message
	m.id = x.id
	fds := make([]int, 0, len(p.files)+1)
	for _, file := range p.files {
		fds = append(fds, int(file.Fd()))
	}
	if shared := x.call.Shared; shared != nil {
		var known bool
		m.shared, known = x.child.knows(shared.Key)
		m.sharedLength = uint64(len(shared.Bytes))
		if m.flags |= sharedKnown; !known {
			m.flags ^= sharedKnown | sharedNew
			file, err := filled(shared.Bytes)
			if err != nil {
				x.child.forget(shared.Key)
				return err
			}
			defer file.Close()
			fds = append(fds, int(file.Fd()))
		}
	}
	x.child.mu.Lock()
	x.child.calls[x.id] = x
	x.child.mu.Unlock()
	if err := send(x.child.conn, m.append(make([]byte, 0, callHead+len(m.ask)+len(m.data))), fds...); err != nil {
		x.end()
		x.child.kill(ReasonCrash)
		<-x.child.ended
		return x.child.cause()
	}
	return nil
}

// readOnly gives a descriptor of its own for a file, by which nobody can write.
func readOnly(file *os.File) (*os.File, error) {
	conn, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	var own *os.File
	controlErr := conn.Control(func(fd uintptr) {
		var flags, copied int
		if flags, err = unix.FcntlInt(fd, unix.F_GETFL, 0); err != nil {
			return
		}
		if flags&unix.O_ACCMODE != unix.O_RDONLY {
			own, err = os.Open(fmt.Sprintf("/proc/self/fd/%d", fd))
			return
		}
		if copied, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0); err == nil {
			own = os.NewFile(uintptr(copied), "original")
		}
	})
	if err := errors.Join(err, controlErr); err != nil {
		return nil, err
	}
	return own, nil
}

// maxShared is how many shared bytes a child is given before another one takes its place.
const maxShared = 16

// knows gives the number of shared bytes for this child, and whether it has them.
func (c *process) knows(key string) (number uint64, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	number, known = c.shared[key]
	if !known {
		c.sharedCount++
		number = c.sharedCount
		c.shared[key] = number
	}
	return number, known
}

// forget takes back that the child knows shared bytes.
func (c *process) forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.shared, key)
}

// heard answers the child, or ends the call.
func (x *exchange) heard(ctx context.Context, m said) (data []byte, done bool, err error) {
	switch m.kind {
	case kindRead:
		if err := x.read(ctx, m.offset, m.length); err != nil {
			return x.fault(ReasonCrash)
		}
		return nil, false, nil
	case kindNeed:
		if m.length > x.call.MaxAnswer || x.room != nil {
			return x.fault(ReasonProtocol)
		}
		if x.room, err = memory(m.length); err != nil {
			// It cannot be told that there is none.
			_, _, _ = x.fault(ReasonDeadline)
			return nil, true, err
		}
		if err := send(x.child.conn, head(nil, kindRoom, x.id), int(x.room.Fd())); err != nil {
			return x.fault(ReasonCrash)
		}
		return nil, false, nil
	case kindStored:
		if x.room == nil {
			return x.fault(ReasonProtocol)
		}
		data, err := content(x.room)
		return data, true, err
	case kindAnswer:
		if int64(len(m.body)) > x.call.MaxAnswer {
			return x.fault(ReasonProtocol)
		}
		return m.body, true, nil
	case kindFailed:
		return nil, true, &FailedError{Text: string(m.body)}
	}
	return x.fault(ReasonProtocol)
}

// fault ends the call by ending its child.
func (x *exchange) fault(reason string) ([]byte, bool, error) {
	x.child.kill(reason)
	<-x.child.ended
	return nil, true, x.child.cause()
}

// content is all of a memory's bytes.
func content(file *os.File) ([]byte, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	data := make([]byte, info.Size())
	if _, err := file.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return data, nil
}

// read reads for the child: nothing but its call's original.
func (x *exchange) read(ctx context.Context, offset, length int64) error {
	size := x.call.Original.Info().Size
	if length = min(length, size-offset); length < 0 {
		length = 0
	}
	if need := headSize + 1 + int(length); cap(x.buffer) < need {
		x.buffer = make([]byte, 0, need)
	}
	packet := append(head(x.buffer[:0], kindData, x.id), readOK)
	body := packet[len(packet) : len(packet)+int(length)]
	n, err := 0, error(nil)
	if length > 0 {
		n, err = guarded(ctx, x.call.Original, body, offset)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		if x.readError == nil {
			x.readError = err
		}
		n, packet[headSize] = 0, readFailed
	}
	return send(x.child.conn, packet[:headSize+1+n])
}

// guarded reads; a source that panics fails this read alone.
func guarded(ctx context.Context, original source.Original, p []byte, offset int64) (n int, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = problem.Panicked(fault)
		}
	}()
	return original.ReadAt(ctx, p, offset)
}
