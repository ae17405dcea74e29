package originals

import (
	"encoding/binary"
	"fmt"
)

// What private kinds hold beside the picture: words that stand nowhere else.
const (
	secretSerial  = "SERIAL-90125-XK"
	secretOwner   = "Owner Q. Privately"
	secretArtist  = "Artist Z. Unnamed"
	secretComment = "a comment that nobody should read"
	secretXMP     = "xmp-words-not-to-be-told"
	secretIPTC    = "iptc-words-not-to-be-told"
	secretInfo    = "info-words-not-to-be-told"
)

// The seconds of a latitude, in parts of 10,000.
const secretSeconds = 270713

// Secrets lists the byte sequences of which no picture made of a private kind may hold one.
func Secrets() [][]byte {
	var all [][]byte
	for _, s := range []string{secretSerial, secretOwner, secretArtist, secretComment, secretXMP, secretIPTC, secretInfo} {
		all = append(all, []byte(s))
	}
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		all = append(all, order.AppendUint32(order.AppendUint32(nil, secretSeconds), 10000))
	}
	return all
}

// exifBlock is an Exif block with an orientation, and, where private is set, with who made the picture, where, with
// which camera (Exif 2.3).
func exifBlock(orientation int, private bool) []byte {
	f := newTIFF(false)
	fields := []tiffField{f.short(tagOrientation, orientation)}
	if private {
		fields = append(fields, privateFields(f)...)
	}
	f.page(fields...)
	return f.data
}

// privateFields are for a directory of a TIFF or of an Exif block.
func privateFields(f *tiffWriter) []tiffField {
	camera := f.directory(
		raw(0x9000, typeUndefined, []byte("0230")), text(0x9003, "2019:05:04 12:13:14"),
		raw(0x9286, typeUndefined, []byte("ASCII\x00\x00\x00"+secretComment)),
		text(0xA430, secretOwner), text(0xA431, secretSerial),
	)
	position := f.directory(
		raw(0, typeByte, []byte{2, 3, 0, 0}), text(1, "N"), f.rational(2, 52, 1, 22, 1, secretSeconds, 10000),
		text(3, "E"), f.rational(4, 4, 1, 53, 1, secretSeconds, 10000),
	)
	return []tiffField{
		text(270, secretComment), text(271, "Maker"), text(272, "Camera"), text(305, secretInfo), text(315, secretArtist),
		f.long(tagExif, camera), f.long(tagGPS, position),
	}
}

func exifSegment(block []byte) []byte { return segment(0xE1, append([]byte("Exif\x00\x00"), block...)) }

func xmpPacket() []byte {
	return fmt.Appendf(nil, `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">`+
		`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/">`+
		`<dc:creator>%s %s</dc:creator></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`, secretXMP, secretOwner)
}

// iptcBlock is a by-line and a caption (IPTC IIM 2:80, 2:120).
func iptcBlock() []byte {
	var out []byte
	for _, set := range []struct {
		number byte
		words  string
	}{{80, secretArtist}, {120, secretIPTC}} {
		out = append(out, 0x1C, 2, set.number, 0, byte(len(set.words)))
		out = append(out, set.words...)
	}
	return out
}

// photoshopBlock holds IPTC as image editors keep it: resource 0x0404.
func photoshopBlock() []byte {
	iptc := iptcBlock()
	out := binary.BigEndian.AppendUint32([]byte("8BIM\x04\x04\x00\x00"), uint32(len(iptc)))
	out = append(out, iptc...)
	return append(out, make([]byte, len(iptc)%2)...)
}
