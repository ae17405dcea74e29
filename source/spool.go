package source

import (
	"container/list"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// SpoolConfig says where originals are kept that had to be fetched whole.
type SpoolConfig struct {
	// Dir is an absolute path. It is made when it is first needed; leftovers of a crash in it are removed.
	Dir string
	// MaxBytes bounds what lies there, in use or kept for the next request. Default 10 GiB.
	MaxBytes int64
	// MaxKept bounds how many originals are kept that nobody has open. Each costs a file descriptor. Default 256.
	MaxKept int
}

const (
	defaultSpoolBytes = 10 << 30
	defaultSpoolKept  = 256
	// spoolPrefix begins the names of spool files, and of nothing else in the folder.
	spoolPrefix = "original-"
	// spoolStep is how much room a download of unknown length asks for at a time.
	spoolStep = 4 << 20
)

// Validate finds wrong values without touching the file system.
func (c SpoolConfig) Validate() error {
	switch {
	case !filepath.IsAbs(c.Dir):
		return errors.New("the folder of the spool must be an absolute path")
	case c.MaxBytes < 0 || c.MaxKept < 0:
		return errors.New("the bounds of the spool must not be negative")
	}
	return nil
}

// Spool keeps originals on disk within a budget. Its files have no names: they vanish with the process. One Spool
// serves any number of sources.
type Spool struct {
	conf SpoolConfig
	log  *slog.Logger

	mu     sync.Mutex
	ready  bool
	closed bool
	used   int64
	// idle holds the kept files that nobody has open, the most recently used first.
	idle *list.List
}

// NewSpool makes a Spool without touching the disk. A nil logger is silent.
func NewSpool(c SpoolConfig, logger *slog.Logger) (*Spool, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	setDefault(&c.MaxBytes, defaultSpoolBytes)
	setDefault(&c.MaxKept, defaultSpoolKept)
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &Spool{conf: c, log: logger, idle: list.New()}, nil
}

// Used is how many bytes are taken or reserved.
func (s *Spool) Used() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

// Close gives up what is kept. Files that are still open go when they are closed.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for s.idle.Len() > 0 {
		s.evict(s.idle.Back().Value.(*spoolFile))
	}
	return nil
}

// prepare makes the folder and removes what a crash left between the making of a file and the removal of its name.
// Removing the name of a file that another process is just making does no harm: it is about to do so itself.
func (s *Spool) prepare() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready {
		return nil
	}
	if err := os.MkdirAll(s.conf.Dir, 0o700); err != nil {
		return err
	}
	left, err := filepath.Glob(filepath.Join(s.conf.Dir, spoolPrefix+"*"))
	if err != nil {
		return err
	}
	for _, name := range left {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			s.log.Warn("a leftover in the spool cannot be removed", "error", err)
		}
	}
	s.ready = true
	return nil
}

// create begins a file. With a known size its room is taken at once, else (-1) as it grows.
func (s *Spool) create(size int64) (*spoolWriter, error) {
	if err := s.prepare(); err != nil {
		return nil, diskError(err)
	}
	w := &spoolWriter{spool: s, hash: sha256.New()}
	if size > 0 {
		if err := w.reserve(size); err != nil {
			return nil, err
		}
	}
	file, err := os.CreateTemp(s.conf.Dir, spoolPrefix+"*")
	if err == nil {
		w.file = file
		if err = os.Remove(file.Name()); errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	}
	if err != nil {
		w.abort()
		return nil, diskError(err)
	}
	return w, nil
}

// diskError sees a full disk as a full spool: both pass by themselves.
func diskError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return spoolFull(err)
	}
	return problem.Wrap(fmt.Errorf("spool: %w", err), http.StatusInternalServerError, "internal", "An internal error occurred")
}

// take reserves room and gives up kept files for it, the longest unused first.
func (s *Spool) take(n int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.used+n > s.conf.MaxBytes {
		oldest := s.idle.Back()
		if oldest == nil {
			return false
		}
		s.evict(oldest.Value.(*spoolFile))
	}
	s.used += n
	return true
}

func (s *Spool) give(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used -= n
}

// evict closes an idle file. The caller holds mu.
func (s *Spool) evict(f *spoolFile) {
	s.idle.Remove(f.place)
	f.place = nil
	s.remove(f)
}

// remove closes a file that nobody has open. The caller holds mu.
func (s *Spool) remove(f *spoolFile) {
	f.gone = true
	s.used -= f.size
	if err := f.file.Close(); err != nil {
		s.log.Warn("a spooled original cannot be closed", "error", err)
	}
}

// spoolWriter fills a file. It ends with finish or abort.
type spoolWriter struct {
	spool    *Spool
	file     *os.File
	hash     hash.Hash
	written  int64
	reserved int64
}

func (w *spoolWriter) reserve(n int64) error {
	if !w.spool.take(n) {
		return spoolFull(nil)
	}
	w.reserved += n
	return nil
}

func (w *spoolWriter) Write(p []byte) (int, error) {
	if lack := w.written + int64(len(p)) - w.reserved; lack > 0 {
		if err := w.reserve(max(lack, spoolStep)); err != nil {
			// The last piece of what still fits may be smaller than a step.
			if err := w.reserve(lack); err != nil {
				return 0, err
			}
		}
	}
	n, err := w.file.Write(p)
	w.hash.Write(p[:n])
	w.written += int64(n)
	if err != nil {
		return n, diskError(err)
	}
	return n, nil
}

// sum identifies the bytes written.
func (w *spoolWriter) sum() string { return hex.EncodeToString(w.hash.Sum(nil)) }

// finish gives the file with one user, who has to release it.
func (w *spoolWriter) finish() *spoolFile {
	w.spool.give(w.reserved - w.written)
	return &spoolFile{spool: w.spool, file: w.file, size: w.written, users: 1}
}

func (w *spoolWriter) abort() {
	if w.file != nil {
		_ = w.file.Close()
	}
	w.spool.give(w.reserved)
}

// spoolFile is a whole original on disk. While it has users it stays; after that it is kept until its room is needed
// or it is discarded. The fields below file and size are guarded by the Spool's mu.
type spoolFile struct {
	spool *Spool
	file  *os.File
	size  int64

	users     int
	discarded bool
	gone      bool
	place     *list.Element
}

// acquire adds a user. It fails when the file is gone already.
func (f *spoolFile) acquire() bool {
	f.spool.mu.Lock()
	defer f.spool.mu.Unlock()
	if f.gone {
		return false
	}
	if f.place != nil {
		f.spool.idle.Remove(f.place)
		f.place = nil
	}
	f.users++
	return true
}

func (f *spoolFile) release() {
	s := f.spool
	s.mu.Lock()
	defer s.mu.Unlock()
	f.users--
	switch {
	case f.users > 0:
	case f.discarded || s.closed:
		s.remove(f)
	default:
		f.place = s.idle.PushFront(f)
		if s.idle.Len() > s.conf.MaxKept {
			s.evict(s.idle.Back().Value.(*spoolFile))
		}
	}
}

// discard lets the file go as soon as nobody has it open.
func (f *spoolFile) discard() {
	f.spool.mu.Lock()
	defer f.spool.mu.Unlock()
	f.discarded = true
	if f.place != nil {
		f.spool.evict(f)
	}
}
