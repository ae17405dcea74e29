package storedtile

import (
	"context"
	"encoding/binary"
	"image"

	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/render/tiffdir"
	"github.com/gatehouse-server/gatehouse/source"
)

// packing is how the tiles of a page lie in the file where they are no JPEGs.
type packing struct {
	bands, bits                   int
	deflated, predicted, inverted bool
}

const (
	compressionNone       = 1
	compressionDeflate    = 8
	compressionOldDeflate = 32946
	predictorDifferences  = 2
	highestBitFirst       = 1
	// maxPackedTile bounds the pixels of a tile: two of them are in memory at once, besides a row of tiles.
	maxPackedTile = 1 << 24
)

// packed tells how the tiles of a directory are packed, if the renderer behind unpacks them by itself.
func packed(d *tiffdir.Directory) (packing, bool) {
	p := packing{
		bands: d.SamplesPerPixel, bits: d.BitsPerSample, deflated: d.Compression != compressionNone,
		predicted: d.Predictor == predictorDifferences, inverted: d.Photometric == tiffdir.PhotometricWhiteIsZero,
	}
	switch {
	case !d.Tiled() || d.SampleFormat != 1 || len(d.ExtraSamples) > 0 || d.TileWidth*d.TileHeight > maxPackedTile,
		d.Compression != compressionNone && d.Compression != compressionDeflate && d.Compression != compressionOldDeflate,
		d.Predictor != 1 && (!p.predicted || p.bits != 8 || !p.deflated):
		return p, false
	}
	switch d.Photometric {
	case tiffdir.PhotometricBlackIsZero, tiffdir.PhotometricWhiteIsZero:
		return p, p.bands == 1 && (p.bits == 8 || p.bits == 1 && d.FillOrder == highestBitFirst)
	case tiffdir.PhotometricRGB:
		return p, p.bands == 3 && p.bits == 8 && d.PlanarConfig == contiguous
	}
	return p, false
}

// straight tells the jobs that packed tiles are for: nothing is done to the pixels but making them smaller.
func (p *packing) straight(job render.Job) bool {
	return job.Format == "jpg" && job.Watermark == nil && job.Rotation == 0 && !job.Mirror && job.Quality != "bitonal" &&
		(job.Quality != "gray" || p.bands == 1) && job.Size.X <= job.Region.Dx() && job.Size.Y <= job.Region.Dy()
}

// tiles describes those of a window.
func (w *window) packedTiles() *render.PackedTiles {
	l, p := w.level, w.page.packing
	return &render.PackedTiles{
		Size: image.Pt(l.tileWidth, l.tileHeight), Count: w.tiles.Size(),
		Skip:  w.part.Min.Sub(image.Pt(w.tiles.Min.X*l.tileWidth, w.tiles.Min.Y*l.tileHeight)),
		Bands: p.bands, Bits: p.bits, Deflated: p.deflated, Predicted: p.predicted, Inverted: p.inverted,
	}
}

// take makes the original that the tiles of a window are for the renderer behind.
func (r *Renderer) take(ctx context.Context, original source.Original, w window) ([]byte, error) {
	if w.tiles.Dx()*w.tiles.Dy() > maxTiles {
		return nil, errPass
	}
	spans, total, err := w.spans(ctx, original)
	if err != nil {
		return nil, err
	}
	heads := int64(4 * len(spans))
	// The tiles as they are read, and as they are handed on.
	need := 2*total + heads + room
	if need > r.config.Memory || !r.memory.TryAcquire(need) {
		return nil, errPass
	}
	defer r.memory.Release(need)
	kept := buffers.Get().(*[]byte)
	defer func() { buffers.Put(kept) }()
	out := make([]byte, 0, heads+total)
	for _, s := range spans {
		out = binary.LittleEndian.AppendUint32(out, uint32(s.length)) //nolint:gosec // never negative
	}
	*kept, err = fetch(ctx, original, spans, total, *kept, func(_ int, tile []byte) error {
		out = append(out, tile...)
		return nil
	})
	return out, err
}
