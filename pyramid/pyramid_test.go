package pyramid_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/derivative"
	"github.com/gatehouse-server/gatehouse/internal/diskcache"
	"github.com/gatehouse-server/gatehouse/pyramid"
)

func named(collection, identifier, part string) diskcache.Name {
	return (&derivative.Key{Collection: collection, Identifier: identifier, Parts: []string{part}}).Name()
}

func open(t *testing.T, c pyramid.Config) *pyramid.Store {
	t.Helper()
	s := pyramid.New(c, nil)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func writes(text string) pyramid.Make {
	return func(_ context.Context, file *os.File, _ pyramid.Order) error {
		_, err := file.WriteString(text)
		return err
	}
}

func waitFor(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s never came", what)
		}
	}
}

// read gives what is kept under a name, or "".
func read(t *testing.T, s *pyramid.Store, name diskcache.Name) string {
	t.Helper()
	original, ok := s.Open(name)
	if !ok {
		return ""
	}
	defer original.Close()
	text := make([]byte, original.Info().Size)
	if _, err := original.ReadAt(context.Background(), text, 0); err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// One is made once, however often it is asked for, and is there over a restart.
func TestMadeOnce(t *testing.T) {
	config := pyramid.Config{Folder: t.TempDir(), Bytes: 64 << 20}
	s := open(t, config)
	name := named("c", "i", "1")
	var times atomic.Int32
	begin := make(chan struct{})
	for range 10 {
		s.Want(name, true, func(ctx context.Context, file *os.File, order pyramid.Order) error {
			times.Add(1)
			<-begin
			return writes("pyramid")(ctx, file, order)
		})
	}
	if got := read(t, s, name); got != "" {
		t.Errorf("it is there before it is made: %q", got)
	}
	close(begin)
	waitFor(t, "the pyramid", func() bool { return s.Stats().Made == 1 })
	s.Want(name, true, writes("another"))
	waitFor(t, "an end", func() bool { return s.Stats().Waiting == 0 })
	if got := read(t, s, name); got != "pyramid" || times.Load() != 1 {
		t.Errorf("%q, made %d times", got, times.Load())
	}
	_ = s.Close()
	again := open(t, config)
	if got := read(t, again, name); got != "pyramid" {
		t.Errorf("after a restart: %q", got)
	}
}

// Those that are looked at come before those that might be.
func TestUrgentFirst(t *testing.T) {
	s := open(t, pyramid.Config{Folder: t.TempDir(), Bytes: 64 << 20})
	begin := make(chan struct{})
	came := make(chan string, 10)
	want := func(part string, urgent bool) {
		s.Want(named("c", "i", part), urgent, func(ctx context.Context, file *os.File, order pyramid.Order) error {
			<-begin
			came <- part
			return writes(part)(ctx, file, order)
		})
	}
	want("first", false)
	waitFor(t, "its beginning", func() bool { return s.Stats().Waiting == 1 })
	time.Sleep(20 * time.Millisecond)
	want("idle", false)
	want("becomes urgent", false)
	want("urgent", true)
	want("becomes urgent", true)
	close(begin)
	for _, part := range []string{"first", "urgent", "becomes urgent", "idle"} {
		if got := <-came; got != part {
			t.Errorf("%q came where %q should have", got, part)
		}
	}
}

// What failed is not tried again for a while, and leaves no file; what is outdated is.
func TestFailures(t *testing.T) {
	folder := t.TempDir()
	s := open(t, pyramid.Config{Folder: folder, Bytes: 64 << 20, TimeLimit: 50 * time.Millisecond})
	var times atomic.Int32
	for i, failure := range []pyramid.Make{
		func(context.Context, *os.File, pyramid.Order) error { return errors.New("broken") },
		func(context.Context, *os.File, pyramid.Order) error { panic("a fault") },
		func(ctx context.Context, _ *os.File, _ pyramid.Order) error { <-ctx.Done(); return ctx.Err() },
	} {
		name := named("c", "i", string(rune('a'+i)))
		for range 2 {
			s.Want(name, true, func(ctx context.Context, file *os.File, order pyramid.Order) error {
				times.Add(1)
				_, _ = file.WriteString("half of it")
				return failure(ctx, file, order)
			})
			waitFor(t, "the end", func() bool { return s.Stats().Waiting == 0 })
		}
		if s.Stats().Failed != int64(i+1) || times.Load() != int32(i+1) || read(t, s, name) != "" {
			t.Errorf("%d: %+v after %d times", i, s.Stats(), times.Load())
		}
	}
	for range 2 {
		s.Want(named("c", "i", "outdated"), true, func(context.Context, *os.File, pyramid.Order) error {
			times.Add(1)
			return pyramid.ErrOutdated
		})
		waitFor(t, "the end", func() bool { return s.Stats().Waiting == 0 })
	}
	if times.Load() != 5 || s.Stats().Failed != 3 {
		t.Errorf("%d times, %+v", times.Load(), s.Stats())
	}
	if n := files(t, folder); n != 0 {
		t.Errorf("%d files are left", n)
	}
}

func files(t *testing.T, folder string) (n int) {
	t.Helper()
	err := filepath.WalkDir(folder, func(_ string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A purge takes what it names, and what was being made for it.
func TestPurge(t *testing.T) {
	s := open(t, pyramid.Config{Folder: t.TempDir(), Bytes: 64 << 20})
	names := []diskcache.Name{named("c", "i", "1"), named("c", "j", "1"), named("d", "i", "1")}
	fill := func() {
		made := s.Stats().Made
		missing := int64(0)
		for _, name := range names {
			if read(t, s, name) == "" {
				missing++
				s.Want(name, true, writes("pyramid"))
			}
		}
		waitFor(t, "all", func() bool { return s.Stats().Made == made+missing })
	}
	for _, test := range []struct {
		collection, identifier string
		left                   [3]bool
	}{
		{"c", "i", [3]bool{false, true, true}}, {"c", "", [3]bool{false, false, true}}, {"", "", [3]bool{}}, {"x", "y", [3]bool{true, true, true}},
	} {
		fill()
		if err := s.Purge(test.collection, test.identifier); err != nil {
			t.Fatal(err)
		}
		for i, name := range names {
			if there := read(t, s, name) != ""; there != test.left[i] {
				t.Errorf("purge %q %q: %d is there: %t", test.collection, test.identifier, i, there)
			}
		}
	}
	if err := s.Purge("", "i"); err == nil {
		t.Error("an identifier of no collection is purged")
	}

	begun, begin := make(chan struct{}), make(chan struct{})
	name := named("c", "k", "1")
	s.Want(name, true, func(ctx context.Context, file *os.File, order pyramid.Order) error {
		close(begun)
		<-begin
		return writes("of before")(ctx, file, order)
	})
	<-begun
	if err := s.Purge("c", "k"); err != nil {
		t.Fatal(err)
	}
	close(begin)
	waitFor(t, "the end", func() bool { return s.Stats().Waiting == 0 })
	if got := read(t, s, name); got != "" {
		t.Errorf("what was begun before a purge came in after it: %q", got)
	}
}

// The folder holds no more than it may: the oldest goes, and nothing that nobody needs comes in when it is nearly full.
func TestBudget(t *testing.T) {
	const limit = 16 << 20
	s := open(t, pyramid.Config{Folder: t.TempDir(), Bytes: limit})
	large := func(_ context.Context, file *os.File, order pyramid.Order) error {
		if order.Limit != limit/8 {
			t.Errorf("one may have %d bytes", order.Limit)
		}
		return file.Truncate(order.Limit)
	}
	for i := range 40 {
		s.Want(named("c", "i", string(rune('a'+i))), true, large)
		waitFor(t, "the end", func() bool { return s.Stats().Waiting == 0 })
		if used := s.Stats().Bytes; used > limit+limit/8 {
			t.Fatalf("%d bytes of %d", used, limit)
		}
		time.Sleep(2 * time.Millisecond)
	}
	waitFor(t, "a sweep", func() bool { return s.Stats().Removed > 0 && s.Stats().Bytes <= limit })
	for i := range 20 {
		s.Want(named("c", "i", string(rune('A'+i))), false, large)
		waitFor(t, "the end", func() bool { return s.Stats().Waiting == 0 })
	}
	if s.Stats().Skipped == 0 || s.Stats().Bytes > limit {
		t.Errorf("%+v", s.Stats())
	}
}

// The end of the server ends what is being made.
func TestClose(t *testing.T) {
	s := pyramid.New(pyramid.Config{Folder: t.TempDir(), Bytes: 64 << 20}, nil)
	begun := make(chan struct{})
	s.Want(named("c", "i", "1"), true, func(ctx context.Context, _ *os.File, _ pyramid.Order) error {
		close(begun)
		<-ctx.Done()
		return ctx.Err()
	})
	s.Want(named("c", "i", "2"), true, writes("never"))
	<-begun
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s.Want(named("c", "i", "3"), true, writes("never"))
	if st := s.Stats(); st.Made != 0 {
		t.Errorf("%+v", st)
	}
}

// The log tells what went wrong with a disk, and no path.
func TestFailuresAreLogged(t *testing.T) {
	var log bytes.Buffer
	folder := t.TempDir()
	s := pyramid.New(pyramid.Config{Folder: folder, Bytes: 64 << 20}, slog.New(slog.NewTextHandler(&log, nil)))
	s.Want(named("c", "i", "1"), true, func(_ context.Context, file *os.File, _ pyramid.Order) error {
		_ = file.Close()
		_, err := file.WriteString("too late")
		return fmt.Errorf("write: %w", err)
	})
	waitFor(t, "the end", func() bool { return s.Stats().Waiting == 0 })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if text := log.String(); !strings.Contains(text, "level=WARN") || !strings.Contains(text, "could not be made") || strings.Contains(text, folder) {
		t.Errorf("the log says %q", text)
	}
}
