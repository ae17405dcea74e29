// Package source reads originals where archives keep them: a folder, an HTTP server, S3. Whatever the place, an
// original offers random access, so that one tile of a large picture does not cost the whole of it.
package source

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// ErrNotFound says that the place answered and does not have the original.
var ErrNotFound = errors.New("original not found")

// Source is one place where originals lie. It is safe for concurrent use.
type Source interface {
	// Open finds an original by its path below the source's base. The path comes from metadata or an identifier and is
	// not trusted: it never leads outside the base.
	//
	// A missing original is ErrNotFound; an unreachable or failing place is a *problem.Error with the texts of the
	// dossier contract (502). Open honours ctx; the Original outlives it.
	Open(ctx context.Context, path string) (Original, error)
	// Close frees connections and spooled files once no Original is open any more.
	Close() error
}

// Describer is a Source that can tell of an original for less than opening it.
type Describer interface {
	// Describe gives what Open's Original would tell of itself now, with Open's errors.
	Describe(ctx context.Context, path string) (Info, error)
}

// Describe tells of an original in the way that costs its source least.
func Describe(ctx context.Context, s Source, path string) (Info, error) {
	if d, ok := s.(Describer); ok {
		return d.Describe(ctx, path)
	}
	o, err := s.Open(ctx, path)
	if err != nil {
		return Info{}, err
	}
	return o.Info(), o.Close()
}

// Info describes an original without reading it.
type Info struct {
	// Size in bytes.
	Size int64
	// Modified is zero where the place does not tell.
	Modified time.Time
	// Version changes whenever the bytes may have changed: an entity tag, or size and modification time. It holds no
	// path and no URL; it may go into an ETag after hashing.
	Version string
	// ContentType is what the place claims, or empty. Who decides by type looks at the bytes.
	ContentType string
	// Name is the last path element, for download names.
	Name string
}

// Original is one opened original. It is safe for concurrent use.
type Original interface {
	Info() Info
	// ReadAt is io.ReaderAt with a context. A place whose original changed since Open answers ErrChanged.
	ReadAt(ctx context.Context, p []byte, off int64) (int, error)
	// File is the local file with these bytes from offset 0, or nil where there is none. It belongs to the Original:
	// who uses it neither closes nor seeks it.
	File() *os.File
	io.Closer
}

// ErrChanged says that the bytes behind an opened original are no longer those that were opened.
var ErrChanged = errors.New("original changed while it was read")

// ReaderAt binds an Original to a context, for libraries that know io.ReaderAt.
func ReaderAt(ctx context.Context, o Original) io.ReaderAt { return readerAt{ctx, o} }

type readerAt struct {
	ctx      context.Context
	original Original
}

func (r readerAt) ReadAt(p []byte, off int64) (int, error) { return r.original.ReadAt(r.ctx, p, off) }
