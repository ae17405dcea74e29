package authz

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// Bounds of a value that leaves an expression: it may be any part of a metadata document, and is to stand in an answer.
const (
	// maxValueSize is in bytes: of texts and keys, with some for each value.
	maxValueSize  = 16 << 10
	valueOverhead = 8
	maxValueDepth = 16
)

var (
	errNull       = errors.New("the value is null")
	errValueSize  = fmt.Errorf("the value has more than %d bytes", maxValueSize)
	errValueDepth = fmt.Errorf("the value has more than %d levels", maxValueDepth)
)

// plain turns a value of the expression language into plain Go.
func (e *expression) plain(v ref.Val) (any, error) {
	p := plainer{left: maxValueSize}
	out, err := p.value(v, maxValueDepth)
	if err == nil && out == nil {
		err = errNull
	}
	if err != nil {
		return nil, fmt.Errorf("evaluate `%s`: %w", e.text, err)
	}
	return out, nil
}

// plainer counts what is left of the bounds.
type plainer struct{ left int }

func (p *plainer) take(n int) error {
	if p.left -= n + valueOverhead; p.left < 0 {
		return errValueSize
	}
	return nil
}

// value is nil for null.
func (p *plainer) value(v ref.Val, levels int) (any, error) {
	if levels == 0 {
		return nil, errValueDepth
	}
	switch v := v.(type) {
	case types.String:
		if !utf8.ValidString(string(v)) {
			return nil, errors.New("a text is no UTF-8")
		}
		return string(v), p.take(len(v))
	case types.Bool:
		return bool(v), p.take(0)
	case types.Int:
		return int64(v), p.take(0)
	case types.Uint:
		return uint64(v), p.take(0)
	case types.Double:
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, errors.New("a number is not finite")
		}
		return float64(v), p.take(0)
	case types.Null:
		return nil, p.take(0)
	case traits.Mapper:
		return p.object(v, levels)
	case traits.Lister:
		return p.list(v, levels)
	}
	return nil, fmt.Errorf("a value is %s, which JSON does not have; write string(…)", v.Type().TypeName())
}

func (p *plainer) object(m traits.Mapper, levels int) (any, error) {
	out := map[string]any{}
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		name, isText := key.(types.String)
		if !isText {
			return nil, fmt.Errorf("a key is %s, not a text", key.Type().TypeName())
		}
		if err := p.take(len(name)); err != nil {
			return nil, err
		}
		value, err := p.value(m.Get(key), levels-1)
		if err != nil {
			return nil, err
		}
		if value != nil {
			out[string(name)] = value
		}
	}
	return out, p.take(0)
}

func (p *plainer) list(l traits.Lister, levels int) (any, error) {
	out := []any{}
	for it := l.Iterator(); it.HasNext() == types.True; {
		value, err := p.value(it.Next(), levels-1)
		if err != nil {
			return nil, err
		}
		if value != nil {
			out = append(out, value)
		}
	}
	return out, p.take(0)
}
