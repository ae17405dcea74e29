package source

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// errOffset is what ReadAt says to a negative offset.
var errOffset = errors.New("negative offset")

// spooledOriginal is an original that lies whole in the spool.
type spooledOriginal struct {
	remote *remote
	found  *found
	closed atomic.Bool
}

func (o *spooledOriginal) Info() Info { return o.found.info }

func (o *spooledOriginal) File() *os.File { return o.found.file.file }

func (o *spooledOriginal) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	switch {
	case o.closed.Load():
		return 0, os.ErrClosed
	case ctx.Err() != nil:
		return 0, ctx.Err()
	}
	defer timed(ctx)()
	n, err := o.found.file.file.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, diskError(err)
	}
	return n, err
}

func (o *spooledOriginal) Close() error {
	if !o.closed.Swap(true) {
		o.found.file.release()
		o.remote.leave()
	}
	return nil
}

// rangedOriginal is an original that stays where it is. Its blocks are fetched when they are needed.
type rangedOriginal struct {
	remote *remote
	found  *found
	life   context.Context
	closed atomic.Bool

	mu sync.Mutex
	// next is the block after the last run that this reader caused, and ahead how many blocks that run went beyond
	// what was needed: it doubles while a reader goes straight on.
	next, ahead int64
}

func (o *rangedOriginal) Info() Info { return o.found.info }

func (o *rangedOriginal) File() *os.File { return nil }

func (o *rangedOriginal) Close() error {
	if !o.closed.Swap(true) {
		o.remote.leave()
	}
	return nil
}

func (o *rangedOriginal) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	size := o.found.info.Size
	switch {
	case o.closed.Load():
		return 0, os.ErrClosed
	case off < 0:
		return 0, errOffset
	case off >= size:
		return 0, io.EOF
	}
	want := p[:min(int64(len(p)), size-off)]
	n := 0
	for n < len(want) {
		at := off + int64(n)
		data, err := o.block(ctx, at/blockSize, (off+int64(len(want))-1)/blockSize)
		if err != nil {
			return n, err
		}
		n += copy(want[n:], data[at%blockSize:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// block gives one block; last is the last one that the caller is going to need.
func (o *rangedOriginal) block(ctx context.Context, index, last int64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, waited(err)
	}
	r := o.remote
	key := blockKey{o.found.blockFile(), index}
	end := min(last+o.lookAhead(index), (o.found.info.Size-1)/blockSize)
	data, load, run := r.blocks.lookup(key, end)
	if data != nil {
		return data, nil
	}
	if run != nil {
		o.went(index+int64(len(run)), index+int64(len(run))-1-last)
		go r.load(o.life, o.found, index, run) //nolint:contextcheck // Others may wait for these blocks as well.
	}
	defer timed(ctx)()
	select {
	case <-load.done:
		return load.data, load.err
	case <-ctx.Done():
		return nil, waited(ctx.Err())
	}
}

// lookAhead is how many blocks to fetch beyond the need, should index have to be fetched.
func (o *rangedOriginal) lookAhead(index int64) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	if index != o.next || index == 0 {
		return 0
	}
	return min(max(1, 2*o.ahead), maxRun-1)
}

func (o *rangedOriginal) went(next, ahead int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.next, o.ahead = next, max(0, ahead)
}

// load fetches a run of blocks in one request and hands each over as soon as it is there.
func (r *remote) load(life context.Context, f *found, index int64, run []*blockLoad) {
	ctx, patience := newPatience(life, r.conf.Timeout)
	defer patience.end()
	done := 0
	fail := func(err error) {
		for ; done < len(run); done++ {
			r.blocks.failed(blockKey{f.blockFile(), index + int64(done)}, run[done], err)
		}
	}
	defer func() {
		if p := recover(); p != nil {
			fail(problem.Panicked(p))
		}
	}()
	off := index * blockSize
	length := min(int64(len(run))*blockSize, f.info.Size-off)
	reply, err := r.fetch(ctx, f.path, ask{off: off, length: length, only: f.validator})
	if err != nil {
		fail(r.rangeFailure(ctx, f, err))
		return
	}
	defer func() { _ = reply.body.Close() }()
	if err := sameState(f.validator, f.info.Size, reply); err != nil {
		fail(r.rangeFailure(ctx, f, err))
		return
	}
	for done < len(run) {
		data := make([]byte, min(blockSize, length-int64(done)*blockSize))
		if _, err := io.ReadFull(reply.body, data); err != nil {
			fail(r.rangeFailure(ctx, f, endedEarly(err)))
			return
		}
		r.blocks.arrived(blockKey{f.blockFile(), index + int64(done)}, run[done], data)
		done++
	}
}

// rangeFailure is what a reader hears when a range could not be had. When the place contradicts what it said before,
// the original is looked for anew by the next Open.
func (r *remote) rangeFailure(ctx context.Context, f *found, err error) error {
	switch {
	case errors.Is(err, errMoved), errors.Is(err, errAbsent), errors.Is(err, errNoRange):
		r.forget(f)
		return changed(err)
	case errors.Is(err, errLie):
		r.forget(f)
	}
	return failure(ctx, err)
}

var (
	_ Original = (*spooledOriginal)(nil)
	_ Original = (*rangedOriginal)(nil)
)
