package source

import (
	"path"
	"slices"
	"strings"
)

// NameVariants lists under which paths an original may lie, each distinct one once: as it stands, then with its file
// name in lower case, then with its file name in upper case and the extension kept (dossier contract §6). Folders
// keep their case.
func NameVariants(p string) []string {
	folder, name := path.Split(p)
	ext := path.Ext(name)
	variants := []string{p}
	for _, v := range []string{folder + strings.ToLower(name), folder + strings.ToUpper(strings.TrimSuffix(name, ext)) + ext} {
		if !slices.Contains(variants, v) {
			variants = append(variants, v)
		}
	}
	return variants
}
