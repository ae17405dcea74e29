package collection

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bounds of a metadata document besides its bytes. Decoded values take many times the space of their text.
const (
	maxDepth  = 64
	maxValues = 1_000_000
)

// decodeDocument reads one JSON document into maps, slices, strings, int64, float64, bool and nil, and estimates the
// memory that it takes, in bytes. It refuses what two readers could understand differently, since access depends on
// it: repeated keys, and anything behind the document.
func decodeDocument(body []byte) (any, int64, error) {
	if !json.Valid(body) {
		return nil, 0, errors.New("it is not one JSON document")
	}
	d := &documentDecoder{json: json.NewDecoder(bytes.NewReader(body))}
	d.json.UseNumber()
	value, err := d.value(0)
	if err != nil {
		return nil, 0, err
	}
	return value, d.size, nil
}

type documentDecoder struct {
	json   *json.Decoder
	values int
	size   int64
}

// valueSize is roughly what a value takes besides its text: an interface, and its share of a map or a slice.
const valueSize = 64

func (d *documentDecoder) value(depth int) (any, error) {
	token, err := d.json.Token()
	if err != nil {
		return nil, err
	}
	d.values++
	if d.values > maxValues {
		return nil, fmt.Errorf("it has more than %d values", maxValues)
	}
	d.size += valueSize
	switch v := token.(type) {
	case json.Delim:
		if depth == maxDepth {
			return nil, fmt.Errorf("it is nested deeper than %d", maxDepth)
		}
		if v == '{' {
			return d.object(depth + 1)
		}
		return d.list(depth + 1)
	case json.Number:
		return number(v)
	case string:
		d.size += int64(len(v))
		return v, nil
	}
	return token, nil
}

func (d *documentDecoder) object(depth int) (any, error) {
	object := map[string]any{}
	for d.json.More() {
		token, err := d.json.Token()
		if err != nil {
			return nil, err
		}
		key, isText := token.(string)
		if !isText {
			return nil, errors.New("a key is not a text")
		}
		if _, repeated := object[key]; repeated {
			return nil, fmt.Errorf("the key %.80q stands twice in one object", key)
		}
		d.size += int64(len(key))
		if object[key], err = d.value(depth); err != nil {
			return nil, err
		}
	}
	_, err := d.json.Token()
	return object, err
}

func (d *documentDecoder) list(depth int) (any, error) {
	list := []any{}
	for d.json.More() {
		v, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.json.Token()
	return list, err
}

// number keeps what is written as an integer exact where 64 bits can.
func number(n json.Number) (any, error) {
	if !strings.ContainsAny(string(n), ".eE") {
		if i, err := strconv.ParseInt(string(n), 10, 64); err == nil {
			return i, nil
		}
	}
	f, err := n.Float64()
	if err != nil || math.IsInf(f, 0) {
		return nil, fmt.Errorf("the number %.40s is too large", n)
	}
	return f, nil
}
