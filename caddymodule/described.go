package caddymodule

import (
	"context"

	"github.com/gatehouse-server/gatehouse/collection"
	"github.com/gatehouse-server/gatehouse/iiif"
	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/source"
)

// describedKey names a page of an original by where it lies.
type describedKey struct {
	collection, place, path string
	page                    int
}

// described is what is known of a page of an original in one state.
type described struct {
	version     source.Info
	info        render.Info
	placeholder bool
}

// describedBytes bounds what is remembered.
const describedBytes = 8 << 20

// cost is about how many bytes of memory it takes.
func (d *described) cost(key describedKey) int64 {
	return int64(512 + len(key.collection) + len(key.place) + len(key.path) + len(d.version.Version) + 16*len(d.info.Levels))
}

// describe tells of the item's original, from memory while it does not change: its source is asked for its state each
// time, which costs far less than opening it.
// The name is the item's own, if it has one.
func (p *pipeline) describe(ctx context.Context, target iiif.Target) (_ *described, name string, _ error) {
	found := lookupFrom(ctx)
	if found == nil {
		return nil, "", problem.From(errNoLookup)
	}
	item, err := found.Item(ctx)
	if err != nil {
		return nil, "", err
	}
	key := p.describedKey(item, target.Page)
	if known, ok := p.app.described.Get(key); ok {
		now, err := found.Describe(ctx)
		if err != nil {
			return nil, "", err
		}
		if now.Version != "" && now.Version == known.version.Version {
			return known, item.Filename, nil
		}
	}
	s, err := p.open(ctx, target)
	if err != nil {
		return nil, "", err
	}
	defer s.original.Close()
	d := &described{version: s.version, info: s.info, placeholder: s.placeholder}
	if d.version.Version != "" {
		p.app.described.Put(key, d, d.cost(key))
	}
	return d, item.Filename, nil
}

func (p *pipeline) describedKey(item collection.Item, page int) describedKey {
	return describedKey{collection: p.collection, place: item.SourceName, path: item.Path, page: page}
}
