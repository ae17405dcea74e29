package authn

import "strings"

// strings reads the claim at a dotted path: a list of strings, or one string of words with spaces between. Anything else,
// and a claim that is not there, is empty.
//
// The names on the way may hold dots themselves (resource_access.my.client.roles): at each level the longest name that
// leads to an end is taken.
func (c claims) strings(path string) []string {
	values, _ := stringsAt(map[string]any(c), path)
	return values
}

// stringsAt tries the names that path can begin with, longest first.
func stringsAt(object map[string]any, path string) ([]string, bool) {
	if values, ok := leaf(object[path]); ok {
		return values, true
	}
	for dot := strings.LastIndexByte(path, '.'); dot > 0; dot = strings.LastIndexByte(path[:dot], '.') {
		inner, ok := object[path[:dot]].(map[string]any)
		if !ok {
			continue
		}
		if values, ok := stringsAt(inner, path[dot+1:]); ok {
			return values, true
		}
	}
	return nil, false
}

func leaf(value any) ([]string, bool) {
	if text, ok := value.(string); ok {
		return strings.Fields(text), true
	}
	return textList(value)
}

// textList reads a list of strings. One member of another type spoils the list: what it meant cannot be known.
func textList(value any) ([]string, bool) {
	list, ok := value.([]any)
	if !ok {
		return nil, false
	}
	texts := make([]string, len(list))
	for i, member := range list {
		if texts[i], ok = member.(string); !ok {
			return nil, false
		}
	}
	return texts, true
}
