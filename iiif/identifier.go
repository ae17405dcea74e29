package iiif

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxIdentifier bounds a decoded identifier in bytes: it becomes a path, a cache key and a log field.
const maxIdentifier = 512

// setIdentifier reads the identifier's segment with its page suffix, and the page out of the query.
func (req *Request) setIdentifier(raw string, query query) error {
	req.segment = raw
	identifier, number, suffixed := cutPage(raw)
	if suffixed {
		page, err := parsePage(number)
		if err != nil {
			return err
		}
		req.Page = page
	}
	if query.paged {
		page, err := parsePage(query.page)
		if err != nil {
			return err
		}
		if suffixed && page != req.Page {
			return refuse(codePage, "The identifier ends in ;p=%d and the query says page=%d; allowed is one page.", req.Page, page)
		}
		if !suffixed {
			req.segment = identifier + ";p=" + strconv.Itoa(page)
		}
		req.Page = page
	}
	req.RefusedIdentifier = identifier
	decoded, err := url.PathUnescape(identifier)
	if err != nil {
		return refuse(codeIdentifier, "The identifier is not well percent-encoded.")
	}
	if err := checkIdentifier(decoded); err != nil {
		return err
	}
	req.RawIdentifier, req.Identifier, req.RefusedIdentifier = identifier, decoded, ""
	return nil
}

// parsePage reads a page number, from 1.
func parsePage(s string) (int, error) {
	page, ok := parseNumber(s)
	if !ok || page == 0 {
		return 0, refuse(codePage, "The page %s is no page number; allowed are whole numbers from 1.", shown(s))
	}
	return page, nil
}

// cutPage cuts ";p=N" off a raw segment; the semicolon and the equals sign may be percent-encoded.
func cutPage(raw string) (identifier, number string, found bool) {
	end := len(raw)
	for end > 0 && isDigit(raw[end-1]) {
		end--
	}
	number = raw[end:]
	if number == "" {
		return raw, "", false
	}
	// "%3D2" ends in the digits of its own number: the escape's hexadecimal digits are D and d, which are no digits.
	rest, found := cutSuffixFold(raw[:end], "=", "%3d")
	if !found {
		return raw, "", false
	}
	rest, found = strings.CutSuffix(rest, "p")
	if !found {
		return raw, "", false
	}
	rest, found = cutSuffixFold(rest, ";", "%3b")
	if !found {
		return raw, "", false
	}
	return rest, number, true
}

// cutSuffixFold cuts plain, or encoded in either case, off the end.
func cutSuffixFold(s, plain, encoded string) (string, bool) {
	if rest, found := strings.CutSuffix(s, plain); found {
		return rest, true
	}
	if at := len(s) - len(encoded); at >= 0 && strings.EqualFold(s[at:], encoded) {
		return s[:at], true
	}
	return s, false
}

// checkIdentifier refuses what no archive needs and what would be dangerous in a path, a log or a header.
func checkIdentifier(identifier string) error {
	switch {
	case identifier == "":
		return refuse(codeIdentifier, "The identifier is empty.")
	case len(identifier) > maxIdentifier:
		return refuse(codeIdentifier, "The identifier is longer than %d bytes.", maxIdentifier)
	case !utf8.ValidString(identifier):
		return refuse(codeIdentifier, "The identifier is not UTF-8.")
	case strings.IndexByte(identifier, '\\') >= 0:
		return refuse(codeIdentifier, "The identifier holds a backslash, which is not allowed.")
	case strings.IndexFunc(identifier, unicode.IsControl) >= 0:
		return refuse(codeIdentifier, "The identifier holds a control character, which is not allowed.")
	}
	for segment := range strings.SplitSeq(identifier, "/") {
		if segment == ".." {
			return refuse(codeIdentifier, `The identifier holds a ".." between slashes, which is not allowed.`)
		}
	}
	return nil
}
