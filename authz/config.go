package authz

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// Bounds of what a configuration may hold.
const (
	// maxExpression is in bytes. A rule is read by people; what is longer is a mistake, or an attack on the compiler.
	maxExpression = 4096
	maxRules      = 256
	// maxTierSide keeps a tier's side far from any overflow.
	maxTierSide = 1_000_000
)

// RuleSpec is one rule as configured. The first rule of a policy whose Expr is true decides.
type RuleSpec struct {
	// Outcome is Allow, Tier or Deny.
	Outcome Outcome
	// MaxSide is the longest side in pixels that a Tier rule allows; 0 allows all pixels. A Tier has at least one of
	// MaxSide, Quality and Watermark, and no other rule has any.
	MaxSide int
	// Quality is the most colour that a Tier rule allows: QualityGray or QualityBitonal. Empty allows all colours.
	Quality string
	// Watermark names the mark that a Tier rule puts on the image. Empty: none.
	Watermark string
	// Reason is the text that a Deny rule answers with. The default is the policy's DenyReason.
	Reason string
	// Status of a Deny rule's answer, 400 to 499. 0 takes the policy's DenyStatus.
	Status int
	// Code names the outcome in logs and metrics, snake_case. The default is "allowed", "tier" or "denied".
	Code string
	// Expr is the condition, in CEL.
	Expr string
	// Name stands for the rule in Decision.Rule where its text would not help, as in presets.
	Name string
}

// String is the rule as one would write it in a configuration.
func (r RuleSpec) String() string {
	if r.Name != "" {
		return r.Name
	}
	switch r.Outcome {
	case Tier:
		return "tier " + r.limits() + " `" + r.Expr + "`"
	case Deny:
		if r.Reason != "" {
			return "deny " + strconv.Quote(r.Reason) + " `" + r.Expr + "`"
		}
	}
	return string(r.Outcome) + " `" + r.Expr + "`"
}

// limits are the words that say what a tier allows.
func (r RuleSpec) limits() string {
	words := "full"
	if r.MaxSide != 0 {
		words = strconv.Itoa(r.MaxSide)
	}
	if r.Quality != "" {
		words += " quality " + r.Quality
	}
	if r.Watermark != "" {
		words += " watermark " + r.Watermark
	}
	return words
}

// CacheSpec lets the caller's own cache keep what an Allow rule let through, when Expr is true.
type CacheSpec struct {
	// For is how long, in whole seconds.
	For time.Duration
	// Expr is the condition, in CEL. A condition that cannot be evaluated is not met.
	Expr string
}

// Config is a policy as configured.
type Config struct {
	// Collection is the name that decisions are bound to.
	Collection string
	// Rules in the order in which they are tried.
	Rules []RuleSpec
	// Cache conditions, of which the first that is true counts.
	Cache []CacheSpec
	// Restricted is the condition, in CEL, under which showing the item is written to the audit log. Empty: whenever
	// a caller without a credential would not have got as much.
	Restricted string
	// Settings are lists of strings that rules see as settings.NAME.
	Settings map[string][]string
	// Groups are the named groups of the identifier grammar. A rule that reads another is refused. Nil: not known.
	Groups []string
	// Public tells that everybody gets the same answers, so that expressions cannot mention the caller.
	Public bool
	// Metadata and Document tell whether the collection has them. Rules cannot mention what it has not.
	Metadata, Document bool
	// DenyStatus answers a denial, 400 to 499. The default is 403.
	DenyStatus int
	// DenyReason answers a denial that has no reason of its own. The default is "Access denied".
	DenyReason string
}

var codePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

func (c Config) withDefaults() Config {
	if c.DenyStatus == 0 {
		c.DenyStatus = http.StatusForbidden
	}
	if c.DenyReason == "" {
		c.DenyReason = "Access denied"
	}
	c.Rules = slices.Clone(c.Rules)
	for i := range c.Rules {
		r := &c.Rules[i]
		if r.Code == "" {
			r.Code = map[Outcome]string{Allow: "allowed", Tier: "tier", Deny: "denied"}[r.Outcome]
		}
		if r.Outcome == Deny {
			if r.Status == 0 {
				r.Status = c.DenyStatus
			}
			if r.Reason == "" {
				r.Reason = c.DenyReason
			}
		}
	}
	return c
}

// Validate tells all that is wrong with c, expressions included. It needs neither network nor state.
func (c Config) Validate() error {
	_, err := New(c)
	return err
}

// validateShape checks what can be checked without compiling expressions.
func (c Config) validateShape() error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.DenyStatus < 400 || c.DenyStatus > 499 {
		complain("deny_status is %d; it must be from 400 to 499", c.DenyStatus)
	}
	switch {
	case len(c.Rules) == 0:
		complain("the policy has no rule, so that it would deny everything; write at least one rule allow, tier or deny")
	case len(c.Rules) > maxRules:
		complain("the policy has %d rules; at most %d are allowed", len(c.Rules), maxRules)
	}
	if c.Document && !c.Metadata {
		complain("a policy cannot know a document without metadata")
	}
	for name := range c.Settings {
		if !codePattern.MatchString(name) {
			complain("setting %q: a name is lower-case letters, digits and underscores, and begins with a letter", name)
		}
	}
	for i, r := range c.Rules {
		if err := r.validate(); err != nil {
			complain("rule %d (%s): %w", i+1, r, err)
		}
	}
	for i, s := range c.Cache {
		if s.For <= 0 || s.For%time.Second != 0 {
			complain("cache condition %d: %s is not a positive number of whole seconds", i+1, s.For)
		}
	}
	return errors.Join(errs...)
}

func (r RuleSpec) validate() error {
	switch r.Outcome {
	case Allow, Tier, Deny:
	default:
		return fmt.Errorf("outcome is %q; it must be allow, tier or deny", r.Outcome)
	}
	limited := r.MaxSide != 0 || r.Quality != "" || r.Watermark != ""
	if r.Outcome == Tier && !limited {
		return errors.New("a tier takes something away; say a longest side, a quality or a watermark")
	}
	if r.Outcome != Tier && limited {
		return errors.New("only a tier has a longest side, a quality or a watermark")
	}
	if r.Quality == QualityBitonal && r.Watermark != "" {
		return errors.New("black and white would hide the watermark; leave one of them out")
	}
	if r.MaxSide < 0 || r.MaxSide > maxTierSide {
		return fmt.Errorf("the longest side is %d; it must be from 1 to %d pixels", r.MaxSide, maxTierSide)
	}
	if r.Quality != "" && r.Quality != QualityGray && r.Quality != QualityBitonal {
		return fmt.Errorf("the quality is %q; it must be %s or %s", r.Quality, QualityGray, QualityBitonal)
	}
	if r.Outcome != Deny && (r.Reason != "" || r.Status != 0) {
		return errors.New("only a deny rule has a reason or a status")
	}
	if r.Outcome == Deny && (r.Status < 400 || r.Status > 499) {
		return fmt.Errorf("the status is %d; it must be from 400 to 499", r.Status)
	}
	if !codePattern.MatchString(r.Code) {
		return fmt.Errorf("the code is %q; it must be lower-case letters, digits and underscores, at most 63, and begin with a letter", r.Code)
	}
	return nil
}
