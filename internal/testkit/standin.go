package testkit

import (
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// waitLimit bounds every wait for an event that a test expects, in a machine that is busy with other tests.
const waitLimit = 30 * time.Second

// Request is what a stand-in saw of a request.
type Request struct {
	Method string
	// Path is the escaped path, as it came over the line.
	Path string
	// Query is the raw query, without the question mark.
	Query  string
	Header http.Header
}

// StandIn is a server in place of a real system.
type StandIn struct {
	t       testing.TB
	handler http.Handler
	tls     bool
	address string

	mu       sync.Mutex
	server   *httptest.Server // nil while it is down
	released chan struct{}    // closed when the server goes down; faults that wait listen to it
	arrived  chan struct{}    // closed and replaced at each request
	requests []Request
	fault    Fault
	left     int // how many more requests the fault meets; negative: all
}

// NewStandIn serves handler until the test ends.
func NewStandIn(t testing.TB, handler http.Handler) *StandIn {
	t.Helper()
	return newStandIn(t, handler, false)
}

// NewTLSStandIn serves handler over TLS; CAFile has the certificate to trust.
func NewTLSStandIn(t testing.TB, handler http.Handler) *StandIn {
	t.Helper()
	return newStandIn(t, handler, true)
}

func newStandIn(t testing.TB, handler http.Handler, tls bool) *StandIn {
	t.Helper()
	s := &StandIn{t: t, handler: handler, tls: tls, address: "127.0.0.1:0", arrived: make(chan struct{})}
	s.Up()
	t.Cleanup(s.Down)
	return s
}

// URL is the base, without a slash at the end. It stays the same when the stand-in goes down and up.
func (s *StandIn) URL() string {
	if s.tls {
		return "https://" + s.address
	}
	return "http://" + s.address
}

// Address is host:port.
func (s *StandIn) Address() string { return s.address }

// CAFile writes the certificate of a TLS stand-in to a file, PEM, and gives its path.
func (s *StandIn) CAFile() string {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server == nil || s.server.Certificate() == nil {
		s.t.Fatal("testkit: no TLS stand-in that is up")
	}
	path := filepath.Join(s.t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.server.Certificate().Raw})
	if err := os.WriteFile(path, block, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// Down stops listening and cuts every connection: further calls are refused.
func (s *StandIn) Down() {
	s.mu.Lock()
	server := s.server
	s.server = nil
	if server != nil {
		close(s.released)
	}
	s.mu.Unlock()
	if server != nil {
		server.CloseClientConnections()
		server.Close()
	}
}

// Up listens again, at the same address as before.
func (s *StandIn) Up() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil {
		return
	}
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		s.t.Fatalf("testkit: stand-in cannot listen: %v", err)
	}
	s.address = listener.Addr().String()
	s.released = make(chan struct{})
	s.server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: waitLimit}}
	if s.tls {
		s.server.StartTLS()
	} else {
		s.server.Start()
	}
}

func (s *StandIn) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, Request{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Clone()})
	close(s.arrived)
	s.arrived = make(chan struct{})
	fault, released := s.fault, s.released
	if s.left > 0 {
		if s.left--; s.left == 0 {
			s.fault = nil
		}
	}
	s.mu.Unlock()
	if fault == nil {
		s.handler.ServeHTTP(w, r)
		return
	}
	fault(w, r, s.handler, released)
}

// Fail makes every further request meet fault, until Heal.
func (s *StandIn) Fail(fault Fault) { s.FailTimes(-1, fault) }

// FailTimes makes the next n requests meet fault.
func (s *StandIn) FailTimes(n int, fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.left = fault, n
}

// Heal ends a fault for further requests. Requests that already met it stay with it.
func (s *StandIn) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.left = nil, 0
}

// Requests gives all requests since the start or Forget, in the order of their arrival.
func (s *StandIn) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Count is the number of Requests.
func (s *StandIn) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// CountPath is the number of Requests to an escaped path.
func (s *StandIn) CountPath(path string) int {
	n := 0
	for _, r := range s.Requests() {
		if r.Path == path {
			n++
		}
	}
	return n
}

// Forget empties Requests.
func (s *StandIn) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

// WaitFor waits until Count is n or more, and fails the test when that takes too long.
func (s *StandIn) WaitFor(n int) {
	s.t.Helper()
	limit := time.NewTimer(waitLimit)
	defer limit.Stop()
	for {
		s.mu.Lock()
		count, arrived := len(s.requests), s.arrived
		s.mu.Unlock()
		if count >= n {
			return
		}
		select {
		case <-arrived:
		case <-limit.C:
			s.t.Fatalf("testkit: %d of %d expected requests came within %v", count, n, waitLimit)
		}
	}
}
