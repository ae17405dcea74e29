package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// iipServers are where packages put IIPImage.
var iipServers = []string{"/usr/lib/iipimage-server/iipsrv.fcgi", "/usr/libexec/iipimage-server/iipsrv.fcgi", "/usr/local/bin/iipsrv.fcgi"}

// iipImage is IIPImage as it is packaged, behind lighttpd, which its manual names: as many processes as there are
// processors, the same quality, and a cache of so many megabytes.
type iipImage struct {
	server, web string
	// cold is one without a cache over all originals.
	cold *service
}

// findIIPImage tells where it is, or what is missing.
func findIIPImage() (iipImage, error) {
	var found iipImage
	for _, path := range iipServers {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			found.server = path
			break
		}
	}
	if found.server == "" {
		return found, errors.New("iipsrv.fcgi (Debian: iipimage-server) is not installed")
	}
	for _, path := range []string{"lighttpd", "/usr/sbin/lighttpd"} {
		if web, err := exec.LookPath(path); err == nil {
			found.web = web
			return found, nil
		}
	}
	return found, errors.New("lighttpd is not installed")
}

// start serves a folder. label tells it from others.
func (i iipImage) start(t testing.TB, label, folder string, cacheMegabytes int) *service {
	t.Helper()
	dir, err := os.MkdirTemp("", "iip-") // a socket's path has at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	address := testkit.FreeAddress(t)
	host, port, _ := net.SplitHostPort(address)
	config := fmt.Sprintf(`
server.document-root = "%[1]s"
server.bind = "%[2]s"
server.port = %[3]s
server.modules = ("mod_fastcgi")
server.max-keep-alive-requests = 1000000000
server.errorlog = "%[1]s/errors"
fastcgi.server = ("/iip/" => ((
	"bin-path" => "%[4]s", "socket" => "%[1]s/socket", "min-procs" => %[5]d, "max-procs" => %[5]d, "check-local" => "disable",
	"bin-environment" => (
		"FILESYSTEM_PREFIX" => "%[6]s/", "MAX_IMAGE_CACHE_SIZE" => "%[7]d", "VERBOSITY" => "0", "LOGFILE" => "%[1]s/log",
		"JPEG_QUALITY" => "%[8]d", "MAX_CVT" => "8192"
	)
)))
`, dir, host, port, i.server, runtime.NumCPU(), folder, cacheMegabytes, jpegQuality)
	file := filepath.Join(dir, "lighttpd.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(i.web, "-D", "-f", file)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
	})
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not come up: %v", label, err)
		}
	}
	return &service{
		label: label, prefix: "/iip/?IIIF=", process: process{command.Process.Pid}, client: client{address: address},
		// Version 2 of the Image API, which has another word for the largest size.
		rename: strings.NewReplacer("/full/max/", "/full/full/").Replace,
	}
}
