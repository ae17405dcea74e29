package iiif

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Field is a property of info.json with which a publisher says something about the picture, by its IIIF name.
type Field string

// The fields (Image API 2.1.1 §5.4 and §5.5, 3.0 §5.5, §5.6 and §5.8).
const (
	FieldAttribution      Field = "attribution"
	FieldLicense          Field = "license"
	FieldLogo             Field = "logo"
	FieldPartOf           Field = "partOf"
	FieldPreferredFormats Field = "preferredFormats"
	FieldRights           Field = "rights"
	FieldSeeAlso          Field = "seeAlso"
	FieldService          Field = "service"
)

// FieldKind tells what the values of a field are.
type FieldKind uint8

// The kinds of values.
const (
	KindText    FieldKind = iota // one text
	KindObject                   // a JSON object, of which the field has a list
	KindFormats                  // a list of formats
)

// property is what is known of a field.
type property struct {
	kind FieldKind
	// check tells what is wrong with a text.
	check func(string) error
	// in are the versions of the Image API whose info.json has the field, or takes another's place from it.
	in []int
}

// property tells what is known of the field; false for a name that is none.
func (f Field) property() (property, bool) {
	switch f {
	case FieldAttribution:
		return property{kind: KindText, check: checkText, in: []int{2}}, true
	case FieldLicense, FieldRights:
		return property{kind: KindText, check: checkURI, in: []int{2, 3}}, true
	case FieldLogo:
		return property{kind: KindText, check: checkURI, in: []int{2}}, true
	case FieldPartOf, FieldSeeAlso:
		return property{kind: KindObject, in: []int{3}}, true
	case FieldPreferredFormats:
		return property{kind: KindFormats, in: []int{3}}, true
	case FieldService:
		return property{kind: KindObject, in: []int{2, 3}}, true
	}
	return property{}, false
}

// Fields are the names of all fields, in alphabetical order.
func Fields() []string {
	all := []Field{
		FieldAttribution, FieldLicense, FieldLogo, FieldPartOf, FieldPreferredFormats, FieldRights, FieldSeeAlso, FieldService,
	}
	names := make([]string, 0, len(all))
	for _, f := range all {
		names = append(names, string(f))
	}
	return names
}

// Kind tells what values the field has; false for a name that is none.
func (f Field) Kind() (FieldKind, bool) {
	p, known := f.property()
	return p.kind, known
}

// In tells whether the field plays a part in the info.json of a version.
func (f Field) In(version int) bool {
	p, _ := f.property()
	return slices.Contains(p.in, version)
}

// Value is a value of a field that may stand in an info.json.
type Value struct {
	field   Field
	text    string
	object  json.RawMessage
	formats []string
	// in are the versions that the value is for.
	in []int
}

// FixedValue reads a value out of a configuration, as JSON.
func FixedValue(f Field, raw json.RawMessage) (Value, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var decoded any
	if err := decoder.Decode(&decoded); err != nil {
		return Value{}, fmt.Errorf("the value is no JSON: %w", err)
	}
	if decoder.More() {
		return Value{}, errors.New("the value is followed by something else")
	}
	return f.value(decoded)
}

// ComputedValue takes a value that was made of what others have written: metadata, or an identifier. Its errors never
// quote it. Beyond what FixedValue asks, an attribution is no markup: viewers show it as HTML (Presentation API 2.1, on
// markup in property values), and nobody has looked at it.
func ComputedValue(f Field, value any) (Value, error) {
	v, err := f.value(value)
	if err == nil && f == FieldAttribution && hasMarkup(v.text) {
		return Value{}, errors.New("the text holds markup, which only a fixed text may")
	}
	return v, err
}

// value checks a value of plain data.
func (f Field) value(value any) (Value, error) {
	p, known := f.property()
	v := Value{field: f, in: p.in}
	switch value := value.(type) {
	case string:
		if known && p.kind == KindText {
			v.text = value
			return v, p.check(value)
		}
	case map[string]any:
		if known && p.kind == KindObject {
			return v.withObject(value)
		}
	case []any:
		if known && p.kind == KindFormats {
			return v.withFormats(value)
		}
	}
	if !known {
		return v, fmt.Errorf("%q is no field of info.json; choose one of %s", string(f), strings.Join(Fields(), ", "))
	}
	return v, fmt.Errorf("the value must be %s", [...]string{"a text", "a JSON object", "a list of formats"}[p.kind])
}

func (v Value) withObject(object map[string]any) (Value, error) {
	var err error
	if v.field == FieldService {
		v.in, err = checkService(object)
	} else {
		err = checkLink(object)
	}
	if err != nil {
		return v, err
	}
	// Written anew, so that what stands there is what was checked.
	encoded, err := encode(object)
	v.object = bytes.TrimSpace(encoded)
	return v, err
}

func (v Value) withFormats(list []any) (Value, error) {
	for _, entry := range list {
		name, isText := entry.(string)
		if !isText || MediaType(name) == "" {
			return v, errors.New("a format is not known; choose from " + formatNames)
		}
		if !slices.Contains(v.formats, name) {
			v.formats = append(v.formats, name)
		}
	}
	if len(v.formats) == 0 {
		return v, errors.New("the list of formats is empty")
	}
	return v, nil
}
