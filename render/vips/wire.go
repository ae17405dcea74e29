package vips

// #include "bridge.h"
import "C"

import (
	"encoding/binary"
	"errors"
	"image"
	"math"
	"slices"
	"unsafe"

	"github.com/gatehouse-server/gatehouse/render/container"
)

// Calls go to children as the structures that C gets, byte for byte, with all pointers nil: both sides are the same
// program. What children say is read field by field, since they are not trusted.

// The kinds of calls.
const (
	askHead    byte = 'h'
	askDraw    byte = 'd'
	askPyramid byte = 'p' // the tile's width and height, and a drawing
)

// errAsk says that a call makes no sense, which only another program than this one would send.
var errAsk = errors.New("a call that makes no sense")

func raw[T any](v *T) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v)) }

// take fills v from the beginning of data and gives the rest.
func take[T any](v *T, data []byte) ([]byte, error) {
	if len(data) < int(unsafe.Sizeof(*v)) {
		return nil, errAsk
	}
	return data[copy(raw(v), data):], nil
}

func appendHead(load C.ghv_load) []byte { return append([]byte{askHead}, raw(&load)...) }

func (d *drawing) ask() []byte { return d.append([]byte{askDraw}) }

func (d *drawing) askPyramid(tile image.Point) []byte {
	out := binary.LittleEndian.AppendUint32([]byte{askPyramid}, uint32(tile.X))
	return d.append(binary.LittleEndian.AppendUint32(out, uint32(tile.Y)))
}

// parsePyramid reads what is asked for in a child.
func parsePyramid(ask []byte) (*drawing, image.Point, error) {
	if len(ask) < 8 {
		return nil, image.Point{}, errAsk
	}
	tile := image.Pt(int(int32(binary.LittleEndian.Uint32(ask))), int(int32(binary.LittleEndian.Uint32(ask[4:]))))
	if tile.X < 16 || tile.Y < 16 || tile.X > maxSide || tile.Y > maxSide {
		return nil, tile, errAsk
	}
	d, err := parseDrawing(ask[8:], nil)
	return d, tile, err
}

func (d *drawing) append(to []byte) []byte {
	count := C.int(len(d.patches))
	out := slices.Grow(to, int(unsafe.Sizeof(d.job)+unsafe.Sizeof(count))+len(d.patches)*int(unsafe.Sizeof(C.ghv_patch{}))+len(d.profile))
	out = append(out, raw(&d.job)...)
	out = append(out, raw(&count)...)
	for i := range d.patches {
		out = append(out, raw(&d.patches[i])...)
	}
	return append(out, d.profile...)
}

// parseDrawing reads a drawing in a child; mark is the shared bytes.
func parseDrawing(ask, mark []byte) (*drawing, error) {
	d := &drawing{mark: mark}
	rest, err := take(&d.job, ask)
	if err != nil {
		return nil, err
	}
	var count C.int
	if rest, err = take(&count, rest); err != nil {
		return nil, err
	}
	if count < 0 || count > C.int(len(C.ghv_input{}.patches)) {
		return nil, errAsk
	}
	d.patches = make([]C.ghv_patch, count)
	for i := range d.patches {
		if rest, err = take(&d.patches[i], rest); err != nil {
			return nil, err
		}
	}
	d.profile = rest
	j := &d.job
	switch {
	case j.profile != nil || j.grey_profile != nil || j.colour_profile != nil || j.mark.data != nil,
		int(j.profile_length) != len(d.profile), int64(j.mark.width)*int64(j.mark.height)*4 != int64(len(mark)),
		int(j.grey_profile_length) != len(container.Profile(true)), int(j.colour_profile_length) != len(container.Profile(false)):
		return nil, errAsk
	}
	return d, nil
}

// What a child answers begins with the outcome; where that is no success, a text follows.
const (
	outcomeSize = 4
	drawnSize   = 3 * 4
	headSize    = 7*4 + 2*8
)

func appendOutcome(result int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(result)) }

func (h *heading) append() []byte {
	out := appendOutcome(C.GHV_OK)
	held := 0
	if h.held {
		held = 1
	}
	for _, n := range [...]int{h.width, h.height, h.bands, h.bits, h.pages, h.orientation, held} {
		out = binary.LittleEndian.AppendUint32(out, uint32(n))
	}
	for _, f := range [...]float64{h.xres, h.yres} {
		out = binary.LittleEndian.AppendUint64(out, math.Float64bits(f))
	}
	return append(out, h.profile...)
}

// appendPicture is what comes before the bytes of a picture.
func (p *drawn) append() []byte {
	out := appendOutcome(C.GHV_OK)
	for _, n := range [...]int{p.width, p.height, p.bands} {
		out = binary.LittleEndian.AppendUint32(out, uint32(n))
	}
	return out
}

// errAnswer says that a child answered what the library never does.
var errAnswer = errors.New("a rendering process answered nonsense")

// reader takes numbers off what a child said.
type reader struct {
	data []byte
	bad  bool
}

// number takes one from low to high.
func (r *reader) number(low, high int) int {
	if len(r.data) < 4 {
		r.bad = true
		return low
	}
	n := int(int32(binary.LittleEndian.Uint32(r.data)))
	r.data = r.data[4:]
	r.bad = r.bad || n < low || n > high
	return n
}

func (r *reader) float() float64 {
	if len(r.data) < 8 {
		r.bad = true
		return 0
	}
	f := math.Float64frombits(binary.LittleEndian.Uint64(r.data))
	r.data = r.data[8:]
	r.bad = r.bad || math.IsNaN(f) || math.IsInf(f, 0)
	return f
}

const (
	// maxCoordinate is the longest side that libvips knows.
	maxCoordinate = 10_000_000
	maxNumber     = math.MaxInt32
	minNumber     = math.MinInt32
)

// parseOutcome takes the outcome off an answer. failed is the first error that a read of the original gave.
func parseOutcome(answer []byte, failed error) (*reader, error) {
	r := &reader{data: answer}
	result := r.number(C.GHV_OK, C.GHV_CHANGED)
	if r.bad {
		return nil, errAnswer
	}
	if result != C.GHV_OK {
		return nil, outcomeOfCall(result, string(r.data[:min(len(r.data), 512)]), failed)
	}
	return r, nil
}

func parseHeading(answer []byte, failed error) (*heading, error) {
	r, err := parseOutcome(answer, failed)
	if err != nil {
		return nil, err
	}
	h := &heading{
		width: r.number(1, maxCoordinate), height: r.number(1, maxCoordinate), bands: r.number(0, 1<<16), bits: r.number(0, 128),
		pages: r.number(minNumber, maxNumber), orientation: r.number(minNumber, maxNumber), held: r.number(0, 1) == 1,
		xres: r.float(), yres: r.float(),
	}
	if r.bad {
		return nil, errAnswer
	}
	if len(r.data) > 0 {
		h.profile = r.data
	}
	return h, nil
}

func parseDrawn(answer []byte, failed error) (*drawn, error) {
	r, err := parseOutcome(answer, failed)
	if err != nil {
		return nil, err
	}
	p := &drawn{width: r.number(1, maxCoordinate), height: r.number(1, maxCoordinate), bands: r.number(1, 8)}
	if p.data = r.data; r.bad {
		return nil, errAnswer
	}
	return p, nil
}
