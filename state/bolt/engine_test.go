package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/gatehouse-server/gatehouse/authn"
)

func TestConfigRefusals(t *testing.T) {
	for name, config := range map[string]Config{
		"no directory":      {},
		"a negative wait":   {Directory: "d", LockTimeout: -time.Second},
		"a wait of an hour": {Directory: "d", LockTimeout: time.Hour},
	} {
		if _, err := New(config, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	engine, err := New(Config{Directory: "d"}, nil)
	if err != nil || engine.config.LockTimeout != 5*time.Second {
		t.Errorf("the default wait: got %v, %v; want 5s", engine.config.LockTimeout, err)
	}
}

func TestNewTouchesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	newEngine(t, dir)
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory was touched: %v", err)
	}
}

func TestFilesAreForTheirOwnerAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "state")
	engine := newEngine(t, dir)
	if err := engine.Open(); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, engine.Path(): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got %v, %v; want mode %v", path, info.Mode().Perm(), err, want)
		}
	}
}

func TestTheFileIsOpenWhileALeaseIsOut(t *testing.T) {
	engine := newEngine(t, t.TempDir())
	isOpen := func() bool {
		engine.mu.Lock()
		defer engine.mu.Unlock()
		return engine.db != nil
	}
	first, err := engine.Acquire()
	if err != nil {
		t.Fatal(err)
	}
	second, err := engine.Acquire()
	if err != nil {
		t.Fatal(err)
	}
	first()
	first()
	if !isOpen() {
		t.Fatal("releasing one lease twice took the other's away")
	}
	if err := engine.Open(); err != nil {
		t.Fatal(err)
	}
	second()
	if !isOpen() {
		t.Fatal("the file was closed under Open")
	}
	if err := errors.Join(engine.Open(), engine.Close(), engine.Close()); err != nil {
		t.Fatal(err)
	}
	if isOpen() {
		t.Fatal("the file is open after the last lease")
	}
	third, err := engine.Acquire()
	if err != nil {
		t.Fatalf("a lease after the last one: %v", err)
	}
	third()
}

func TestLeasesFromManySides(t *testing.T) {
	engine := newEngine(t, t.TempDir())
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 10 {
				release, err := engine.Acquire()
				if err != nil {
					t.Error(err)
					return
				}
				release()
			}
		})
	}
	group.Wait()
	if engine.db != nil || engine.leases != 0 {
		t.Errorf("%d leases are left", engine.leases)
	}
}

func TestASecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := newEngine(t, dir).Open(); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), stateOfOther+"="+dir)
	begin := time.Now()
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !strings.Contains(string(out), "locked=true") || !strings.Contains(string(out), "state postgres") {
		t.Errorf("got %s; want ErrLocked and PostgreSQL named", out)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestAWaitingProcessGetsTheFile(t *testing.T) {
	dir := t.TempDir()
	old := newEngine(t, dir)
	if err := old.Open(); err != nil {
		t.Fatal(err)
	}
	next, err := New(Config{Directory: dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	opened := make(chan error)
	go func() { opened <- next.Open() }()
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Errorf("the next engine: %v", err)
	}
	_ = next.Close()
}

func TestFilesThatCannotBeOpened(t *testing.T) {
	for name, content := range map[string][]byte{
		"text":        []byte("this is no database"),
		"zeros":       make([]byte, 1<<16),
		"random":      bytes.Repeat([]byte{0xde, 0xad, 0xbe, 0xef}, 1<<14),
		"SQLite":      append([]byte("SQLite format 3\x00"), make([]byte, 8192)...),
		"a directory": nil,
	} {
		t.Run(name, func(t *testing.T) {
			engine := newEngine(t, t.TempDir())
			if content == nil {
				if err := os.Mkdir(engine.Path(), 0o700); err != nil {
					t.Fatal(err)
				}
			} else if err := os.WriteFile(engine.Path(), content, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := engine.Open(); err == nil || !strings.Contains(err.Error(), engine.Path()) {
				t.Errorf("got %v; want an error with the path", err)
			}
			for _, f := range []func() error{
				func() error { _, err := engine.LoadKeys(t.Context(), "city"); return err },
				func() error { return engine.SaveKeys(t.Context(), "city", authn.CachedKeys{}) },
				func() error { _, err := engine.Backup(&bytes.Buffer{}); return err },
			} {
				if f() == nil {
					t.Error("a method works on it")
				}
			}
		})
	}
}

func TestADirectoryThatCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := newEngine(t, filepath.Join(file, "state")).Open(); err == nil {
		t.Error("no error")
	}
}

func TestBackupWhileServing(t *testing.T) {
	engine := newEngine(t, t.TempDir())
	if err := engine.Open(); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var saved sync.WaitGroup
	saved.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			keys := authn.CachedKeys{Source: fmt.Sprint(n), Document: []byte(fmt.Sprint(n)), Fetched: time.Now()}
			if err := engine.SaveKeys(t.Context(), "city", keys); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 5 {
		dir := t.TempDir()
		file, err := os.Create(filepath.Join(dir, FileName))
		if err != nil {
			t.Fatal(err)
		}
		n, err := engine.Backup(file)
		info, statErr := file.Stat()
		if err = errors.Join(err, statErr, file.Close()); err != nil || n != info.Size() {
			t.Fatalf("backup: %d bytes of %v, %v", n, info, err)
		}
		checkCopy(t, newEngine(t, dir))
	}
	close(stop)
	saved.Wait()
}

// checkCopy wants a whole file whose records are whole.
func checkCopy(t *testing.T, engine *Engine) {
	t.Helper()
	err := engine.view(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			t.Error(err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := engine.LoadKeys(t.Context(), "city")
	if errors.Is(err, authn.ErrNoCachedKeys) {
		return
	}
	if err != nil || got.Source != string(got.Document) {
		t.Errorf("the copy holds %v, %v", got, err)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestBackupTellsThatItFailed(t *testing.T) {
	if _, err := newEngine(t, t.TempDir()).Backup(failingWriter{}); err == nil || !strings.Contains(err.Error(), "back up state") {
		t.Errorf("got %v", err)
	}
}
