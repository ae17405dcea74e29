package iiif

import (
	"net/url"
	"strings"
)

// query is what of a query string concerns us. Of a repeated key the first counts.
type query struct {
	sourceFile bool
	download   bool
	secret     bool
	paged      bool
	page       string
}

func parseQuery(raw string) (q query) {
	var seenSource, seenDownload bool
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		key, value, _ := strings.Cut(pair, "=")
		switch unescapeQuery(key) {
		case "source_file":
			if !seenSource {
				q.sourceFile, seenSource = unescapeQuery(value) == "true", true
			}
		case "download":
			if !seenDownload {
				q.download, seenDownload = unescapeQuery(value) == "1", true
			}
		case "page":
			if !q.paged {
				q.page, q.paged = unescapeQuery(value), true
			}
		case "auth":
			q.secret = true
		}
	}
	return q
}

// unescapeQuery decodes once; what is not well encoded stays as it is, and so equals no word that we know.
func unescapeQuery(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s
	}
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}
