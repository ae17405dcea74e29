package caddymodule

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/gatehouse-server/gatehouse/render/child"
)

// IsolationConfig says where libvips runs. In JSON it may also be the mode alone, as a text.
type IsolationConfig struct {
	// "process" for processes of its own, the default on Linux, or "none" for inside the server's process.
	Mode string `json:"mode,omitempty"`
	// How many processes make pictures; one more reads headers. Default: as many as workers.
	Processes int `json:"processes,omitempty"`
	// What one process may have in memory before it is ended. Default: 2GiB.
	Memory ByteSize `json:"memory,omitempty"`
	// How much processor time one picture may take. Default: 60s.
	CPU Duration `json:"cpu,omitempty"`
	// After how many calls a process is replaced by a fresh one. Default: 10000.
	Recycle int `json:"recycle,omitempty"`
}

const (
	// isolationNone renders inside the server's own process.
	isolationNone = "none"
	// isolationProcess renders in child processes.
	isolationProcess = "process"
)

const (
	maxProcesses = 1024
	maxRecycle   = 1_000_000_000
)

// UnmarshalCaddyfile reads `isolation process [N] { … }` or `isolation none`.
func (c *IsolationConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	if !d.NextArg() {
		return d.ArgErr()
	}
	if c.Mode = d.Val(); !slices.Contains([]string{isolationNone, isolationProcess}, c.Mode) {
		return d.Errf("isolation: %q is not known; choose one of %s", c.Mode, choices([]string{isolationNone, isolationProcess}))
	}
	if d.NextArg() {
		n, err := strconv.Atoi(d.Val())
		if err != nil || n < 1 || n > maxProcesses || c.Mode == isolationNone {
			return d.Errf("isolation: %q is out of place; write isolation none, or isolation process with a number of processes from 1 to %d", d.Val(), maxProcesses)
		}
		c.Processes = n
	}
	if d.NextArg() {
		return d.ArgErr()
	}
	options := block{}
	if c.Mode == isolationProcess {
		options = block{"memory": value(&c.Memory), "cpu": value(&c.CPU), "recycle": number(&c.Recycle, 1, maxRecycle)}
	}
	return options.parse(d, "isolation "+c.Mode)
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *IsolationConfig) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &c.Mode) == nil {
		return nil
	}
	type plain IsolationConfig
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode((*plain)(c)); err != nil {
		return fmt.Errorf("isolation: %w", err)
	}
	return nil
}

// MarshalJSON implements json.Marshaler.
func (c IsolationConfig) MarshalJSON() ([]byte, error) {
	if c == (IsolationConfig{Mode: c.Mode}) {
		return json.Marshal(c.Mode)
	}
	type plain IsolationConfig
	return json.Marshal(plain(c))
}

// validate finds values that cannot be.
func (c *IsolationConfig) validate() error {
	switch {
	case c == nil:
		return nil
	case c.Mode != "" && !slices.Contains([]string{isolationNone, isolationProcess}, c.Mode):
		return unknownChoice("isolation", c.Mode, isolationNone, isolationProcess)
	case c.Mode == isolationNone && *c != IsolationConfig{Mode: isolationNone}:
		return fmt.Errorf("isolation: none takes no settings")
	case c.Mode == isolationProcess && !child.Supported:
		return fmt.Errorf("isolation: processes of their own need Linux; write isolation none")
	case c.Processes < 0 || c.Processes > maxProcesses:
		return fmt.Errorf("isolation: %d processes: it must be from 1 to %d", c.Processes, maxProcesses)
	case c.Recycle < 0 || c.Recycle > maxRecycle:
		return fmt.Errorf("isolation: recycle is %d: it must be from 1 to %d", c.Recycle, maxRecycle)
	}
	if err := (child.Config{Memory: int64(c.Memory), CPU: c.CPU.std()}).Validate(); err != nil {
		return fmt.Errorf("isolation: %w", err)
	}
	return nil
}

// isolated tells whether libvips runs in processes of its own.
func (c *IsolationConfig) isolated() bool {
	if c == nil || c.Mode == "" {
		return child.Supported
	}
	return c.Mode == isolationProcess
}
