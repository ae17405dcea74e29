package authn

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// logWatch keeps the lines of a log and lets a test wait for one.
type logWatch struct {
	mu    sync.Mutex
	lines bytes.Buffer
	grown *sync.Cond
}

func newLogWatch() *logWatch {
	w := &logWatch{}
	w.grown = sync.NewCond(&w.mu)
	return w
}

func (w *logWatch) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.grown.Broadcast()
	return w.lines.Write(p)
}

func (w *logWatch) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (w *logWatch) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lines.String()
}

// wait returns when the log holds the text; the test's own time limit bounds it.
func (w *logWatch) wait(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !strings.Contains(w.lines.String(), text) {
		w.grown.Wait()
	}
}

func (w *logWatch) count(text string) int { return strings.Count(w.text(), text) }
