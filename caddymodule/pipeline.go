package caddymodule

import (
	"cmp"
	"context"
	"errors"
	"image"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-server/gatehouse/collection"
	"github.com/gatehouse-server/gatehouse/derivative"
	"github.com/gatehouse-server/gatehouse/iiif"
	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/render/placeholder"
	"github.com/gatehouse-server/gatehouse/source"
)

// pipeline is what stands behind the protocol: the item that was looked up for the decision, its original, and the
// renderer.
type pipeline struct {
	app        *App
	collection string
}

var errNoLookup = errors.New("no item was looked up for this request")

// Capabilities implements iiif.Images.
func (p *pipeline) Capabilities() iiif.Capabilities {
	renderer, err := p.app.renderer.get()
	if err != nil {
		return iiif.Capabilities{}
	}
	return renderer.offered
}

func words[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, value := range values {
		out[i] = string(value)
	}
	return out
}

// subject is an original that is being worked on.
type subject struct {
	original source.Original
	info     render.Info
	// placeholder tells that the picture only names the original's kind.
	placeholder bool
	renderer    render.Renderer
	watermark   *render.Watermark
	// version is that of the archive's original, whatever stands for it.
	version source.Info
}

// open opens the item's original and reads its header. The caller closes the original.
func (p *pipeline) open(ctx context.Context, target iiif.Target) (*subject, error) {
	renderer, err := p.app.renderer.get()
	if err != nil {
		return nil, err
	}
	mark, err := p.app.watermark(target.Watermark, renderer.can)
	if err != nil {
		return nil, err
	}
	found := lookupFrom(ctx)
	if found == nil {
		return nil, problem.From(errNoLookup)
	}
	original, err := found.Open(ctx)
	if err != nil {
		return nil, err
	}
	s := &subject{original: original, renderer: renderer, watermark: mark, version: original.Info()}
	s.info, err = renderer.Describe(ctx, original, target.Page-1)
	var unsupported *render.UnsupportedError
	if errors.As(err, &unsupported) {
		_ = original.Close()
		s.placeholder, s.original = true, placeholder.New(unsupported.Kind)
		s.info, err = renderer.Describe(ctx, s.original, target.Page-1)
	}
	if err != nil {
		_ = s.original.Close()
		return nil, err
	}
	return s, nil
}

// Describe implements iiif.Images.
func (p *pipeline) Describe(ctx context.Context, target iiif.Target) (iiif.Image, error) {
	d, filename, err := p.describe(ctx, target)
	if err != nil {
		return iiif.Image{}, err
	}
	canvas := tierSize(image.Pt(d.info.Width, d.info.Height), target.MaxSide)
	out := iiif.Image{
		Width: canvas.X, Height: canvas.Y, Pages: d.info.Pages,
		Version: d.version.Version, Modified: d.version.Modified, Name: cmp.Or(filename, d.version.Name), Placeholder: d.placeholder,
		// A mark may have colours of its own.
		Grey: d.info.Grey && target.Watermark == "",
	}
	if canvas == image.Pt(d.info.Width, d.info.Height) {
		out.TileWidth, out.TileHeight, out.Levels = d.info.TileWidth, d.info.TileHeight, d.info.Levels
	}
	return out, nil
}

// tierSize is the size of the image that a caller may see: the whole, or scaled down so that its longest side is
// maxSide.
func tierSize(full image.Point, maxSide int) image.Point {
	longest := max(full.X, full.Y)
	if maxSide <= 0 || longest <= maxSide {
		return full
	}
	scaled := func(side int) int { return max(1, (2*side*maxSide+longest)/(2*longest)) }
	return image.Pt(scaled(full.X), scaled(full.Y))
}

// Render implements iiif.Images. What is kept is answered without a look at the original: Describe has told its version.
func (p *pipeline) Render(ctx context.Context, target iiif.Target, plan iiif.Plan) ([]byte, error) {
	item, err := itemFrom(ctx)
	if err != nil {
		return nil, err
	}
	key, keep, err := p.key(item, target, plan)
	if err != nil {
		return nil, err
	}
	var picture []byte
	if keep {
		picture, err = p.app.cache.Get(ctx, key, bypasses(ctx), func(ctx context.Context) ([]byte, error) { return p.render(ctx, target, plan) })
	} else {
		picture, err = p.render(ctx, target, plan)
	}
	if err != nil {
		return nil, err
	}
	return picture, hold(ctx, picture)
}

// itemFrom finds the item of the request, which was looked up for the decision.
func itemFrom(ctx context.Context) (collection.Item, error) {
	found := lookupFrom(ctx)
	if found == nil {
		return collection.Item{}, problem.From(errNoLookup)
	}
	return found.Item(ctx)
}

// key names a picture among those that are kept; keep is false for an original that does not tell when it changes.
func (p *pipeline) key(item collection.Item, target iiif.Target, plan iiif.Plan) (key derivative.Key, keep bool, err error) {
	renderer, err := p.app.renderer.get()
	if err != nil {
		return key, false, err
	}
	mark, err := p.app.watermark(target.Watermark, renderer.can)
	if err != nil {
		return key, false, err
	}
	version := ""
	if mark != nil {
		version = mark.Version
	}
	return derivative.Key{
		Collection: p.collection, Identifier: cachedIdentifier(target.Identifier),
		Parts: []string{item.SourceName, item.Path, plan.Version, strconv.Itoa(target.Page), plan.Key(), version, renderer.can.Encoding},
	}, plan.Version != "", nil
}

// render makes the picture: from a pyramid where there is one, or else from the original, which gets one where it would
// be worth it.
func (p *pipeline) render(ctx context.Context, target iiif.Target, plan iiif.Plan) ([]byte, error) {
	job := render.Job{
		Page: target.Page - 1, Canvas: plan.Canvas, Region: plan.Region, Size: plan.Size, Mirror: plan.Mirror,
		Rotation: plan.Rotation, Quality: render.Quality(plan.Quality), Format: render.Format(plan.Format),
	}
	better, err := p.pyramid(ctx, target, plan, job)
	if err != nil {
		return nil, err
	}
	if better != nil {
		if picture, done, err := better.render(ctx, job); done {
			return picture, err
		}
	}
	picture, err := p.renderOriginal(ctx, target, plan, job)
	if better != nil {
		better.want(err)
	}
	return picture, err
}

// renderOriginal makes the picture from the original.
func (p *pipeline) renderOriginal(ctx context.Context, target iiif.Target, plan iiif.Plan, job render.Job) ([]byte, error) {
	s, err := p.open(ctx, target)
	if err != nil {
		return nil, err
	}
	defer s.original.Close()
	if plan.Version != s.version.Version {
		return nil, &problem.Error{
			Status: http.StatusServiceUnavailable, Code: "source_changed", RetryAfter: time.Second,
			Detail: "The original changed while it was read", Err: source.ErrChanged,
		}
	}
	job.Watermark = s.watermark
	return s.renderer.Render(ctx, s.original, job)
}

// Original implements iiif.Images.
func (p *pipeline) Original(ctx context.Context, _ iiif.Target) (iiif.Original, error) {
	found := lookupFrom(ctx)
	if found == nil {
		return iiif.Original{}, problem.From(errNoLookup)
	}
	original, err := found.Open(ctx)
	if err != nil {
		return iiif.Original{}, err
	}
	info := original.Info()
	name := info.Name
	if item, err := found.Item(ctx); err == nil && item.Filename != "" {
		name = item.Filename
	}
	head := make([]byte, min(info.Size, sniffBytes))
	if _, err := original.ReadAt(ctx, head, 0); err != nil && len(head) > 0 {
		_ = original.Close()
		if known := new(problem.Error); errors.As(err, &known) {
			return iiif.Original{}, err
		}
		return iiif.Original{}, problem.Wrap(err, http.StatusBadGateway, "source_failed", "We had a problem retrieving the image.")
	}
	return iiif.Original{
		Content: newContent(ctx, original), Size: info.Size, Version: info.Version, Modified: info.Modified,
		Name: name, ContentType: contentType(head, name),
	}, nil
}

// sniffBytes is how much of an original tells its kind.
const sniffBytes = 4096

// contentType names an original's type by what it contains; only what no browser would run is ever named.
func contentType(head []byte, name string) string {
	if format, _ := render.Sniff(head, name); format != "" {
		if mediaType, known := imageTypes[format]; known {
			return mediaType
		}
	}
	if mediaType, known := fileTypes[strings.ToLower(path.Ext(name))]; known {
		return mediaType
	}
	return "application/octet-stream"
}

var imageTypes = map[string]string{
	"jpeg": "image/jpeg", "png": "image/png", "tiff": "image/tiff", "webp": "image/webp", "gif": "image/gif",
	"jp2": "image/jp2", "heif": "image/heif", "avif": "image/avif", "jxl": "image/jxl", "pdf": "application/pdf",
}

// fileTypes are those of the files that dossiers hold besides pictures.
var fileTypes = map[string]string{
	".txt": "text/plain; charset=utf-8", ".csv": "text/csv; charset=utf-8", ".xls": "application/vnd.ms-excel",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".doc": "application/msword",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".zip": "application/zip",
}
