package collection

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDecodeDocument(t *testing.T) {
	for body, want := range map[string]any{
		`{}`:                          map[string]any{},
		` [1, -2, 0] `:                []any{int64(1), int64(-2), int64(0)},
		`1.0`:                         1.0,
		`1e3`:                         1000.0,
		`9223372036854775807`:         int64(9223372036854775807),
		`-9223372036854775808`:        int64(-9223372036854775808),
		`9223372036854775808`:         9223372036854775808.0,
		`1e-999`:                      0.0,
		`"caf\u00e9"`:                 "café",
		`null`:                        nil,
		`true`:                        true,
		`{"a":{"b":[null,false,{}]}}`: map[string]any{"a": map[string]any{"b": []any{nil, false, map[string]any{}}}},
		`{"a":1,"A":2,"a ":3}`:        map[string]any{"a": int64(1), "A": int64(2), "a ": int64(3)},
		`{"a":{"x":1},"b":{"x":2}}`:   map[string]any{"a": map[string]any{"x": int64(1)}, "b": map[string]any{"x": int64(2)}},
		"{\"a\"\n:\t1}\r\n":           map[string]any{"a": int64(1)},
		strings.Repeat("[", 64) + strings.Repeat("]", 64): nested(64),
	} {
		got, size, err := decodeDocument([]byte(body))
		if err != nil || !reflect.DeepEqual(got, want) || size <= 0 {
			t.Errorf("%s: %#v, %d, %v", body, got, size, err)
		}
	}
}

func nested(depth int) any {
	v := []any{}
	for range depth - 1 {
		v = []any{v}
	}
	return v
}

func TestDecodeDocumentRefusals(t *testing.T) {
	for name, test := range map[string]struct{ body, want string }{
		"nothing":              {"", "not one JSON"},
		"cut off":              {`{"a":`, "not one JSON"},
		"two documents":        {`{} {}`, "not one JSON"},
		"garbage behind":       {`{"access":"PUBLIC"}x`, "not one JSON"},
		"NUL behind":           {"{}\x00", "not one JSON"},
		"byte order mark":      {"\ufeff{}", "not one JSON"},
		"comment":              {`{/* */}`, "not one JSON"},
		"trailing comma":       {`[1,]`, "not one JSON"},
		"single quotes":        {`{'a':1}`, "not one JSON"},
		"NaN":                  {`NaN`, "not one JSON"},
		"leading zero":         {`01`, "not one JSON"},
		"HTML":                 {`<html></html>`, "not one JSON"},
		"repeated key":         {`{"access":"PUBLIC","access":"RESTRICTED"}`, `"access" stands twice`},
		"repeated, escaped":    {`{"access":"RESTRICTED","\u0061ccess":"PUBLIC"}`, `"access" stands twice`},
		"repeated deep down":   {`{"d":[{"x":{"access":1,"b":2,"access":1}}]}`, "stands twice"},
		"repeated broken text": {"{\"\xff\":1,\"\xfe\":2}", "stands twice"},
		"65 deep":              {strings.Repeat("[", 65) + strings.Repeat("]", 65), "deeper than 64"},
		"65 deep, objects":     {strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65), "deeper than 64"},
		"endlessly deep":       {strings.Repeat("[", 1_000_000), "not one JSON"},
		"20,000 deep":          {strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), ""},
		"huge number":          {`{"n":1e999}`, "too large"},
		"huge negative number": {`-1e999999999`, "too large"},
		"a million digits":     {strings.Repeat("9", 1_000_000), "too large"},
		"too many values":      {"[" + strings.Repeat("1,", 1_000_000) + "1]", "more than 1000000 values"},
	} {
		_, _, err := decodeDocument([]byte(test.body))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && len(err.Error()) > 200 {
			t.Errorf("%s: the error repeats %d bytes of the document", name, len(err.Error()))
		}
	}
}

// TestDecodeDocumentReadsBack: what Go's encoder writes is read as it was.
func TestDecodeDocumentReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := document(t, 4)
		body, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := decodeDocument(body)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s: %#v, %v", body, got, err)
		}
	})
}

func document(t *rapid.T, depth int) any {
	kinds := 6
	if depth == 0 {
		kinds = 4
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return rapid.Int64().Draw(t, "int")
	case 3:
		return rapid.String().Draw(t, "text")
	case 4:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			list = append(list, document(t, depth-1))
		}
		return list
	}
	object := map[string]any{}
	for range rapid.IntRange(0, 3).Draw(t, "keys") {
		object[rapid.String().Draw(t, "key")] = document(t, depth-1)
	}
	return object
}
