// Package diskcache keeps files that were made of others in a folder: each below its collection and item, so that these
// can be purged, and no more than fit. A file comes to its place when it is whole. Several processes may share a folder,
// and what a crash leaves half done is removed.
package diskcache

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// Sum stands for any number of texts in a fixed size.
type Sum [sha256.Size]byte

// SumOf joins texts so that no two lists give the same.
func SumOf(texts ...string) Sum {
	room := 0
	for _, text := range texts {
		room += len(text) + 8
	}
	buffer := make([]byte, 0, room)
	for _, text := range texts {
		buffer = binary.LittleEndian.AppendUint64(buffer, uint64(len(text)))
		buffer = append(buffer, text...)
	}
	return sha256.Sum256(buffer)
}

// Name says where a file is: its collection, the item of it, and itself.
type Name struct{ Collection, Item, Key Sum }

// Folder keeps files as ROOT/kept/COLLECTION/II/ITEM/KEY, each a part of a Sum. It is safe for concurrent use. The disk is
// touched when it is first used.
type Folder struct {
	kept, fresh    string
	limit, largest int64
	log            *slog.Logger

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
	// block is what a file system gives at a time: small files cost that.
	block = 4096
	// touchAfter is how old the time of a file's last use may get before it is written anew.
	touchAfter = time.Hour
	// abandoned is after what time a file under way has been left behind by a crash.
	abandoned = time.Hour
	// sweepTo is the part of the limit down to which a sweep removes, in percent.
	sweepTo = 90
)

// New makes a Folder below an absolute path, of at most limit bytes, of which one file may have a share. Everything in it
// may be removed.
func New(root string, limit, share int64, logger *slog.Logger) *Folder {
	return &Folder{
		kept: filepath.Join(root, "kept"), fresh: filepath.Join(root, "fresh"), limit: limit, largest: limit / share, log: logger,
		wake: make(chan struct{}, 1), stop: make(chan struct{}),
	}
}

var names = base32.HexEncoding.WithPadding(base32.NoPadding)

// text is the name of a Sum in the folder.
func (s Sum) text() string { return names.EncodeToString(s[:20]) }

// place of an item's files.
func (f *Folder) place(n Name) string {
	item := n.Item.text()
	return filepath.Join(f.kept, n.Collection.text(), item[:2], item)
}

func (f *Folder) path(n Name) string { return filepath.Join(f.place(n), n.Key.text()) }

// prepare makes the folder and begins to count what lies there. It tells whether the folder can be used.
func (f *Folder) prepare() bool {
	f.ready.Do(func() {
		if err := errors.Join(os.MkdirAll(f.kept, 0o700), os.MkdirAll(f.fresh, 0o700)); err != nil {
			f.log.Error("a folder cannot be used, and nothing is kept there", "error", err)
			return
		}
		f.works.Store(true)
		f.done.Add(1)
		go f.sweeper()
	})
	return f.works.Load()
}

// Limit is how many bytes the folder may hold.
func (f *Folder) Limit() int64 { return f.limit }

// Largest is how many bytes one file may have.
func (f *Folder) Largest() int64 { return f.largest }

// Used is about how many bytes lie there.
func (f *Folder) Used() int64 { return f.used.Load() }

// Removed is how many files made room for others.
func (f *Folder) Removed() int64 { return f.removed.Load() }

// Open opens a file that is kept. The caller closes it.
func (f *Folder) Open(n Name) (*os.File, fs.FileInfo, bool) {
	if !f.prepare() {
		return nil, nil, false
	}
	path := f.path(n)
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, false
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return nil, nil, false
	}
	if now := time.Now(); now.Sub(info.ModTime()) > touchAfter {
		_ = os.Chtimes(path, now, now)
	}
	return file, info, true
}

// HasRoom tells whether a file of so many bytes may come in.
func (f *Folder) HasRoom(size int64) bool {
	if size > f.largest || !f.prepare() {
		return false
	}
	// A full disk, or a sweep that cannot keep up: the limit holds all the same.
	if f.used.Load()+size > f.limit+f.largest {
		f.nudge()
		return false
	}
	return true
}

// Draft is a file that is not kept yet.
type Draft struct {
	*os.File
	folder *Folder
}

// Create begins a file. It has to be kept or discarded.
func (f *Folder) Create() (*Draft, error) {
	if !f.prepare() {
		return nil, errors.New("the folder cannot be used")
	}
	file, err := os.CreateTemp(f.fresh, "draft-")
	if err != nil {
		return nil, Pathless(err)
	}
	return &Draft{file, f}, nil
}

// Discard closes and removes the file.
func (d *Draft) Discard() {
	_ = d.Close()
	_ = os.Remove(d.Name())
}

// Keep closes the file and moves it to its place, where it takes another's. After an error it is gone.
func (d *Draft) Keep(n Name) (err error) {
	defer func() {
		if err != nil {
			d.Discard()
			err = Pathless(err)
		}
	}()
	info, err := d.Stat()
	if err != nil {
		return err
	}
	if err := d.Close(); err != nil {
		return err
	}
	for range 2 {
		// A purge or a sweep may take the place away at any time.
		if err = os.MkdirAll(d.folder.place(n), 0o700); err != nil {
			return err
		}
		if err = os.Rename(d.Name(), d.folder.path(n)); err == nil || !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return err
	}
	if d.folder.used.Add(rounded(info.Size())) > d.folder.limit {
		d.folder.nudge()
	}
	return nil
}

func rounded(size int64) int64 { return (size + block - 1) / block * block }

// Pathless takes the path out of an error of the file system: an operator knows the folder, a log need not.
func Pathless(err error) error {
	var known *fs.PathError
	if errors.As(err, &known) {
		return fmt.Errorf("%s: %w", known.Op, known.Err)
	}
	return err
}

// Remove forgets a file.
func (f *Folder) Remove(n Name) {
	path := f.path(n)
	if info, err := os.Stat(path); err == nil && os.Remove(path) == nil {
		f.used.Add(-rounded(info.Size()))
	}
}

// Purge removes what there is of an item, of a collection where that is nil, or all where both are. It is out of sight at
// once, and then deleted.
func (f *Folder) Purge(collection, item *Sum) error {
	if !f.prepare() {
		return nil
	}
	path := f.kept
	if collection != nil {
		path = filepath.Join(path, collection.text())
		if item != nil {
			path = filepath.Join(path, item.text()[:2], item.text())
		}
	}
	away, err := os.MkdirTemp(f.fresh, "purged-")
	if err != nil {
		return fmt.Errorf("purge the folder: %w", Pathless(err))
	}
	err = os.Rename(path, filepath.Join(away, "purged"))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	// A machine that loses power must not bring back what was purged.
	err = errors.Join(err, syncDirectory(filepath.Dir(path)))
	if err != nil {
		return fmt.Errorf("purge the folder: %w", Pathless(err))
	}
	if err := os.RemoveAll(away); err != nil {
		f.log.Warn("purged files could not all be deleted yet", "error", Pathless(err))
	}
	if collection == nil {
		if err := os.MkdirAll(f.kept, 0o700); err != nil {
			return fmt.Errorf("purge the folder: %w", Pathless(err))
		}
	}
	f.nudge() // to count anew
	return nil
}

// syncDirectory makes the entries of one directory durable. One that is not there has none.
func syncDirectory(directory string) error {
	d, err := os.Open(directory)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Close ends what goes on in the background. What is kept stays.
func (f *Folder) Close() {
	f.closing.Do(func() { close(f.stop) })
	f.done.Wait()
}
