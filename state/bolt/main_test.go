package bolt

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// newEngine makes an engine on dir that waits for no other process.
func newEngine(t *testing.T, dir string) *Engine {
	t.Helper()
	engine, err := New(Config{Directory: dir, LockTimeout: 50 * time.Millisecond}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	return engine
}
