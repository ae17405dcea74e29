// Package child runs work that may crash, hang or eat memory in processes of its own. A Pool, in the server, hands calls
// to children, which are the server's own program started with another command; Serve is what such a child does.
//
// What the work is, is the Handler's business: a call is some bytes, an original to be read, and maybe bytes that many
// calls share; an answer is some bytes. A call that crashes its child is tried once more, alone; one that takes too much
// memory or time loses its child. Neither costs anybody else more than a moment.
//
// Children are not trusted. They are told nothing but the call and never pass descriptors; what they say is bounded,
// and belongs to a call that they were given. They get no environment and, where Linux can do that, may open no file
// but those of the system's libraries and fonts.
package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/gatehouse-server/gatehouse/source"
)

// Lane says what kind of child a call goes to.
type Lane int

// The lanes. Work children do one call at a time; the one head child, for calls that are short as a rule, does many at
// once, so that these never wait for long ones. The background children do long work that nobody waits for, one call at
// a time; they are there only while there is such work.
const (
	Work Lane = iota
	Head
	Background
	lanes
)

// Call is what is asked of a child.
type Call struct {
	Lane Lane
	// Idle tells that whoever else wants the processor goes first. It is for the lane Background.
	Idle bool
	// Ask is what the Handler is told, at most MaxAsk bytes.
	Ask []byte
	// Original is read by the child: a local file by its descriptor, anything else through the Pool.
	Original source.Original
	// Shared, unless nil, is handed to each child once only.
	Shared *Shared
	// MaxAnswer bounds the answer, in bytes.
	MaxAnswer int64
	// Sink, unless nil, takes what the child writes before it answers, at most MaxWritten bytes. A call that has written
	// is not tried again.
	Sink       io.Writer
	MaxWritten int64
	// Key identifies the original in the memory of those that crash their children. Where it is empty, nothing is
	// remembered.
	Key string
}

// Shared is bytes that many calls need. They must not change.
type Shared struct {
	// Key identifies the bytes.
	Key string
	// Bytes, at least one.
	Bytes []byte
}

// Answer is what a child said.
type Answer struct {
	Data []byte
	// ReadError is the first error that the original gave to a read, as it was.
	ReadError error
	// WriteError is the first error that the sink gave, as it was.
	WriteError error
}

// MaxAsk is how long Call.Ask may be, in bytes: an ICC profile of the largest size and some.
const MaxAsk = 8 << 20

// Errors of Pool.Call besides those of the context.
var (
	// ErrCrashed says that the call crashed one child and then another, or has done so before.
	ErrCrashed = errors.New("the call crashed its child")
	// ErrMemory says that the child needed more memory than it may.
	ErrMemory = errors.New("the call needs more memory than a child may have")
	// ErrCPU says that the child used more processor time for the call than it may.
	ErrCPU = errors.New("the call needs more processor time than it may have")
	// ErrNoChild says that no child could be started.
	ErrNoChild = errors.New("no child could be started")
	// ErrClosed says that the Pool is closed.
	ErrClosed = errors.New("the children have been stopped")
	// ErrUnsupported says that this system lacks what children need.
	ErrUnsupported = errors.New("child processes need Linux")
)

// FailedError is what the Handler said of a call that it could not do.
type FailedError struct{ Text string }

// Error implements error.
func (e *FailedError) Error() string { return "child: " + e.Text }

// Config is the settings of a Pool. The zero value of each field but Args means its default.
type Config struct {
	// Args start this program as a child: the first is the name that the process goes by.
	Args []string
	// Env is added to the environment of children, which is otherwise empty but for what finds libraries and fonts.
	Env []string
	// Setup is what the Handler is told at its start.
	Setup []byte
	// Children is how many calls of the lane Work run at once. Default 1.
	Children int
	// Background is how many calls of the lane Background run at once. Default 1.
	Background int
	// Memory bounds what one child may have of memory to itself, in bytes, at least 128 MiB. Default 2 GiB.
	Memory int64
	// CPU bounds the processor time of one call of the lane Work; one in the background may use ten times that. Default 60 s.
	CPU time.Duration
	// Recycle is after how many calls a child is replaced by a fresh one. Default 10,000.
	Recycle int
	// Grace is how long a call that was told to stop may take to do so before its child is killed. Default 100 ms.
	Grace time.Duration
	// Logger is told of children that end before their time. Default: nobody.
	Logger *slog.Logger
	// Observer, when set, is told each time that a child has to be replaced, and why: one of Reasons. It must not block.
	Observer func(reason string)
}

// Why a child was replaced.
const (
	ReasonCrash    = "crash"
	ReasonMemory   = "memory"
	ReasonCPU      = "cpu"
	ReasonDeadline = "deadline" // its call's context ended, and it did not stop
	ReasonProtocol = "protocol" // it said what no child says
	ReasonRecycled = "recycled"
	ReasonStart    = "start" // it did not come up
)

// Reasons lists them all.
func Reasons() []string {
	return []string{ReasonCrash, ReasonMemory, ReasonCPU, ReasonDeadline, ReasonProtocol, ReasonRecycled, ReasonStart}
}

// Validate finds wrong values.
func (c Config) Validate() error {
	switch {
	case c.Children < 0 || c.Children > 1024:
		return fmt.Errorf("%d processes: there must be from 1 to 1024", c.Children)
	case c.Background < 0 || c.Background > 1024:
		return fmt.Errorf("%d processes in the background: there must be from 1 to 1024", c.Background)
	case c.Memory != 0 && c.Memory < leastMemory:
		return fmt.Errorf("memory is %d bytes: a process needs at least %d MiB", c.Memory, leastMemory>>20)
	case c.CPU < 0:
		return fmt.Errorf("cpu is %v: it must be positive", c.CPU)
	case c.Recycle < 0:
		return fmt.Errorf("recycle is %d: it must be positive", c.Recycle)
	}
	return nil
}

// leastMemory is what a child needs for itself and a picture.
const leastMemory = 128 << 20

func (c Config) withDefaults() Config {
	set(&c.Children, 1)
	set(&c.Background, 1)
	set(&c.Memory, 2<<30)
	set(&c.CPU, 60*time.Second)
	set(&c.Recycle, 10_000)
	set(&c.Grace, 100*time.Millisecond)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Observer == nil {
		c.Observer = func(string) {}
	}
	return c
}

func set[T comparable](value *T, fallback T) {
	var zero T
	if *value == zero {
		*value = fallback
	}
}

// Stats tell how the children are.
type Stats struct {
	// Alive is how many are up, Busy how many of these are at work.
	Alive, Busy int
	// PIDs of those that are up.
	PIDs []int
	// Resident is the memory that they have, in bytes.
	Resident int64
	// Confined tells that they may open no files but the system's.
	Confined bool
	// Replaced counts by reason, since the start.
	Replaced map[string]int64
}

// Handler is the work, in the child.
type Handler interface {
	// Start prepares the work, once, before any call. What it gives is Pool.Hello in the server.
	Start(setup []byte) (hello []byte, err error)
	// Handle does one call and answers it by reply, once. The work ends soon when ctx does. Any error that it gives is one
	// of the work itself, and becomes a FailedError.
	Handle(ctx context.Context, task *Task, reply Reply) error
}

// Reply sends an answer, which is its parts one after the other. They may be reused afterwards.
type Reply func(parts ...[]byte) error

// Task is a call as the child sees it. Its parts are valid until Handle returns.
type Task struct {
	Ask      []byte
	Shared   []byte
	Original source.Original
	// Write hands on what the call's sink takes. It must not be used by two at once.
	Write func(p []byte) (int, error)
}

// inherited are the variables that a child gets from the server.
var inherited = []string{"LD_LIBRARY_PATH", "LD_PRELOAD", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "LIBHEIF_PLUGIN_PATH", "VIPSHOME"}

// clean is the environment of a child: where libraries, fonts and plugins are to be found, and no secret.
func clean(add []string) []string {
	env := []string{"MALLOC_ARENA_MAX=2", "VIPS_NOVECTOR=1", "VIPS_CONCURRENCY=1", "GOTRACEBACK=none", "GOMAXPROCS=2", "LC_ALL=C.UTF-8"}
	for _, name := range inherited {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return append(env, add...)
}
