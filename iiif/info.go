package iiif

import (
	"bytes"
	"encoding/json"
	"image"
	"slices"
	"strconv"
)

// protocolURI stands in every info.json.
const protocolURI = "http://iiif.io/api/image"

type sizeEntry struct {
	Width  int `json:"width"`
	Height int `json:"height"`
}

type tileEntry struct {
	Width        int   `json:"width"`
	Height       int   `json:"height,omitempty"`
	ScaleFactors []int `json:"scaleFactors"`
}

// info2 is the document of Image API 2.1.1 §5.
type info2 struct {
	Context     string            `json:"@context"`
	ID          string            `json:"@id"`
	Protocol    string            `json:"protocol"`
	Width       int               `json:"width"`
	Height      int               `json:"height"`
	Sizes       []sizeEntry       `json:"sizes,omitempty"`
	Tiles       []tileEntry       `json:"tiles"`
	Profile     []any             `json:"profile"`
	Service     []json.RawMessage `json:"service,omitempty"`
	Attribution string            `json:"attribution,omitempty"`
	License     string            `json:"license,omitempty"`
	Logo        string            `json:"logo,omitempty"`
}

// profile2 is the second entry of profile (Image API 2.1.1 §5.3).
type profile2 struct {
	Formats   []string `json:"formats,omitempty"`
	Qualities []string `json:"qualities,omitempty"`
	Supports  []string `json:"supports,omitempty"`
	MaxWidth  int      `json:"maxWidth"`
	MaxHeight int      `json:"maxHeight"`
	MaxArea   int64    `json:"maxArea,omitempty"`
}

// info3 is the document of Image API 3.0 §5.
type info3 struct {
	Context          string            `json:"@context"`
	ID               string            `json:"id"`
	Type             string            `json:"type"`
	Protocol         string            `json:"protocol"`
	Profile          string            `json:"profile"`
	Width            int               `json:"width"`
	Height           int               `json:"height"`
	MaxWidth         int               `json:"maxWidth"`
	MaxHeight        int               `json:"maxHeight"`
	MaxArea          int64             `json:"maxArea,omitempty"`
	Sizes            []sizeEntry       `json:"sizes,omitempty"`
	Tiles            []tileEntry       `json:"tiles"`
	PreferredFormats []string          `json:"preferredFormats,omitempty"`
	ExtraFormats     []string          `json:"extraFormats,omitempty"`
	ExtraQualities   []string          `json:"extraQualities,omitempty"`
	ExtraFeatures    []string          `json:"extraFeatures,omitempty"`
	Rights           string            `json:"rights,omitempty"`
	PartOf           []json.RawMessage `json:"partOf,omitempty"`
	SeeAlso          []json.RawMessage `json:"seeAlso,omitempty"`
	Service          []json.RawMessage `json:"service,omitempty"`
}

// Info is info.json of an image whose base URI is id: the same bytes for the same arguments. It promises what c can do
// and nothing else, and each size and tile in it resolves.
func (r Rules) Info(id string, img Image, c Capabilities, d Description) ([]byte, error) {
	canvas := image.Pt(img.Width, img.Height)
	tile := tileSize(img, r.Limits)
	factors := scaleFactors(canvas, tile)
	sizes := r.sizes(canvas, factors)
	tiles := []tileEntry{{Width: tile.X, ScaleFactors: factors}}
	if tile.Y != tile.X {
		tiles[0].Height = tile.Y
	}
	level := r.level(c)
	if r.Version == 2 {
		return encode(info2{
			Context: "http://iiif.io/api/image/2/context.json", ID: id, Protocol: protocolURI,
			Width: canvas.X, Height: canvas.Y, Sizes: sizes, Tiles: tiles,
			Profile: []any{r.profileURI(level), r.profile2(c, level)},
			Service: d.Service, Attribution: d.Attribution, License: d.license2(), Logo: d.Logo,
		})
	}
	known := []string{"jpg"}
	if level == 2 {
		known = append(known, "png")
	}
	return encode(info3{
		Context: "http://iiif.io/api/image/3/context.json", ID: id, Type: "ImageService3", Protocol: protocolURI,
		Profile: levelName(level), Width: canvas.X, Height: canvas.Y,
		MaxWidth: r.MaxWidth, MaxHeight: r.MaxHeight, MaxArea: r.MaxArea, Sizes: sizes, Tiles: tiles,
		PreferredFormats: slices.DeleteFunc(slices.Clone(d.PreferredFormats), func(f string) bool { return !slices.Contains(c.Formats, f) }),
		ExtraFormats:     beyond(c.Formats, known...),
		ExtraQualities:   beyond(c.Qualities, known3(img)...),
		ExtraFeatures:    r.extraFeatures(c, level),
		Rights:           d.rights3(), PartOf: d.PartOf, SeeAlso: d.SeeAlso, Service: d.Service,
	})
}

// known3 are the qualities that version 3 does not list: default is there always, and an image without colours should
// not offer them (Image API 3.0 §4.4), although it answers.
func known3(img Image) []string {
	if img.Grey {
		return []string{"default", "color"}
	}
	return []string{"default"}
}

// profile2 lists formats and qualities only where they go beyond the level, as §5.3 asks.
func (r Rules) profile2(c Capabilities, level int) profile2 {
	formats, qualities := []string{"jpg"}, []string{"default"}
	if level == 2 {
		formats, qualities = []string{"jpg", "png"}, []string{"default", "color", "gray", "bitonal"}
	}
	p := profile2{Supports: r.extraFeatures(c, level), MaxWidth: r.MaxWidth, MaxHeight: r.MaxHeight, MaxArea: r.MaxArea}
	if len(beyond(c.Formats, formats...)) > 0 {
		p.Formats = c.Formats
	}
	if len(beyond(c.Qualities, qualities...)) > 0 {
		p.Qualities = c.Qualities
	}
	return p
}

// sizes has an entry for each scale factor whose size is within the limits, smallest first.
func (r Rules) sizes(canvas image.Point, factors []int) []sizeEntry {
	sizes := make([]sizeEntry, 0, len(factors))
	for _, factor := range slices.Backward(factors) {
		if size := ceilDiv(canvas, factor); r.hold(size) {
			sizes = append(sizes, sizeEntry{size.X, size.Y})
		}
	}
	return sizes
}

func levelName(level int) string { return "level" + strconv.Itoa(level) }

// encode writes a document without escaping what only HTML would need escaped.
func encode(document any) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(1024)
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(document); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
