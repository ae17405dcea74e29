package testkit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// build makes the binary at most once in a test process, for all its tests.
var build = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("GATEHOUSE_BINARY"); path != "" {
		return path, exec.Command(path, "version").Run()
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, "build", "test")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	// Other test processes build to the same place. A rename lets each of them see a whole file.
	fresh := filepath.Join(dir, fmt.Sprintf("gatehouse-%d", os.Getpid()))
	command := exec.Command("go", "build", "-o", fresh, "./cmd/gatehouse")
	command.Dir = root
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/gatehouse: %w\n%s", err, out)
	}
	path := filepath.Join(dir, "gatehouse")
	return path, os.Rename(fresh, path)
})

// Binary is the path of the server: what GATEHOUSE_BINARY names, or else built from the working tree, once in a test
// process.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatalf("testkit: no binary: %v", err)
	}
	return path
}

// ModuleRoot is the folder of go.mod.
func ModuleRoot(t testing.TB) string {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}
