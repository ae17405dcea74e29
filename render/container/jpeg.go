package container

import "encoding/binary"

// jfifSize is the length of a JFIF segment without a thumbnail, its marker included (ISO/IEC 10918-5 §10.1).
const jfifSize = 18

// JPEG puts a JFIF segment and a profile behind the start of a JPEG that has neither. The first says that the colours
// are YCbCr or grey, and how large the picture is on paper. What is no JPEG stays as it is.
func JPEG(data []byte, p Picture) []byte {
	if len(data) < 2 || data[0] != 0xFF || data[1] != 0xD8 {
		return data
	}
	out := make([]byte, 0, len(data)+JPEGStartSize)
	return append(AppendJPEGStart(out, p), data[2:]...)
}

// JPEGStartSize is at least what AppendJPEGStart and AppendRGBStart write, in bytes.
const JPEGStartSize = 1024

// AppendJPEGStart begins a JPEG of grey or YCbCr with the same segments.
func AppendJPEGStart(out []byte, p Picture) []byte {
	out = append(out, 0xFF, 0xD8, 0xFF, 0xE0, 0, jfifSize-2, 'J', 'F', 'I', 'F', 0, 1, 2)
	if x, y, ok := p.dotsPerInch(); ok {
		out = append(out, 1) // dots per inch
		out = binary.BigEndian.AppendUint16(out, x)
		out = binary.BigEndian.AppendUint16(out, y)
	} else {
		out = append(out, 0, 0, 1, 0, 1) // no unit: pixels are square
	}
	return appendProfile(append(out, 0, 0), p.Grey)
}

// AppendRGBStart begins a JPEG whose components are red, green and blue. JFIF has no word for that, and forbids it;
// Adobe's segment has (ITU-T T.872 §6.5.3). It cannot tell the size on paper.
func AppendRGBStart(out []byte) []byte {
	out = append(out, 0xFF, 0xD8, 0xFF, 0xEE, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0)
	return appendProfile(out, false)
}

func appendProfile(out []byte, grey bool) []byte {
	profile := Profile(grey)
	const iccHead = "ICC_PROFILE\x00\x01\x01" // the first of one piece (ICC.1:2010 annex B.4)
	out = append(out, 0xFF, 0xE2)
	out = binary.BigEndian.AppendUint16(out, uint16(2+len(iccHead)+len(profile)))
	return append(append(out, iccHead...), profile...)
}
