package derivative

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// folder keeps pictures in files: ROOT/pictures/COLLECTION/II/ITEM/KEY, each name a part of a hash. A file is written
// under another name and moved to its place when it is whole; what a crash of the machine tore all the same does not
// match its checksum, and is as if it were not there. Several processes may share a folder.
type folder struct {
	root, pictures, fresh string
	limit                 int64
	log                   *slog.Logger

	ready sync.Once
	works atomic.Bool
	// used is about how many bytes lie there; it is counted anew by each sweep.
	used, removed atomic.Int64
	wake          chan struct{}
	stop          chan struct{}
	done          sync.WaitGroup
	closing       sync.Once
}

const (
	// magic begins each file, so that no other file is ever taken for a picture; its last letter is the version.
	magic = "GHDERIV1"
	// headSize is magic, key, length and checksum.
	headSize = len(magic) + sha256.Size + 8 + 4
	// block is what a file system gives at a time: small files cost that.
	block = 4096
	// touchAfter is how old the time of a file's last use may get before it is written anew.
	touchAfter = time.Hour
	// abandoned is after what time a file under way has been left behind by a crash.
	abandoned = time.Hour
	// sweepTo is the part of the limit down to which a sweep removes, in percent.
	sweepTo = 90
)

var checksum = crc32.MakeTable(crc32.Castagnoli)

func newFolder(root string, limit int64, logger *slog.Logger) *folder {
	return &folder{
		root: root, pictures: filepath.Join(root, "pictures"), fresh: filepath.Join(root, "fresh"), limit: limit, log: logger,
		wake: make(chan struct{}, 1), stop: make(chan struct{}),
	}
}

var names = base32.HexEncoding.WithPadding(base32.NoPadding)

// directoryOf is the name of a hash in the folder.
func directoryOf(hash [sha256.Size]byte) string { return names.EncodeToString(hash[:20]) }

// place of an item's pictures.
func (f *folder) place(s sum) string {
	item := directoryOf(s.item)
	return filepath.Join(f.pictures, directoryOf(s.collection), item[:2], item)
}

func (f *folder) path(s sum) string { return filepath.Join(f.place(s), directoryOf(s.key)) }

// prepare makes the folder and begins to count what lies there. It tells whether the folder can be used.
func (f *folder) prepare() bool {
	f.ready.Do(func() {
		if err := errors.Join(os.MkdirAll(f.pictures, 0o700), os.MkdirAll(f.fresh, 0o700)); err != nil {
			f.log.Error("the cache folder cannot be used; pictures are kept in memory only", "error", err)
			return
		}
		f.works.Store(true)
		f.done.Add(1)
		go f.sweeper()
	})
	return f.works.Load()
}

// get reads a picture.
func (f *folder) get(s sum) ([]byte, bool) {
	if !f.prepare() {
		return nil, false
	}
	path := f.path(s)
	file, err := os.Open(path)
	if err != nil {
		return nil, false
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil || info.Size() < int64(headSize) || info.Size() > f.limit {
		return nil, false
	}
	content := make([]byte, info.Size())
	if _, err := file.ReadAt(content, 0); err != nil {
		return nil, false
	}
	data, ok := open(content, s.key)
	if !ok {
		f.log.Warn("a picture in the cache folder is broken, and removed")
		f.remove(path, info.Size())
		return nil, false
	}
	if now := time.Now(); now.Sub(info.ModTime()) > touchAfter {
		_ = os.Chtimes(path, now, now)
	}
	return data, true
}

// seal puts what tells a whole file from a broken one in front of data.
func seal(data []byte, key [sha256.Size]byte) []byte {
	out := make([]byte, 0, headSize)
	out = append(append(out, magic...), key[:]...)
	out = binary.LittleEndian.AppendUint64(out, uint64(len(data)))
	return binary.LittleEndian.AppendUint32(out, crc32.Checksum(data, checksum))
}

// open takes the data out of a file's content.
func open(content []byte, key [sha256.Size]byte) ([]byte, bool) {
	if len(content) < headSize {
		return nil, false
	}
	data := content[headSize:len(content):len(content)]
	return data, bytes.Equal(content[:headSize], seal(data, key))
}

// put writes a picture. One that cannot be written is not kept, and nobody minds.
func (f *folder) put(s sum, data []byte) {
	size := int64(headSize + len(data))
	if size > f.limit/largest || !f.prepare() {
		return
	}
	// A full disk, or a sweep that cannot keep up: the limit holds all the same.
	if f.used.Load()+size > f.limit+f.limit/largest {
		f.nudge()
		return
	}
	if err := f.write(s, data); err != nil {
		f.log.Warn("a picture could not be kept in the cache folder", "error", err)
		return
	}
	if f.used.Add(rounded(size)) > f.limit {
		f.nudge()
	}
}

func rounded(size int64) int64 { return (size + block - 1) / block * block }

func (f *folder) write(s sum, data []byte) (err error) {
	file, err := os.CreateTemp(f.fresh, "picture-")
	if err != nil {
		return pathless(err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	_, err = file.Write(seal(data, s.key))
	if err == nil {
		_, err = file.Write(data)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return pathless(err)
	}
	for range 2 {
		// A purge or a sweep may take the place away at any time.
		if err = os.MkdirAll(f.place(s), 0o700); err != nil {
			return pathless(err)
		}
		if err = os.Rename(file.Name(), f.path(s)); err == nil || !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return pathless(err)
}

// pathless takes the path out of an error of the file system: an operator knows the folder, a log need not.
func pathless(err error) error {
	var known *fs.PathError
	if errors.As(err, &known) {
		return fmt.Errorf("%s: %w", known.Op, known.Err)
	}
	return err
}

func (f *folder) drop(s sum) {
	path := f.path(s)
	if info, err := os.Stat(path); err == nil {
		f.remove(path, info.Size())
	}
}

func (f *folder) remove(path string, size int64) {
	if os.Remove(path) == nil {
		f.used.Add(-rounded(size))
	}
}

// purge removes all, a collection, or an item of it. It is out of sight at once, and then deleted.
func (f *folder) purge(directories ...string) error {
	if !f.prepare() {
		return nil
	}
	path := f.pictures
	if len(directories) > 0 {
		path = filepath.Join(path, directories[0])
	}
	if len(directories) > 1 {
		path = filepath.Join(path, directories[1][:2], directories[1])
	}
	away, err := os.MkdirTemp(f.fresh, "purged-")
	if err != nil {
		return fmt.Errorf("purge the cache folder: %w", pathless(err))
	}
	err = os.Rename(path, filepath.Join(away, "purged"))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	// A machine that loses power must not bring back what was purged.
	err = errors.Join(err, sync1(filepath.Dir(path)))
	if err != nil {
		return fmt.Errorf("purge the cache folder: %w", pathless(err))
	}
	if err := os.RemoveAll(away); err != nil {
		f.log.Warn("purged pictures could not all be deleted yet", "error", pathless(err))
	}
	if len(directories) == 0 {
		if err := os.MkdirAll(f.pictures, 0o700); err != nil {
			return fmt.Errorf("purge the cache folder: %w", pathless(err))
		}
	}
	f.nudge() // to count anew
	return nil
}

// sync1 makes the entries of one directory durable. One that is not there has none.
func sync1(directory string) error {
	d, err := os.Open(directory)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (f *folder) close() {
	f.closing.Do(func() { close(f.stop) })
	f.done.Wait()
}
