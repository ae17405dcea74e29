package conformance_test

import (
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

var update = flag.Bool("update", false, "write docs/conformance.md from this run")

// TestConformance runs each check under its number, and then compares docs/conformance.md with the outcome. By then most
// of what was asked for is kept; all of it is checked once more.
func TestConformance(t *testing.T) {
	s := newSites(t, "")
	passed := runChecks(t, "checks", s)
	runChecks(t, "kept", s)
	s.calm(t)
	t.Run("document", func(t *testing.T) {
		if len(passed) < len(allChecks()) {
			t.Fatalf("the page is about all %d checks, and %d have run", len(allChecks()), len(passed))
		}
		page := filepath.Join(testkit.ModuleRoot(t), "docs", "conformance.md")
		want := document(passed)
		if *update {
			if err := os.WriteFile(page, []byte(want), 0o644); err != nil { //nolint:gosec // A page to read.
				t.Fatal(err)
			}
			return
		}
		have, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if string(have) != want {
			t.Errorf("docs/conformance.md tells of another run; go test ./conformance -update writes it")
		}
	})
}

// Where pictures are made is nothing that callers see.
func TestConformanceWithoutProcesses(t *testing.T) {
	s := newSites(t, "isolation none")
	runChecks(t, "checks", s)
	s.calm(t)
}

// runChecks runs all checks, and tells which passed.
func runChecks(t *testing.T, name string, s *sites) (passed map[string]bool) {
	t.Helper()
	var mu sync.Mutex
	passed = map[string]bool{}
	t.Run(name, func(t *testing.T) {
		for _, c := range allChecks() {
			t.Run(c.number, func(t *testing.T) {
				t.Parallel()
				defer func() {
					mu.Lock()
					defer mu.Unlock()
					passed[c.number] = !t.Failed()
				}()
				c.run(&probe{T: t, sites: s})
			})
		}
	})
	return passed
}
