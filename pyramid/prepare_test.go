package pyramid_test

import (
	"context"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/pyramid"
	"github.com/gatehouse-server/gatehouse/render/tiffdir"
	"github.com/gatehouse-server/gatehouse/render/vips"
	"github.com/gatehouse-server/gatehouse/source"
)

func photograph(t *testing.T, path string, width, height int) {
	t.Helper()
	m := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	for i := range m.Y {
		m.Y[i] = byte(i * 31 >> (i % 7))
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := jpeg.Encode(file, m, nil); err != nil {
		t.Fatal(err)
	}
}

func preparer(t *testing.T) *pyramid.Preparer {
	t.Helper()
	r, err := vips.New(vips.Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return &pyramid.Preparer{Renderer: r, Maker: r, Policy: pyramid.Policy{Pixels: 100_000}}
}

func folderOf(t *testing.T, root string) source.Source {
	t.Helper()
	from, err := source.New(&source.FolderConfig{Root: root}, source.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = from.Close() })
	return from
}

func TestPrepare(t *testing.T) {
	root, output := t.TempDir(), t.TempDir()
	photograph(t, filepath.Join(root, "a/large.jpg"), 900, 700)
	photograph(t, filepath.Join(root, "small.jpg"), 90, 70)
	if err := os.WriteFile(filepath.Join(root, "notes.txt"), []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	p := preparer(t)
	from, shelf := folderOf(t, root), pyramid.FolderShelf(output)
	outcome := func(path string, want pyramid.Outcome) {
		t.Helper()
		if got, err := p.Prepare(ctx, from, path, shelf); err != nil || got != want {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	outcome("small.jpg", pyramid.Fine)
	outcome("notes.txt", pyramid.NoPicture)
	outcome("a/large.jpg", pyramid.Made)
	made := filepath.Join(output, "a/large.tif")
	file, err := os.Open(made)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, _ := file.Stat()
	dirs, err := tiffdir.Read(file, info.Size())
	if err != nil || dirs.Pages[0].Width != 900 || dirs.Pages[0].TileWidth != 512 || len(dirs.Pages[0].Levels) != 3 {
		t.Errorf("%+v, %v", dirs, err)
	}
	outcome("a/large.jpg", pyramid.There)
	later := info.ModTime().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(root, "a/large.jpg"), later, later); err != nil {
		t.Fatal(err)
	}
	outcome("a/large.jpg", pyramid.Made)
	p.Force, p.Tile = true, image.Pt(256, 256)
	outcome("a/large.jpg", pyramid.Made)
	p.SameNames, p.CopyOthers = true, true
	for _, path := range []string{"a/large.jpg", "small.jpg", "notes.txt"} {
		if _, err := p.Prepare(ctx, from, path, shelf); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(output, path)); err != nil {
			t.Error(err)
		}
	}
	if _, err := p.Prepare(ctx, from, "nothing.jpg", shelf); err == nil {
		t.Error("a file that is not there is prepared")
	}
}

// No original is ever replaced, and what fails leaves nothing.
func TestPrepareLeavesOriginalsAlone(t *testing.T) {
	root := t.TempDir()
	photograph(t, filepath.Join(root, "large.jpg"), 900, 700)
	data, err := os.ReadFile(filepath.Join(root, "large.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "cut.jpg"), data[:len(data)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	p := preparer(t)
	from, shelf := folderOf(t, root), pyramid.FolderShelf(root)
	if outcome, err := p.Prepare(context.Background(), from, "cut.jpg", shelf); err == nil {
		t.Errorf("%q of a file that is cut off", outcome)
	}
	if outcome, err := p.Prepare(context.Background(), from, "large.jpg", shelf); err != nil || outcome != pyramid.Made {
		t.Errorf("%q, %v", outcome, err)
	}
	// A TIFF keeps its name, and the pyramid has one of its own.
	if err := os.Rename(filepath.Join(root, "large.jpg"), filepath.Join(root, "large.TIF")); err != nil {
		t.Fatal(err)
	}
	if outcome, err := p.Prepare(context.Background(), from, "large.TIF", shelf); err != nil || outcome != pyramid.Made {
		t.Errorf("%q, %v", outcome, err)
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if want := []string{"cut.jpg", "large.TIF", "large.pyramid.tif", "large.tif"}; !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
}

func TestBelow(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"b/c.jpg", "a.jpg", ".hidden/d.jpg", "b/.e.jpg"} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	each := func(folder, path string) { got = append(got, folder+"|"+path) }
	for _, name := range []string{root, filepath.Join(root, "b/c.jpg")} {
		if err := pyramid.Below(name, each); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{root + "|a.jpg", root + "|b/c.jpg", filepath.Join(root, "b") + "|c.jpg"}
	if !slices.Equal(got, want) {
		t.Errorf("%q instead of %q", got, want)
	}
	if err := pyramid.Below(filepath.Join(root, "nothing"), each); err == nil {
		t.Error("a name of nothing is taken")
	}
}
