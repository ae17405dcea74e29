package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/source"
)

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
	if call.Lane == Background && call.Idle {
		p.message.flags |= idle
	}
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

// guarded reads; a source that panics fails this read alone.
func guarded(ctx context.Context, original source.Original, p []byte, offset int64) (n int, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = problem.Panicked(fault)
		}
	}()
	return original.ReadAt(ctx, p, offset)
}
