package testkit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Server is the real binary, running.
type Server struct {
	t       testing.TB
	binary  string
	dir     string
	env     []string
	address string
	logs    *logBuffer
	process *exec.Cmd
	exited  chan struct{} // closed when process has ended
	admin   *http.Client
}

// StartServer runs the binary with a Caddyfile and returns once it serves; it ends with the test. The Caddyfile may use
//
//	{$ADDR}  a free loopback address, host:port, for the site that URL leads to
//	{$PORT}  its port
//	{$DIR}   an empty folder of this server's own
//
// and what env adds ("NAME=value"). The admin endpoint is a socket in the folder, and Caddy's own data lies there too.
// A test that fails prints the end of the server's log.
func StartServer(t testing.TB, caddyfile string, env ...string) *Server {
	t.Helper()
	s := newServer(t, env)
	if err := s.start(caddyfile); err != nil {
		t.Fatalf("%v\n%s", err, tail(s.Logs()))
	}
	return s
}

// FailToStart runs the binary with a Caddyfile that it must refuse, and gives what it wrote.
func FailToStart(t testing.TB, caddyfile string, env ...string) string {
	t.Helper()
	s := newServer(t, env)
	if err := s.start(caddyfile); err == nil {
		t.Fatal("testkit: the server started though it should not")
	}
	return s.Logs()
}

func newServer(t testing.TB, env []string) *Server {
	t.Helper()
	// A socket's path has at most 107 bytes, too few for t.TempDir.
	dir, err := os.MkdirTemp("", "gatehouse-")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, binary: Binary(t), dir: dir, address: FreeAddress(t), logs: newLogBuffer()}
	socket := filepath.Join(dir, "admin.sock")
	s.admin = &http.Client{
		Timeout: waitLimit,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", socket)
			},
		},
	}
	_, port, _ := net.SplitHostPort(s.address)
	s.env = append(os.Environ(),
		"ADDR="+s.address, "PORT="+port, "DIR="+filepath.Join(dir, "own"),
		"CADDY_ADMIN=unix/"+socket, "HOME="+dir,
		"XDG_DATA_HOME="+filepath.Join(dir, "data"), "XDG_CONFIG_HOME="+filepath.Join(dir, "config"), "XDG_CACHE_HOME="+filepath.Join(dir, "cache"),
	)
	s.env = append(s.env, env...)
	if err := os.Mkdir(filepath.Join(dir, "own"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

// start runs the binary until it says, over a connection back to us, that its configuration is loaded.
func (s *Server) start(caddyfile string) error {
	path := filepath.Join(s.dir, "Caddyfile")
	if err := os.WriteFile(path, []byte(caddyfile), 0o600); err != nil {
		return err
	}
	back, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { _ = back.Close() }()

	process := exec.Command(s.binary, "run", "--config", path, "--adapter", "caddyfile", "--pingback", back.Addr().String())
	process.Env, process.Dir = s.env, s.dir
	process.Stdin = strings.NewReader("ready")
	process.Stdout, process.Stderr = s.logs, s.logs
	if err := process.Start(); err != nil {
		return fmt.Errorf("testkit: %w", err)
	}
	exited := make(chan struct{})
	go func() {
		_ = process.Wait()
		close(exited)
	}()
	s.process, s.exited = process, exited

	ready := make(chan error, 1)
	go func() {
		conn, err := back.Accept()
		if err == nil {
			_ = conn.Close()
		}
		ready <- err
	}()
	select {
	case err := <-ready:
		return err
	case <-exited:
		return errors.New("testkit: the server ended instead of serving")
	case <-time.After(waitLimit):
		s.Kill()
		return fmt.Errorf("testkit: the server was not ready within %v", waitLimit)
	}
}

// URL is the base of {$ADDR}, without a slash at the end.
func (s *Server) URL() string { return "http://" + s.address }

// Dir is {$DIR}.
func (s *Server) Dir() string { return filepath.Join(s.dir, "own") }

// Pid is the process id.
func (s *Server) Pid() int { return s.process.Process.Pid }

// Logs is all that the server has written so far.
func (s *Server) Logs() string { return s.logs.String() }

// WaitLog waits until the log holds part.
func (s *Server) WaitLog(part string) {
	s.t.Helper()
	s.logs.wait(s.t, part)
}

// Reload gives the running server another Caddyfile. An error has the server's words; the old configuration then
// stays.
func (s *Server) Reload(caddyfile string) error {
	status, body, err := s.Admin(http.MethodPost, "/load", "text/caddyfile", []byte(caddyfile))
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("reload: status %d: %s", status, body)
	}
	s.untilOneListens()
	return nil
}

// Admin asks the admin endpoint. contentType may be empty when there is no body.
func (s *Server) Admin(method, path, contentType string, body []byte) (status int, answer []byte, err error) {
	request, err := http.NewRequest(method, "http://127.0.0.1"+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := s.admin.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// Command runs the binary with other arguments in the server's environment: it finds the admin endpoint by itself.
func (s *Server) Command(arguments ...string) (output string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), waitLimit)
	defer cancel()
	command := exec.CommandContext(ctx, s.binary, arguments...)
	command.Env, command.Dir = s.env, s.dir
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%w: %s", err, stderr.String())
	}
	return stdout.String(), nil
}

// Stop ends the server as an operator would, and waits for its end.
func (s *Server) Stop() { s.signal(syscall.SIGTERM) }

// Kill ends the server without any warning.
func (s *Server) Kill() { s.signal(syscall.SIGKILL) }

func (s *Server) signal(sig syscall.Signal) {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Signal(sig)
	select {
	case <-s.exited:
	case <-time.After(waitLimit):
		_ = s.process.Process.Kill()
		<-s.exited
	}
}

// Restart starts the server again, after Stop or Kill, at the same address and over the same folder.
func (s *Server) Restart(caddyfile string) {
	s.t.Helper()
	s.Stop()
	if err := s.start(caddyfile); err != nil {
		s.t.Fatalf("%v\n%s", err, tail(s.Logs()))
	}
}

func (s *Server) close() {
	s.Stop()
	// What a binary that was built with -race writes.
	if strings.Contains(s.Logs(), "WARNING: DATA RACE") {
		s.t.Error("testkit: the server has a data race")
	}
	if s.t.Failed() {
		s.t.Logf("the end of the server's log:\n%s", tail(s.Logs()))
	}
	_ = os.RemoveAll(s.dir)
}

// tail is the last part of a log, from the start of a line.
func tail(text string) string {
	const most = 8 << 10
	if len(text) <= most {
		return text
	}
	text = text[len(text)-most:]
	return text[strings.IndexByte(text, '\n')+1:]
}

// FreeAddress is a loopback address, host:port, that nobody listened to a moment ago.
func FreeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
