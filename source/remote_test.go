package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/clock"
)

// shelf is a place in memory. Every path is there unless it is listed as absent.
type shelf struct {
	mu     sync.Mutex
	data   []byte
	absent map[string]bool
	asks   []string
	closed int
}

func (s *shelf) fetch(_ context.Context, path string, a ask) (*reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asks = append(s.asks, path)
	now := validator{etag: fmt.Sprintf(`"%d"`, len(s.data))}
	switch {
	case s.absent[path]:
		return nil, errAbsent
	case !a.unless.isZero() && a.unless == now:
		return nil, errNotModified
	case !a.only.isZero() && a.only != now:
		return nil, errMoved
	}
	size := int64(len(s.data))
	if a.length == 0 {
		a.length = size
	}
	end := min(a.off+a.length, size)
	return &reply{
		partial: true, off: a.off, length: end - a.off, size: size, validator: now, exact: true,
		body: io.NopCloser(bytes.NewReader(s.data[a.off:end])),
	}, nil
}

func (s *shelf) closeIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed++
}

// asked gives the number of questions since the last call.
func (s *shelf) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.asks)
	s.asks = nil
	return n
}

func newShelf(t *testing.T, size int, c Remote) (*shelf, *remote) {
	t.Helper()
	spool, err := NewSpool(SpoolConfig{Dir: filepath.Join(t.TempDir(), "spool")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	place := &shelf{data: make([]byte, size), absent: map[string]bool{}}
	r, err := newRemote(KindHTTP, place, c, Deps{Spool: spool, Clock: clock.System{}, Observe: func(Kind, float64, int64, string) {}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return place, r
}

func openAndClose(t *testing.T, r *remote, path string) {
	t.Helper()
	o, err := r.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestRemoteRemembersABoundedNumber(t *testing.T) {
	_, r := newShelf(t, 9<<20, Remote{})
	for i := range maxFound + 10 {
		f := &found{asked: fmt.Sprint(i), path: fmt.Sprint(i), checked: time.Now()}
		r.remember(f)
	}
	if len(r.found) != maxFound || r.recent.Len() != maxFound {
		t.Errorf("%d and %d are remembered", len(r.found), r.recent.Len())
	}
	if r.remembered("0") != nil || r.remembered(fmt.Sprint(maxFound)) == nil {
		t.Error("not the longest unused ones were forgotten")
	}
}

func TestRemoteForgetsOnlyWhatItWasTold(t *testing.T) {
	_, r := newShelf(t, 9<<20, Remote{})
	older, newer := &found{asked: "a"}, &found{asked: "a"}
	r.remember(older)
	r.remember(newer)
	r.forget(older)
	if r.remembered("a") != newer {
		t.Error("what somebody found meanwhile was forgotten")
	}
	r.forget(newer)
	r.forget(newer)
	if r.remembered("a") != nil {
		t.Error("it is still remembered")
	}
}

func TestRemoteRemembersUnderThePathThatWasAsked(t *testing.T) {
	place, r := newShelf(t, 1000, Remote{NameVariants: true})
	place.absent["Scan.jpg"] = true
	openAndClose(t, r, "Scan.jpg")
	if n := place.asked(); n != 2 {
		t.Errorf("%d questions for two spellings", n)
	}
	openAndClose(t, r, "Scan.jpg")
	openAndClose(t, r, "/Scan.jpg")
	if n := place.asked(); n != 0 {
		t.Errorf("%d questions for what is remembered", n)
	}
	openAndClose(t, r, "scan.jpg")
	if n := place.asked(); n != 1 {
		t.Errorf("%d questions for another path", n)
	}
}

// What has gone is noticed when it is asked for again, and its bytes do not stay.
func TestRemoteForgetsWhatIsGone(t *testing.T) {
	place, r := newShelf(t, 1000, Remote{Fresh: -1})
	openAndClose(t, r, "a")
	if r.spool.Used() != 1000 {
		t.Fatalf("%d bytes in the spool", r.spool.Used())
	}
	place.absent["a"] = true
	if _, err := r.Open(t.Context(), "a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("%v, want ErrNotFound", err)
	}
	if r.spool.Used() != 0 || r.remembered("a") != nil {
		t.Error("the bytes of an original that is gone are kept")
	}
}

func TestRemoteReplacesWhatItKept(t *testing.T) {
	place, r := newShelf(t, 1000, Remote{Fresh: -1})
	first, err := r.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	place.mu.Lock()
	place.data = make([]byte, 500)
	place.mu.Unlock()
	openAndClose(t, r, "a")
	if r.spool.Used() != 1500 {
		t.Errorf("%d bytes in the spool while the old state is open", r.spool.Used())
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if r.spool.Used() != 500 {
		t.Errorf("%d bytes in the spool", r.spool.Used())
	}
}

func TestRemoteLivesAsLongAsItsUsers(t *testing.T) {
	place, r := newShelf(t, 9<<20, Remote{})
	o, err := r.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	life := r.life
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if life.Err() != nil || place.closed != 0 {
		t.Error("closing the source cut off its user")
	}
	late, err := r.Open(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if life.Err() != nil {
		t.Error("the first to leave cut off the second")
	}
	if err := late.Close(); err != nil {
		t.Fatal(err)
	}
	if life.Err() == nil || place.closed == 0 || len(r.found) != 0 || r.blocks.used != 0 {
		t.Error("the last to leave left something behind")
	}
	openAndClose(t, r, "c")
	if len(r.found) != 0 || r.life != nil {
		t.Error("a late user left something behind")
	}
}

// Who leaves at once goes on before the search that it began has read what it was given; the race detector would see
// that they share it.
func TestRemoteSearchesOnWithoutItsCaller(t *testing.T) {
	_, r := newShelf(t, 1000, Remote{Fresh: -1})
	openAndClose(t, r, "a")
	life := r.enter()
	defer r.leave()
	gone, leave := context.WithCancel(t.Context())
	leave()
	for range 200 {
		if o, err := r.open(gone, life, "a"); err == nil {
			r.enter()
			_ = o.Close()
		} else if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
}

// A reader that goes straight on asks for more and more; one that jumps does not.
func TestRemoteLookAhead(t *testing.T) {
	place, r := newShelf(t, 64*blockSize, Remote{})
	o, err := r.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = o.Close() }()
	read := func(block int64) int {
		t.Helper()
		place.asked()
		if _, err := o.ReadAt(t.Context(), make([]byte, 1), block*blockSize); err != nil {
			t.Fatal(err)
		}
		return place.asked()
	}
	for i, want := range []int{0, 1, 1, 0, 1, 0, 0, 1, 0, 0} {
		if got := read(int64(i)); got != want {
			t.Errorf("block %d: %d questions, want %d", i, got, want)
		}
	}
	for _, block := range []int64{60, 40, 50} {
		if got := read(block); got != 1 {
			t.Errorf("jump to block %d: %d questions", block, got)
		}
		if data, _, _ := r.blocks.lookup(blockKey{"a\x00" + o.Info().Version, block + 1}, block+1); data != nil {
			t.Errorf("a jump to block %d fetched the next one too", block)
		}
	}
}
