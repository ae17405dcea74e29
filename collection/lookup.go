package collection

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/source"
)

// Lookup finds out what is known about one item, step by step, each step once. It fulfils authz.Facts. It is for one
// request and one goroutine at a time. All its errors are *problem.Error.
type Lookup struct {
	collection *Collection
	raw        string

	groups     once[map[string]string]
	metadata   once[revised]
	document   once[any]
	item       once[Item]
	sourceName string
}

// Item is an item whose original can be opened.
type Item struct {
	// SourceName is the configured name of Source.
	SourceName string
	Source     source.Source
	// Path below the source's base. It comes from metadata or the identifier and is not trusted.
	Path string
	// Filename is a readable name for downloads.
	Filename string
}

// Lookup begins to look an item up by its path segment as the client sent it, still percent-encoded. Nothing happens
// before the first question.
func (c *Collection) Lookup(rawIdentifier string) *Lookup {
	return &Lookup{collection: c, raw: rawIdentifier}
}

// Identifier takes the identifier apart. One that cannot be read, or whose source is not configured, is 400.
func (l *Lookup) Identifier(context.Context) (map[string]string, error) {
	return l.groups.do(func() (map[string]string, error) {
		r := l.collection.config
		decoded, err := decodeIdentifier(l.raw)
		if err != nil {
			return nil, r.badIdentifier(err, "The identifier cannot be used: "+err.Error())
		}
		groups, matches := r.grammar.Match(decoded)
		if !matches {
			if err := checkPath(decoded); err != nil && len(r.grammar.patterns) == 0 {
				return nil, r.badIdentifier(err, "The identifier cannot be used: "+err.Error())
			}
			return nil, r.badIdentifier(errors.New("it matches no pattern"), invalidURL)
		}
		name, found := r.placeOf(groups)
		if !found {
			return nil, r.badIdentifier(errors.New("its source is not configured"), invalidURL)
		}
		l.sourceName = name
		return groups, nil
	})
}

const invalidURL = "Invalid formatted url"

func (r *resolved) badIdentifier(cause error, text string) error {
	if r.preset != nil {
		text = r.preset.InvalidIdentifier
	}
	return problem.Wrap(cause, http.StatusBadRequest, "bad_identifier", text)
}

// placeOf chooses the place: by the group "source", else the only one.
func (r *resolved) placeOf(groups map[string]string) (string, bool) {
	if slices.Contains(r.grammar.groups, groupSource) {
		name := groups[groupSource]
		_, found := r.Places[name]
		return name, found
	}
	for name := range r.Places {
		return name, true
	}
	return "", false
}

// Metadata fetches the item's metadata. It is nil where the collection has no metadata server.
func (l *Lookup) Metadata(ctx context.Context) (any, error) {
	got, err := l.metadata.do(func() (revised, error) {
		groups, err := l.Identifier(ctx)
		if err != nil || l.collection.metadata == nil {
			return revised{}, err
		}
		u, err := l.collection.metadata.url(groups)
		if err != nil {
			return revised{}, l.collection.config.badIdentifier(err, invalidURL)
		}
		return l.collection.metadata.get(ctx, u)
	})
	return got.value, err
}

// Revision is another number for each document that Metadata gave, and the same as long as it gives the same.
func (l *Lookup) Revision() uint64 { return l.metadata.value.revision }

// Document finds the part of the metadata that the item is: 404 when it is not in it. It is nil where the collection's
// metadata has no such parts.
func (l *Lookup) Document(ctx context.Context) (any, error) {
	return l.document.do(func() (any, error) {
		metadata, err := l.Metadata(ctx)
		preset := l.collection.config.preset
		if err != nil || preset == nil {
			return nil, err
		}
		document, found := preset.document(metadata, l.groups.value)
		if !found {
			return nil, documentNotFound(errors.New("no document with this barcode"))
		}
		return document, nil
	})
}

func documentNotFound(cause error) error {
	return problem.Wrap(cause, http.StatusNotFound, "document_not_found", "Document not found in metadata")
}

func originalNotFound(cause error) error {
	return problem.Wrap(cause, http.StatusNotFound, "original_not_found", "No source file could be found")
}

// Item finds out where the original lies. It is only for callers that a decision allows: it does not decide.
func (l *Lookup) Item(ctx context.Context) (Item, error) {
	return l.item.do(func() (Item, error) { return l.findItem(ctx) })
}

func (l *Lookup) findItem(ctx context.Context) (Item, error) {
	groups, err := l.Identifier(ctx)
	if err != nil {
		return Item{}, err
	}
	r := l.collection.config
	place := r.Places[l.sourceName]
	item := Item{SourceName: l.sourceName, Source: place.Source}
	if r.preset != nil {
		document, err := l.Document(ctx)
		if err != nil {
			return Item{}, err
		}
		found, err := r.preset.file(document, groups)
		switch {
		case errors.Is(err, errNoFile):
			return Item{}, documentNotFound(err)
		case err != nil:
			return Item{}, originalNotFound(err)
		}
		item.Path, item.Filename = found.path, found.name
	}
	switch {
	case place.Path != nil:
		if item.Path, err = l.expand(ctx, place); err != nil {
			return Item{}, err
		}
	case r.preset == nil:
		// A grammar may let spellings through that a server or a file system takes for another path.
		if err := checkPath(groups[groupPath]); err != nil {
			return Item{}, r.badIdentifier(err, invalidURL)
		}
		item.Path = place.literal(groups[groupPath])
	}
	if item.Filename == "" {
		item.Filename = place.filename(item.Path)
	}
	return item, nil
}

// Open opens the original.
func (l *Lookup) Open(ctx context.Context) (source.Original, error) {
	item, err := l.Item(ctx)
	if err != nil {
		return nil, err
	}
	original, err := item.Source.Open(ctx, item.Path)
	if errors.Is(err, source.ErrNotFound) {
		return nil, originalNotFound(err)
	}
	return original, err
}

// Describe tells of the original, in the state that Open would find it in now.
func (l *Lookup) Describe(ctx context.Context) (source.Info, error) {
	item, err := l.Item(ctx)
	if err != nil {
		return source.Info{}, err
	}
	info, err := source.Describe(ctx, item.Source, item.Path)
	if errors.Is(err, source.ErrNotFound) {
		return info, originalNotFound(err)
	}
	return info, err
}

// expand fills a source's path template.
func (l *Lookup) expand(ctx context.Context, place Place) (string, error) {
	fields, err := l.fields(ctx, place.Path)
	if err != nil {
		return "", err
	}
	made, err := place.Path.Expand(func(name string) (string, bool) {
		if text, isGroup := l.groups.value[name]; isGroup {
			return place.literal(text), true
		}
		return fieldText(fields, name)
	})
	if err != nil {
		if slices.ContainsFunc(place.Path.Names(), func(name string) bool { return strings.Contains(name, ".") }) {
			return "", originalNotFound(fmt.Errorf("path of the original: %w", err))
		}
		return "", l.collection.config.badIdentifier(err, invalidURL)
	}
	return made, nil
}

// fields fetches what a template reads besides the identifier.
func (l *Lookup) fields(ctx context.Context, t *source.Template) (map[string]any, error) {
	fields := map[string]any{}
	for _, name := range t.Names() {
		root, _, dotted := strings.Cut(name, ".")
		if !dotted || fields[root] != nil {
			continue
		}
		var err error
		switch root {
		case "metadata":
			fields[root], err = l.Metadata(ctx)
		case "document":
			fields[root], err = l.Document(ctx)
		}
		if err != nil {
			return nil, err
		}
	}
	return fields, nil
}

// fieldText finds a text or a whole number by its dotted name.
func fieldText(value any, name string) (string, bool) {
	for key := range strings.SplitSeq(name, ".") {
		object, isObject := value.(map[string]any)
		if !isObject {
			return "", false
		}
		value = object[key]
	}
	switch v := value.(type) {
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	}
	return "", false
}

// once remembers the first answer to a question.
type once[T any] struct {
	asked bool
	value T
	err   error
}

func (o *once[T]) do(ask func() (T, error)) (T, error) {
	if !o.asked {
		o.value, o.err = ask()
		o.asked = true
	}
	return o.value, o.err
}
