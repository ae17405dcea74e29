package pyramid

import (
	"context"
	"os"
	"strconv"

	"github.com/gatehouse-server/gatehouse/internal/diskcache"
	"github.com/gatehouse-server/gatehouse/source"
)

// Open gives a pyramid that is kept, as an original.
func (s *Store) Open(name diskcache.Name) (source.Original, bool) {
	file, info, ok := s.folder.Open(name)
	if !ok {
		return nil, false
	}
	return &original{file, source.Info{
		Size: info.Size(), Name: "pyramid.tif", ContentType: "image/tiff",
		// The name tells all that it was made of.
		Version: string(name.Key[:]) + strconv.FormatInt(info.Size(), 10),
	}}, true
}

// original is a pyramid that was opened.
type original struct {
	file *os.File
	info source.Info
}

// Info implements source.Original.
func (o *original) Info() source.Info { return o.info }

// ReadAt implements source.Original.
func (o *original) ReadAt(_ context.Context, p []byte, off int64) (int, error) {
	return o.file.ReadAt(p, off)
}

// File implements source.Original.
func (o *original) File() *os.File { return o.file }

// Close implements source.Original.
func (o *original) Close() error { return o.file.Close() }
