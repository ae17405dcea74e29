package pictures

import (
	"bytes"
	"compress/zlib"
	"image"
	"image/color"
)

// rowsPerStrip is a common choice: strips of about 100 KB for a page of text.
const rowsPerStrip = 64

// Pages writes pictures as the pages of a TIFF in strips, compressed without loss. An *image.Gray becomes a gray page,
// all else RGB.
func Pages(pages ...image.Image) ([]byte, error) {
	f := newFile()
	for _, page := range pages {
		if err := f.page(page); err != nil {
			return nil, err
		}
	}
	return f.finish()
}

func (f *file) page(m image.Image) error {
	b := m.Bounds()
	var offsets, counts []uint32
	for y := b.Min.Y; y < b.Max.Y; y += rowsPerStrip {
		strip := image.Rect(b.Min.X, y, b.Max.X, min(y+rowsPerStrip, b.Max.Y))
		data, err := deflate(samples(m, strip))
		if err != nil {
			return err
		}
		offsets, counts = append(offsets, f.add(data)), append(counts, size(len(data)))
	}
	bits, photometric := short(tagBitsPerSample, 8, 8, 8), short(tagPhotometric, photometricRGB)
	if _, gray := m.(*image.Gray); gray {
		bits, photometric = short(tagBitsPerSample, 8), short(tagPhotometric, photometricGray)
	}
	f.directory(append(resolution(150),
		long(tagSubfileType, 0),
		long(tagWidth, size(b.Dx())), long(tagHeight, size(b.Dy())),
		bits, photometric, short(tagSamplesPerPixel, size(len(bits.values))), short(tagPlanarConfig, 1),
		short(tagCompression, compressionDeflate),
		short(tagRowsPerStrip, rowsPerStrip),
		long(tagStripOffsets, offsets...), long(tagStripByteCounts, counts...),
	)...)
	return nil
}

// samples are the pixels of a part of m as a TIFF stores them.
func samples(m image.Image, part image.Rectangle) []byte {
	var out []byte
	for y := part.Min.Y; y < part.Max.Y; y++ {
		if gray, ok := m.(*image.Gray); ok {
			out = append(out, gray.Pix[gray.PixOffset(part.Min.X, y):gray.PixOffset(part.Max.X-1, y)+1]...)
			continue
		}
		for x := part.Min.X; x < part.Max.X; x++ {
			c := color.RGBAModel.Convert(m.At(x, y)).(color.RGBA)
			out = append(out, c.R, c.G, c.B)
		}
	}
	return out
}

func deflate(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
