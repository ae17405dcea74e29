package iiif

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"
)

// maxURI is in bytes; browsers and servers take no more than some thousands.
const maxURI = 2048

// checkURI takes absolute http and https URIs and nothing else: viewers make links of them, and other schemes run
// scripts or open files.
func checkURI(s string) error {
	if len(s) > maxURI {
		return fmt.Errorf("the URI has more than %d bytes", maxURI)
	}
	for i := range len(s) {
		// RFC 3986 §2 knows no others.
		if c := s[i]; c <= ' ' || c > '~' || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			return errors.New("the URI holds a character that must be percent-encoded")
		}
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return errors.New("the value must be an http or https URI: https://HOST/…")
	}
	return nil
}

// checkText takes what a reader sees something of.
func checkText(s string) error {
	if strings.TrimFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || unicode.IsSpace(r) }) == "" {
		return errors.New("the text is empty")
	}
	return nil
}

// hasMarkup tells whether an HTML parser would find a tag, a comment or the like (HTML standard, data state and tag open
// state).
func hasMarkup(s string) bool {
	for at := strings.IndexByte(s, '<'); at >= 0; at = strings.IndexByte(s, '<') {
		if s = s[at+1:]; s == "" {
			return false
		}
		if c := s[0] | 0x20; 'a' <= c && c <= 'z' || strings.IndexByte("!/?", s[0]) >= 0 {
			return true
		}
	}
	return false
}

// checkLink checks an entry of partOf or seeAlso (Image API 3.0 §5.8).
func checkLink(object map[string]any) error {
	for _, name := range []string{"id", "type"} {
		if text, _ := object[name].(string); text == "" {
			return fmt.Errorf("the object must have the member %q, a text", name)
		}
	}
	for _, name := range []string{"format", "profile"} {
		if value, found := object[name]; found {
			if _, isText := value.(string); !isText {
				return fmt.Errorf("the member %q must be a text", name)
			}
		}
	}
	if label, found := object["label"]; found && !isLanguageMap(label) {
		return errors.New(`the member "label" must have lists of texts by language: {"nl": ["…"]}`)
	}
	return checkIDs(object)
}

// checkService checks an entry of service and tells which versions it is for. Version 2 wants the context of its own
// that a service has, and something to know it by (annex Linking to External Services §2); version 3 wants id and type,
// or @id and @type (§5.8).
func checkService(object map[string]any) (in []int, err error) {
	has := func(name string) bool {
		text, _ := object[name].(string)
		return text != ""
	}
	_, context := object["@context"]
	_, profile := object["profile"]
	if context && (has("@id") || profile) {
		in = append(in, 2)
	}
	if has("id") && has("type") || has("@id") && has("@type") {
		in = append(in, 3)
	}
	if len(in) == 0 {
		return nil, errors.New(`the service must have "@context" with "@id" or "profile" for version 2, or "id" and "type" (or "@id" and "@type") for version 3, or both`)
	}
	return in, checkIDs(object)
}

// checkIDs holds every id within a value to be a link that can be followed without harm.
func checkIDs(value any) error {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if name == "id" || name == "@id" {
				text, isText := member.(string)
				if !isText {
					return fmt.Errorf("the member %q must be a text", name)
				}
				if err := checkURI(text); err != nil {
					return fmt.Errorf("the member %q: %w", name, err)
				}
			} else if err := checkIDs(member); err != nil {
				return err
			}
		}
	case []any:
		for _, member := range value {
			if err := checkIDs(member); err != nil {
				return err
			}
		}
	}
	return nil
}

// isLanguageMap tells whether a label is one of version 3 (Presentation API 3.0, Language of Property Values).
func isLanguageMap(label any) bool {
	languages, isMap := label.(map[string]any)
	for _, texts := range languages {
		list, isList := texts.([]any)
		if !isList {
			return false
		}
		for _, text := range list {
			if _, isText := text.(string); !isText {
				return false
			}
		}
	}
	return isMap && len(languages) > 0
}
