package originals

import (
	"encoding/binary"
	"math"
)

// A profile of a space that is wider than sRGB, as cameras and scanners have: the numbers of a colour in it differ from
// those in sRGB by dozens. Its primaries are close to those of Adobe RGB (1998), in the XYZ of D50.
var widePrimaries = [3][3]float64{{0.60974, 0.31111, 0.01947}, {0.20528, 0.62567, 0.06087}, {0.14919, 0.06322, 0.74457}}

const (
	wideGamma = 2.2
	grayGamma = 1.8
)

// srgbPrimaries are those of sRGB, in the XYZ of D50.
var srgbPrimaries = [3][3]float64{{0.43607, 0.22249, 0.01392}, {0.38515, 0.71687, 0.09708}, {0.14307, 0.06061, 0.71410}}

// toWide gives the samples of an sRGB colour in the wide space, as shares of 1.
func toWide(r, g, b uint8) [3]float64 {
	var xyz [3]float64
	for i, c := range [...]float64{linear(r), linear(g), linear(b)} {
		for k := range xyz {
			xyz[k] += c * srgbPrimaries[i][k]
		}
	}
	var out [3]float64
	for i, row := range fromXYZ {
		c := row[0]*xyz[0] + row[1]*xyz[1] + row[2]*xyz[2]
		out[i] = math.Pow(min(max(c, 0), 1), 1/wideGamma)
	}
	return out
}

// fromXYZ leads to the wide space.
var fromXYZ = inverse(widePrimaries)

// inverse is of the matrix that has the primaries as its columns.
func inverse(p [3][3]float64) (out [3][3]float64) {
	at := func(row, column int) float64 { return p[column%3][row%3] }
	det := 0.0
	for k := range 3 {
		det += at(0, k) * (at(1, k+1)*at(2, k+2) - at(1, k+2)*at(2, k+1))
	}
	for i := range 3 {
		for k := range 3 {
			out[i][k] = (at(k+1, i+1)*at(k+2, i+2) - at(k+1, i+2)*at(k+2, i+1)) / det
		}
	}
	return out
}

// wideProfile is the profile of the wide space.
func wideProfile() []byte {
	tags := []iccTag{{"rXYZ", iccXYZ(widePrimaries[0])}, {"gXYZ", iccXYZ(widePrimaries[1])}, {"bXYZ", iccXYZ(widePrimaries[2])}}
	for _, name := range []string{"rTRC", "gTRC", "bTRC"} {
		tags = append(tags, iccTag{name, iccGamma(wideGamma)})
	}
	return iccProfile("RGB ", "A wide space", tags...)
}

// grayProfile is of gray with a steep curve.
func grayProfile() []byte {
	return iccProfile("GRAY", "Steep gray", iccTag{"kTRC", iccGamma(grayGamma)})
}

// toGray gives the sample of a gray of sRGB under grayProfile, as a share of 1.
func toGray(v uint8) float64 { return math.Pow(linear(v), 1/grayGamma) }

type iccTag struct {
	name string
	data []byte
}

// iccProfile writes a display profile of version 2.1 (ICC.1:1998-09).
func iccProfile(space, title string, tags ...iccTag) []byte {
	be := binary.BigEndian
	name := be.AppendUint32([]byte("desc\x00\x00\x00\x00"), uint32(len(title)+1))
	name = append(append(name, title...), make([]byte, 1+4+4+2+1+67)...)
	tags = append([]iccTag{
		{"desc", name}, {"cprt", []byte("text\x00\x00\x00\x00nobody's\x00")}, {"wtpt", iccXYZ([3]float64{0.9642, 1, 0.8249})},
	}, tags...)

	table, data := be.AppendUint32(nil, uint32(len(tags))), []byte(nil)
	for _, t := range tags {
		table = append(table, t.name...)
		table = be.AppendUint32(table, uint32(128+4+12*len(tags)+len(data)))
		table = be.AppendUint32(table, uint32(len(t.data)))
		data = append(data, t.data...)
		data = append(data, make([]byte, (4-len(t.data)%4)%4)...)
	}
	head := make([]byte, 128)
	be.PutUint32(head, uint32(len(head)+len(table)+len(data)))
	be.PutUint32(head[8:], 0x02100000)
	copy(head[12:], "mntr"+space+"XYZ ")
	copy(head[24:], []byte{0x07, 0xE0, 0, 1, 0, 1})
	copy(head[36:], "acsp")
	copy(head[68:], iccXYZ([3]float64{0.9642, 1, 0.8249})[8:])
	return append(append(head, table...), data...)
}

func iccXYZ(v [3]float64) []byte {
	out := []byte("XYZ \x00\x00\x00\x00")
	for _, c := range v {
		out = binary.BigEndian.AppendUint32(out, uint32(int32(math.Round(c*65536))))
	}
	return out
}

func iccGamma(gamma float64) []byte {
	out := []byte("curv\x00\x00\x00\x00\x00\x00\x00\x01")
	return binary.BigEndian.AppendUint16(out, uint16(math.Round(gamma*256)))
}
