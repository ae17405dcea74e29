package vips

// #include <stdlib.h>
// #include "bridge.h"
import "C"

import (
	"context"
	"errors"
	"io"
	"runtime/cgo"
	"sync"
	"syscall"
	"unsafe"

	"github.com/gatehouse-server/gatehouse/render/tiffdir"
	"github.com/gatehouse-server/gatehouse/source"
)

// input is an original as the library reads it during one call. C holds its state, since the library and Go look at it
// at the same time.
type input struct {
	handle cgo.Handle

	life sync.Mutex
	c    *C.ghv_input // nil once closed

	mu       sync.Mutex
	ctx      context.Context
	original source.Original // nil once detached
	err      error           // the first that a read gave
	tiles    tileSink        // of a pyramid
	sinkErr  error           // the first that tiles gave
}

// newInput opens original for one call. A local file is read through a descriptor of its own by absolute positions, so
// that renders at the same time do not move each other's; anything else is read through Go.
func newInput(ctx context.Context, original source.Original) (*input, error) {
	in := &input{ctx: ctx, original: original}
	fd := -1
	if file := original.File(); file != nil {
		conn, err := file.SyscallConn()
		if err == nil {
			controlErr := conn.Control(func(f uintptr) {
				fd, err = duplicate(f)
			})
			err = errors.Join(err, controlErr)
		}
		if err != nil {
			return nil, err
		}
	}
	in.handle = cgo.NewHandle(in)
	in.c = (*C.ghv_input)(C.calloc(1, C.sizeof_ghv_input))
	in.c.fd = C.int(fd)
	in.c.handle = C.uintptr_t(in.handle)
	in.c.size = C.int64_t(original.Info().Size)
	return in, nil
}

// duplicate gives a descriptor of its own for an open file, which programs that are started do not inherit.
func duplicate(fd uintptr) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	own, err := syscall.Dup(int(fd))
	if err == nil {
		syscall.CloseOnExec(own)
	}
	return own, err
}

// only makes a TIFF look as if it held one directory. The library then neither walks the chain of directories, which
// for large pyramids costs more than a tile, nor can it be led into a loop, and pages and SubIFDs are opened alike.
func only(file *tiffdir.File, d *tiffdir.Directory) []C.ghv_patch {
	width := 4
	if file.Big {
		width = 8
	}
	first := make([]byte, width)
	if file.Big {
		file.Order.PutUint64(first, uint64(d.Offset))
	} else {
		file.Order.PutUint32(first, uint32(d.Offset))
	}
	return []C.ghv_patch{patch(file.Head, first), patch(d.Next, make([]byte, width))}
}

func patch(offset int64, data []byte) C.ghv_patch {
	p := C.ghv_patch{offset: C.int64_t(offset), length: C.int32_t(len(data))}
	for i, b := range data {
		p.bytes[i] = C.uchar(b)
	}
	return p
}

// stop makes the call that reads the input end soon.
func (in *input) stop() {
	in.life.Lock()
	defer in.life.Unlock()
	if in.c != nil {
		C.ghv_stop(in.c)
	}
}

// detach waits for a read that is under way and lets no other follow: the original may then be closed although the
// library has not yet come back.
func (in *input) detach() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.original = nil
}

// close frees the input, once the library is back.
func (in *input) close() {
	in.life.Lock()
	defer in.life.Unlock()
	if fd := int(in.c.fd); fd >= 0 {
		_ = syscall.Close(fd)
	}
	in.handle.Delete()
	C.free(unsafe.Pointer(in.c))
	in.c = nil
}

// failure is the first error of a read, or nil.
func (in *input) failure() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.err
}

// readAt fills p as far as the original goes. The count is -1 after an error.
func (in *input) readAt(p []byte, off int64) int64 {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.original == nil {
		return -1
	}
	n, err := in.original.ReadAt(in.ctx, p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		if in.err == nil {
			in.err = err
		}
		return -1
	}
	return int64(n)
}

//export gatehouseReadAt
func gatehouseReadAt(handle C.uintptr_t, offset C.int64_t, buffer unsafe.Pointer, length C.int64_t) C.int64_t {
	in := cgo.Handle(handle).Value().(*input)
	return C.int64_t(in.readAt(unsafe.Slice((*byte)(buffer), int(length)), int64(offset)))
}
