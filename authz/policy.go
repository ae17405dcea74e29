package authz

import (
	"context"
	"errors"
	"fmt"

	"cel.dev/cel-go/common/types"

	"github.com/gatehouse-server/gatehouse/authn/principal"
)

// Policy decides by its rules. It is safe for concurrent use.
type Policy struct {
	config     Config
	rules      []rule
	cache      []cacheRule
	restricted *expression
	surroundings
	memory *memory
}

type rule struct {
	RuleSpec
	text string
	when *expression
}

type cacheRule struct {
	CacheSpec
	when *expression
}

// New compiles a policy. The error tells everything that is wrong with the configuration.
func New(config Config) (*Policy, error) {
	c := config.withDefaults()
	if err := c.validateShape(); err != nil {
		return nil, err
	}
	k, err := newCompiler(c)
	if err != nil {
		return nil, err
	}
	p := &Policy{config: c, surroundings: newSurroundings(c), memory: newMemory()}
	var errs []error
	for i, spec := range c.Rules {
		when, err := k.condition(spec.Expr)
		if err != nil {
			errs = append(errs, fmt.Errorf("rule %d (%s): %w", i+1, spec.Outcome, err))
			continue
		}
		// The text is the rule as configured, without defaults.
		p.rules = append(p.rules, rule{RuleSpec: spec, text: config.Rules[i].String(), when: when})
	}
	for i, spec := range c.Cache {
		when, err := k.condition(spec.Expr)
		if err != nil {
			errs = append(errs, fmt.Errorf("cache condition %d: %w", i+1, err))
			continue
		}
		p.cache = append(p.cache, cacheRule{CacheSpec: spec, when: when})
	}
	if c.Restricted != "" {
		if p.restricted, err = k.condition(c.Restricted); err != nil {
			errs = append(errs, fmt.Errorf("restricted condition: %w", err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return p, nil
}

// Decide tries the rules in order. Facts are fetched when a rule cannot be evaluated without them, and no sooner, so
// that what can be refused early costs nothing further on. An allowed caller's identifier has always been parsed.
//
// A rule that cannot be evaluated (a key that is not there, a value of another type) counts against the caller: deny
// matches, tier denies, allow does not match; Decision.RuleError has it for the log.
//
// The error is a *problem.Error of the facts, or of a caller that left; there is no decision then.
//
// What was decided is remembered for facts that are Revised: the same caller, by the same credential, gets the same answer
// to the same question as long as the metadata is the same.
func (p *Policy) Decide(ctx context.Context, who *principal.Principal, req RequestInfo, facts Facts) (Decision, error) {
	revised, remembers := facts.(Revised)
	if remembers {
		if decision, ok := p.memory.recall(ctx, who, req, revised); ok {
			return decision, nil
		}
	}
	d := evaluation{policy: p, facts: facts, vars: newVariables(&p.surroundings, who, req)}
	decision, err := d.decide(ctx)
	if remembers && err == nil {
		p.memory.remember(who, req, d.vars.known, revised, decision)
	}
	return decision, err
}

func (d *evaluation) decide(ctx context.Context) (Decision, error) {
	decision, err := d.match(ctx)
	if err != nil {
		return Decision{}, err
	}
	if decision.Allowed() {
		if err := d.complete(ctx, &decision); err != nil {
			return Decision{}, err
		}
	}
	decision.RuleError = errors.Join(d.errs...)
	return decision, nil
}

// match finds the first rule that matches.
func (d *evaluation) match(ctx context.Context) (Decision, error) {
	for i := range d.policy.rules {
		r := &d.policy.rules[i]
		before := len(d.errs)
		d.trace.begin(i)
		result, err := d.resolve(ctx, r.when)
		d.trace.end(i, result, d.errs[before:])
		if err != nil {
			return Decision{}, err
		}
		if decision, decides := d.answer(r, result); decides {
			d.trace.decides(i)
			return decision, nil
		}
	}
	decision := d.base()
	decision.Outcome, decision.Code, decision.Rule = Deny, codeNoMatch, "no rule matched"
	decision.Status, decision.Reason = d.policy.config.DenyStatus, d.policy.config.DenyReason
	return decision, nil
}

func (d *evaluation) base() Decision {
	return Decision{Collection: d.policy.config.Collection, Identifier: d.vars.req.Identifier}
}

// answer is what a rule says when its condition came to result.
func (d *evaluation) answer(r *rule, result truth) (Decision, bool) {
	decision := d.base()
	decision.Rule, decision.Code, decision.Outcome = r.text, r.Code, r.Outcome
	switch {
	case r.Outcome == Deny && result != isFalse:
		decision.Status, decision.Reason = r.Status, r.Reason
	case r.Outcome == Tier && result == isError:
		decision.Outcome, decision.Code = Deny, codeRuleError
		decision.Status, decision.Reason = d.policy.config.DenyStatus, d.policy.config.DenyReason
	case r.Outcome == Tier && result == isTrue:
		decision.MaxSide, decision.Quality, decision.Watermark = r.MaxSide, r.Quality, r.Watermark
	case r.Outcome == Allow && result == isTrue:
	default:
		return Decision{}, false
	}
	return decision, true
}

// complete adds to a decision that allows what its answer needs besides: a parsed identifier, how long it may be
// kept, and whether it is worth an audit line.
func (d *evaluation) complete(ctx context.Context, decision *Decision) error {
	if err := d.fetch(ctx, stageIdentifier); err != nil {
		return err
	}
	if decision.Outcome == Allow {
		for i := range d.policy.cache {
			result, err := d.resolve(ctx, d.policy.cache[i].when)
			if err != nil {
				return err
			}
			if result == isTrue {
				decision.CacheFor = d.policy.cache[i].For
				break
			}
		}
	}
	if d.policy.restricted != nil {
		result, err := d.resolve(ctx, d.policy.restricted)
		decision.Restricted = result != isFalse
		return err
	}
	decision.Restricted = d.beyondAnonymous(ctx, *decision)
	return nil
}

// beyondAnonymous tells whether a caller without a credential would have got less than this, by the facts at hand.
// In doubt it would.
func (d *evaluation) beyondAnonymous(ctx context.Context, got Decision) bool {
	if d.vars.who.Anonymous() {
		return false
	}
	as := d.vars
	as.who = principal.Nobody()
	as.scopes = types.NewStringList(types.DefaultTypeAdapter, nil)
	for i := range d.policy.rules {
		r := &d.policy.rules[i]
		result := settle(ctx, r.when, &as)
		if result == isUnknown {
			return true
		}
		other, decides := d.answer(r, result)
		if !decides {
			continue
		}
		switch other.Outcome {
		case Allow:
			return false
		case Tier:
			return got.Outcome != Tier || !got.within(other)
		}
		return true
	}
	return true
}
