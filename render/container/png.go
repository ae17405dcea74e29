package container

import (
	"encoding/binary"
	"hash/crc32"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// PNG says that the colours of a PNG are sRGB (Portable Network Graphics, §11.3.2.5), which takes no profile, and
// takes a resolution out that is not known.
func PNG(data []byte, p Picture) []byte {
	const headEnd = len(pngSignature) + 25 // IHDR has 13 bytes
	if len(data) < headEnd || string(data[:len(pngSignature)]) != pngSignature {
		return data
	}
	out := make([]byte, 0, len(data)+13)
	out = append(out, data[:headEnd]...)
	out = appendPNGChunk(out, "sRGB", []byte{1}) // relative colorimetric
	rest := data[headEnd:]
	for len(rest) >= 12 {
		size := 12 + int64(binary.BigEndian.Uint32(rest))
		name := string(rest[4:8])
		if name == "IDAT" || size > int64(len(rest)) {
			break
		}
		if name != "pHYs" || p.Sized() {
			out = append(out, rest[:size]...)
		}
		rest = rest[size:]
	}
	return append(out, rest...)
}

func appendPNGChunk(out []byte, name string, body []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
	start := len(out)
	out = append(append(out, name...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[start:]))
}
