package vips

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// niceness is how much less than others a thread gets of a processor that others want, from 0 to 19.
const niceness = 10

// yield lets all others go before the work of this goroutine, which keeps its thread for that, and ends it.
func yield() {
	runtime.LockOSThread()
	// It works as well without.
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, niceness)
}
