package iiif

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// Kind is what a request asks for.
type Kind uint8

// The kinds of request.
const (
	// Base is the bare identifier, which redirects to info.json.
	Base Kind = iota
	// Info is info.json.
	Info
	// ImageRequest is a picture.
	ImageRequest
	// SourceFile is the original's own bytes (?source_file=true).
	SourceFile
)

// Request is a parsed IIIF URL.
type Request struct {
	// Version of the Image API: 2 or 3.
	Version int
	Kind    Kind
	// RawIdentifier is the identifier as it was sent, percent-encoded, less a page suffix. Decisions are bound to it.
	RawIdentifier string
	// Identifier is RawIdentifier, decoded once.
	Identifier string
	// RefusedIdentifier is what stands in place of an identifier that cannot be one, for whoever has words of their own
	// for that. It is not trusted and names nothing.
	RefusedIdentifier string
	// Page counts from 1.
	Page int
	// Params are set for an ImageRequest.
	Params Params
	// Download tells that the caller wants an attachment (?download=1).
	Download bool
	// SecretInURL tells that the query carries a token (?auth=).
	SecretInURL bool

	// segment is the identifier for URLs that we write: as it was sent, or with ;p=N for a ?page=N.
	segment string
}

// ParsePath reads the escaped path (RawPath) and the raw query of a request below prefix ("/iiif", or empty),
// where versions 2 and 3 of the Image API live at {prefix}/2/ and {prefix}/3/. Each segment is decoded once.
//
// The bool tells whether the path is ours at all; a path outside the prefix, or under another version, is not, and the
// request should be passed on. The error is a *problem.Error of 400 or 404. Where only the image parameters are wrong,
// the Request that comes with the error still has all that precedes them, so that who may decides first can.
func ParsePath(prefix, escapedPath, rawQuery string) (Request, bool, error) {
	version, rest, ours := cutPrefix(prefix, escapedPath)
	if !ours {
		return Request{}, false, nil
	}
	query := parseQuery(rawQuery)
	req := Request{Version: version, Page: 1, Download: query.download, SecretInURL: query.secret}
	segments, count := splitPath(rest)
	if err := req.setKind(segments, count, query); err != nil {
		return req, true, err
	}
	if err := req.setIdentifier(segments[0], query); err != nil {
		return req, true, err
	}
	if req.Kind != ImageRequest {
		return req, true, nil
	}
	for i := 1; i < count; i++ {
		decoded, err := url.PathUnescape(segments[i])
		if err != nil {
			return req, true, refuse(codePath, "The path segment %s is not well percent-encoded.", shown(segments[i]))
		}
		segments[i] = decoded
	}
	params, err := ParseParams(version, segments[1], segments[2], segments[3], segments[4])
	req.Params = params
	return req, true, err
}

// setKind tells the kind of request by the number of its segments.
func (req *Request) setKind(segments [5]string, count int, query query) error {
	infoJSON := decodesTo(segments[min(count, len(segments))-1], "info.json")
	switch {
	case segments[0] == "":
		return notFound("The path names no identifier.")
	case count == 1:
		req.Kind = Base
	case count == 2 && infoJSON:
		req.Kind = Info
	case count == 5 && !infoJSON:
		req.Kind = ImageRequest
	default:
		return notFound("The path is no IIIF request; allowed are {identifier}, {identifier}/info.json and " +
			"{identifier}/{region}/{size}/{rotation}/{quality}.{format}, and a slash inside the identifier must be written %2F.")
	}
	if query.sourceFile {
		req.Kind = SourceFile
	}
	return nil
}

// decodesTo tells whether a raw segment is word, however it is encoded.
func decodesTo(raw, word string) bool {
	if strings.IndexByte(raw, '%') < 0 {
		return raw == word
	}
	decoded, err := url.PathUnescape(raw)
	return err == nil && decoded == word
}

func notFound(detail string) error { return problem.New(http.StatusNotFound, codePath, detail) }

// splitPath cuts at slashes. The count goes on beyond the segments that it keeps.
func splitPath(rest string) (segments [5]string, count int) {
	for more := true; more; count++ {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		if count < len(segments) {
			segments[count] = segment
		}
	}
	return segments, count
}

// cutPrefix takes prefix and version off a path. A prefix that was sent percent-encoded is the same prefix: what a
// router in front decodes must not get past us.
func cutPrefix(prefix, path string) (version int, rest string, ours bool) {
	if rest, found := strings.CutPrefix(path, prefix); found {
		if version, rest, ours = cutVersion(rest); ours {
			return version, rest, true
		}
	}
	depth := strings.Count(prefix, "/") + 2
	end := nthSlash(path, depth)
	if end < 0 || strings.IndexByte(path[:end], '%') < 0 {
		return 0, "", false
	}
	decoded, ok := decodeSegments(path[:end])
	if !ok {
		return 0, "", false
	}
	head, found := strings.CutPrefix(decoded, prefix)
	if !found {
		return 0, "", false
	}
	version, _, ours = cutVersion(head + "/")
	return version, path[end+1:], ours
}

// cutVersion takes "/2/" or "/3/" off.
func cutVersion(rest string) (version int, identifier string, ours bool) {
	if len(rest) < 3 || rest[0] != '/' || rest[2] != '/' || rest[1] != '2' && rest[1] != '3' {
		return 0, "", false
	}
	return int(rest[1] - '0'), rest[3:], true
}

// decodeSegments decodes a path whose segments hold no encoded slash.
func decodeSegments(path string) (string, bool) {
	decoded, err := url.PathUnescape(path)
	return decoded, err == nil && strings.Count(decoded, "/") == strings.Count(path, "/")
}

// nthSlash is the index of the n-th slash, from 1, or -1.
func nthSlash(s string, n int) int {
	for i := range len(s) {
		if s[i] == '/' {
			if n--; n == 0 {
				return i
			}
		}
	}
	return -1
}
