package authz

import (
	"context"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/gatehouse-server/gatehouse/authn/principal"
)

// Environment compiles expressions in the language of a collection's rules for questions beside the decision. It is safe
// for concurrent use.
type Environment struct {
	compiler *compiler
	surroundings
}

// NewEnvironment knows what c's expressions may mention; the rules of c do not matter here. Besides, its expressions can
// call uriComponent(TEXT), which percent-encodes a text to be a part of a URI.
func NewEnvironment(c Config) (*Environment, error) {
	k, err := newCompiler(c, cel.Function("uriComponent", cel.Overload("uriComponent_string", []*cel.Type{cel.StringType}, cel.StringType,
		cel.UnaryBinding(func(v ref.Val) ref.Val { return types.String(uriComponent(string(v.(types.String)))) }))))
	if err != nil {
		return nil, err
	}
	return &Environment{compiler: k, surroundings: newSurroundings(c)}, nil
}

// uriComponent percent-encodes all that RFC 3986 §2.3 does not call unreserved.
func uriComponent(s string) string {
	const hex = "0123456789ABCDEF"
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
			out = append(out, c)
		default:
			out = append(out, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(out)
}

// Expression is a compiled expression. It is safe for concurrent use.
type Expression struct{ compiled *expression }

// Condition compiles an expression that is true or false.
func (e *Environment) Condition(text string) (*Expression, error) {
	return made(e.compiler.condition(text))
}

// Text compiles an expression that gives a text.
func (e *Environment) Text(text string) (*Expression, error) {
	return made(e.compiler.compile(text, "a text (string)", cel.StringKind))
}

// Object compiles an expression that gives an object.
func (e *Environment) Object(text string) (*Expression, error) {
	return made(e.compiler.compile(text, "an object (map)", cel.MapKind))
}

// List compiles an expression that gives a list.
func (e *Environment) List(text string) (*Expression, error) {
	return made(e.compiler.compile(text, "a list", cel.ListKind))
}

func made(compiled *expression, err error) (*Expression, error) {
	if err != nil {
		return nil, err
	}
	return &Expression{compiled: compiled}, nil
}

// Inquiry evaluates expressions for one request, and fetches facts as a decision does: when one cannot be evaluated
// without them. It decides nothing. It is for one goroutine at a time.
type Inquiry struct{ evaluation evaluation }

// Inquire begins an inquiry.
func (e *Environment) Inquire(who *principal.Principal, req RequestInfo, facts Facts) *Inquiry {
	return &Inquiry{evaluation{facts: facts, vars: newVariables(&e.surroundings, who, req)}}
}

// Holds tells whether a condition is true. The error is a *problem.Error when a fact could not be had or the caller
// left, and else tells why the condition could not be evaluated.
func (q *Inquiry) Holds(ctx context.Context, condition *Expression) (bool, error) {
	out, failed, err := q.evaluation.value(ctx, condition.compiled)
	if err != nil {
		return false, err
	}
	if failed != nil {
		return false, failed
	}
	result, err := condition.compiled.truth(out)
	return result == isTrue, err
}

// Value gives what an expression comes to, as encoding/json would have decoded it but with int64 and uint64 for whole
// numbers. What is null within it is left out; null itself, and what is too large or too deep, is an error. Errors are
// those of Holds.
func (q *Inquiry) Value(ctx context.Context, e *Expression) (any, error) {
	out, failed, err := q.evaluation.value(ctx, e.compiled)
	if err != nil {
		return nil, err
	}
	if failed != nil {
		return nil, failed
	}
	return e.compiled.plain(out)
}
