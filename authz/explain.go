package authz

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// Explanation is a decision with the way that led to it, for operators: it holds expressions and may quote metadata.
type Explanation struct {
	Collection string        `json:"collection"`
	Identifier string        `json:"identifier"`
	Caller     CallerSummary `json:"caller"`
	// Outcome is empty when an error came before a decision.
	Outcome    Outcome `json:"outcome,omitempty"`
	MaxSide    int     `json:"max_side,omitempty"`
	Quality    string  `json:"quality,omitempty"`
	Watermark  string  `json:"watermark,omitempty"`
	Status     int     `json:"status"`
	Reason     string  `json:"reason,omitempty"`
	Code       string  `json:"code"`
	Restricted bool    `json:"restricted"`
	// CacheSeconds is how long the caller's own cache may keep the answer.
	CacheSeconds int64 `json:"cache_seconds"`
	// Summary says in a sentence what decided.
	Summary string       `json:"summary"`
	Rules   []RuleTrace  `json:"rules"`
	Fetched []FetchTrace `json:"fetched"`

	current int
}

// CallerSummary is what rules can tell callers apart by.
type CallerSummary struct {
	Kind    principal.Kind `json:"kind"`
	Subject string         `json:"subject,omitempty"`
	Issuer  string         `json:"issuer,omitempty"`
	Scopes  []string       `json:"scopes"`
}

// RuleTrace tells what became of one rule.
type RuleTrace struct {
	// Number counts from 1, in the order of the configuration.
	Number     int    `json:"number"`
	Rule       string `json:"rule"`
	Expression string `json:"expression"`
	// Result is "true", "false", "error", "undecided" (fetching a fact failed) or "not reached".
	Result string `json:"result"`
	// Needed are the facts that had to be fetched for this rule.
	Needed  []string `json:"needed,omitempty"`
	Error   string   `json:"error,omitempty"`
	Decides bool     `json:"decides"`
}

// FetchTrace tells of one fact that was fetched.
type FetchTrace struct {
	// Fact is "identifier", "metadata" or "document".
	Fact         string  `json:"fact"`
	Milliseconds float64 `json:"milliseconds"`
	Error        string  `json:"error,omitempty"`
}

// Explain decides as Decide does, and tells how. Its error is Decide's; the Explanation is filled in either case.
func (p *Policy) Explain(ctx context.Context, who *principal.Principal, req RequestInfo, facts Facts) (Explanation, error) {
	d := evaluation{policy: p, facts: facts, vars: newVariables(&p.surroundings, who, req)}
	d.trace = &Explanation{
		Collection: p.config.Collection,
		Identifier: req.Identifier,
		Caller:     CallerSummary{Kind: d.vars.who.Kind, Subject: d.vars.who.Subject, Issuer: d.vars.who.Issuer, Scopes: append([]string{}, d.vars.who.Scopes...)},
		Rules:      []RuleTrace{},
		Fetched:    []FetchTrace{},
		current:    -1,
	}
	for i, r := range p.rules {
		d.trace.Rules = append(d.trace.Rules, RuleTrace{Number: i + 1, Rule: r.text, Expression: r.when.text, Result: "not reached"})
	}
	decision, err := d.decide(ctx)
	if err != nil {
		d.trace.failed(err)
	} else {
		d.trace.decided(decision)
	}
	return *d.trace, err
}

// The methods below do nothing on nil, so that a decision without explanation pays nothing for them.

func (x *Explanation) begin(i int) {
	if x != nil {
		x.current = i
	}
}

// end notes what became of a rule; errs are the errors inside it.
func (x *Explanation) end(i int, result truth, errs []error) {
	if x == nil {
		return
	}
	t := &x.Rules[i]
	switch {
	case result == isTrue:
		t.Result = "true"
	case result == isFalse:
		t.Result = "false"
	case len(errs) > 0:
		t.Result, t.Error = "error", errors.Join(errs...).Error()
	default:
		t.Result = "undecided"
	}
	x.current = -1
}

func (x *Explanation) decides(i int) {
	if x != nil {
		x.Rules[i].Decides = true
	}
}

// fetching notes that a fact is fetched; the function it gives notes how that ended.
func (x *Explanation) fetching(s stage) func(error) {
	if x == nil {
		return func(error) {}
	}
	begin := time.Now()
	if x.current >= 0 {
		x.Rules[x.current].Needed = append(x.Rules[x.current].Needed, s.String())
	}
	return func(err error) {
		t := FetchTrace{Fact: s.String(), Milliseconds: float64(time.Since(begin).Microseconds()) / 1000}
		if err != nil {
			t.Error = err.Error()
		}
		x.Fetched = append(x.Fetched, t)
	}
}

func (x *Explanation) failed(err error) {
	e := problem.From(err)
	x.Status, x.Reason, x.Code = e.Status, e.Detail, e.Code
	x.Summary = fmt.Sprintf("No decision: %s.", e.Detail)
	if n := len(x.Fetched); n > 0 && x.Fetched[n-1].Error != "" {
		x.Summary = fmt.Sprintf("No decision: the %s could not be had. The caller gets %d %q.", x.Fetched[n-1].Fact, e.Status, e.Detail)
	}
}

func (x *Explanation) decided(d Decision) {
	x.Outcome, x.MaxSide, x.Reason, x.Code = d.Outcome, d.MaxSide, d.Reason, d.Code
	x.Quality, x.Watermark = d.Quality, d.Watermark
	x.Status, x.Restricted, x.CacheSeconds = d.Status, d.Restricted, int64(d.CacheFor/time.Second)
	if d.Allowed() {
		x.Status = http.StatusOK
	}
	x.Summary = x.sentence(d)
}

// limits says what a tier takes away.
func limits(d Decision) string {
	var said []string
	if d.MaxSide > 0 {
		said = append(said, fmt.Sprintf(" up to %d pixels", d.MaxSide))
	}
	if d.Quality != "" {
		said = append(said, " in "+d.Quality)
	}
	if d.Watermark != "" {
		said = append(said, fmt.Sprintf(" with the watermark %q", d.Watermark))
	}
	return strings.Join(said, ",")
}

func (x *Explanation) sentence(d Decision) string {
	what := "Allowed"
	switch d.Outcome {
	case Tier:
		what = "Allowed" + limits(d)
	case Deny:
		what = fmt.Sprintf("Denied with %d %q", d.Status, d.Reason)
	}
	for _, t := range x.Rules {
		switch {
		case !t.Decides:
		case t.Result == "error":
			return fmt.Sprintf("%s: rule %d (%s) could not be evaluated, which counts against the caller.", what, t.Number, t.Rule)
		default:
			return fmt.Sprintf("%s by rule %d (%s), the first whose condition is true.", what, t.Number, t.Rule)
		}
	}
	return what + ": no rule matched."
}
