package testkit

import (
	"net"
	"os"
	"testing"
)

func TestListeners(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	count := func() int {
		table, err := os.ReadFile("/proc/net/tcp")
		if err != nil {
			t.Fatal(err)
		}
		return listeners(string(table), port)
	}
	if n := count(); n != 1 {
		t.Errorf("%d listen at %s, want 1", n, port)
	}
	_ = l.Close()
	if n := count(); n != 0 {
		t.Errorf("%d listen at %s, want none", n, port)
	}
}
