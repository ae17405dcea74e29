package collection

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxIdentifier is the longest identifier, in bytes, decoded. It bounds what grammars are matched against.
const maxIdentifier = 512

// decodeIdentifier decodes a path segment, once, and refuses what could mean something else to a file system, an
// archive or a log behind us. The error says what is wrong without repeating the identifier.
func decodeIdentifier(raw string) (string, error) {
	if len(raw) > 3*maxIdentifier {
		return "", fmt.Errorf("it is longer than %d bytes", maxIdentifier)
	}
	s, err := url.PathUnescape(raw)
	switch {
	case err != nil:
		return "", errors.New("a percent sign in it begins no escape such as %20")
	case s == "":
		return "", errors.New("it is empty")
	case len(s) > maxIdentifier:
		return "", fmt.Errorf("it is longer than %d bytes", maxIdentifier)
	case !utf8.ValidString(s):
		return "", errors.New("it is not UTF-8")
	case strings.Contains(s, ".."):
		return "", errors.New("it holds two dots in a row")
	case strings.Contains(s, `\`):
		return "", errors.New("it holds a backslash")
	case strings.ContainsFunc(s, unicode.IsControl):
		return "", errors.New("it holds a control character")
	}
	return s, nil
}

// checkPath refuses a path that has other spellings: rules and caches must know each original under one name.
func checkPath(path string) error {
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "":
			return errors.New("it begins or ends with a slash, or holds two in a row")
		case ".":
			return errors.New("it holds a dot between slashes")
		}
	}
	return nil
}
