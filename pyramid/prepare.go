package pyramid

import (
	"context"
	"errors"
	"image"
	"io"
	"math"
	"os"
	"path"
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

// Shelf is where pyramids go.
type Shelf interface {
	// Has tells whether a file is there that was made of this original or a later one.
	Has(ctx context.Context, path string, of source.Info) (bool, error)
	// Put brings a file to its place once write has made it whole.
	Put(ctx context.Context, path string, of source.Info, write func(*os.File) error) error
}

// Preparer makes pyramids of originals in advance: files of their own, to be served in place of these.
type Preparer struct {
	// Renderer reads originals, and Maker makes pyramids of them.
	Renderer render.Renderer
	Maker    render.PyramidMaker
	Policy   Policy
	// Tile, unless zero, is the size of all tiles. Default: the file's own, or 512 pixels a side.
	Tile image.Point
	// SameNames keeps the path of the original. Otherwise its extension becomes .tif, or where that is the same,
	// .pyramid.tif.
	SameNames bool
	// Force makes also those that are there already.
	Force bool
	// CopyOthers copies to the shelf what gets no pyramid.
	CopyOthers bool
}

// target is the path of a pyramid on its shelf.
func (p *Preparer) target(original string) string {
	if p.SameNames {
		return original
	}
	stem, extension := strings.TrimSuffix(original, path.Ext(original)), ".tif"
	if strings.EqualFold(stem+extension, original) {
		extension = ".pyramid.tif"
	}
	return stem + extension
}

// Prepare makes a pyramid of an original, by its path below from. The shelf must not be the place of the originals
// themselves where names stay the same.
func (p *Preparer) Prepare(ctx context.Context, from source.Source, name string, to Shelf) (Outcome, error) {
	original, err := from.Open(ctx, name)
	if err != nil {
		return "", err
	}
	defer original.Close()
	target := p.target(name)
	if !p.Force {
		if there, err := to.Has(ctx, target, original.Info()); err != nil || there {
			return There, err
		}
	}
	outcome, tile, err := p.look(ctx, original)
	if err != nil {
		return "", err
	}
	write := func(file *os.File) error {
		return p.Maker.MakePyramid(ctx, original, render.PyramidPage{Tile: tile}, file, math.MaxInt64)
	}
	if outcome != Made {
		if !p.CopyOthers {
			return outcome, nil
		}
		target = name
		write = func(file *os.File) error {
			_, err := io.Copy(file, io.NewSectionReader(source.ReaderAt(ctx, original), 0, original.Info().Size))
			return err
		}
	}
	if err := to.Put(ctx, target, original.Info(), write); err != nil {
		return "", err
	}
	return outcome, nil
}

// look tells what is to be done with an original; Made where that is a pyramid of such tiles.
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
