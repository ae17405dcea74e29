package authz

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// Bounds of what an expression may cost.
const (
	// maxCost stops an expression that loops over a large document again and again. One unit is one operation and
	// takes up to a microsecond; a condition on each entry of a list costs about five an entry.
	maxCost = 200_000
	// checkEvery is how many rounds of a loop pass between looks at the request's context.
	checkEvery = 256
	// maxRegexProgram bounds patterns that come out of metadata.
	maxRegexProgram = 10_000
	maxNesting      = 64
	maxNodes        = 10_000
)

// expression is one compiled expression.
type expression struct {
	text    string
	program cel.Program
	// loops tells that the cost depends on the data, so that the evaluation must look at the clock.
	loops bool
}

// compiler turns the expressions of one policy into programs.
type compiler struct {
	env       *cel.Env
	variables []string
	groups    []string
}

func newCompiler(c Config, more ...cel.EnvOption) (*compiler, error) {
	k := &compiler{groups: c.Groups}
	opts := []cel.EnvOption{
		cel.EagerlyValidateDeclarations(true),
		// JSON has one sort of number; a rule need not know whether 3 came as 3 or as 3.0.
		cel.CrossTypeNumericComparisons(true),
		cel.ParserExpressionSizeLimit(maxExpression),
		cel.ParserRecursionLimit(maxNesting),
		cel.ExpressionNodeLimit(maxNodes),
		cel.RegexProgramSizeLimit(maxRegexProgram),
	}
	declare := func(name string, t *cel.Type) {
		k.variables = append(k.variables, name)
		opts = append(opts, cel.Variable(name, t))
	}
	texts := cel.ListType(cel.StringType)
	// The callers' and requests' properties are variables with a dot in their names rather than fields of an object,
	// so that a misspelled one is found when the server starts.
	if !c.Public {
		declare("principal.anonymous", cel.BoolType)
		declare("principal.kind", cel.StringType)
		declare("principal.subject", cel.StringType)
		declare("principal.email", cel.StringType)
		declare("principal.issuer", cel.StringType)
		declare("principal.scopes", texts)
	}
	declare("request.version", cel.StringType)
	declare("request.endpoint", cel.StringType)
	declare("identifier", cel.MapType(cel.StringType, cel.StringType))
	if c.Metadata {
		declare("metadata", cel.DynType)
	}
	if c.Document {
		declare("document", cel.DynType)
	}
	for name := range c.Settings {
		declare("settings."+name, texts)
	}
	slices.Sort(k.variables)
	env, err := cel.NewEnv(append(opts, more...)...)
	if err != nil {
		return nil, fmt.Errorf("set up the expression language: %w", err)
	}
	k.env = env
	return k, nil
}

// condition makes a program that answers true or false.
func (k *compiler) condition(text string) (*expression, error) {
	return k.compile(text, "true or false (bool)", cel.BoolKind)
}

// compile makes a program that gives a value of a kind; wanted names it. Its errors tell what is wrong and where, and
// what may be used.
func (k *compiler) compile(text, wanted string, kind cel.Kind) (*expression, error) {
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("the expression is empty; write `true` for a rule that always holds")
	}
	if len(text) > maxExpression {
		return nil, fmt.Errorf("the expression has %d bytes; at most %d are allowed", len(text), maxExpression)
	}
	checked, issues := k.env.Compile(text)
	if issues.Err() != nil {
		return nil, k.describe(text, issues)
	}
	if t := checked.OutputType(); t.Kind() != kind && t.Kind() != cel.DynKind {
		return nil, fmt.Errorf("the expression `%s` gives %s; it must give %s", text, t, wanted)
	}
	root := checked.NativeRep().Expr()
	if err := k.checkGroups(text, root); err != nil {
		return nil, err
	}
	loops := hasLoop(root)
	opts := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize, cel.OptPartialEval)}
	if loops {
		// Without a loop, the bounds on the expression's length and on the document bound the cost.
		opts = append(opts, cel.CostLimit(maxCost), cel.InterruptCheckFrequency(checkEvery))
	}
	program, err := k.env.Program(checked, opts...)
	if err != nil {
		return nil, fmt.Errorf("the expression `%s`: %w", text, err)
	}
	return &expression{text: text, program: program, loops: loops}, nil
}

// describe writes the compiler's complaints with their positions, lines and columns counted from 1.
func (k *compiler) describe(text string, issues *cel.Issues) error {
	var found []string
	for _, e := range issues.Errors() {
		message, _, _ := strings.Cut(e.Message, "\n")
		if line := e.Location.Line(); line > 0 {
			message = fmt.Sprintf("line %d, column %d: %s", line, e.Location.Column()+1, message)
		}
		found = append(found, message)
	}
	return fmt.Errorf("the expression `%s`: %s; known variables: %s", text, strings.Join(found, "; "), strings.Join(k.variables, ", "))
}

// checkGroups refuses to read a group that the identifier grammar does not have: at run time it would only ever fail.
func (k *compiler) checkGroups(text string, root ast.Expr) error {
	if k.groups == nil {
		return nil
	}
	var errs []error
	ast.PostOrderVisit(root, ast.NewExprVisitor(func(e ast.Expr) {
		name, found := groupRead(e)
		if found && !slices.Contains(k.groups, name) {
			errs = append(errs, fmt.Errorf("the expression `%s`: the identifier has no group %q; its groups are %s", text, name, strings.Join(k.groups, ", ")))
		}
	}))
	return errors.Join(errs...)
}

// groupRead finds identifier.NAME and identifier["NAME"], but not has(identifier.NAME).
func groupRead(e ast.Expr) (string, bool) {
	isIdentifier := func(e ast.Expr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == staged[stageIdentifier-1] }
	switch e.Kind() {
	case ast.SelectKind:
		s := e.AsSelect()
		return s.FieldName(), isIdentifier(s.Operand()) && !s.IsTestOnly()
	case ast.CallKind:
		c := e.AsCall()
		if c.FunctionName() != operators.Index || !isIdentifier(c.Args()[0]) || c.Args()[1].Kind() != ast.LiteralKind {
			return "", false
		}
		name, isString := c.Args()[1].AsLiteral().Value().(string)
		return name, isString
	}
	return "", false
}

func hasLoop(root ast.Expr) bool {
	found := false
	ast.PostOrderVisit(root, ast.NewExprVisitor(func(e ast.Expr) {
		found = found || e.Kind() == ast.ComprehensionKind
	}))
	return found
}
