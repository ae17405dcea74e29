package diskcache

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// sweeper counts what lies in the folder, at the start and whenever it has become too much, and removes what was not
// used for the longest time.
func (f *Folder) sweeper() {
	defer f.done.Done()
	for {
		f.sweep()
		select {
		case <-f.stop:
			return
		case <-f.wake:
		}
	}
}

// nudge wakes the sweeper.
func (f *Folder) nudge() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// found is a file as the sweeper sees it.
type found struct {
	path string
	size int64
	used int64
}

func (f *Folder) sweep() {
	f.tidy()
	var files []found
	total := int64(0)
	before := f.used.Load()
	_ = filepath.WalkDir(f.kept, func(path string, entry fs.DirEntry, err error) error {
		select {
		case <-f.stop:
			return fs.SkipAll
		default:
		}
		if err != nil || !entry.Type().IsRegular() {
			return nil //nolint:nilerr // what vanished meanwhile needs no sweeping
		}
		info, err := entry.Info()
		if err != nil {
			return nil //nolint:nilerr // as above
		}
		size := rounded(info.Size())
		total += size
		files = append(files, found{path, size, info.ModTime().UnixNano()})
		return nil
	})
	if total > f.limit {
		slices.SortFunc(files, func(a, b found) int { return cmp.Compare(a.used, b.used) })
		for _, file := range files {
			if total <= f.limit/100*sweepTo {
				break
			}
			if os.Remove(file.path) == nil {
				f.removed.Add(1)
				// What was the last one leaves an empty directory.
				_ = os.Remove(filepath.Dir(file.path))
			}
			total -= file.size
		}
	}
	// What was put in while the files were counted is in the difference.
	f.used.Add(total - before)
}

// tidy removes what a crash left half written or half purged.
func (f *Folder) tidy() {
	entries, err := os.ReadDir(f.fresh)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) > abandoned {
			_ = os.RemoveAll(filepath.Join(f.fresh, entry.Name()))
		}
	}
}
