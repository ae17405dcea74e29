package main

import (
	"bytes"
	"os"
	"time"
)

// memoryInterval is how often one looks at the memory of processes. What is there for a shorter time is hardly much: a
// page takes the kernel a quarter of a microsecond.
const memoryInterval = 20 * time.Millisecond

// resident is the memory that the process and those that it started have now, in bytes. The program's file, which all
// of them map, counts once; what they share for pictures counts for each.
func (p process) resident() (int64, error) {
	status, err := os.ReadFile(p.file("status"))
	if err != nil {
		return 0, err
	}
	sum, err := parseMemory(status, "VmRSS:")
	if err != nil {
		return 0, err
	}
	own, err := os.ReadFile(p.file("cmdline"))
	if err != nil {
		return 0, err
	}
	for _, child := range p.children() {
		// Between fork and exec it has the memory of the process that starts it, and its command line.
		if line, err := os.ReadFile(child.file("cmdline")); err != nil || bytes.Equal(line, own) {
			continue
		}
		status, err := os.ReadFile(child.file("status"))
		if err != nil {
			continue // it has ended
		}
		for _, name := range []string{"RssAnon:", "RssShmem:"} {
			if n, err := parseMemory(status, name); err == nil {
				sum += n
			}
		}
	}
	return sum, nil
}

// watchMemory looks at the memory again and again until most is called, which gives the most that all of them had at one
// time, in bytes.
func (p process) watchMemory() (most func() (int64, error)) {
	stop, done := make(chan struct{}), make(chan struct{})
	var peak int64
	var failure error
	go func() {
		defer close(done)
		ticker := time.NewTicker(memoryInterval)
		defer ticker.Stop()
		for {
			var now int64
			if now, failure = p.resident(); failure != nil {
				return
			}
			peak = max(peak, now)
			select {
			case <-stop:
				return
			case <-ticker.C:
			}
		}
	}()
	return func() (int64, error) {
		close(stop)
		<-done
		return peak, failure
	}
}
