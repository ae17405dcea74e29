package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// starved tells, for each thread of the server and its rendering processes, how long it has been ready to run while the machine ran others
// (proc(5), schedstat).
func (h *house) starved() map[string]time.Duration {
	out := map[string]time.Duration{}
	var threads []string
	for _, pid := range append(childrenOf(h.server.Pid()), h.server.Pid()) {
		of, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		if err != nil {
			return out
		}
		threads = append(threads, of...)
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

// childrenOf are the processes that a process has started, and that are there.
func childrenOf(parent int) (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		data, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		// The name, in parentheses, may hold anything.
		words := strings.Fields(string(data[max(0, strings.LastIndexByte(string(data), ')')):]))
		if len(words) > 2 && words[1] != "Z" && words[2] == strconv.Itoa(parent) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// peakMemory is the most that the server has had in memory, in bytes, and on top the most of each of its rendering
// processes, but for the program, which they share.
func (h *house) peakMemory() int64 {
	peak := memoryOf(h.server.Pid(), "VmHWM:")
	for _, pid := range childrenOf(h.server.Pid()) {
		peak += max(0, memoryOf(pid, "VmHWM:")-memoryOf(pid, "RssFile:"))
	}
	return peak
}

// memoryOf reads a line of a process's status, 0 when it has ended.
func memoryOf(pid int, name string) int64 {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := strings.Cut(string(data), name)
	words := strings.Fields(rest)
	if len(words) == 0 {
		return 0
	}
	n, _ := strconv.ParseInt(words[0], 10, 64)
	return n << 10
}
