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

// run evaluates e with the facts at hand. A stage other than none is the first that is missing; there is no value then.
func (e *expression) run(ctx context.Context, v *variables) (ref.Val, stage, error) {
	var out ref.Val
	var err error
	if e.loops {
		out, _, err = e.program.ContextEval(ctx, v)
	} else {
		out, _, err = e.program.Eval(v)
	}
	switch {
	case err != nil:
		return nil, stageNone, fmt.Errorf("evaluate `%s`: %w", e.text, err)
	case types.IsUnknown(out):
		return nil, missing(out.(*types.Unknown), v.known), nil
	}
	return out, stageNone, nil
}

// truth reads what a condition came to.
func (e *expression) truth(out ref.Val) (truth, error) {
	b, isBool := out.(types.Bool)
	switch {
	case !isBool:
		return isError, fmt.Errorf("evaluate `%s`: the result is %s, not true or false", e.text, out.Type().TypeName())
	case bool(b):
		return isTrue, nil
	}
	return isFalse, nil
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

// evaluation is one decision, or one inquiry, in the making.
type evaluation struct {
	// policy is nil but for decisions.
	policy *Policy
	facts  Facts
	vars   variables
	// errs are the errors inside rules.
	errs []error
	// trace is nil but for explain.
	trace *Explanation
}

// resolve evaluates a condition, fetching facts until it is true, false or an error. The error returned ends the
// decision; an error inside the expression is only kept.
func (d *evaluation) resolve(ctx context.Context, e *expression) (truth, error) {
	out, failed, err := d.value(ctx, e)
	if err != nil {
		return isError, err
	}
	result := isError
	if failed == nil {
		result, failed = e.truth(out)
	}
	if failed != nil {
		d.errs = append(d.errs, failed)
	}
	return result, nil
}

// value evaluates e, fetching facts until nothing is unknown. Of the errors, failed is one inside the expression, and
// err one of the facts, or of a caller that left.
func (d *evaluation) value(ctx context.Context, e *expression) (out ref.Val, failed, err error) {
	for {
		out, need, failed := e.run(ctx, &d.vars)
		switch {
		case ctx.Err() != nil:
			return nil, nil, gone(ctx)
		case failed != nil || need == stageNone:
			return out, failed, nil
		case d.vars.known == stageDocument:
			// Nothing is left to fetch, so that asking again would never end.
			return nil, fmt.Errorf("evaluate `%s`: the result stays unknown", e.text), nil
		}
		if err := d.fetch(ctx, need); err != nil {
			return nil, nil, err
		}
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
	out, need, err := e.run(ctx, v)
	switch {
	case err != nil:
		return isError
	case need != stageNone:
		return isUnknown
	}
	result, _ := e.truth(out)
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
