package storedtile

import (
	"context"
	"image"
	"sync"

	"github.com/gatehouse-server/gatehouse/render/container"
	"github.com/gatehouse-server/gatehouse/render/jpegjoin"
	"github.com/gatehouse-server/gatehouse/source"
)

const (
	// maxBytes bounds the stored tiles of one answer. A larger picture is for the queue of the renderer behind.
	maxBytes = 32 << 20
	// maxTiles bounds their number: many small ones cost more than their bytes.
	maxTiles = 16 << 10
	// gap is how many bytes between two tiles are read rather than skipped.
	gap = 4 << 10
	// room is what an answer takes besides data that was there: its head, and data that grew by new differences.
	room = container.JPEGStartSize + 4<<10
)

// buffers are kept for reuse: they hold the tiles while these are joined.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// join makes the answer.
func (r *Renderer) join(ctx context.Context, original source.Original, w window) ([]byte, error) {
	if w.tiles.Dx()*w.tiles.Dy() > maxTiles {
		return nil, errPass
	}
	spans, total, err := w.spans(ctx, original)
	if err != nil {
		return nil, err
	}
	// Tiles, what is taken out of a row of them, and the answer.
	need := 3*total + room
	if need > r.config.Memory || !r.memory.TryAcquire(need) {
		return nil, errPass
	}
	defer r.memory.Release(need)

	kept := buffers.Get().(*[]byte)
	defer func() { buffers.Put(kept) }()
	streams := make([]*jpegjoin.Stream, len(spans))
	buffer, err := w.read(ctx, original, spans, total, *kept, streams)
	*kept = buffer
	if err != nil {
		return nil, err
	}
	l := w.level
	grid := jpegjoin.Grid{
		Streams: streams, Across: w.tiles.Dx(),
		Part: w.part.Sub(image.Pt(w.tiles.Min.X*l.tileWidth, w.tiles.Min.Y*l.tileHeight)),
	}
	picture, err := jpegjoin.Join(make([]byte, 0, total+total/32+room), grid, w.head, func() bool { return ctx.Err() == nil })
	return picture, err
}

// oneTile tells that the part is a tile, no more and no less.
func (w *window) oneTile() bool {
	return w.tiles.Dx() == 1 && w.tiles.Dy() == 1 && w.part.Size() == image.Pt(w.level.tileWidth, w.level.tileHeight)
}

// head writes what browsers and people have to know of the picture, in front of its tables.
func (w *window) head(out []byte) []byte {
	if w.page.rgb {
		return container.AppendRGBStart(out)
	}
	p := container.Picture{Width: w.part.Dx(), Height: w.part.Dy(), Grey: w.page.grey}
	p.XRes, p.YRes = w.resolution()
	return container.AppendJPEGStart(out, p)
}

// spans finds where the tiles of a window lie, and how many bytes they are.
func (w *window) spans(ctx context.Context, original source.Original) (spans []span, total int64, err error) {
	across, _ := w.level.grid()
	spans = make([]span, 0, w.tiles.Dx()*w.tiles.Dy())
	reader, size := source.ReaderAt(ctx, original), original.Info().Size
	for y := w.tiles.Min.Y; y < w.tiles.Max.Y; y++ {
		row, err := w.level.spans(reader, w.file.order, size, y*across+w.tiles.Min.X, y*across+w.tiles.Max.X)
		if err != nil {
			return nil, 0, err
		}
		for _, s := range row {
			total += int64(s.length)
			if s.length == 0 || total > maxBytes {
				return nil, 0, errPass
			}
		}
		if row == nil {
			return nil, 0, errPass
		}
		spans = append(spans, row...)
	}
	return spans, total, nil
}

// read fetches the tiles into buffer and reads their headers.
func (w *window) read(
	ctx context.Context, original source.Original, spans []span, total int64, buffer []byte, streams []*jpegjoin.Stream,
) ([]byte, error) {
	return fetch(ctx, original, spans, total, buffer, func(i int, tile []byte) error {
		s, err := jpegjoin.Read(w.level.tables, tile)
		if err != nil {
			return err
		}
		if s.Width != w.level.tileWidth || s.Height != w.level.tileHeight || (s.Components() == 1) != w.page.grey {
			return errPass
		}
		streams[i] = s
		return nil
	})
}

// fetch reads tiles into buffer, those that lie together at once, and lends them to use in their order.
func fetch(
	ctx context.Context, original source.Original, spans []span, total int64, buffer []byte, use func(i int, tile []byte) error,
) ([]byte, error) {
	if most := int(total) + gap*len(spans); cap(buffer) < most {
		buffer = make([]byte, most)
	}
	used := 0
	for from := 0; from < len(spans); {
		to, end := from+1, spans[from].offset+int64(spans[from].length)
		for to < len(spans) && spans[to].offset >= end && spans[to].offset-end <= gap {
			end = spans[to].offset + int64(spans[to].length)
			to++
		}
		start := spans[from].offset
		run := buffer[used : used+int(end-start)]
		used += len(run)
		if n, err := original.ReadAt(ctx, run, start); n < len(run) {
			if err == nil {
				err = errPass
			}
			return buffer, err
		}
		for i := from; i < to; i++ {
			if err := use(i, run[spans[i].offset-start:][:spans[i].length]); err != nil {
				return buffer, err
			}
		}
		from = to
	}
	return buffer, nil
}
