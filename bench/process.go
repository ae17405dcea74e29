package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// process is a running one, as Linux tells of it.
type process struct{ pid int }

// cpu is the processor time that it has used, in user mode and in the kernel. Its own clock has nanoseconds, where
// /proc counts in hundredths of a second, of which a round has few.
func (p process) cpu() (time.Duration, error) {
	// clock_getcpuclockid(3): the id is the complement of the process id, and 2 stands for what the scheduler counts.
	clock := int32(^p.pid<<3 | 2)
	var used unix.Timespec
	if err := unix.ClockGettime(clock, &used); err != nil {
		return 0, fmt.Errorf("processor time of process %d: %w", p.pid, err)
	}
	return time.Duration(used.Nano()), nil
}

func (p process) file(name string) string { return fmt.Sprintf("/proc/%d/%s", p.pid, name) }

// resetPeak makes peak begin anew.
func (p process) resetPeak() error { return os.WriteFile(p.file("clear_refs"), []byte("5"), 0) }

// peak is the most memory that was resident, in bytes.
func (p process) peak() (int64, error) {
	status, err := os.ReadFile(p.file("status"))
	if err != nil {
		return 0, err
	}
	return parsePeak(status)
}

func parsePeak(status []byte) (int64, error) {
	for line := range bytes.Lines(status) {
		if value, found := bytes.CutPrefix(line, []byte("VmHWM:")); found {
			kib, err := strconv.ParseInt(string(bytes.TrimSuffix(bytes.TrimSpace(value), []byte(" kB"))), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("status has no VmHWM")
}
