package source_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/source"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSymbolicLinksStayInTheFolder(t *testing.T) {
	p := newFolder(t)
	outside := t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "secret.jpg"), []byte("secret"), 0o600))
	p.Put(t, "inside/there.jpg", []byte("x"))
	for link, target := range map[string]string{
		"inside/file.jpg":    "there.jpg",
		"folder":             "inside",
		"inside/up.jpg":      "../inside/there.jpg",
		"escape.jpg":         filepath.Join(outside, "secret.jpg"),
		"escape":             outside,
		"inside/climb":       "../..",
		"absolute.jpg":       filepath.Join(p.root, "inside/there.jpg"),
		"loop":               "loop",
		"dangling.jpg":       "nowhere.jpg",
		"inside/zero.jpg":    "/dev/zero",
		"inside/process.jpg": "/proc/self/environ",
	} {
		must(t, os.Symlink(target, filepath.Join(p.root, link)))
	}
	s := p.Open(t, true)
	for _, path := range []string{"inside/file.jpg", "folder/there.jpg", "inside/up.jpg"} {
		if got := contents(t, mustOpen(t, s, path)); string(got) != "x" {
			t.Errorf("%s holds %q", path, got)
		}
	}
	for _, path := range []string{
		"escape.jpg", "escape/secret.jpg", "inside/climb/etc/passwd", "absolute.jpg", "loop", "dangling.jpg", "inside/zero.jpg", "inside/process.jpg",
	} {
		if o, err := s.Open(t.Context(), path); err == nil {
			_ = o.Close()
			t.Errorf("%s was opened", path)
		}
	}
}

// A link that leads out is no original, like a device; a name beside it that is one is still found.
func TestSymbolicLinksThatLeadOutAreNotFound(t *testing.T) {
	p := newFolder(t)
	outside := t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "secret.jpg"), []byte("secret"), 0o600))
	must(t, os.Mkdir(filepath.Join(p.root, "inside"), 0o700))
	for link, target := range map[string]string{
		"escape.jpg": filepath.Join(outside, "secret.jpg"), "escape": outside, "inside/climb": "../..", "inside/zero.jpg": "/dev/zero",
		"inside/missing.jpg": filepath.Join(outside, "nowhere.jpg"), "Scan.jpg": filepath.Join(outside, "secret.jpg"),
	} {
		must(t, os.Symlink(target, filepath.Join(p.root, link)))
	}
	p.Put(t, "scan.jpg", []byte("x"))
	s := p.Open(t, true)
	for _, path := range []string{"escape.jpg", "escape/secret.jpg", "inside/climb/etc/passwd", "inside/zero.jpg", "inside/missing.jpg"} {
		_, err := s.Open(t.Context(), path)
		if !errors.Is(err, source.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", path, err)
		}
		wantProblem(t, err, http.StatusNotFound, "No source file could be found", outside)
	}
	if got := contents(t, mustOpen(t, s, "Scan.jpg")); string(got) != "x" {
		t.Errorf("beside a link that leads out there is %q", got)
	}
}

// A named pipe would block whoever opens it, a device may do something.
func TestOnlyRegularFilesAreOpened(t *testing.T) {
	p := newFolder(t)
	must(t, os.Mkdir(filepath.Join(p.root, "directory"), 0o700))
	must(t, syscall.Mkfifo(filepath.Join(p.root, "pipe.jpg"), 0o600))
	must(t, syscall.Mknod(filepath.Join(p.root, "socket.jpg"), syscall.S_IFSOCK|0o600, 0))
	s := p.Open(t, false)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, path := range []string{"directory", "directory/", "pipe.jpg", "socket.jpg"} {
			if _, err := s.Open(t.Context(), path); !errors.Is(err, source.ErrNotFound) {
				t.Errorf("%s: %v, want ErrNotFound", path, err)
			}
		}
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("opening blocks")
	}
}

func TestMissingFolderIsAFailureUntilItIsThere(t *testing.T) {
	root := filepath.Join(t.TempDir(), "later")
	s := newSource(t, &source.FolderConfig{Root: root}, source.Deps{})
	_, err := s.Open(t.Context(), "x.jpg")
	wantProblem(t, err, http.StatusBadGateway, unreachable("folder not found"), root)
	must(t, os.Mkdir(root, 0o700))
	must(t, os.WriteFile(filepath.Join(root, "x.jpg"), []byte("x"), 0o600))
	mustOpen(t, s, "x.jpg")
}

func TestFileWrittenInPlaceIsChanged(t *testing.T) {
	p := newFolder(t)
	p.Put(t, "x.jpg", testBytes(1000))
	s := p.Open(t, false)
	for name, change := range map[string]func(name string) error{
		"truncated": func(name string) error { return os.Truncate(name, 10) },
		"overwritten": func(name string) error {
			return os.WriteFile(name, testBytes(2000)[1000:], 0o600)
		},
	} {
		p.Put(t, "x.jpg", testBytes(1000))
		o := mustOpen(t, s, "x.jpg")
		must(t, change(filepath.Join(p.root, "x.jpg")))
		if _, err := o.ReadAt(t.Context(), make([]byte, 10), 500); !errors.Is(err, source.ErrChanged) {
			t.Errorf("%s: %v, want ErrChanged", name, err)
		}
	}
}

func TestFolderTellsTheObserver(t *testing.T) {
	p := newFolder(t)
	p.Put(t, "x.jpg", testBytes(1000))
	var outcomes []string
	var bytes int64
	s := newSource(t, &source.FolderConfig{Root: p.root}, source.Deps{Observe: func(kind source.Kind, _ float64, n int64, outcome string) {
		if kind != source.KindFolder {
			t.Errorf("kind %q", kind)
		}
		outcomes = append(outcomes, outcome)
		bytes += n
	}})
	o := mustOpen(t, s, "x.jpg")
	contents(t, o)
	must(t, o.Close())
	if _, err := s.Open(t.Context(), "y.jpg"); err == nil {
		t.Error("no error")
	}
	if len(outcomes) != 2 || outcomes[0] != source.OutcomeOK || outcomes[1] != source.OutcomeNotFound || bytes < 1000 {
		t.Errorf("outcomes %q, %d bytes", outcomes, bytes)
	}
}

func FuzzFolderOpen(f *testing.F) {
	root := f.TempDir()
	must(f, os.WriteFile(filepath.Join(root, "a"), []byte("inside"), 0o600))
	outer := filepath.Dir(root)
	must(f, os.WriteFile(filepath.Join(outer, "secret"), []byte("outside"), 0o600))
	for _, path := range []string{"a", "../secret", "%2e%2e/secret", "a/../../secret", "/etc/passwd", "a\x00", "./a", "a//", "/"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		s := newSource(t, &source.FolderConfig{Root: root, NameVariants: true}, source.Deps{})
		o, err := s.Open(t.Context(), path)
		if err != nil {
			return
		}
		defer func() { _ = o.Close() }()
		if got := contents(t, o); string(got) != "inside" {
			t.Fatalf("Open(%q) reads %q", path, got)
		}
	})
}

// TestFolderTellsTheStateItOpened: Info is asked for many times in a request, and tells each time what was there first.
func TestFolderTellsTheStateItOpened(t *testing.T) {
	p := newFolder(t)
	p.Put(t, "a.jpg", []byte("x"))
	o, err := p.Open(t, false).Open(t.Context(), "a.jpg")
	must(t, err)
	defer func() { _ = o.Close() }()
	before := o.Info()
	p.Put(t, "a.jpg", []byte("longer"))
	if after := o.Info(); after != before || after.Size != 1 {
		t.Errorf("first %+v, then %+v", before, after)
	}
	if n := testing.AllocsPerRun(10, func() { _ = o.Info() }); n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
