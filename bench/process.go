package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// process is a running one, as Linux tells of it, with those that it started: a server renders in processes of its own.
type process struct{ pid int }

// cpu is the processor time that they have used, in user mode and in the kernel.
func (p process) cpu() (time.Duration, error) {
	sum, err := p.own()
	if err != nil {
		return 0, err
	}
	ended, err := p.ended()
	if err != nil {
		return 0, err
	}
	sum += ended
	for _, child := range p.children() {
		// One that has ended meanwhile is counted among the others the next time.
		if used, err := child.own(); err == nil {
			sum += used
		}
	}
	return sum, nil
}

// children are the processes that it started and that run.
func (p process) children() (out []process) {
	tasks, _ := filepath.Glob(p.file("task/*/children"))
	for _, task := range tasks {
		list, _ := os.ReadFile(task)
		for _, word := range strings.Fields(string(list)) {
			if pid, err := strconv.Atoi(word); err == nil {
				out = append(out, process{pid})
			}
		}
	}
	return out
}

// ended is the processor time of the children that have ended. proc(5) counts it in hundredths of a second.
func (p process) ended() (time.Duration, error) {
	stat, err := os.ReadFile(p.file("stat"))
	if err != nil {
		return 0, err
	}
	// The second field is a name in brackets, which may hold anything; cutime and cstime are the 16th and the 17th.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 15 {
		return 0, errors.New("stat has no cutime")
	}
	var ticks int64
	for _, field := range fields[13:15] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / 100), nil
}

// own is the processor time of the process itself. Its clock has nanoseconds, where /proc counts in hundredths of a
// second, of which a round has few.
func (p process) own() (time.Duration, error) {
	// clock_getcpuclockid(3): the id is the complement of the process id, and 2 stands for what the scheduler counts.
	clock := int32(^p.pid<<3 | 2)
	var used unix.Timespec
	if err := unix.ClockGettime(clock, &used); err != nil {
		return 0, fmt.Errorf("processor time of process %d: %w", p.pid, err)
	}
	return time.Duration(used.Nano()), nil
}

func (p process) file(name string) string { return fmt.Sprintf("/proc/%d/%s", p.pid, name) }

// parseMemory reads a line of a process's status.
func parseMemory(status []byte, name string) (int64, error) {
	for line := range bytes.Lines(status) {
		if value, found := bytes.CutPrefix(line, []byte(name)); found {
			kib, err := strconv.ParseInt(string(bytes.TrimSuffix(bytes.TrimSpace(value), []byte(" kB"))), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("status has no %s", name)
}
