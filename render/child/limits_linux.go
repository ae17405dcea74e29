package child

import (
	"fmt"
	"math"

	"golang.org/x/sys/unix"
)

const (
	// dataRoom is what a process has mapped for writing before it does anything: stacks of threads, and Go's arenas. Little
	// of it is ever resident.
	dataRoom = 768 << 20
	// openFiles is how many descriptors a child may have: one or two for each of its calls, and the fonts that a PDF needs.
	openFiles = 256
)

// limitSelf bounds what this process may take, for good: memory, as a stop behind the server's watch on what is
// resident; files it may not write; no core dumps, which would hold pictures.
func limitSelf(memory int64) error {
	type limit struct {
		what  int
		value uint64
	}
	limits := []limit{{unix.RLIMIT_FSIZE, 0}, {unix.RLIMIT_CORE, 0}, {unix.RLIMIT_NOFILE, openFiles}}
	if memory > 0 && memory < math.MaxInt64-dataRoom && !raceDetector {
		limits = append(limits, limit{unix.RLIMIT_DATA, uint64(memory + dataRoom)})
	}
	for _, l := range limits {
		// Where the limit is lower already, it stays.
		var now unix.Rlimit
		if err := unix.Getrlimit(l.what, &now); err != nil {
			return fmt.Errorf("read a limit: %w", err)
		}
		value := min(l.value, now.Max)
		if err := unix.Setrlimit(l.what, &unix.Rlimit{Cur: value, Max: value}); err != nil {
			return fmt.Errorf("set a limit: %w", err)
		}
	}
	return nil
}
