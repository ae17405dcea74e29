package storedtile

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"

	"github.com/gatehouse-server/gatehouse/render/container"
	"github.com/gatehouse-server/gatehouse/render/jpegjoin"
	"github.com/gatehouse-server/gatehouse/render/tiffdir"
	"github.com/gatehouse-server/gatehouse/source"
)

// file is where the tiles of one TIFF lie, as far as they are of use. It does not change.
type file struct {
	order binary.ByteOrder
	pages []page
	// cost is about how many bytes of memory it takes.
	cost int64
}

// page is one picture in several sizes, of which levels[0] is the full one; no levels: it is none for us.
type page struct {
	levels []level
	// grey and rgb tell what the components of the JPEGs are, if they are not YCbCr.
	grey, rgb bool
	// packing is nil where the tiles are JPEGs.
	packing *packing
	// xres and yres are pixels per millimetre of paper, 0 where unknown.
	xres, yres float64
}

// level is one size of a page.
type level struct {
	width, height         int
	tileWidth, tileHeight int
	// factor is how many pixels of the full size one covers, a power of two.
	factor int
	tables *jpegjoin.Tables
	// offsets and counts are the tables in the file; where they are small their contents are in tiles.
	offsets, counts tiffdir.Table
	tiles           []span
}

// span is where one tile lies.
type span struct {
	offset int64
	length int32
}

const (
	// maxTables bounds the shared tables of a level in bytes: four tables of each kind have 2 KB.
	maxTables = 16 << 10
	// maxKept is for how many tiles of a level it is remembered where they lie; for more it is read from the file.
	maxKept = 1 << 17
	// maxTile bounds the bytes of one tile.
	maxTile = 16 << 20

	compressionJPEG = 7
	contiguous      = 1
)

// readFile reads the directories and what they point to, but for the tiles themselves.
func readFile(ctx context.Context, original source.Original) (*file, error) {
	r := source.ReaderAt(ctx, original)
	size := original.Info().Size
	dirs, err := tiffdir.Read(r, size)
	if err != nil {
		return nil, err
	}
	f := &file{order: dirs.Order, pages: make([]page, len(dirs.Pages)), cost: 256}
	reader := fileReader{r: r, size: size, order: dirs.Order}
	for i := range dirs.Pages {
		if f.pages[i], err = reader.page(&dirs.Pages[i]); err != nil {
			return nil, err
		}
	}
	f.cost += reader.cost
	return f, nil
}

// fileReader reads one file. Levels whose tables are the same share them.
type fileReader struct {
	r      io.ReaderAt
	size   int64
	order  binary.ByteOrder
	cost   int64
	raw    []byte
	tables *jpegjoin.Tables
}

// page reads a page; an error is one of the source. What is not of use has no levels.
func (r *fileReader) page(p *tiffdir.Page) (page, error) {
	r.cost += 96
	d := &p.Directory
	out := page{
		grey: d.Photometric == tiffdir.PhotometricBlackIsZero || d.Photometric == tiffdir.PhotometricWhiteIsZero,
		rgb:  d.Photometric == tiffdir.PhotometricRGB,
	}
	if d.Orientation != 1 {
		return out, nil
	}
	if how, ok := packed(d); ok {
		out.packing = &how
	} else if !stored(d) {
		return out, nil
	}
	plain, err := r.plainColours(d, out.grey)
	if err != nil || !plain {
		return out, err
	}
	if !container.Unknown(d.XResolution) || !container.Unknown(d.YResolution) {
		out.xres, out.yres = d.XResolution, d.YResolution
	}
	for i, l := range append([]tiffdir.Directory{p.Directory}, p.Levels...) {
		x, y := d.Factors(&l)
		if factor := int(x); float64(factor) != x || x != y || factor&(factor-1) != 0 || !out.like(&l) || l.Photometric != d.Photometric {
			if i == 0 {
				return out, nil
			}
			continue
		}
		level, ok, err := r.level(&l, int(x), out.packing == nil)
		if err != nil {
			return out, err
		}
		if ok {
			out.levels = append(out.levels, level)
		} else if i == 0 {
			return out, nil
		}
	}
	return out, nil
}

// like tells whether the tiles of a smaller size are as those of the page.
func (p *page) like(d *tiffdir.Directory) bool {
	if p.packing == nil {
		return stored(d)
	}
	how, ok := packed(d)
	return ok && how == *p.packing
}

// stored tells whether the tiles of a directory are JPEGs that browsers show.
func stored(d *tiffdir.Directory) bool {
	if !d.Tiled() || d.Compression != compressionJPEG || d.BitsPerSample != 8 || d.SampleFormat != 1 || len(d.ExtraSamples) > 0 {
		return false
	}
	switch d.Photometric {
	case tiffdir.PhotometricBlackIsZero:
		return d.SamplesPerPixel == 1
	case tiffdir.PhotometricRGB, tiffdir.PhotometricYCbCr:
		return d.SamplesPerPixel == 3 && d.PlanarConfig == contiguous
	}
	return false
}

// plainColours tells whether pixels can be shown as they are: no profile wants them changed.
func (r *fileReader) plainColours(d *tiffdir.Directory, grey bool) (bool, error) {
	if d.Profile.Length < 128 {
		return true, nil
	}
	profile, err := r.bytes(d.Profile.Offset, min(d.Profile.Length, container.ProfileHead))
	if err != nil || profile == nil {
		return false, err
	}
	return container.PlainColours(profile, grey), nil
}

// level reads one size; ok is false where its tables do not fit it.
func (r *fileReader) level(d *tiffdir.Directory, factor int, jpegs bool) (out level, ok bool, err error) {
	out = level{
		width: d.Width, height: d.Height, tileWidth: d.TileWidth, tileHeight: d.TileHeight, factor: factor,
		offsets: d.TileOffsets, counts: d.TileByteCounts,
	}
	r.cost += 256
	across, down := out.grid()
	n := int64(across) * int64(down)
	if d.TileOffsets.Count != n || d.TileByteCounts.Count != n {
		return out, false, nil
	}
	if jpegs {
		if out.tables, err = r.sharedTables(d.JPEGTables); err != nil || out.tables == nil {
			return out, false, err
		}
	}
	if n > maxKept {
		return out, true, nil
	}
	out.tiles, err = out.spans(r.r, r.order, r.size, 0, int(n))
	r.cost += int64(cap(out.tiles)) * 16
	return out, out.tiles != nil, err
}

// sharedTables reads the tables that the tiles build on; nil where they make no sense.
func (r *fileReader) sharedTables(at tiffdir.Span) (*jpegjoin.Tables, error) {
	var raw []byte
	if at.Length > 0 {
		if at.Length > maxTables {
			return nil, nil
		}
		var err error
		if raw, err = r.bytes(at.Offset, at.Length); err != nil || raw == nil {
			return nil, err
		}
	}
	if r.tables != nil && bytes.Equal(raw, r.raw) {
		return r.tables, nil
	}
	tables := jpegjoin.NewTables()
	if len(raw) > 0 {
		var err error
		if tables, err = jpegjoin.ReadTables(raw); err != nil {
			return nil, nil //nolint:nilerr // the renderer behind may know what to make of it
		}
	}
	r.raw, r.tables = raw, tables
	r.cost += tables.Size() + int64(len(raw))
	return tables, nil
}

// bytes reads a part of the file; nil where it is cut off.
func (r *fileReader) bytes(offset, length int64) ([]byte, error) {
	if offset < 0 || length < 0 || offset > r.size || length > r.size-offset {
		return nil, nil
	}
	return readFull(r.r, offset, int(length))
}
