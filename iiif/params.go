package iiif

import (
	"slices"
	"strings"
)

// ParseQuality reads a quality by the rules of version 2 or 3; version 2 also reads grey, as 1.x wrote it. Whether the
// running renderer has it is another question. Its errors are 400.
func ParseQuality(s string, version int) (string, error) {
	switch s {
	case "default", "color", "gray", "bitonal":
		return s, nil
	case "grey":
		if version == 2 {
			return "gray", nil
		}
	}
	return "", refuse(codeQuality, "The quality %s is not known; allowed are default, color, gray and bitonal.", shown(s))
}

// ParseFormat reads a format. Whether the running renderer writes it is another question. Its errors are 400.
func ParseFormat(s string) (string, error) {
	if MediaType(s) == "" {
		return "", refuse(codeFormat, "The format %s is not known; allowed are "+formatNames+", as far as the server writes them.", shown(s))
	}
	return s, nil
}

// formatNames lists the formats for a sentence.
const formatNames = "jpg, png, tif, gif, webp, jp2, pdf, avif and jxl"

// MediaType is the media type of a IIIF format, or empty.
func MediaType(format string) string {
	switch format {
	case "jpg":
		return "image/jpeg"
	case "png":
		return "image/png"
	case "tif":
		return "image/tiff"
	case "gif":
		return "image/gif"
	case "webp":
		return "image/webp"
	case "jp2":
		return "image/jp2"
	case "pdf":
		return "application/pdf"
	case "avif":
		return "image/avif"
	case "jxl":
		return "image/jxl"
	}
	return ""
}

// Params are the four segments of an image request.
type Params struct {
	Region   Region
	Size     Size
	Rotation Rotation
	// Quality is "default", "color", "gray" or "bitonal".
	Quality string
	// Format is a IIIF format, such as "jpg".
	Format string
}

// ParseParams reads the four segments, each decoded once, by the rules of version 2 or 3. Its errors are 400.
func ParseParams(version int, region, size, rotation, qualityFormat string) (p Params, err error) {
	if p.Region, err = ParseRegion(region); err != nil {
		return Params{}, err
	}
	if p.Size, err = ParseSize(size, version); err != nil {
		return Params{}, err
	}
	if p.Rotation, err = ParseRotation(rotation); err != nil {
		return Params{}, err
	}
	dot := strings.LastIndexByte(qualityFormat, '.')
	if dot < 0 {
		return Params{}, refuse(codeFormat, "The last segment %s names no format; allowed is quality.format, such as default.jpg.", shown(qualityFormat))
	}
	if p.Quality, err = ParseQuality(qualityFormat[:dot], version); err != nil {
		return Params{}, err
	}
	if p.Format, err = ParseFormat(qualityFormat[dot+1:]); err != nil {
		return Params{}, err
	}
	return p, nil
}

// String is the four segments as a URL holds them, the inverse of ParseParams.
func (p Params) String() string {
	return p.Region.String() + "/" + p.Size.String() + "/" + p.Rotation.String() + "/" + p.Quality + "." + p.Format
}

// allow refuses what the renderer cannot do.
func (c Capabilities) allow(p Params) error {
	if !slices.Contains(c.Formats, p.Format) {
		return refuse(codeFormat, "The format %s is not written here; allowed are %s.", shown(p.Format), strings.Join(c.Formats, ", "))
	}
	if !slices.Contains(c.Qualities, p.Quality) {
		return refuse(codeQuality, "The quality %s is not made here; allowed are %s.", shown(p.Quality), strings.Join(c.Qualities, ", "))
	}
	if !c.AnyRotation && !p.Rotation.right() {
		return refuse(codeRotation, "The rotation %s is not made here; allowed are multiples of 90.", shown(p.Rotation.String()))
	}
	return nil
}
