//go:build unix

package vips

import "syscall"

// duplicate gives a descriptor of its own for an open file. It is close-on-exec.
func duplicate(fd uintptr) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	own, err := syscall.Dup(int(fd))
	if err == nil {
		syscall.CloseOnExec(own)
	}
	return own, err
}
