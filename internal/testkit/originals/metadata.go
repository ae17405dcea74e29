package originals

import "encoding/binary"

// exifBlock is an Exif block with an orientation, and, where private is set, with all that must not get out.
func exifBlock(orientation int, private bool) []byte {
	f := newTIFF(false)
	fields := []tiffField{f.short(tagOrientation, orientation)}
	f.page(fields...)
	return f.data
}

func exifSegment(block []byte) []byte { return segment(0xE1, append([]byte("Exif\x00\x00"), block...)) }

// segment is a marker segment of a JPEG.
func segment(marker byte, body []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(len(body)+2)), body...)
}

// withSegments puts segments behind a JPEG's start.
func withSegments(data []byte, segments ...[]byte) []byte {
	out := append([]byte{}, data[:2]...)
	for _, s := range segments {
		out = append(out, s...)
	}
	return append(out, data[2:]...)
}
