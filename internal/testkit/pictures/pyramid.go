package pictures

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// Pyramid writes a drawing as a TIFF of square JPEG tiles, each one a complete JPEG file (compression 7 without shared
// tables), and then its half, quarter and so on, each in a directory that is marked as a reduced image, until one tile
// holds all. tile is the side of the tiles, a multiple of 16.
func Pyramid(d Drawing, tile int) ([]byte, error) {
	if tile <= 0 || tile%16 != 0 {
		return nil, fmt.Errorf("tile side %d is no multiple of 16", tile)
	}
	f := newFile()
	for shrink := 1; ; shrink *= 2 {
		side := d.Size().Add(image.Pt(shrink-1, shrink-1)).Div(shrink)
		if err := f.level(d, side, shrink, tile); err != nil {
			return nil, err
		}
		if side.X <= tile && side.Y <= tile {
			return f.finish()
		}
	}
}

// level writes one size of the drawing.
func (f *file) level(d Drawing, side image.Point, shrink, tile int) error {
	tiles, err := encodeTiles(d, side, shrink, tile)
	if err != nil {
		return err
	}
	offsets, counts := make([]uint32, len(tiles)), make([]uint32, len(tiles))
	for i, data := range tiles {
		offsets[i], counts[i] = f.add(data), size(len(data))
	}
	reduced := uint32(0)
	if shrink > 1 {
		reduced = 1
	}
	f.directory(append(resolution(300),
		long(tagSubfileType, reduced),
		long(tagWidth, size(side.X)), long(tagHeight, size(side.Y)),
		short(tagBitsPerSample, 8, 8, 8), short(tagSamplesPerPixel, 3), short(tagPlanarConfig, 1),
		short(tagCompression, compressionJPEG), short(tagPhotometric, photometricYCbCr),
		short(tagSubsampling, 2, 2), // what image/jpeg writes
		long(tagTileWidth, size(tile)), long(tagTileHeight, size(tile)),
		long(tagTileOffsets, offsets...), long(tagTileByteCounts, counts...),
	)...)
	return nil
}

// encodeTiles makes all tiles of a level, row by row, on all processors.
func encodeTiles(d Drawing, side image.Point, shrink, tile int) ([][]byte, error) {
	columns, rows := (side.X+tile-1)/tile, (side.Y+tile-1)/tile
	tiles := make([][]byte, columns*rows)
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range tiles {
		group.Go(func() error {
			from := image.Pt(i%columns, i/columns).Mul(tile)
			part := d.Draw(image.Rectangle{from, from.Add(image.Pt(tile, tile))}, shrink)
			var out bytes.Buffer
			err := jpeg.Encode(&out, part, &jpeg.Options{Quality: 85})
			tiles[i] = out.Bytes()
			return err
		})
	}
	return tiles, group.Wait()
}
