package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
)

// find asks for the first block of an original and decides from the answer how it is going to be read: by ranges when
// the place can give them of one certain state, whole otherwise or when it is small.
//
// With what was found before under this name, errNotModified says that it is still so.
func (r *remote) find(ctx context.Context, p *patience, name string, before *found) (*found, error) {
	if before != nil && before.path != name {
		before = nil
	}
	for range openTries {
		f, err := r.findOnce(ctx, p, name, before)
		if !errors.Is(err, errMoved) {
			return f, err
		}
	}
	return nil, changed(errMoved)
}

func (r *remote) findOnce(ctx context.Context, p *patience, name string, before *found) (*found, error) {
	var unless validator
	if before != nil {
		unless = before.recheck
	}
	reply, err := r.fetch(ctx, name, ask{length: blockSize, unless: unless})
	if errors.Is(err, errNoRange) {
		// Nothing can be asked for by range: the original is empty.
		reply, err = r.fetch(ctx, name, ask{})
	}
	if err != nil {
		return nil, err
	}
	if before != nil && reply.exact && before.validator.same(reply.validator) && before.info.Size == reply.size {
		// The place does not know conditions, but the answer is the same.
		_ = reply.body.Close()
		return nil, errNotModified
	}
	if !reply.partial {
		return r.keepWhole(p, name, reply, nil)
	}
	first, err := readBody(reply)
	if err != nil {
		return nil, err
	}
	switch {
	case reply.size == int64(len(first)):
		return r.keepWhole(p, name, nil, &head{reply, first})
	case reply.size < 0 || !reply.exact:
		whole, err := r.fetch(ctx, name, ask{})
		if err != nil {
			return nil, err
		}
		return r.keepWhole(p, name, whole, nil)
	case reply.size <= r.conf.WholeBelow:
		rest, err := r.fetch(ctx, name, ask{off: int64(len(first)), length: reply.size - int64(len(first)), only: reply.validator})
		if err != nil {
			return nil, err
		}
		return r.keepWhole(p, name, rest, &head{reply, first})
	}
	f := r.describe(name, reply, reply.size, stateVersion(reply.validator, reply.size))
	r.blocks.put(blockKey{f.blockFile(), 0}, first)
	return f, nil
}

// head is the beginning of an original that came with the first answer.
type head struct {
	reply *reply
	bytes []byte
}

// keepWhole puts an original into the spool: out of one answer, or out of its head and the answer with the rest, or
// out of the head alone.
func (r *remote) keepWhole(p *patience, name string, body *reply, h *head) (f *found, err error) {
	about := body
	if body != nil {
		defer func() { _ = body.body.Close() }()
	}
	if h != nil {
		about = h.reply
		if body != nil {
			if err := sameState(h.reply.validator, h.reply.size, body); err != nil {
				return nil, err
			}
		}
	} else if body.partial {
		return nil, fmt.Errorf("%w: a part came instead of the whole", errLie)
	}
	if about.size > r.conf.MaxSize {
		return nil, tooLarge()
	}
	w, err := r.spool.create(about.size)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			w.abort()
		}
	}()
	if h != nil {
		if _, err := w.Write(h.bytes); err != nil {
			return nil, err
		}
	}
	if body != nil {
		p.download(r.conf.MinRate, r.conf.DownloadTimeout)
		if err := r.copyBody(p, w, body); err != nil {
			return nil, err
		}
	}
	version := w.sum()
	if about.exact {
		version = stateVersion(about.validator, w.written)
	}
	f = r.describe(name, about, w.written, version)
	f.file = w.finish()
	// Nobody has it open yet: the spool keeps it until the callers of Open acquire it.
	f.file.release()
	return f, nil
}

// copyBody transfers exactly what the answer promised, and not more than MaxSize.
func (r *remote) copyBody(p *patience, w *spoolWriter, body *reply) error {
	buffer := make([]byte, 64<<10)
	var came int64
	for {
		n, err := body.body.Read(buffer)
		came += int64(n)
		p.progress(n)
		switch {
		case body.length >= 0 && came > body.length:
			return fmt.Errorf("%w: more bytes than announced", errLie)
		case w.written+int64(n) > r.conf.MaxSize:
			return tooLarge()
		}
		if _, err := w.Write(buffer[:n]); err != nil {
			return err
		}
		switch {
		case errors.Is(err, io.EOF) && body.length >= 0 && came < body.length:
			return io.ErrUnexpectedEOF
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// readBody reads the body of a partial answer, which must hold exactly what was announced.
func readBody(reply *reply) ([]byte, error) {
	defer func() { _ = reply.body.Close() }()
	data := make([]byte, reply.length)
	if _, err := io.ReadFull(reply.body, data); err != nil {
		return nil, endedEarly(err)
	}
	var more [1]byte
	switch n, err := io.ReadFull(reply.body, more[:]); {
	case n > 0:
		return nil, fmt.Errorf("%w: more bytes than announced", errLie)
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	return data, nil
}

// endedEarly keeps a body that ends before it began from looking like a success.
func endedEarly(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// sameState tells whether a later range is of the state that was opened. A server may ignore preconditions, so what
// it says of the range is compared as well.
func sameState(opened validator, size int64, now *reply) error {
	switch {
	case !now.partial:
		return fmt.Errorf("%w: the whole came instead of a part", errLie)
	case !opened.same(now.validator), now.size >= 0 && now.size != size:
		return errMoved
	}
	return nil
}

func stateVersion(v validator, size int64) string {
	if v.strong() {
		return hashVersion(fmt.Sprintf("etag %d %s", size, v.etag))
	}
	return hashVersion(fmt.Sprintf("modified %d %s", size, v.modified))
}

func (r *remote) describe(name string, about *reply, size int64, version string) *found {
	f := &found{
		path:      name,
		validator: about.validator,
		info: Info{
			Size:        size,
			Modified:    about.modified,
			Version:     version,
			ContentType: about.contentType,
			Name:        path.Base(name),
		},
	}
	if about.exact || about.validator.etag != "" {
		f.recheck = about.validator
	}
	if r.kind == KindHTTP {
		if decoded, err := url.PathUnescape(name); err == nil {
			f.info.Name = path.Base(decoded)
		}
	}
	return f
}

func (f *found) blockFile() string { return f.path + "\x00" + f.info.Version }
