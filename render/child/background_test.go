//go:build linux

package child

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// What a child writes arrives whole and in order, however long it is.
func TestWrites(t *testing.T) {
	p := newPool(t, nil)
	for _, n := range []int64{1, 1000, maxWrite, maxWrite + 1, 5 << 20} {
		var sink bytes.Buffer
		call := callOf(Background, order{Do: "write", N: n, Text: "abc"}, &stored{data: pattern(2 << 20)})
		call.Sink, call.MaxWritten = &sink, n
		answer, err := p.Call(context.Background(), call)
		if err != nil || string(answer.Data) != "written" || sink.String() != strings.Repeat("abc", int(n))[:n] {
			t.Errorf("%d bytes: %q, %d written: %v", n, answer.Data, sink.Len(), err)
		}
	}
}

type full struct{ after int }

var errFull = errors.New("full")

func (f *full) Write(p []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// Whatever goes wrong with writing is told, and ends the call.
func TestWritesThatFail(t *testing.T) {
	p := newPool(t, nil)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	call := callOf(Background, order{Do: "write", N: 1 << 20, Text: "abc"}, nil)
	if _, err := p.Call(ctx, call); !errors.Is(err, ErrCrashed) {
		t.Errorf("nobody takes what is written: %v", err)
	}
	var sink bytes.Buffer
	call.Sink, call.MaxWritten = &sink, 1<<20-1
	if _, err := p.Call(ctx, call); !errors.Is(err, ErrCrashed) || sink.Len() >= 1<<20 {
		t.Errorf("more than allowed, %d bytes: %v", sink.Len(), err)
	}
	call.Sink, call.MaxWritten = &full{after: 3}, 1<<20
	answer, err := p.Call(ctx, call)
	if failed := new(FailedError); !errors.As(err, &failed) || !errors.Is(answer.WriteError, errFull) {
		t.Errorf("a sink that is full: %v, %v", answer.WriteError, err)
	}
	// What was written is not written again.
	sink.Reset()
	call = callOf(Background, order{Do: "write", N: 1000, Text: "abc", Sleep: 1}, nil)
	call.Sink, call.MaxWritten = &sink, 1<<20
	if _, err := p.Call(ctx, call); !errors.Is(err, ErrCrashed) || sink.Len() != 1000 {
		t.Errorf("a crash after %d bytes: %v", sink.Len(), err)
	}
}

// A child in the background lets others go first where it is told so, and is there only while it has work.
func TestBackground(t *testing.T) {
	p := newPool(t, nil)
	ctx := context.Background()
	if _, err := p.Hello(ctx); err != nil {
		t.Fatal(err)
	}
	// One for headers, two for work.
	waitFor(t, "the usual children", func() bool { return p.Stats().Alive == 3 })
	// Linux gives 20 less the niceness here.
	for idle, want := range map[bool]string{true: "10", false: "20"} {
		call := callOf(Background, order{Do: "nice"}, nil)
		call.Idle = idle
		if got, err := p.Call(ctx, call); err != nil || string(got.Data) != want {
			t.Errorf("idle: %t, priority %s: %v", idle, got.Data, err)
		}
	}
	if got, err := tell(ctx, p, Work, order{Do: "nice"}, nil); err != nil || got != "20" {
		t.Errorf("priority of work %s: %v", got, err)
	}
	waitFor(t, "its end", func() bool { return p.Stats().Alive == 3 })
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if _, err := tell(short, p, Background, order{Do: "deaf", Sleep: time.Hour}, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	waitFor(t, "its end", func() bool { return p.Stats().Alive == 3 })
	for range 3 {
		if got, err := tell(ctx, p, Background, order{Do: "count"}, nil); err != nil || got != "1" {
			t.Errorf("call %s of its child: %v", got, err)
		}
	}
}
