// Package originals makes one picture in every form in which archives keep theirs, so that tests can ask of each what
// they ask of one. The forms are written by Go, and by the programs of libvips and libtiff.
package originals

import (
	"fmt"
	"image"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// Kind is one form of the picture.
type Kind struct {
	// Name says what it is, in words.
	Name string
	// File is its file name. Kinds that are pages of one file share it.
	File string
	// Format is the name of the loader that reads it.
	Format string
	// OnDemand tells that the loader is not among the default ones.
	OnDemand bool
	// Page is the one that shows the picture, from 1, of Pages.
	Page, Pages int
	// Width and Height of that page as people see it.
	Width, Height int
	// TileWidth and TileHeight are those of the file, as people see them; 0 where it has no tiles.
	TileWidth, TileHeight int
	// DPI is the resolution that the file tells, in dots per inch; 0 where it tells none.
	DPI int
	// Look says what of the picture's colours the form keeps.
	Look Look
	// Tolerance says how far the page's pixels may be from its look.
	Tolerance Tolerance
	// Strange tells that it is so rare that libvips 8.14 does not read it, or not as it is meant.
	Strange bool
	// Private tells that the file holds the words of Secrets.
	Private bool

	make func(w *workshop) []byte
}

// Tolerance is how far pixels may be from what they should be, in steps of 255.
type Tolerance struct {
	// Max is for every sample.
	Max int
	// Mean is for the mean over all samples.
	Mean float64
}

// File is a kind that lies in a folder.
type File struct {
	Kind
	Path string
	// Want is what the page shows. The caller must not change it.
	Want *image.NRGBA
}

// All lists every kind.
func All() []Kind {
	var all []Kind
	for _, family := range [][]Kind{jpegs(), pngs(), tiffs(), jpeg2000s(), webps(), gifs(), pdfs(), demanded()} {
		all = append(all, family...)
	}
	for i, k := range all {
		if k.Page == 0 {
			k.Page, k.Pages = 1, max(1, k.Pages)
		}
		if k.Width == 0 {
			k.Width, k.Height = Width, Height
		}
		if k.Look == "" {
			k.Look = Coloured
		}
		all[i] = k
	}
	return all
}

// Named picks kinds out of All. An unknown name is a mistake of the test.
func Named(names ...string) []Kind {
	byName := map[string]Kind{}
	for _, k := range All() {
		byName[k.Name] = k
	}
	picked := make([]Kind, 0, len(names))
	for _, name := range names {
		k, ok := byName[name]
		if !ok {
			panic(fmt.Sprintf("originals: there is no kind %q", name))
		}
		picked = append(picked, k)
	}
	return picked
}

// Write makes these kinds in a folder; without any, all.
func Write(t testing.TB, dir string, kinds ...Kind) []File {
	t.Helper()
	testkit.RequireServices(t, "vips", "tiff", "tiffcp", "tiffset")
	if len(kinds) == 0 {
		kinds = All()
	}
	w := newWorkshop(t.TempDir())
	files := make([]File, len(kinds))
	made := map[string]bool{}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, k := range kinds {
		files[i] = File{Kind: k, Path: filepath.Join(dir, k.File)}
		first := !made[k.File]
		made[k.File] = true
		group.Go(func() error {
			return w.try(k.Name, func() {
				files[i].Want = w.look(k.Look)
				if first {
					w.check(os.WriteFile(files[i].Path, k.make(w), 0o600))
				}
			})
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return files
}
