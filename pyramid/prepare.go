package pyramid

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/source"
)

// Outcome is what became of a file.
type Outcome string

// The outcomes of Preparer.Prepare.
const (
	// Made tells that there is a pyramid of it now.
	Made Outcome = "made"
	// There tells that there was one already, no older than the file.
	There Outcome = "there already"
	// Fine tells that the file is quickly shown as it is.
	Fine Outcome = "fine as it is"
	// Pages tells that it has several pages, which one pyramid cannot hold.
	Pages Outcome = "of several pages"
	// NoPicture tells that it is none that is read here.
	NoPicture Outcome = "no picture"
)

// Preparer makes pyramids of files in a folder in advance: files of their own, to be served in place of the originals.
type Preparer struct {
	// Renderer reads the files, and Maker makes pyramids of them.
	Renderer render.Renderer
	Maker    render.PyramidMaker
	Policy   Policy
	// Tile, unless zero, is the size of all tiles. Default: the file's own, or 512 pixels a side.
	Tile image.Point
	// Output is the folder that pyramids go to, under the path of their originals; empty: beside these.
	Output string
	// SameNames keeps the name of the original, with an Output. Otherwise its extension becomes .tif, or beside a file of
	// that name .pyramid.tif.
	SameNames bool
	// Force makes also those that are there already.
	Force bool
	// CopyOthers copies to the Output what gets no pyramid.
	CopyOthers bool
}

// target is where the file of a path below a root goes.
func (p *Preparer) target(root, path string) string {
	folder := p.Output
	if folder == "" {
		folder = root
	}
	if p.SameNames && p.Output != "" {
		return filepath.Join(folder, path)
	}
	stem, extension := strings.TrimSuffix(path, filepath.Ext(path)), ".tif"
	if strings.EqualFold(stem+extension, path) && p.Output == "" {
		extension = ".pyramid.tif"
	}
	return filepath.Join(folder, stem+extension)
}

// Prepare makes a pyramid of the file at path below root, an absolute folder. The file appears under its name when it is
// whole, with the time of its original.
func (p *Preparer) Prepare(ctx context.Context, root, path string) (Outcome, error) {
	place, err := source.New(&source.FolderConfig{Root: root}, source.Deps{})
	if err != nil {
		return "", err
	}
	defer place.Close()
	original, err := place.Open(ctx, filepath.ToSlash(path))
	if err != nil {
		return "", err
	}
	defer original.Close()
	target := p.target(root, path)
	if target == filepath.Join(root, path) || filepath.Join(p.Output, path) == filepath.Join(root, path) {
		return "", errSame
	}
	if !p.Force && newer(target, original.Info()) {
		return There, nil
	}
	outcome, tile, err := p.look(ctx, original)
	if err != nil {
		return "", err
	}
	write := func(file *os.File) error {
		return p.Maker.MakePyramid(ctx, original, render.PyramidPage{Tile: tile}, file, math.MaxInt64)
	}
	if outcome != Made {
		if !p.CopyOthers || p.Output == "" {
			return outcome, nil
		}
		target = filepath.Join(p.Output, path)
		write = func(file *os.File) error {
			_, err := io.Copy(file, io.NewSectionReader(source.ReaderAt(ctx, original), 0, original.Info().Size))
			return err
		}
	}
	if err := deliver(target, original.Info(), write); err != nil {
		return "", err
	}
	return outcome, nil
}

// look tells what is to be done with a file; Made where that is a pyramid of such tiles.
func (p *Preparer) look(ctx context.Context, original source.Original) (Outcome, image.Point, error) {
	info, err := p.Renderer.Describe(ctx, original, 0)
	if unsupported := new(render.UnsupportedError); errors.As(err, &unsupported) {
		return NoPicture, image.Point{}, nil
	}
	if err != nil {
		return "", image.Point{}, err
	}
	tile, ok := p.Policy.For(info)
	switch {
	case !ok:
		return Fine, tile, nil
	case info.Pages > 1:
		return Pages, tile, nil
	case p.Tile != image.Point{}:
		tile = p.Tile
	}
	return Made, tile, nil
}

// newer tells whether a file is there that was made of this original or a later one.
func newer(target string, of source.Info) bool {
	info, err := os.Stat(target)
	return err == nil && info.Mode().IsRegular() && info.Size() > 0 && !info.ModTime().Before(of.Modified)
}

// errSame says that a pyramid would take the place of its original.
var errSame = errors.New("the pyramid would take the place of the original: name another folder for the output")

// deliver writes a file and brings it to its place.
func deliver(target string, of source.Info, write func(*os.File) error) (err error) {
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
	if err := os.Chtimes(file.Name(), of.Modified, of.Modified); err != nil {
		return err
	}
	return os.Rename(file.Name(), target)
}

// Below lists the files that names stand for, as folders and paths below them: a file is itself, a folder all that is in
// it but what begins with a dot.
func Below(names []string, each func(root, path string)) error {
	for _, name := range names {
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
			continue
		case !info.IsDir():
			return fmt.Errorf("%s is neither a file nor a folder", name)
		}
		err = filepath.WalkDir(absolute, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if strings.HasPrefix(entry.Name(), ".") && path != absolute {
				if entry.IsDir() {
					return fs.SkipDir
				}
				return nil
			}
			if entry.Type().IsRegular() {
				relative, err := filepath.Rel(absolute, path)
				if err != nil {
					return err
				}
				each(absolute, relative)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
