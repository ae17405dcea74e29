// Package s3gateway runs a real S3 service for tests: Ceph with its gateway, in a temporary folder, on loopback.
package s3gateway

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

const (
	region    = "us-east-1"
	accessKey = "testaccesskey0000000"
	secretKey = "testsecretkey00000000000000000000000000"
	// startTries allows for another process taking a free port before the gateway does.
	startTries = 3
)

// Gateway is a running S3 service.
type Gateway struct {
	// Endpoint is its URL, on loopback. Buckets are addressed by path.
	Endpoint             string
	Region               string
	AccessKey, SecretKey string
	// UserFile is what radosgw-admin printed of the user with these keys.
	UserFile string

	dir, port string
}

// Shared starts one Gateway for all tests of a package when the first needs it. Its zero value is ready:
//
//	var gateway s3gateway.Shared
//
//	func TestMain(m *testing.M) {
//		code := m.Run()
//		gateway.Stop()
//		os.Exit(code)
//	}
type Shared struct {
	mu      sync.Mutex
	tried   bool
	gateway *Gateway
	err     error
}

// Get gives the Gateway. Where Ceph is not installed the test is skipped, or fails if services are required.
func (s *Shared) Get(t testing.TB) *Gateway {
	t.Helper()
	testkit.RequireServices(t, "ceph")
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.tried {
		s.tried = true
		s.gateway, s.err = start()
	}
	if s.err != nil {
		t.Fatalf("the S3 gateway does not start: %v", s.err)
	}
	return s.gateway
}

// Stop ends the Gateway, if one was started.
func (s *Shared) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gateway != nil {
		s.gateway.stop()
		s.gateway = nil
	}
}

func start() (*Gateway, error) {
	var errs []error
	for range startTries {
		g, err := startOnce()
		if err == nil {
			return g, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func startOnce() (*Gateway, error) {
	dir, err := os.MkdirTemp("", "s3gateway-")
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	if err := listener.Close(); err != nil {
		return nil, err
	}
	g := &Gateway{
		Endpoint: "http://127.0.0.1:" + port, Region: region, AccessKey: accessKey, SecretKey: secretKey,
		UserFile: filepath.Join(dir, "user.json"), dir: dir, port: port,
	}
	if err := g.script("start", "S3_ACCESS_KEY="+accessKey, "S3_SECRET_KEY="+secretKey, "OWNER_PID="+strconv.Itoa(os.Getpid())); err != nil {
		g.stop()
		return nil, err
	}
	return g, nil
}

// script runs scripts/ceph-rgw.sh. The daemons that it leaves behind must not hold its output open.
func (g *Gateway) script(command string, env ...string) error {
	_, here, _, _ := runtime.Caller(0)
	path := filepath.Join(filepath.Dir(here), "..", "..", "..", "scripts", "ceph-rgw.sh")
	var output bytes.Buffer
	c := exec.Command(path, command, g.dir, g.port)
	c.Env = append(os.Environ(), env...)
	c.Stdout, c.Stderr = &output, &output
	c.WaitDelay = time.Second
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", command, err, output.Bytes())
	}
	return nil
}

func (g *Gateway) stop() {
	// Nothing can be done about daemons that do not end, and the folder is temporary.
	_ = g.script("stop")
	_ = os.RemoveAll(g.dir)
}

// Kill ends the gateway at once, so that connections are refused, until Restart.
func (g *Gateway) Kill(t testing.TB) {
	t.Helper()
	g.signal(t, "rgw", syscall.SIGKILL)
}

// Restart starts the gateway again after Kill.
func (g *Gateway) Restart(t testing.TB) {
	t.Helper()
	if err := g.script("rgw"); err != nil {
		t.Fatal(err)
	}
}

// Freeze lets every request hang until Thaw.
func (g *Gateway) Freeze(t testing.TB) {
	t.Helper()
	g.signal(t, "rgw", syscall.SIGSTOP)
}

// Thaw ends Freeze.
func (g *Gateway) Thaw(t testing.TB) {
	t.Helper()
	g.signal(t, "rgw", syscall.SIGCONT)
}

func (g *Gateway) signal(t testing.TB, daemon string, signal syscall.Signal) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(g.dir, daemon+".pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, signal); err != nil {
		t.Fatal(err)
	}
}
