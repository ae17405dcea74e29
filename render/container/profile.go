package container

import (
	"bytes"
	"crypto/md5" //nolint:gosec // the profile's identifier is an MD5 by its standard, and protects nothing
	"encoding/binary"
	"math"
	"sync"
	"unicode/utf16"
)

// Profile is an ICC profile (ICC.1:2010, version 4.3) of the colours that all pictures have: sRGB (IEC 61966-2-1), or
// grey by its curve. It is a few hundred bytes, so that it may stand in every tile. Callers must not change it.
func Profile(grey bool) []byte {
	if grey {
		return greyProfile()
	}
	return colourProfile()
}

var (
	greyProfile = sync.OnceValue(func() []byte {
		return assemble("GRAY", []element{
			{"desc", text("Grey, sRGB curve")}, {"cprt", text("CC0")}, {"wtpt", xyz(0.9642, 1, 0.8249)}, {"chad", adaptation()},
			{"kTRC", curve()},
		})
	})
	colourProfile = sync.OnceValue(func() []byte {
		trc := curve()
		return assemble("RGB ", []element{
			{"desc", text("sRGB")}, {"cprt", text("CC0")}, {"wtpt", xyz(0.9642, 1, 0.8249)}, {"chad", adaptation()},
			// The primaries of ITU-R BT.709 under D65, adapted to D50 by Bradford's method.
			{"rXYZ", xyz(0.43607, 0.22249, 0.01392)}, {"gXYZ", xyz(0.38515, 0.71687, 0.09708)}, {"bXYZ", xyz(0.14307, 0.06061, 0.71410)},
			{"rTRC", trc}, {"gTRC", trc}, {"bTRC", trc},
		})
	})
)

// PlainColours tells whether pixels can be shown as they are beside an embedded profile: it is none for pictures like
// this one (ICC.1:2010 §7.2.6), or it is sRGB, which the usual profiles are known for by their descriptions, in one byte a
// letter or two.
func PlainColours(profile []byte, grey bool) bool {
	space := "RGB "
	if grey {
		space = "GRAY"
	}
	if len(profile) < profileHeader || string(profile[16:20]) != space {
		return true
	}
	head := profile[:min(len(profile), ProfileHead)]
	for _, name := range [...]string{
		"sRGB IEC61966-2", "\x00s\x00R\x00G\x00B\x00 \x00I\x00E\x00C\x006\x001\x009\x006\x006\x00-\x002",
		"\x00R\x00G\x00B\x00_\x00D\x006\x005\x00_\x00S\x00R\x00G\x00_\x00R\x00e\x00l\x00_\x00S\x00R\x00G",
		"\x00s\x00R\x00G\x00B\x00 \x00b\x00u\x00i\x00l\x00t\x00-\x00i\x00n",
	} {
		if bytes.Contains(head, []byte(name)) {
			return true
		}
	}
	return false
}

// ProfileHead is how much of a profile PlainColours looks at, in bytes.
const ProfileHead = 4096

// element is one tag of a profile and its data, which fills whole words.
type element struct {
	tag  string
	data []byte
}

// Sizes of a profile's parts (ICC.1:2010 §7.2, §7.3).
const (
	profileHeader   = 128
	profileTagEntry = 12
)

// assemble puts header, table and data together. Tags of the same data share it.
func assemble(space string, elements []element) []byte {
	offset := profileHeader + 4 + profileTagEntry*len(elements)
	table := binary.BigEndian.AppendUint32(nil, uint32(len(elements)))
	var data []byte
	placed := make(map[*byte]int)
	for _, e := range elements {
		at, shared := placed[&e.data[0]]
		if !shared {
			at = offset + len(data)
			placed[&e.data[0]] = at
			data = append(data, e.data...)
		}
		table = append(table, e.tag...)
		table = binary.BigEndian.AppendUint32(table, uint32(at))
		table = binary.BigEndian.AppendUint32(table, uint32(len(e.data)))
	}
	head := make([]byte, profileHeader)
	be := binary.BigEndian
	be.PutUint32(head, uint32(offset+len(data)))
	be.PutUint32(head[8:], 0x04300000) // version 4.3
	copy(head[12:], "mntr"+space+"XYZ ")
	for i, v := range []uint16{2026, 1, 1, 0, 0, 0} {
		be.PutUint16(head[24+2*i:], v)
	}
	copy(head[36:], "acsp")
	copy(head[68:], xyz(0.9642, 1, 0.8249)[8:]) // the illuminant of all profiles, D50
	whole := append(append(head, table...), data...)
	// The identifier is the sum of the profile without flags, intent and the identifier itself, which are zero here.
	id := md5.Sum(whole) //nolint:gosec // as above
	copy(whole[84:], id[:])
	return whole
}

// text is a multiLocalizedUnicodeType (ICC.1:2010 §10.13) in English.
func text(s string) []byte {
	units := utf16.Encode([]rune(s))
	b := append([]byte("mluc"), 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, 1)
	b = binary.BigEndian.AppendUint32(b, profileTagEntry)
	b = append(b, "enUS"...)
	b = binary.BigEndian.AppendUint32(b, uint32(2*len(units)))
	b = binary.BigEndian.AppendUint32(b, 28)
	for _, u := range units {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	return append(b, make([]byte, -len(b)&3)...)
}

// fixed appends s15Fixed16Numbers (ICC.1:2010 §4.6).
func fixed(b []byte, values ...float64) []byte {
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, uint32(int32(math.Round(v*65536)))) //nolint:gosec // two's complement is meant
	}
	return b
}

// xyz is an XYZType (ICC.1:2010 §10.31).
func xyz(x, y, z float64) []byte { return fixed([]byte("XYZ \x00\x00\x00\x00"), x, y, z) }

// adaptation is the matrix by which the white of sRGB, D65, became that of the profile (ICC.1:2010 §9.2.15), after
// Bradford.
func adaptation() []byte {
	return fixed([]byte("sf32\x00\x00\x00\x00"),
		1.04791, 0.02293, -0.05020, 0.02960, 0.99048, -0.01707, -0.00925, 0.01508, 0.75168)
}

// curve is the transfer function of sRGB as a parametricCurveType (ICC.1:2010 §10.16), function 3.
func curve() []byte {
	return fixed([]byte("para\x00\x00\x00\x00\x00\x03\x00\x00"), 2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045)
}
