package collection

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
)

// errNoFile says that a document's list of files does not have the one asked for.
var errNoFile = errors.New("no such file in the document")

// errNoPath says that the metadata names no place for the file.
var errNoPath = errors.New("the file has no file_pad")

// checkDossier refuses metadata that is not a dossier. Only what decisions and files depend on is looked at: all else
// in it is for information. Null and absent are fine everywhere.
func checkDossier(metadata any) error {
	dossier, isObject := metadata.(map[string]any)
	if !isObject {
		return fmt.Errorf("the document is %s, not an object", kindOf(metadata))
	}
	if err := checkTexts("", dossier, "access"); err != nil {
		return err
	}
	return eachObject("", dossier, "documenten", func(at string, document map[string]any) error {
		if err := checkTexts(at, document, "barcode", "access", "copyright", "subdossier_titel"); err != nil {
			return err
		}
		return eachObject(at, document, "bestanden", func(at string, file map[string]any) error {
			return checkTexts(at, file, "filename", "file_pad")
		})
	})
}

func checkTexts(at string, object map[string]any, fields ...string) error {
	for _, field := range fields {
		switch v := object[field].(type) {
		case nil, string:
		default:
			return fmt.Errorf("%s is %s, not a text", join(at, field), kindOf(v))
		}
	}
	return nil
}

// eachObject calls check for each object of a list, with the place where it stands.
func eachObject(at string, object map[string]any, field string, check func(at string, entry map[string]any) error) error {
	value := object[field]
	if value == nil {
		return nil
	}
	list, isList := value.([]any)
	if !isList {
		return fmt.Errorf("%s is %s, not a list", join(at, field), kindOf(value))
	}
	for i, entry := range list {
		place := fmt.Sprintf("%s[%d]", join(at, field), i)
		inner, isObject := entry.(map[string]any)
		if !isObject {
			return fmt.Errorf("%s is %s, not an object", place, kindOf(entry))
		}
		if err := check(place, inner); err != nil {
			return err
		}
	}
	return nil
}

func join(at, field string) string {
	if at == "" {
		return field
	}
	return at + "." + field
}

// kindOf names the JSON kind of a value for a sentence.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a text"
	case bool:
		return "a boolean"
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	}
	return "a number"
}

// findDocument finds a dossier's document by its barcode. The metadata may hold a space as %20; an exact match goes
// before one that differs in that.
func findDocument(metadata any, groups map[string]string) (any, bool) {
	dossier, _ := metadata.(map[string]any)
	documents, _ := dossier["documenten"].([]any)
	spaces := func(s string) string { return strings.ReplaceAll(s, "%20", " ") }
	wanted, similar := groups["barcode"], any(nil)
	for _, entry := range documents {
		document, _ := entry.(map[string]any)
		barcode, isText := document["barcode"].(string)
		switch {
		case !isText:
		case barcode == wanted:
			return document, true
		case similar == nil && spaces(barcode) == spaces(wanted):
			similar = document
		}
	}
	return similar, similar != nil
}

// findFile finds the file that the identifier's file number means: an index, from 0, into the document's list.
func findFile(document any, groups map[string]string) (file, error) {
	object, _ := document.(map[string]any)
	files, _ := object["bestanden"].([]any)
	index, err := strconv.ParseUint(groups["filenr"], 10, 31)
	if err != nil || index >= uint64(len(files)) {
		return file{}, errNoFile
	}
	entry, _ := files[index].(map[string]any)
	place, _ := entry["file_pad"].(string)
	if place == "" {
		return file{}, errNoPath
	}
	name, _ := entry["filename"].(string)
	if name == "" {
		name = path.Base(place)
	}
	return file{path: place, name: name}, nil
}
