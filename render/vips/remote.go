package vips

// #include "bridge.h"
import "C"

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/render/child"
	"github.com/gatehouse-server/gatehouse/source"
)

// remote is the engine in children.
type remote struct{ pool *child.Pool }

// maxHeadAnswer bounds what a child says of a page: its profile, and some.
const maxHeadAnswer = 16 << 20

func (e remote) head(ctx context.Context, original source.Original, s *slot, load C.ghv_load) (*heading, error) {
	defer s.end()
	answer, err := e.pool.Call(ctx, &child.Call{
		Lane: child.Head, Ask: appendHead(load), Original: original, MaxAnswer: maxHeadAnswer, Key: culprit(original),
	})
	if err != nil {
		return nil, ofPool(err, answer.ReadError)
	}
	h, err := parseHeading(answer.Data, answer.ReadError)
	return h, ofLibrary(err)
}

func (e remote) draw(ctx context.Context, original source.Original, s *slot, d *drawing, finish func(*drawn) ([]byte, error)) ([]byte, error) {
	defer s.end()
	ask := &child.Call{Lane: child.Work, Ask: d.ask(), Original: original, MaxAnswer: d.most, Key: culprit(original)}
	if len(d.mark) > 0 {
		version := d.version
		if version == "" {
			version = fmt.Sprintf("%x", sha256.Sum256(d.mark))
		}
		ask.Shared = &child.Shared{Key: version, Bytes: d.mark}
	}
	answer, err := e.pool.Call(ctx, ask)
	if err != nil {
		return nil, ofPool(err, answer.ReadError)
	}
	made, err := parseDrawn(answer.Data, answer.ReadError)
	if err != nil {
		return nil, ofLibrary(err)
	}
	return finish(made)
}

func (e remote) pyramid(ctx context.Context, original source.Original, d *drawing, page render.PyramidPage, take tileSink) (*drawn, error) {
	tiles := &tileReader{take: take}
	answer, err := e.pool.Call(ctx, &child.Call{
		Lane: child.Background, Idle: page.Idle, Ask: d.askPyramid(page.Tile), Original: original, MaxAnswer: maxHeadAnswer, Key: culprit(original),
		// Each tile has a head.
		Sink: tiles, MaxWritten: 2 * min(d.most, math.MaxInt64/2),
	})
	switch {
	case answer.WriteError != nil:
		return nil, answer.WriteError
	case err != nil:
		return nil, ofPool(err, answer.ReadError)
	}
	made, err := parseDrawn(answer.Data, answer.ReadError)
	if err != nil {
		return nil, ofLibrary(err)
	}
	return made, tiles.whole()
}

// culprit names an original that crashes children; one without a version is not remembered.
func culprit(original source.Original) string {
	info := original.Info()
	if info.Version == "" {
		return ""
	}
	return strconv.FormatInt(info.Size, 10) + " " + info.Name + " " + info.Version
}

// ofPool says in the words of this package why children could not do a call. What the original said comes first.
func ofPool(err, failed error) error {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case failed != nil:
		return failed
	case errors.Is(err, child.ErrCrashed):
		return problem.Wrap(err, http.StatusUnprocessableEntity, "broken_image", "The original is damaged and cannot be shown")
	case errors.Is(err, child.ErrMemory):
		return tooMuchMemory(err)
	case errors.Is(err, child.ErrCPU):
		e := problem.Wrap(err, http.StatusServiceUnavailable, "render_timeout", "The image took too long to make: try again later, or ask for a smaller part")
		e.RetryAfter = 5 * time.Second
		return e
	case errors.Is(err, child.ErrNoChild), errors.Is(err, child.ErrClosed):
		e := problem.Wrap(err, http.StatusServiceUnavailable, "no_renderer", "Images cannot be rendered now")
		e.RetryAfter = 2 * time.Second
		return e
	}
	return err
}

// ofLibrary sees the end of memory in a child as the picture's: a child has a limit of its own, and nobody beside it.
func ofLibrary(err error) error {
	if errors.Is(err, errNoMemory) {
		return tooMuchMemory(err)
	}
	return err
}

func tooMuchMemory(cause error) error {
	return problem.Wrap(cause, http.StatusRequestEntityTooLarge, "too_large",
		"This part of the image needs more memory than is allowed: ask for a smaller part or a smaller size")
}

// setup is what the library in a child is told.
type setup struct{ Loaders []string }

// Setup is the setup of the children of a Renderer with this configuration.
func (c Config) Setup() []byte {
	out, _ := json.Marshal(setup{Loaders: c.withDefaults().Loaders})
	return out
}

// Worker is the Handler of children: the library in their process.
type Worker struct{}

// Start implements child.Handler.
func (Worker) Start(data []byte) ([]byte, error) {
	var told setup
	if err := json.Unmarshal(data, &told); err != nil {
		return nil, fmt.Errorf("setup: %w", err)
	}
	if err := start(); err != nil {
		return nil, err
	}
	can, err := capabilities(told.Loaders)
	if err != nil {
		return nil, err
	}
	return json.Marshal(can)
}

// Handle implements child.Handler.
func (Worker) Handle(ctx context.Context, task *child.Task, reply child.Reply) error {
	if len(task.Ask) == 0 {
		return errAsk
	}
	var load C.ghv_load
	switch kind, ask := task.Ask[0], task.Ask[1:]; kind {
	case askHead:
		if _, err := take(&load, ask); err != nil {
			return err
		}
		h, err := alone(ctx, task.Original, func(in *input) (*heading, error) { return in.head(load) })
		if err != nil {
			return replyError(reply, err)
		}
		return reply(h.append())
	case askDraw:
		d, err := parseDrawing(ask, task.Shared)
		if err != nil {
			return err
		}
		var sent error
		_, err = alone(ctx, task.Original, func(in *input) (struct{}, error) {
			return struct{}{}, in.draw(d, func(made *drawn) error {
				// As the library has it: the bytes are copied once, into the message.
				sent = reply(made.append(), made.data)
				return nil
			})
		})
		if err != nil {
			return replyError(reply, err)
		}
		return sent
	case askPyramid:
		d, tile, err := parsePyramid(ask)
		if err != nil {
			return err
		}
		tiles := &tileWriter{write: task.Write}
		tables, err := alone(ctx, task.Original, func(in *input) (*drawn, error) { return in.pyramid(d, tile, tiles.tile) })
		if err == nil {
			err = tiles.flush()
		}
		if err != nil {
			return replyError(reply, err)
		}
		return reply(tables.append(), tables.data)
	}
	return errAsk
}

// replyError answers with the outcome that an error stands for.
func replyError(reply child.Reply, err error) error {
	result, text := C.GHV_BROKEN, ""
	var broken *brokenError
	switch {
	case errors.As(err, &broken):
		text = broken.text
	case errors.Is(err, errStopped), errors.Is(err, context.Canceled):
		result = C.GHV_STOPPED
	case errors.Is(err, errNoMemory):
		result = C.GHV_MEMORY
	case errors.Is(err, errShape):
		result = C.GHV_CHANGED
	case errors.Is(err, errEncode):
		result, text = C.GHV_ENCODE, err.Error()
	case errors.As(err, new(*problem.Error)):
		return err
	default:
		// The server knows why, or will say that there was an end too early.
		result = C.GHV_READ
	}
	return reply(appendOutcome(result), []byte(text))
}

// capabilitiesOf asks the first child what the library can do.
func capabilitiesOf(ctx context.Context, pool *child.Pool) (render.Capabilities, error) {
	var can render.Capabilities
	hello, err := pool.Hello(ctx)
	if err != nil {
		return can, err
	}
	if err := json.Unmarshal(hello, &can); err != nil {
		return can, fmt.Errorf("%w: %w", errAnswer, err)
	}
	return can, nil
}

var _ child.Handler = Worker{}
