package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"image"
	"net/http"
	"os"
	"strconv"

	"github.com/gatehouse-server/gatehouse/collection"
	"github.com/gatehouse-server/gatehouse/derivative"
	"github.com/gatehouse-server/gatehouse/iiif"
	"github.com/gatehouse-server/gatehouse/internal/diskcache"
	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/pyramid"
	"github.com/gatehouse-server/gatehouse/render"
)

// better is the pyramid of an item's page, whether it is there yet or not.
type better struct {
	app      *App
	renderer *renderer
	item     collection.Item
	mark     *render.Watermark
	version  string
	page     int
	tile     image.Point
	name     diskcache.Name
	urgent   bool
}

// pyramid gives what a job had better be made of, or nil where that is the original. Describe has told what this is.
func (p *pipeline) pyramid(ctx context.Context, target iiif.Target, plan iiif.Plan, job render.Job) (*better, error) {
	if p.app.pyramids.Store == nil || plan.Version == "" {
		return nil, nil
	}
	item, err := itemFrom(ctx)
	if err != nil {
		return nil, err
	}
	known, ok := p.app.described.Get(p.describedKey(item, target.Page))
	if !ok || known.placeholder || known.version.Version != plan.Version {
		return nil, nil
	}
	tile, ok := p.app.pyramids.policy.For(known.info)
	if !ok {
		return nil, nil
	}
	answers, urgent := pyramid.Answers(job, known.info)
	if !answers {
		return nil, nil
	}
	made, err := p.app.renderer.get()
	if err != nil {
		return nil, err
	}
	mark, err := p.app.watermark(target.Watermark, made.can)
	if err != nil {
		return nil, err
	}
	key := derivative.Key{
		Collection: p.collection, Identifier: cachedIdentifier(target.Identifier),
		Parts: []string{
			item.SourceName, item.Path, plan.Version, strconv.Itoa(target.Page), made.can.Encoding,
			fmt.Sprint(known.info.Width, known.info.Height, tile),
		},
	}
	b := &better{
		app: p.app, renderer: made, item: item, mark: mark, version: plan.Version, page: target.Page - 1, tile: tile, name: key.Name(), urgent: urgent,
	}
	if bypasses(ctx) {
		p.app.pyramids.Remove(b.name)
	}
	return b, nil
}

// render answers a job from the pyramid; done is false where there is none.
func (b *better) render(ctx context.Context, job render.Job) (picture []byte, done bool, err error) {
	original, ok := b.app.pyramids.Open(b.name)
	if !ok {
		return nil, false, nil
	}
	defer original.Close()
	job.Page, job.Watermark = 0, b.mark
	picture, err = b.renderer.Render(ctx, original, job)
	if known := new(problem.Error); errors.As(err, &known) && known.Status == http.StatusUnprocessableEntity {
		// Not what it was when it was made: a disk that fails.
		b.app.pyramids.Remove(b.name)
		return nil, false, nil
	}
	return picture, true, err
}

// want has the pyramid made, if the original could be read, or was too large to be looked at without one.
func (b *better) want(err error) {
	if err != nil {
		if known := new(problem.Error); !errors.As(err, &known) || known.Status != http.StatusRequestEntityTooLarge {
			return
		}
	}
	b.app.pyramids.Want(b.name, b.urgent, b.build)
}

// build makes the pyramid. The request that asked for it is over, and so may be its configuration.
func (b *better) build(ctx context.Context, file *os.File, order pyramid.Order) error {
	if !b.app.acquire() {
		return pyramid.ErrOutdated
	}
	defer b.app.release()
	original, err := b.item.Source.Open(ctx, b.item.Path)
	if err != nil {
		return err
	}
	defer original.Close()
	if original.Info().Version != b.version {
		return pyramid.ErrOutdated
	}
	return b.renderer.library.MakePyramid(ctx, original, render.PyramidPage{Page: b.page, Tile: b.tile, Idle: !order.Urgent}, file, order.Limit)
}
