package testkit

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// logBuffer keeps what a server writes, and wakes those who wait for a line.
type logBuffer struct {
	mu      sync.Mutex
	text    strings.Builder
	changed chan struct{}
}

func newLogBuffer() *logBuffer { return &logBuffer{changed: make(chan struct{})} }

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.changed)
	b.changed = make(chan struct{})
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// wait returns once the text holds part, and fails the test when that takes too long.
func (b *logBuffer) wait(t testing.TB, part string) {
	t.Helper()
	limit := time.NewTimer(waitLimit)
	defer limit.Stop()
	for {
		b.mu.Lock()
		found, changed := strings.Contains(b.text.String(), part), b.changed
		b.mu.Unlock()
		if found {
			return
		}
		select {
		case <-changed:
		case <-limit.C:
			t.Fatalf("testkit: %q did not come into the log within %v", part, waitLimit)
		}
	}
}
