package authz

import (
	"context"
	"errors"
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// truth is what a condition comes to.
type truth int

const (
	isFalse truth = iota
	isTrue
	isUnknown
	isError
)

// eval evaluates e with the facts at hand. With isUnknown comes the first stage that is missing, with isError the
// reason.
func (e *expression) eval(ctx context.Context, v *variables) (truth, stage, error) {
	var out ref.Val
	var err error
	if e.loops {
		out, _, err = e.program.ContextEval(ctx, v)
	} else {
		out, _, err = e.program.Eval(v)
	}
	switch {
	case err != nil:
		return isError, stageNone, fmt.Errorf("evaluate `%s`: %w", e.text, err)
	case types.IsUnknown(out):
		return isUnknown, missing(out.(*types.Unknown), v.known), nil
	}
	b, isBool := out.(types.Bool)
	switch {
	case !isBool:
		return isError, stageNone, fmt.Errorf("evaluate `%s`: the result is %s, not true or false", e.text, out.Type().TypeName())
	case bool(b):
		return isTrue, stageNone, nil
	}
	return isFalse, stageNone, nil
}

// missing finds the earliest stage that u waits for. Every stage before it has to be taken too.
func missing(u *types.Unknown, known stage) stage {
	first := stageDocument + 1
	for _, id := range u.IDs() {
		trails, _ := u.GetAttributeTrails(id)
		for _, trail := range trails {
			if s := stageOf(trail.Variable()); s > known && s < first {
				first = s
			}
		}
	}
	if first > stageDocument {
		return known + 1
	}
	return first
}

// evaluation is one decision in the making.
type evaluation struct {
	policy *Policy
	facts  Facts
	vars   variables
	// errs are the errors inside rules.
	errs []error
	// trace is nil but for explain.
	trace *Explanation
}

// resolve evaluates e, fetching facts until it is true, false or an error. The error returned ends the decision; an
// error inside the expression is only kept.
func (d *evaluation) resolve(ctx context.Context, e *expression) (truth, error) {
	for {
		result, need, err := e.eval(ctx, &d.vars)
		if ctx.Err() != nil {
			return isError, gone(ctx)
		}
		switch result {
		case isUnknown:
			if d.vars.known == stageDocument {
				// Nothing is left to fetch, so that asking again would never end.
				err = fmt.Errorf("evaluate `%s`: the result stays unknown", e.text)
				d.errs = append(d.errs, err)
				return isError, nil
			}
			if err := d.fetch(ctx, need); err != nil {
				return isError, err
			}
			continue
		case isError:
			d.errs = append(d.errs, err)
		}
		return result, nil
	}
}

// fetch takes every stage up to upTo that is not at hand.
func (d *evaluation) fetch(ctx context.Context, upTo stage) error {
	for d.vars.known < upTo {
		next := d.vars.known + 1
		done := d.trace.fetching(next)
		err := d.fetchOne(ctx, next)
		done(err)
		if err != nil {
			return err
		}
		d.vars.known = next
	}
	return nil
}

func (d *evaluation) fetchOne(ctx context.Context, next stage) (err error) {
	switch next {
	case stageIdentifier:
		d.vars.identifier, err = d.facts.Identifier(ctx)
	case stageMetadata:
		d.vars.metadata, err = d.facts.Metadata(ctx)
	case stageDocument:
		d.vars.document, err = d.facts.Document(ctx)
	}
	if err != nil && errors.Is(err, ctx.Err()) {
		return gone(ctx)
	}
	return err
}

// gone is the error for a caller that left while its request was decided.
func gone(ctx context.Context) error {
	return problem.Wrap(context.Cause(ctx), problem.StatusClientClosedRequest, "client_closed_request", "The request was cancelled")
}

// settle fetches nothing: conditions that need more than is at hand stay open. It is for questions beside the decision.
func settle(ctx context.Context, e *expression, v *variables) truth {
	result, _, _ := e.eval(ctx, v)
	return result
}

// unknownPatterns makes the marks for facts that are not at hand, in the order of their stages.
func unknownPatterns() []*cel.AttributePatternType {
	patterns := make([]*cel.AttributePatternType, len(staged))
	for i, name := range staged {
		patterns[i] = cel.AttributePattern(name)
	}
	return patterns
}

// Codes of decisions that no rule made: none matched, or a tier rule could not be evaluated.
const (
	codeNoMatch   = "no_rule_matched"
	codeRuleError = "rule_error"
)
