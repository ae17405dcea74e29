package iiif

import (
	"strconv"
	"strings"
)

// The media types of info.json.
const (
	typeJSON = "application/json"
	typeLD2  = "application/ld+json"
	typeLD3  = `application/ld+json;profile="http://iiif.io/api/image/3/context.json"`
)

// infoType chooses the media type of info.json by the Accept header lines. Version 2 answers plain JSON unless JSON-LD
// is named (Image API 2.1.1 §5.1); version 3 answers JSON-LD where it is named or nothing was said (3.0 §5.1).
func infoType(version int, accept []string) string {
	linked := typeLD3
	if version == 2 {
		linked = typeLD2
	}
	ld, plain, said := -1.0, -1.0, false
	for _, line := range accept {
		for part := range strings.SplitSeq(line, ",") {
			name, params, _ := strings.Cut(part, ";")
			name = strings.ToLower(strings.TrimSpace(name))
			said = said || name != ""
			switch name {
			case typeLD2:
				ld = max(ld, weight(params))
			case typeJSON:
				plain = max(plain, weight(params))
			}
		}
	}
	if ld > 0 && ld >= plain || !said && version != 2 {
		return linked
	}
	return typeJSON
}

// weight is the q of a media range (RFC 9110 §12.4.2), 1 where there is none.
func weight(params string) float64 {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(param, "=")
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil || !(q >= 0 && q <= 1) {
				return 0
			}
			return q
		}
	}
	return 1
}
