package child

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// exchange has a child do one call.
type exchange struct {
	child *process
	call  *Call
	id    uint64
	// events is what the child says of it. There are never more that wait than one of its reads and one of its writes.
	events    chan said
	readError error
	// written is how many bytes the sink took.
	written    int64
	writeError error
	// room is memory for a long answer.
	room *os.File
	// buffer is for what the child reads of the original.
	buffer []byte
}

// do sends the call and serves the child until it answers. When ctx ends, the child is told to stop; if it does not
// within the grace, it is killed.
func (c *process) do(ctx context.Context, call *Call, p *packed) (Answer, error) {
	x := &exchange{child: c, call: call, events: make(chan said, 2), id: c.pool.ids.Add(1)}
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
			return Answer{Data: data, ReadError: x.readError, WriteError: x.writeError}, err
		case <-c.ended:
			x.end()
			return Answer{}, x.wrote(c.cause())
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
	if x.child.lane.kind != Head {
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
			if m.kind == kindRead || m.kind == kindNeed || m.kind == kindWrite {
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
	case kindWrite:
		if x.call.Sink == nil || x.call.MaxWritten-x.written < int64(len(m.body)) {
			return x.fault(ReasonProtocol)
		}
		if err := x.write(m.body); err != nil {
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
	return nil, true, x.wrote(x.child.cause())
}

// wrote makes the end of a child after it wrote one that cannot be tried again.
func (x *exchange) wrote(err error) error {
	if x.written > 0 && errors.Is(err, errDied) {
		return ErrCrashed
	}
	return err
}

// write gives the sink what the child wrote.
func (x *exchange) write(data []byte) error {
	status := readFailed
	if x.writeError == nil {
		var n int
		n, x.writeError = x.call.Sink.Write(data)
		x.written += int64(n)
	}
	if x.writeError == nil {
		status = readOK
	}
	return send(x.child.conn, append(head(nil, kindWritten, x.id), status))
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
