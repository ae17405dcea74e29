package main

import (
	"fmt"
	"os"
	"slices"
	"testing"
)

// harness lets a program use the test kit, which speaks to a testing.TB: what a test would clean up when it ends, the
// program does at its own end. Methods that the test kit does not use are not there.
type harness struct {
	testing.TB
	failed   bool
	cleanups []func()
}

// fatal is what a panic carries that only means the end.
type fatal struct{}

// run calls f, cleans up after it, and gives the exit code.
func (h *harness) run(f func()) (code int) {
	defer func() {
		if h.failed {
			code = 1
		}
	}()
	defer func() {
		for _, cleanup := range slices.Backward(h.cleanups) {
			cleanup()
		}
	}()
	defer func() {
		if r := recover(); r != nil && r != any(fatal{}) {
			panic(r)
		}
	}()
	f()
	return 0
}

func (h *harness) Helper()          {}
func (h *harness) Failed() bool     { return h.failed }
func (h *harness) Cleanup(f func()) { h.cleanups = append(h.cleanups, f) }
func (h *harness) Log(words ...any) { fmt.Fprintln(os.Stderr, words...) }
func (h *harness) Fatal(words ...any) {
	h.Error(words...)
	panic(fatal{})
}

func (h *harness) Error(words ...any) {
	h.failed = true
	h.Log(words...)
}

func (h *harness) Logf(format string, arguments ...any)   { h.Log(fmt.Sprintf(format, arguments...)) }
func (h *harness) Errorf(format string, arguments ...any) { h.Error(fmt.Sprintf(format, arguments...)) }
func (h *harness) Fatalf(format string, arguments ...any) { h.Fatal(fmt.Sprintf(format, arguments...)) }

// TempDir is a folder that goes when the program ends.
func (h *harness) TempDir() string {
	dir, err := os.MkdirTemp("", "gatehouse-bench-")
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
