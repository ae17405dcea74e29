package vips

// #include "bridge.h"
import "C"

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"runtime/cgo"
	"unsafe"

	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/render/tiffwrite"
	"github.com/gatehouse-server/gatehouse/source"
)

// backgroundPixels is how many times the pixels of a request a pyramid may take: it is made once, and nobody waits for it.
const backgroundPixels = 25

// maxPyramidTile bounds the bytes of one tile.
const maxPyramidTile = 16 << 20

// MakePyramid implements render.PyramidMaker.
func (r *Renderer) MakePyramid(ctx context.Context, original source.Original, page render.PyramidPage, file render.PyramidFile, limit int64) error {
	tile := page.Tile
	h, key, err := r.headerOf(ctx, original, render.Job{Page: page.Page})
	if err != nil {
		return err
	}
	size := h.size()
	job := render.Job{Page: page.Page, Canvas: size, Region: image.Rectangle{Max: size}, Size: size, Quality: "default", Format: "jpg"}
	p := newPlan(job, size, h.orientation, h.format == "pdf")
	d := h.choose(p)
	if d.pixels > backgroundPixels*r.config.MaxPixels || d.held > r.config.MaxHeldPixels {
		return tooLarge("A pyramid of %d million pixels is more than is allowed", d.pixels/1e6)
	}
	if need := h.pyramidMemory(p, d, job, tile); need > r.config.Memory {
		return tooLarge("A pyramid that needs %d MB of memory is more than is allowed", need>>20)
	}
	w, err := tiffwrite.New(file, tiffwrite.Page{Width: size.X, Height: size.Y, TileWidth: tile.X, TileHeight: tile.Y}, limit)
	if err != nil {
		return err
	}
	todo, _ := r.drawing(h, p, d, job)
	todo.most = limit
	tables, err := r.engine.pyramid(ctx, original, todo, page, w.Tile)
	if err != nil {
		if errors.Is(err, errShape) {
			r.headers.Drop(key)
		}
		return r.refusal(ctx, ctx, r.blame(ctx, original, err))
	}
	finish := tiffwrite.Finish{Grey: tables.bands == 1, Halved: r.config.JPEGQuality < fullColourQuality, Tables: tables.data}
	finish.XRes, finish.YRes = h.resolution(job)
	return w.Finish(finish)
}

// fullColourQuality is from which quality on libjpeg is told to keep the colours' resolution: see jpegwrite.c.
const fullColourQuality = 90

// pyramidMemory is about how many bytes a pyramid needs at its peak.
func (h *header) pyramidMemory(p plan, d decoding, job render.Job, tile image.Point) int64 {
	held := h.memory(p, d, job) - int64(p.x.n)*int64(p.y.n)*(int64(max(h.bands, 1))*int64(max(h.bits, 8)/8)+4)
	bands := int64(max(h.bands, 1))
	// A row of tiles of each size, and while it is made the one before.
	need := held + 4*int64(job.Size.X)*int64(tile.Y)*bands
	if p.turn != (turn{}) {
		need += 2 * int64(p.x.n) * int64(p.y.n) * bands * int64(max(h.bits, 8)/8)
	}
	return need
}

func (here) pyramid(ctx context.Context, original source.Original, d *drawing, page render.PyramidPage, take tileSink) (*drawn, error) {
	return call(ctx, original, nil, func(in *input) (*drawn, error) {
		if page.Idle {
			yield()
		}
		return in.pyramid(d, page.Tile, take)
	})
}

// tileSink takes the tiles of a pyramid: those of one size in their order.
type tileSink func(size int, data []byte) error

// pyramid makes one by the library, and gives the tables of all tiles.
func (in *input) pyramid(d *drawing, tile image.Point, take tileSink) (*drawn, error) {
	in.tiles = take
	var tables *drawn
	err := in.run(d, func(job *C.ghv_job, picture *C.ghv_picture) C.int {
		return C.ghv_pyramid(in.c, job, C.int(tile.X), C.int(tile.Y), picture)
	}, func(made *drawn) error {
		tables = &drawn{data: bytes.Clone(made.data), width: made.width, height: made.height, bands: made.bands}
		return nil
	})
	if failed := in.sinkFailure(); failed != nil {
		return nil, failed
	}
	return tables, err
}

// writeTile hands a tile on, unless nobody wants it any more.
func (in *input) writeTile(size int, data []byte) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.original == nil || in.sinkErr != nil {
		return errStopped
	}
	in.sinkErr = in.tiles(size, data)
	return in.sinkErr
}

// sinkFailure is the error of who took the tiles, or nil.
func (in *input) sinkFailure() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.sinkErr
}

//export gatehouseWriteTile
func gatehouseWriteTile(handle C.uintptr_t, level C.int, data unsafe.Pointer, length C.int64_t) C.int {
	in := cgo.Handle(handle).Value().(*input)
	if in.writeTile(int(level), unsafe.Slice((*byte)(data), int(length))) != nil {
		return -1
	}
	return 0
}

// Tiles come from a child one after the other, each behind the number of its size and its length.
const tileHead = 1 + 4

// tileWriter sends tiles, as many at once as are worth the way.
type tileWriter struct {
	write   func(p []byte) (int, error)
	pending []byte
}

const tileBatch = 100 << 10

func (w *tileWriter) tile(size int, data []byte) error {
	w.pending = append(w.pending, byte(size))
	w.pending = binary.LittleEndian.AppendUint32(w.pending, uint32(len(data))) //nolint:gosec // a tile
	if w.pending = append(w.pending, data...); len(w.pending) < tileBatch {
		return nil
	}
	return w.flush()
}

func (w *tileWriter) flush() error {
	_, err := w.write(w.pending)
	w.pending = w.pending[:0]
	return err
}

// tileReader takes what a tileWriter sent, which may be anything.
type tileReader struct {
	take    tileSink
	pending []byte
}

// Write implements io.Writer.
func (r *tileReader) Write(p []byte) (int, error) {
	r.pending = append(r.pending, p...)
	rest := r.pending
	for len(rest) >= tileHead {
		length := binary.LittleEndian.Uint32(rest[1:])
		if length > maxPyramidTile {
			return 0, errAnswer
		}
		if uint32(len(rest)-tileHead) < length { //nolint:gosec // a message and a tile at most
			break
		}
		if err := r.take(int(rest[0]), rest[tileHead:][:length]); err != nil {
			return 0, err
		}
		rest = rest[tileHead+int(length):]
	}
	r.pending = append(r.pending[:0], rest...)
	return len(p), nil
}

// whole tells whether nothing was cut off.
func (r *tileReader) whole() error {
	if len(r.pending) > 0 {
		return fmt.Errorf("%w: %w", errAnswer, io.ErrUnexpectedEOF)
	}
	return nil
}

var (
	_ render.PyramidMaker = (*Renderer)(nil)
	_ io.Writer           = (*tileReader)(nil)
)
