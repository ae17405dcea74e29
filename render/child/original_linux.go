package child

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/gatehouse-server/gatehouse/source"
)

// base is what originals in a child have in common: their size is all that is known of them.
type base struct{ size int64 }

func (b base) Info() source.Info { return source.Info{Size: b.size} }
func (base) File() *os.File      { return nil }
func (base) Close() error        { return nil }

// fileOriginal is a file that the server has opened.
type fileOriginal struct {
	base
	file *os.File
}

func (o *fileOriginal) File() *os.File { return o.file }
func (o *fileOriginal) Close() error   { return o.file.Close() }

func (o *fileOriginal) ReadAt(_ context.Context, p []byte, off int64) (int, error) {
	return o.file.ReadAt(p, off)
}

// bytesOriginal came with the call.
type bytesOriginal struct {
	base
	data []byte
}

func (o *bytesOriginal) ReadAt(_ context.Context, p []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(o.data)) {
		return 0, io.EOF
	}
	n := copy(p, o.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// errRead says that the server could not read the original. It knows why.
var errRead = errors.New("the original could not be read")

// readOriginal is read by the server, a window at a time: most readers go straight on.
type readOriginal struct {
	base
	server *server
	call   *running
	id     uint64

	mu     sync.Mutex
	at     int64
	window []byte
}

func (o *readOriginal) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for n < len(p) {
		at := off + int64(n)
		if at < 0 || at >= o.size {
			return n, io.EOF
		}
		if at < o.at || at >= o.at+int64(len(o.window)) {
			if err := o.fetch(ctx, at); err != nil {
				return n, err
			}
		}
		n += copy(p[n:], o.window[at-o.at:])
	}
	return n, nil
}

// fetch gets the window that begins at an offset within the original.
func (o *readOriginal) fetch(ctx context.Context, at int64) error {
	o.window = nil
	if err := ctx.Err(); err != nil {
		return err
	}
	ask := binary.LittleEndian.AppendUint64(make([]byte, 0, 16), uint64(at))
	ask = binary.LittleEndian.AppendUint64(ask, uint64(min(maxRead, o.size-at)))
	if err := o.server.send(kindRead, o.id, ask); err != nil {
		return err
	}
	select {
	case data := <-o.call.data:
		if len(data) < 2 || data[0] != readOK {
			return errRead
		}
		o.at, o.window = at, data[1:]
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// How a read went.
const (
	readOK byte = iota
	readFailed
)
