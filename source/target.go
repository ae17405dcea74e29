package source

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says how a source is reached.
type Kind string

// The kinds of source.
const (
	KindFolder Kind = "folder"
	KindHTTP   Kind = "http"
	KindS3     Kind = "s3"
)

// ParseTarget takes the place of a source apart, as an operator writes it: "/srv/images", "https://host/rest/",
// "s3://bucket/prefix", each perhaps with placeholders in its path, as "s3://masters/{fonds}/{item}.tif".
//
// Base is what stands before the first path segment with a placeholder, and goes into the source's Config. The
// template is the rest, and nil where there is no placeholder: paths are then given to Open as they are. Placeholders
// in the scheme, host or bucket are refused, since a request would then choose whom the server talks to.
func ParseTarget(kind Kind, target string) (base string, path *Template, err error) {
	root, err := rootLength(kind, target)
	if err != nil {
		return "", nil, err
	}
	first := strings.IndexAny(target, "{}")
	if first < 0 {
		return target, nil, nil
	}
	if first < root {
		return "", nil, errors.New("placeholders may stand in the path only, not in scheme, host, port or bucket")
	}
	cut := strings.LastIndexByte(target[:first], '/') + 1
	if kind == KindHTTP && strings.ContainsAny(target[cut:], "?#") {
		return "", nil, errors.New("a template has neither query nor fragment")
	}
	path, err = ParseTemplate(target[cut:])
	if err != nil {
		return "", nil, err
	}
	return target[:cut], path, nil
}

// rootLength is how many bytes of the target a placeholder can never stand in.
func rootLength(kind Kind, target string) (int, error) {
	switch kind {
	case KindFolder:
		if !strings.HasPrefix(target, "/") {
			return 0, errors.New("the folder must be an absolute path")
		}
		return 1, nil
	case KindHTTP, KindS3:
		scheme, rest, found := strings.Cut(target, "://")
		if !found || kind == KindS3 && scheme != "s3" || kind == KindHTTP && scheme != "http" && scheme != "https" {
			return 0, fmt.Errorf("a source of kind %s is written as %s", kind, map[Kind]string{
				KindHTTP: "http://host/path or https://host/path", KindS3: "s3://bucket/prefix",
			}[kind])
		}
		host, _, found := strings.Cut(rest, "/")
		length := len(scheme) + len("://") + len(host)
		if found {
			length++
		}
		return length, nil
	}
	return 0, fmt.Errorf("unknown kind of source %q; the kinds are folder, http and s3", kind)
}
