package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/collection"
	"github.com/gatehouse-server/gatehouse/iiif"
	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// describer makes what the operator adds to the info.json of a collection.
type describer struct {
	collection  string
	environment *authz.Environment
	lines       []infoLine
	log         *slog.Logger
}

// infoLine is a line `info`: a value, fixed or by an expression, and the condition under which it counts, if any.
type infoLine struct {
	field iiif.Field
	fixed iiif.Value
	from  *authz.Expression
	when  *authz.Expression
}

// newDescriber compiles the lines `info` of a collection; nil when it has none.
func newDescriber(items *collection.Collection, lines []InfoConfig, log *slog.Logger) (*describer, error) {
	if len(lines) == 0 {
		return nil, nil
	}
	written, restricted := items.Policy()
	environment, err := authz.NewEnvironment(authz.Config{
		Public: !restricted, Settings: written.Settings, Groups: written.Groups, Metadata: written.Metadata, Document: written.Document,
	})
	if err != nil {
		return nil, err
	}
	d := &describer{collection: items.Name(), environment: environment, log: log}
	var errs []error
	for i := range lines {
		line, err := d.compile(&lines[i])
		if err != nil {
			errs = append(errs, fmt.Errorf("info %d (%s): %w", i+1, lines[i].Field, err))
		}
		d.lines = append(d.lines, line)
	}
	return d, errors.Join(errs...)
}

func (d *describer) compile(c *InfoConfig) (line infoLine, err error) {
	line.field = iiif.Field(c.Field)
	if c.From == "" {
		line.fixed, err = c.fixed()
	} else {
		line.from, err = d.compileValue(c)
	}
	if err == nil && c.When != "" {
		line.when, err = d.environment.Condition(c.When)
	}
	return line, err
}

func (d *describer) compileValue(c *InfoConfig) (*authz.Expression, error) {
	kind, err := c.kind()
	switch {
	case err != nil:
		return nil, err
	case kind == iiif.KindObject:
		return d.environment.Object(c.From)
	case kind == iiif.KindFormats:
		return d.environment.List(c.From)
	}
	return d.environment.Text(c.From)
}

// describe goes through the lines in order. What cannot be told is left out: info.json is there to show the picture, and
// who asks for it may see that.
func (d *describer) describe(ctx context.Context, req iiif.Request) iiif.Description {
	found := lookupFrom(ctx)
	if found == nil {
		return iiif.Description{}
	}
	who, _ := principal.FromContext(ctx)
	inquiry := d.environment.Inquire(who, requestInfo(req), found)
	var description iiif.Description
	undecided := map[iiif.Field]bool{}
	for i := range d.lines {
		line := &d.lines[i]
		if undecided[line.field] || !description.Wants(line.field, req.Version) {
			continue
		}
		err := line.add(ctx, inquiry, &description, req.Version)
		var fact *problem.Error
		switch {
		case err == nil:
		case ctx.Err() != nil:
			description.Incomplete = true
			return description
		case errors.Is(err, errUnusable):
			d.complain(ctx, slog.LevelWarn, i, err)
		case !errors.As(err, &fact):
			// Most often there is no such field in this document, as the operator knows.
			d.complain(ctx, slog.LevelDebug, i, err)
		default:
			line.undecide(undecided)
			if !description.Incomplete {
				description.Incomplete = true
				d.complain(ctx, slog.LevelWarn, i, err)
			}
		}
	}
	return description
}

// undecide keeps later lines from answering for one whose facts could not be had: a work must not be called free, or not
// free, because the metadata server is down. Each version tells rights by license, too, and the other way round.
func (l *infoLine) undecide(undecided map[iiif.Field]bool) {
	if kind, _ := l.field.Kind(); kind == iiif.KindObject {
		return
	}
	undecided[l.field] = true
	if l.field == iiif.FieldRights || l.field == iiif.FieldLicense {
		undecided[iiif.FieldRights], undecided[iiif.FieldLicense] = true, true
	}
}

var (
	errUnusable = errors.New("the value cannot stand in info.json")
	errEmpty    = errors.New("the value is empty")
)

// add adds the line's value where its condition is true.
func (l *infoLine) add(ctx context.Context, inquiry *authz.Inquiry, description *iiif.Description, version int) error {
	if l.when != nil {
		if holds, err := inquiry.Holds(ctx, l.when); err != nil || !holds {
			return err
		}
	}
	value := l.fixed
	if l.from != nil {
		computed, err := inquiry.Value(ctx, l.from)
		if err != nil {
			return err
		}
		if computed == "" {
			return errEmpty
		}
		if value, err = iiif.ComputedValue(l.field, computed); err != nil {
			return fmt.Errorf("%w: %w", errUnusable, err)
		}
	}
	if err := description.Add(value, version); err != nil {
		return fmt.Errorf("%w: %w", errUnusable, err)
	}
	return nil
}

func (d *describer) complain(ctx context.Context, level slog.Level, i int, err error) {
	d.log.Log(ctx, level, "info.json goes without a field", "collection", d.collection, "info", i+1, "field", string(d.lines[i].field), "error", err)
}
