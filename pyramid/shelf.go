package pyramid

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gatehouse-server/gatehouse/source"
)

// FolderShelf is a folder, by its absolute path. Files appear under their names when they are whole, with the time of
// their originals.
type FolderShelf string

// Has implements Shelf.
func (f FolderShelf) Has(_ context.Context, path string, of source.Info) (bool, error) {
	info, err := os.Stat(f.file(path))
	return err == nil && info.Mode().IsRegular() && info.Size() > 0 && !info.ModTime().Before(of.Modified), nil
}

func (f FolderShelf) file(path string) string {
	return filepath.Join(string(f), filepath.FromSlash(path))
}

// Put implements Shelf.
func (f FolderShelf) Put(_ context.Context, path string, of source.Info, write func(*os.File) error) (err error) {
	target := f.file(path)
	if err := os.MkdirAll(filepath.Dir(target), 0o777); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(target), ".pyramid-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = file.Close()
			_ = os.Remove(file.Name())
		}
	}()
	if err := write(file); err != nil {
		return err
	}
	if err := errors.Join(file.Chmod(0o644), file.Sync(), file.Close()); err != nil {
		return err
	}
	if !of.Modified.IsZero() {
		if err := os.Chtimes(file.Name(), of.Modified, of.Modified); err != nil {
			return err
		}
	}
	return os.Rename(file.Name(), target)
}

// BucketShelf is a bucket on S3. A file is made in a temporary file first.
type BucketShelf struct{ *source.Bucket }

// Has implements Shelf.
func (b BucketShelf) Has(ctx context.Context, path string, of source.Info) (bool, error) {
	modified, err := b.Modified(ctx, path)
	if errors.Is(err, source.ErrNotFound) {
		return false, nil
	}
	return err == nil && !modified.Before(of.Modified), err
}

// Put implements Shelf.
func (b BucketShelf) Put(ctx context.Context, path string, of source.Info, write func(*os.File) error) error {
	file, err := os.CreateTemp("", "pyramid-*")
	if err != nil {
		return err
	}
	defer func() {
		_ = file.Close()
		_ = os.Remove(file.Name())
	}()
	if err := write(file); err != nil {
		return err
	}
	contentType := of.ContentType
	head := make([]byte, 4)
	if n, _ := file.ReadAt(head, 0); strings.HasPrefix(string(head[:n]), "II") {
		contentType = "image/tiff"
	}
	if _, err := file.Seek(0, 0); err != nil {
		return err
	}
	return b.Bucket.Put(ctx, path, contentType, file)
}

// Below lists the files that a name stands for, as a folder and paths below it: a file is itself, a folder all that is in
// it but what begins with a dot.
func Below(name string, each func(root, path string)) error {
	absolute, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	info, err := os.Stat(absolute)
	switch {
	case err != nil:
		return err
	case info.Mode().IsRegular():
		each(filepath.Dir(absolute), filepath.Base(absolute))
		return nil
	case !info.IsDir():
		return errors.New("it is neither a file nor a folder")
	}
	return below(absolute, each)
}

func below(root string, each func(root, path string)) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(entry.Name(), ".") && path != root && entry.IsDir():
			return fs.SkipDir
		case strings.HasPrefix(entry.Name(), ".") || !entry.Type().IsRegular():
			return nil
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		each(root, filepath.ToSlash(relative))
		return nil
	})
}
