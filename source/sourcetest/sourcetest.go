// Package sourcetest says what every source does, whatever it reads from, and checks it.
package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/source"
)

// Place is where a source under test reads from.
type Place interface {
	// Open makes a source of this place that looks anew at each Open and, when asked, for other spellings of names.
	Open(t testing.TB, nameVariants bool) source.Source
	// Put writes an original or replaces it by a new one.
	Put(t testing.TB, path string, data []byte)
	// Delete removes it.
	Delete(t testing.TB, path string)
}

// Large is a size beyond which the originals of remote places are read by ranges.
const Large = 9<<20 + 12345

// Bytes makes n bytes that differ from place to place in them and from seed to seed.
func Bytes(n int, seed uint64) []byte {
	data := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = r.Read(data)
	return data
}

// Run checks a source. Each check gets a Place of its own.
func Run(t *testing.T, place func(t *testing.T) Place) {
	for _, c := range []struct {
		name  string
		check func(*testing.T, Place)
	}{
		{"ReadsWhatLiesThere", readsWhatLiesThere},
		{"ReadsLikeAReaderAt", readsLikeAReaderAt},
		{"ReadsAtTheSameTime", readsAtTheSameTime},
		{"TellsWhatItIs", tellsWhatItIs},
		{"DescribesWhatItWouldOpen", describesWhatItWouldOpen},
		{"VersionFollowsTheBytes", versionFollowsTheBytes},
		{"NeverMixesStates", neverMixesStates},
		{"MissingIsNotFound", missingIsNotFound},
		{"StaysBelowItsBase", staysBelowItsBase},
		{"OpensOddNames", opensOddNames},
		{"LooksForNameVariants", looksForNameVariants},
		{"KeepsToTheContext", keepsToTheContext},
		{"CountsTime", countsTime},
		{"ClosesOnce", closesOnce},
		{"OutlivesItsSource", outlivesItsSource},
	} {
		t.Run(c.name, func(t *testing.T) { c.check(t, place(t)) })
	}
}

func open(t testing.TB, s source.Source, path string) source.Original {
	t.Helper()
	o, err := s.Open(t.Context(), path)
	if err != nil {
		t.Fatalf("Open(%q): %v", path, err)
	}
	t.Cleanup(func() { _ = o.Close() })
	return o
}

// Describe tells what Open would find, in each state of an original.
func describesWhatItWouldOpen(t *testing.T, p Place) {
	s := p.Open(t, true)
	defer s.Close()
	for _, data := range [][]byte{Bytes(1000, 1), Bytes(2000, 2)} {
		p.Put(t, "a/b.tif", data)
		info, err := source.Describe(t.Context(), s, "a/b.tif")
		if want := open(t, s, "a/b.tif").Info(); err != nil || info.Version != want.Version || info.Size != want.Size ||
			!info.Modified.Equal(want.Modified) || info.Name != want.Name {
			t.Errorf("described as %+v, %v; opened as %+v", info, err, want)
		}
	}
	p.Delete(t, "a/b.tif")
	for _, path := range []string{"a/b.tif", "../a/b.tif", "a/../../b.tif", ""} {
		if _, err := source.Describe(t.Context(), s, path); !errors.Is(err, source.ErrNotFound) {
			t.Errorf("%q: err = %v", path, err)
		}
	}
}

func readAll(t testing.TB, o source.Original) []byte {
	t.Helper()
	data, err := io.ReadAll(io.NewSectionReader(source.ReaderAt(context.Background(), o), 0, o.Info().Size))
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	return data
}

func readsWhatLiesThere(t *testing.T, p Place) {
	s := p.Open(t, false)
	const block = 256 << 10
	for i, size := range []int{0, 1, block - 1, block, block + 1, 1 << 20, Large} {
		path := fmt.Sprintf("folder/%d.bin", size)
		want := Bytes(size, uint64(i))
		p.Put(t, path, want)
		o := open(t, s, path)
		if got := readAll(t, o); !bytes.Equal(got, want) {
			t.Errorf("%d bytes: read %d others", size, len(got))
		}
		if f := o.File(); f != nil {
			got, err := io.ReadAll(io.NewSectionReader(f, 0, int64(size)+1))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes: the file holds %d others (%v)", size, len(got), err)
			}
		}
	}
}

func readsLikeAReaderAt(t *testing.T, p Place) {
	s := p.Open(t, false)
	for _, size := range []int{1000, Large} {
		path := fmt.Sprintf("%d.bin", size)
		data := Bytes(size, 7)
		p.Put(t, path, data)
		o := open(t, s, path)
		reference := bytes.NewReader(data)
		rapid.Check(t, func(rt *rapid.T) {
			off := rapid.Int64Range(0, int64(size)+10).Draw(rt, "off")
			n := rapid.OneOf(rapid.IntRange(0, 100), rapid.IntRange(0, 600_000)).Draw(rt, "n")
			got, want := make([]byte, n), make([]byte, n)
			gotN, gotErr := o.ReadAt(t.Context(), got, off)
			wantN, wantErr := reference.ReadAt(want, off)
			if n == 0 {
				// io.ReaderAt leaves open whether an empty read beyond the end is an error.
				wantErr, gotErr = nil, nil
			}
			if gotN != wantN || !errors.Is(gotErr, wantErr) || !bytes.Equal(got[:gotN], want[:wantN]) {
				rt.Fatalf("ReadAt(%d bytes, %d) = %d, %v, want %d, %v", n, off, gotN, gotErr, wantN, wantErr)
			}
		})
		if _, err := o.ReadAt(t.Context(), make([]byte, 1), -1); err == nil {
			t.Error("a negative offset was read")
		}
	}
}

func readsAtTheSameTime(t *testing.T, p Place) {
	s := p.Open(t, false)
	data := Bytes(Large, 3)
	p.Put(t, "big.bin", data)
	var readers sync.WaitGroup
	for i := range 16 {
		readers.Go(func() {
			o, err := s.Open(t.Context(), "big.bin")
			if err != nil {
				t.Errorf("Open: %v", err)
				return
			}
			defer func() { _ = o.Close() }()
			part := make([]byte, 100_000)
			for j := range 20 {
				off := (i*37 + j*111_111) % (Large - len(part))
				if _, err := o.ReadAt(t.Context(), part, int64(off)); err != nil {
					t.Errorf("ReadAt: %v", err)
				} else if !bytes.Equal(part, data[off:off+len(part)]) {
					t.Errorf("other bytes at %d", off)
				}
			}
		})
	}
	readers.Wait()
}

func tellsWhatItIs(t *testing.T, p Place) {
	s := p.Open(t, false)
	for _, size := range []int{10, Large} {
		p.Put(t, "SU/99001/scan.jpg", Bytes(size, 1))
		info := open(t, s, "SU/99001/scan.jpg").Info()
		if info.Size != int64(size) {
			t.Errorf("size %d, want %d", info.Size, size)
		}
		if info.Name != "scan.jpg" {
			t.Errorf("name %q", info.Name)
		}
		if info.Modified.IsZero() {
			t.Error("no time of modification")
		}
		if info.Version == "" {
			t.Error("no version")
		}
	}
}

func versionFollowsTheBytes(t *testing.T, p Place) {
	s := p.Open(t, false)
	for _, size := range []int{1000, Large} {
		seen := map[string]bool{}
		for i := range 3 {
			want := Bytes(size, uint64(i))
			p.Put(t, "scan.jpg", want)
			for range 2 {
				o := open(t, s, "scan.jpg")
				seen[o.Info().Version] = true
				if !bytes.Equal(readAll(t, o), want) {
					t.Fatal("the bytes of an earlier state")
				}
			}
			if len(seen) != i+1 {
				t.Fatalf("%d versions after %d states", len(seen), i+1)
			}
		}
	}
}

// An opened original gives the bytes that were opened, or ErrChanged, and never some of both.
func neverMixesStates(t *testing.T, p Place) {
	s := p.Open(t, false)
	for _, size := range []int{1000, Large} {
		before := Bytes(size, 1)
		p.Put(t, "scan.tif", before)
		o := open(t, s, "scan.tif")
		part := make([]byte, 100)
		if _, err := o.ReadAt(t.Context(), part, 0); err != nil {
			t.Fatal(err)
		}
		replaceWith := []func(){
			func() { p.Put(t, "scan.tif", Bytes(size, 2)) },
			func() { p.Put(t, "scan.tif", Bytes(size/2, 3)) },
			func() { p.Delete(t, "scan.tif") },
		}
		for i, replace := range replaceWith {
			replace()
			for _, off := range []int{0, size / 3 * (i + 1) / 2, size - len(part)} {
				_, err := o.ReadAt(t.Context(), part, int64(off))
				switch {
				case errors.Is(err, source.ErrChanged):
				case err != nil:
					t.Errorf("after replacement %d: %v", i, err)
				case !bytes.Equal(part, before[off:off+len(part)]):
					t.Errorf("after replacement %d: bytes of another state at %d", i, off)
				}
			}
		}
	}
}

func wantNotFound(t *testing.T, s source.Source, path string) {
	t.Helper()
	o, err := s.Open(t.Context(), path)
	if err == nil {
		_ = o.Close()
	}
	if !errors.Is(err, source.ErrNotFound) {
		t.Errorf("Open(%q): %v, want ErrNotFound", path, err)
		return
	}
	if e := problem.From(err); e.Status != http.StatusNotFound || e.Detail != "No source file could be found" {
		t.Errorf("Open(%q) answers %d %q", path, e.Status, e.Detail)
	}
}

func missingIsNotFound(t *testing.T, p Place) {
	s := p.Open(t, true)
	p.Put(t, "folder/there.jpg", []byte("x"))
	for _, path := range []string{"missing.jpg", "folder/missing.jpg", "missing/there.jpg", "folder/there.jpg/below"} {
		wantNotFound(t, s, path)
	}
	p.Put(t, "late.jpg", []byte("x"))
	open(t, s, "late.jpg")
	p.Delete(t, "late.jpg")
	wantNotFound(t, s, "late.jpg")
}

func staysBelowItsBase(t *testing.T, p Place) {
	s := p.Open(t, true)
	p.Put(t, "folder/there.jpg", []byte("x"))
	for _, path := range []string{
		"", "/", "..", "../there.jpg", "folder/../folder/there.jpg", "folder/./there.jpg", "%2e%2e/there.jpg", "folder%2f..%2f..%2fetc/passwd",
		"..%252fthere.jpg", `folder\there.jpg`, "folder%5cthere.jpg", "folder/there.jpg\x00", "folder/there.jpg%00", "folder/there.jpg\r\nX: y",
		"//etc/passwd", "/etc/passwd", "folder/..;/there.jpg",
	} {
		wantNotFound(t, s, path)
	}
}

func opensOddNames(t *testing.T, p Place) {
	s := p.Open(t, false)
	for _, name := range []string{
		"SQ-01452 (2)-SQ10079651.jpg", "plus+and&equals=.jpg", "question?mark#hash.jpg", "100%.jpg", "café.jpg", "a:b@c;d,e.jpg",
		"...", "UPPER.JPG", "no extension", "~tilde'quote.jpg",
	} {
		p.Put(t, "odd/"+name, []byte(name))
		for _, path := range []string{"odd/" + name, "/odd/" + name, "//odd/" + name} {
			o := open(t, s, path)
			if got := readAll(t, o); string(got) != name {
				t.Errorf("%q holds %q", path, got)
			}
			if got := o.Info().Name; got != name {
				t.Errorf("%q is named %q", path, got)
			}
		}
	}
}

func looksForNameVariants(t *testing.T, p Place) {
	for _, c := range []struct{ there, asked string }{
		{"SU/scan_a.jpg", "SU/Scan_A.JPG"},
		{"SU/SCAN_B.jpg", "SU/scan_b.jpg"},
		{"SU/SCAN_C.JpG", "SU/Scan_c.JpG"},
	} {
		p.Put(t, c.there, []byte(c.there))
		o := open(t, p.Open(t, true), c.asked)
		if got := readAll(t, o); string(got) != c.there {
			t.Errorf("%q gives %q", c.asked, got)
		}
		wantNotFound(t, p.Open(t, false), c.asked)
	}
	// The spelling that was asked for goes before the others.
	p.Put(t, "SU/both.jpg", []byte("lower"))
	p.Put(t, "SU/BOTH.jpg", []byte("upper"))
	for path, want := range map[string]string{"SU/both.jpg": "lower", "SU/BOTH.jpg": "upper", "SU/Both.jpg": "lower"} {
		if got := readAll(t, open(t, p.Open(t, true), path)); string(got) != want {
			t.Errorf("%q gives %q", path, got)
		}
	}
	// A folder's case is not varied.
	wantNotFound(t, p.Open(t, true), "su/both.jpg")
}

func keepsToTheContext(t *testing.T, p Place) {
	s := p.Open(t, false)
	p.Put(t, "scan.tif", Bytes(Large, 1))
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Open(cancelled, "scan.tif"); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	o, err := s.Open(ctx, "scan.tif")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = o.Close() }()
	cancel()
	part := make([]byte, 10)
	if _, err := o.ReadAt(ctx, part, 5<<20); !errors.Is(err, context.Canceled) {
		t.Errorf("ReadAt: %v", err)
	}
	if _, err := o.ReadAt(t.Context(), part, 5<<20); err != nil {
		t.Errorf("the original ended with the context of its opening: %v", err)
	}
}

func countsTime(t *testing.T, p Place) {
	s := p.Open(t, false)
	p.Put(t, "scan.tif", Bytes(Large, 1))
	ctx, timer := source.WithTimer(t.Context())
	if timer.Total() != 0 {
		t.Error("time was spent before anything happened")
	}
	o, err := s.Open(ctx, "scan.tif")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = o.Close() }()
	opened := timer.Total()
	if opened <= 0 {
		t.Error("opening took no time")
	}
	if _, err := o.ReadAt(ctx, make([]byte, 10), 6<<20); err != nil {
		t.Fatal(err)
	}
	if timer.Total() <= opened {
		t.Error("reading took no time")
	}
}

func closesOnce(t *testing.T, p Place) {
	s := p.Open(t, false)
	for _, size := range []int{10, Large} {
		p.Put(t, "scan.tif", Bytes(size, 1))
		o := open(t, s, "scan.tif")
		for range 2 {
			if err := o.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if _, err := o.ReadAt(t.Context(), make([]byte, 1), 0); err == nil {
			t.Error("a closed original was read")
		}
	}
}

// Requests that are under way when a configuration is replaced end as they began.
func outlivesItsSource(t *testing.T, p Place) {
	s := p.Open(t, false)
	data := Bytes(Large, 1)
	p.Put(t, "scan.tif", data)
	p.Put(t, "small.jpg", data[:1000])
	large, small := open(t, s, "scan.tif"), open(t, s, "small.jpg")
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(readAll(t, large), data) || !bytes.Equal(readAll(t, small), data[:1000]) {
		t.Error("other bytes after the source was closed")
	}
	if !bytes.Equal(readAll(t, open(t, s, "small.jpg")), data[:1000]) {
		t.Error("a request under way could not open")
	}
}
