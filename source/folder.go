package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/httpx"
)

// FolderConfig is a folder of originals. Symbolic links are followed as long as they stay below it.
type FolderConfig struct {
	// Root is the absolute path of the folder. It need not exist yet.
	Root string
	// NameVariants also looks for other spellings of a file name, as Remote.NameVariants does.
	NameVariants bool
}

// Validate implements Config.
func (c *FolderConfig) Validate() error {
	if !filepath.IsAbs(c.Root) {
		return errors.New("the folder must be an absolute path")
	}
	return nil
}

func (c *FolderConfig) build(d Deps) (Source, error) {
	return &folder{FolderConfig: *c, observe: d.Observe}, nil
}

type folder struct {
	FolderConfig
	observe Observer
	// opened is the folder as it was opened last.
	opened atomic.Pointer[openedRoot]
}

// openedRoot is an open folder, and what lay at its path then.
type openedRoot struct {
	root *os.Root
	info fs.FileInfo
	// seen is when it still lay there, in nanoseconds of Unix time.
	seen atomic.Int64
}

// rootSeen is how long an open folder counts as what lies at its path. That is looked at for everybody who asks within
// this time at once: it costs as much as looking for the file.
const rootSeen = 50 * time.Millisecond

// root gives the open folder: that which lies at its path now, so that a file system mounted over it later is seen. One
// that is in use no more is closed when it is forgotten.
func (f *folder) root() (*os.Root, error) {
	opened := f.opened.Load()
	at := time.Now().UnixNano()
	if opened != nil {
		// A clock that was set back has it looked at, too.
		if age := at - opened.seen.Load(); age >= 0 && age < int64(rootSeen) {
			return opened.root, nil
		}
		if now, err := os.Stat(f.Root); err == nil && os.SameFile(now, opened.info) {
			opened.seen.Store(at)
			return opened.root, nil
		}
	}
	root, err := os.OpenRoot(f.Root)
	if err != nil {
		return nil, err
	}
	info, err := root.Stat(".")
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	fresh := &openedRoot{root: root, info: info}
	fresh.seen.Store(at)
	f.opened.CompareAndSwap(opened, fresh)
	return root, nil
}

func (f *folder) Close() error {
	if opened := f.opened.Swap(nil); opened != nil {
		return opened.root.Close()
	}
	return nil
}

func (f *folder) Open(ctx context.Context, path string) (Original, error) {
	defer timed(ctx)()
	start := time.Now()
	o, err := f.open(ctx, path)
	if err != nil {
		f.observe(KindFolder, time.Since(start).Seconds(), 0, outcome(err))
		return nil, err
	}
	o.nanoseconds.Store(int64(time.Since(start)))
	return o, nil
}

func (f *folder) open(ctx context.Context, path string) (*folderOriginal, error) {
	return search(ctx, f, path, f.openFile)
}

// Describe implements Describer.
func (f *folder) Describe(ctx context.Context, path string) (Info, error) {
	defer timed(ctx)()
	return search(ctx, f, path, describeFile)
}

// describeFile tells of a regular file without opening it.
func describeFile(root *os.Root, name string) (Info, error) {
	info, err := root.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return Info{}, err
	}
	return infoOf(info, name), nil
}

func infoOf(info fs.FileInfo, name string) Info {
	return Info{Size: info.Size(), Modified: info.ModTime(), Version: fileVersion(info), Name: filepath.Base(name)}
}

// search tries the spellings of a path.
func search[T any](ctx context.Context, f *folder, path string, try func(root *os.Root, name string) (T, error)) (none T, _ error) {
	if err := ctx.Err(); err != nil {
		return none, err
	}
	path = strings.TrimLeft(path, "/")
	if err := httpx.CheckPath(path); err != nil {
		return none, notFound(err)
	}
	root, err := f.root()
	if err != nil {
		return none, unreachable(fileErrorKind(err), err)
	}
	names := []string{path}
	if f.NameVariants {
		names = NameVariants(path)
	}
	// refused is why a name that is there counts as absent, for the log.
	var refused error
	for _, name := range names {
		o, err := try(root, name)
		switch {
		case err == nil:
			return o, nil
		case isAbsent(err):
		case leadsOut(root, err):
			refused = err
		default:
			return none, unreachable(fileErrorKind(err), err)
		}
	}
	return none, notFound(refused)
}

// leadsOut tells whether err is what an os.Root says to a symbolic link that leads out of it: an error without an
// exported name, which is therefore asked for. A name that begins with ".." gets it before the file system is looked at.
func leadsOut(root *os.Root, err error) bool {
	_, refusal := root.Lstat("..")
	var reason, other *fs.PathError
	return errors.As(refusal, &reason) && errors.As(err, &other) && errors.Is(other.Err, reason.Err)
}

// openFile opens a regular file. What a name stands for is looked at before it is opened, since opening a device has
// effects, and once more after, since it may have been replaced; O_NONBLOCK keeps a named pipe from waiting for a
// writer.
func (f *folder) openFile(root *os.Root, name string) (*folderOriginal, error) {
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fs.ErrNotExist
	}
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err = file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return &folderOriginal{
		file:    file,
		info:    infoOf(info, name),
		observe: f.observe,
	}, nil
}

// isAbsent tells the ways in which a file can be not there; a name that the file system cannot hold is one.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENAMETOOLONG) || errors.Is(err, syscall.ENXIO)
}

func fileErrorKind(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case errors.Is(err, fs.ErrNotExist):
		return "folder not found"
	}
	return "file system"
}

// folderOriginal is an open file.
type folderOriginal struct {
	file        *os.File
	info        Info
	observe     Observer
	nanoseconds atomic.Int64
	bytes       atomic.Int64
	closed      atomic.Bool
}

func (o *folderOriginal) Info() Info { return o.info }

// fileVersion changes when a file is written to or replaced, also by one of equal size within the same second.
func fileVersion(info fs.FileInfo) string {
	var inode uint64
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		inode = stat.Ino
	}
	return hashVersion(fmt.Sprintf("file %d %d %d", info.Size(), info.ModTime().UnixNano(), inode))
}

// hashVersion makes a version of what identifies one state of an original, so that it holds nothing that came from
// the place itself.
func hashVersion(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

func (o *folderOriginal) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	defer timed(ctx)()
	start := time.Now()
	n, err := o.file.ReadAt(p, off)
	o.nanoseconds.Add(int64(time.Since(start)))
	o.bytes.Add(int64(n))
	if err != nil && !errors.Is(err, io.EOF) {
		if errors.Is(err, os.ErrClosed) || off < 0 {
			return n, err
		}
		return n, unreachable(fileErrorKind(err), err)
	}
	now, statErr := o.file.Stat()
	if statErr != nil || now.Size() != o.info.Size || !now.ModTime().Equal(o.info.Modified) {
		return 0, changed(statErr)
	}
	return n, err
}

func (o *folderOriginal) File() *os.File { return o.file }

func (o *folderOriginal) Close() error {
	if o.closed.Swap(true) {
		return nil
	}
	o.observe(KindFolder, time.Duration(o.nanoseconds.Load()).Seconds(), o.bytes.Load(), OutcomeOK)
	return o.file.Close()
}

var (
	_ Config   = (*FolderConfig)(nil)
	_ Original = (*folderOriginal)(nil)

	_ Describer = (*folder)(nil)
)
