package main

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

func TestClientLoadsEachPathOnce(t *testing.T) {
	var asked, connections atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Header.Get("Authorization") != "Bearer x" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = w.Write([]byte(r.URL.Path))
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	c := client{address: server.Listener.Addr().String(), header: "Authorization: Bearer x\r\n"}

	took, err := c.load(3, []string{"/a", "/bb", "/ccc", "/dddd"})
	if err != nil {
		t.Fatal(err)
	}
	if asked.Load() != 4 || took.bytes != 2+3+4+5 || len(took.latencies) != 4 || took.seconds <= 0 {
		t.Errorf("%d requests, %+v", asked.Load(), took)
	}
	for i, latency := range took.latencies {
		if latency <= 0 || latency > took.seconds {
			t.Errorf("answer %d took %v of %v s", i, latency, took.seconds)
		}
	}
	if n := connections.Load(); n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
	if body, err := c.fetch("/hello"); err != nil || string(body) != "/hello" {
		t.Errorf("got %q, %v", body, err)
	}
}

func TestClientRefusesWhatItCannotMeasure(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/missing":
			http.NotFound(w, r)
		case "/chunked":
			w.(http.Flusher).Flush()
			_, _ = w.Write([]byte("x"))
		case "/cut":
			w.Header().Set("Content-Length", "10")
			_, _ = w.Write([]byte("x"))
		}
	}))
	defer server.Close()
	c := client{address: server.Listener.Addr().String()}
	for path, reason := range map[string]string{"/missing": "404", "/chunked": "no Content-Length", "/cut": "EOF"} {
		if _, err := c.load(1, []string{path}); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, want an error with %q", path, err, reason)
		}
	}
}

func TestProcessTellsOfItself(t *testing.T) {
	p := process{os.Getpid()}
	before, err := p.cpu()
	if err != nil {
		t.Fatal(err)
	}
	for n, start := 0, time.Now(); n < 10 || time.Since(start) < 20*time.Millisecond; n++ {
		_ = testkit.JPEG(t, 64, 64)
	}
	if after, err := p.cpu(); err != nil || after-before < time.Millisecond || after > time.Hour {
		t.Errorf("it had used %v, then %v, %v", before, after, err)
	}
	most := p.watchMemory()
	lean, err := p.resident()
	if err != nil {
		t.Fatal(err)
	}
	filled := bytes.Repeat([]byte{1}, 64<<20)
	time.Sleep(5 * memoryInterval)
	if peak, err := most(); err != nil || peak < lean+32<<20 || filled[1] != 1 {
		t.Errorf("%d bytes became %d when 64 MiB were filled, %v", lean, peak, err)
	}
	if _, err := (process{1 << 27}).cpu(); err == nil {
		t.Error("there is a process of an id beyond all")
	}
}

func TestParseMemory(t *testing.T) {
	if peak, err := parseMemory([]byte("Name:\tx\nVmRSS:\t    2048 kB\nVmRSS:\t 1 kB\n"), "VmRSS:"); err != nil || peak != 2<<20 {
		t.Errorf("got %d, %v", peak, err)
	}
	for _, bad := range []string{"Name:\tx\n", "VmRSS:\tmuch kB\n"} {
		if _, err := parseMemory([]byte(bad), "VmRSS:"); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
