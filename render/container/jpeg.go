package container

import "encoding/binary"

// jfifSize is the length of a JFIF segment without a thumbnail, its marker included (ISO/IEC 10918-5 §10.1).
const jfifSize = 18

// JPEG puts a JFIF segment and a profile behind the start of a JPEG that has neither. The first says that the colours
// are YCbCr or grey, and how large the picture is on paper.
func JPEG(data []byte, p Picture) []byte {
	if len(data) < 2 {
		return data
	}
	profile := Profile(p.Grey)
	const iccHead = "ICC_PROFILE\x00\x01\x01" // the first of one piece (ICC.1:2010 annex B.4)
	out := make([]byte, 0, len(data)+jfifSize+4+len(iccHead)+len(profile))
	out = append(out, data[:2]...)
	out = append(out, 0xFF, 0xE0, 0, jfifSize-2, 'J', 'F', 'I', 'F', 0, 1, 2)
	if x, y, ok := p.dotsPerInch(); ok {
		out = append(out, 1) // dots per inch
		out = binary.BigEndian.AppendUint16(out, x)
		out = binary.BigEndian.AppendUint16(out, y)
	} else {
		out = append(out, 0, 0, 1, 0, 1) // no unit: pixels are square
	}
	out = append(out, 0, 0)
	out = append(out, 0xFF, 0xE2)
	out = binary.BigEndian.AppendUint16(out, uint16(2+len(iccHead)+len(profile)))
	out = append(append(out, iccHead...), profile...)
	return append(out, data[2:]...)
}
