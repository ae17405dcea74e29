package iiif

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// maxDescription bounds the values of one Description, in bytes.
const maxDescription = 16 << 10

// Description is what a publisher adds to an info.json.
type Description struct {
	// Attribution, License and Logo go into version 2 (Image API 2.1.1 §5.4).
	Attribution, License, Logo string
	// Rights goes into version 3 (Image API 3.0 §5.6): a Creative Commons or RightsStatements.org URI.
	Rights string
	// PreferredFormats go into version 3 as far as the renderer writes them, best first.
	PreferredFormats []string
	// PartOf, SeeAlso and Service are JSON objects (Image API 3.0 §5.8); Service also goes into version 2.
	PartOf, SeeAlso, Service []json.RawMessage
	// Incomplete tells that something could not be found out just now: nobody may keep the info.json.
	Incomplete bool

	size int
}

// Wants tells whether a value of the field would find a place: of a field with one value, the first counts.
func (d *Description) Wants(f Field, version int) bool {
	switch f {
	case FieldAttribution, FieldLicense, FieldLogo, FieldRights:
		return f.In(version) && *d.text(f) == ""
	case FieldPreferredFormats:
		return f.In(version) && len(d.PreferredFormats) == 0
	}
	return f.In(version)
}

// Add adds a value that Wants asked for. A service that is for other versions is passed over.
func (d *Description) Add(v Value, version int) error {
	if !slices.Contains(v.in, version) {
		return nil
	}
	size := len(v.text) + len(v.object)
	if d.size+size > maxDescription {
		return fmt.Errorf("together with those before it, the value has more than %d bytes", maxDescription)
	}
	d.size += size
	switch v.field {
	case FieldPreferredFormats:
		d.PreferredFormats = v.formats
	case FieldPartOf:
		d.PartOf = append(d.PartOf, v.object)
	case FieldSeeAlso:
		d.SeeAlso = append(d.SeeAlso, v.object)
	case FieldService:
		d.Service = append(d.Service, v.object)
	default:
		*d.text(v.field) = v.text
	}
	return nil
}

func (d *Description) text(f Field) *string {
	switch f {
	case FieldAttribution:
		return &d.Attribution
	case FieldLicense:
		return &d.License
	case FieldLogo:
		return &d.Logo
	}
	return &d.Rights
}

// license2 is version 2's license: any link to the terms, so that a rights statement will do (Image API 2.1.1 §5.4).
func (d Description) license2() string { return cmp.Or(d.License, d.Rights) }

// rights3 is version 3's rights. A license takes its place only when it is of the two sets that §5.6 of Image API 3.0
// names: elsewhere there is no telling whether it is a registered one.
func (d Description) rights3() string {
	if d.Rights == "" && isRightsStatement(d.License) {
		return d.License
	}
	return d.Rights
}

// isRightsStatement tells whether a URI is one of Creative Commons' or RightsStatements.org's.
func isRightsStatement(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil {
		return false
	}
	switch u.Host {
	case "creativecommons.org":
		return strings.HasPrefix(u.Path, "/licenses/") || strings.HasPrefix(u.Path, "/publicdomain/")
	case "rightsstatements.org":
		return strings.HasPrefix(u.Path, "/vocab/")
	}
	return false
}
