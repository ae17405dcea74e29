package container

import "encoding/binary"

// Flags of the VP8X chunk (WebP Container Specification, Extended File Format).
const (
	webpICC   = 0x20
	webpAlpha = 0x10
)

// WebP puts a profile into a WebP, and takes an Exif block out: libvips writes one with nothing but the resolution, some
// hundred bytes in each tile. What is no WebP stays as it is.
func WebP(data []byte, p Picture) []byte {
	chunks, ok := webpChunks(data)
	if !ok {
		return data
	}
	flags := byte(webpICC)
	if p.Alpha {
		flags |= webpAlpha
	}
	profile := Profile(p.Grey)
	if p.Grey {
		// A WebP holds three bands, whatever the picture had.
		profile = Profile(false)
	}
	extended := []byte{flags, 0, 0, 0}
	for _, side := range []int{p.Width, p.Height} {
		extended = append(extended, byte(side-1), byte((side-1)>>8), byte((side-1)>>16))
	}
	out := make([]byte, 0, len(data)+len(profile)+64)
	out = append(out, "RIFF\x00\x00\x00\x00WEBP"...)
	out = appendWebPChunk(out, "VP8X", extended)
	out = appendWebPChunk(out, "ICCP", profile)
	for _, chunk := range chunks {
		switch chunk.name {
		case "VP8 ", "VP8L", "ALPH":
			out = appendWebPChunk(out, chunk.name, chunk.body)
		}
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

type webpChunk struct {
	name string
	body []byte
}

// webpChunks cuts a file into its chunks; ok is false where that cannot be done.
func webpChunks(data []byte) (chunks []webpChunk, ok bool) {
	if len(data) < 12 || string(data[:4]) != "RIFF" || string(data[8:12]) != "WEBP" {
		return nil, false
	}
	for rest := data[12:]; len(rest) > 0; {
		if len(rest) < 8 {
			return nil, false
		}
		size := int64(binary.LittleEndian.Uint32(rest[4:]))
		if size > int64(len(rest)-8) {
			return nil, false
		}
		chunks = append(chunks, webpChunk{string(rest[:4]), rest[8 : 8+size]})
		rest = rest[min(8+size+size%2, int64(len(rest))):]
	}
	return chunks, len(chunks) > 0
}

func appendWebPChunk(out []byte, name string, body []byte) []byte {
	out = append(out, name...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(body)))
	out = append(out, body...)
	return append(out, make([]byte, len(body)%2)...)
}
