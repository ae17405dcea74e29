package testkit

import (
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// untilOneListens waits, for a second at most, until one socket alone listens at the server's address. A configuration
// that was replaced stops to listen a moment after its reload has succeeded, and a connection that comes to it then may be
// reset by Linux.
func (s *Server) untilOneListens() {
	_, port, err := net.SplitHostPort(s.address)
	if err != nil {
		return
	}
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		table, err := os.ReadFile("/proc/net/tcp")
		if err != nil || listeners(string(table), port) < 2 {
			return
		}
	}
}

// listeners counts the sockets that listen at a port, in the form of proc_pid_net(5).
func listeners(table, port string) (n int) {
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return 0
	}
	const localAddress, state, listening = 1, 3, "0A"
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) <= state || fields[state] != listening {
			continue
		}
		_, hex, _ := strings.Cut(fields[localAddress], ":")
		if at, err := strconv.ParseUint(hex, 16, 16); err == nil && at == number {
			n++
		}
	}
	return n
}
