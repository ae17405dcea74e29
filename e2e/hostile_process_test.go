package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// starved tells, for each thread of the server, how long it has been ready to run while the machine ran others
// (proc(5), schedstat).
func (h *house) starved() map[string]time.Duration {
	out := map[string]time.Duration{}
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", h.server.Pid()))
	if err != nil {
		return out
	}
	for _, thread := range threads {
		data, err := os.ReadFile(thread)
		words := strings.Fields(string(data))
		if err != nil || len(words) < 2 {
			continue // it has ended
		}
		if n, err := strconv.ParseInt(words[1], 10, 64); err == nil {
			out[thread] = time.Duration(n)
		}
	}
	return out
}

// waited is how long the thread that waited longest did so in between.
func waited(before, after map[string]time.Duration) time.Duration {
	var longest time.Duration
	for thread, n := range after {
		longest = max(longest, n-before[thread])
	}
	return longest
}

// peakMemory is the most that the server has had in memory, in bytes.
func (h *house) peakMemory() int64 { return h.memory("VmHWM:") }

// memory reads a line of the server's status.
func (h *house) memory(name string) int64 {
	h.t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.server.Pid()))
	if err != nil {
		h.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), name)
	words := strings.Fields(rest)
	if len(words) == 0 {
		h.t.Fatalf("no %s in the status of the server", name)
	}
	n, err := strconv.ParseInt(words[0], 10, 64)
	if err != nil {
		h.t.Fatal(err)
	}
	return n << 10
}
