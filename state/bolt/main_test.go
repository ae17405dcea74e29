package bolt

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// stateOfOther makes this binary another process, which opens the state in the folder that the variable names.
const stateOfOther = "GATEHOUSE_TEST_STATE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(stateOfOther); dir != "" {
		engine, err := New(Config{Directory: dir, LockTimeout: 50 * time.Millisecond}, nil)
		if err == nil {
			err = engine.Open()
		}
		fmt.Printf("locked=%t %v\n", errors.Is(err, ErrLocked), err)
		return
	}
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
