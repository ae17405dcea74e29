package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// makeSecrets makes those that are not there. The issuer's key is made by Gatehouse itself.
func makeSecrets(dir string) error {
	for name, prefix := range map[string]string{"mail_login": "", "archive": "Token "} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			continue
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		// Twice 130 bits: mail login keys have at least 32 bytes.
		if err := write(path, []byte(prefix+rand.Text()+rand.Text()), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// writeEnv chooses ports and writes them, with the folder, as lines that a shell and Caddy's --envfile both read.
func writeEnv(out string, port int) error {
	page, err := freeFrom(port)
	if err != nil {
		return err
	}
	lines := []string{"DEMO_DIR=" + quoted(out), "DEMO_PORT=" + strconv.Itoa(page)}
	// The listeners stay open until all ports are chosen, so that they differ.
	for _, name := range []string{"DEMO_ADMIN_PORT", "DEMO_METADATA_PORT", "DEMO_ARCHIVE_PORT"} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer func() { _ = listener.Close() }()
		lines = append(lines, fmt.Sprintf("%s=%d", name, listener.Addr().(*net.TCPAddr).Port))
	}
	return write(filepath.Join(out, "env"), []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

// freeFrom is the first free loopback port from a number on.
func freeFrom(port int) (int, error) {
	for candidate := port; candidate < port+100 && candidate < 1<<16; candidate++ {
		listener, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(candidate))
		if err == nil {
			defer func() { _ = listener.Close() }()
			return listener.Addr().(*net.TCPAddr).Port, nil
		}
	}
	return 0, fmt.Errorf("no free port from %d on", port)
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
