package iiif

import (
	"fmt"
	"image"
	"path"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName bounds a download name in bytes, so that it fits every file system with room for a number behind it.
const maxName = 180

// disposition writes a Content-Disposition header (RFC 6266) whose name is readable everywhere: in ASCII, and where
// that loses something also in UTF-8 (RFC 8187).
func disposition(attachment bool, name string) string {
	kind := "inline"
	if attachment {
		kind = "attachment"
	}
	ascii := make([]byte, 0, len(name))
	for _, c := range name {
		if c < ' ' || c > '~' || c == '"' || c == '\\' || c == '%' {
			c = '_'
		}
		ascii = append(ascii, byte(c))
	}
	header := kind + `; filename="` + string(ascii) + `"`
	if string(ascii) != name {
		header += "; filename*=UTF-8''" + encodeExtended(name)
	}
	return header
}

// encodeExtended is ext-value of RFC 8187 §3.2.1: all but attr-char is percent-encoded.
func encodeExtended(s string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c) || strings.IndexByte("!#$&+-.^_`|~", c) >= 0 {
			out.WriteByte(c)
			continue
		}
		out.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return out.String()
}

// imageName is the download name of a rendered image: the original's, less its extension, with page, with what tells
// the picture from the whole one (Image API 2.1.1 §11.A), and with the format.
func imageName(img Image, req Request, plan Plan) string {
	name := baseName(img.Name, req.Identifier)
	if extension := path.Ext(name); len(extension) > 1 && len(extension) <= 5 && extension != name {
		name = strings.TrimSuffix(name, extension)
	}
	suffix := plan.suffix() + "." + req.Params.Format
	if req.Page > 1 {
		suffix = "_p" + strconv.Itoa(req.Page) + suffix
	}
	return shorten(name, maxName-len(suffix)) + suffix
}

// suffix names region, size, rotation and quality, as far as they are not those of the whole picture.
func (p Plan) suffix() string {
	out := make([]byte, 0, 48)
	if whole := (image.Rectangle{Max: p.Canvas}); p.Region != whole {
		out = appendNumbers(append(out, '_'), p.Region.Min.X, p.Region.Min.Y, p.Region.Dx(), p.Region.Dy())
	}
	if p.Size != p.Region.Size() {
		out = fmt.Appendf(out, "_%dx%d", p.Size.X, p.Size.Y)
	}
	if p.Mirror || p.Rotation != 0 {
		out = append(out, '_')
		if p.Mirror {
			out = append(out, '!')
		}
		out = strconv.AppendFloat(out, p.Rotation, 'f', -1, 64)
	}
	if p.Quality != "default" {
		out = append(append(out, '_'), p.Quality...)
	}
	return string(out)
}

// originalName is the download name of an original.
func originalName(original Original, req Request) string {
	name := baseName(original.Name, req.Identifier)
	extension := path.Ext(name)
	if len(extension) > 16 {
		extension = ""
	}
	return shorten(strings.TrimSuffix(name, extension), maxName-len(extension)) + extension
}

// baseName is the last element of the first name that has one, without characters that hide or break something in a
// header, a file manager or a shell: controls, and the invisible marks that turn the direction of writing.
func baseName(names ...string) string {
	for _, name := range names {
		name = name[strings.LastIndexAny(name, `/\`)+1:]
		name = strings.Map(func(c rune) rune {
			switch {
			case c == utf8.RuneError || unicode.IsControl(c) || unicode.Is(unicode.Cf, c):
				return -1
			case strings.ContainsRune(`<>:"|?*`, c):
				return '_'
			}
			return c
		}, name)
		if name = strings.Trim(name, " ."); name != "" {
			return name
		}
	}
	return "image"
}

// shorten cuts at a character, to at most limit bytes.
func shorten(name string, limit int) string {
	if len(name) <= limit {
		return name
	}
	for limit > 0 && !utf8.RuneStart(name[limit]) {
		limit--
	}
	return name[:limit]
}
