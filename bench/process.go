package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// tick is the unit of processor time in /proc: USER_HZ, which is 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// process is a running one, as Linux tells of it.
type process struct{ pid int }

func (p process) file(name string) string { return fmt.Sprintf("/proc/%d/%s", p.pid, name) }

// cpu is the processor time that it has used, in user mode and in the kernel.
func (p process) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(p.file("stat"))
	if err != nil {
		return 0, err
	}
	return parseCPU(stat)
}

// parseCPU reads fields 14 and 15 of proc(5)'s stat. The second field is the program's name, which may hold anything.
func parseCPU(stat []byte) (time.Duration, error) {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("stat has %d fields", len(fields)+2)
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("stat: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

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
	return 0, fmt.Errorf("status has no VmHWM")
}
