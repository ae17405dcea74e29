package authz

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/gatehouse-server/gatehouse/authn/principal"
)

// surroundings are what all expressions of one configuration see alike.
type surroundings struct {
	settings map[string]ref.Val
	unknowns []*cel.AttributePatternType
}

func newSurroundings(c Config) surroundings {
	s := surroundings{settings: make(map[string]ref.Val, len(c.Settings)), unknowns: unknownPatterns()}
	for name, values := range c.Settings {
		s.settings["settings."+name] = types.NewStringList(types.DefaultTypeAdapter, values)
	}
	return s
}

// variables is what expressions see during one decision. Facts that are not at hand yet are unknown: an expression
// that cannot do without them is unknown in turn.
type variables struct {
	*surroundings
	who    *principal.Principal
	scopes ref.Val
	req    RequestInfo

	known      stage
	identifier map[string]string
	metadata   any
	document   any
}

func newVariables(s *surroundings, who *principal.Principal, req RequestInfo) variables {
	if who == nil {
		who = principal.Nobody()
	}
	return variables{surroundings: s, who: who, scopes: types.NewStringList(types.DefaultTypeAdapter, who.Scopes), req: req}
}

// ResolveName implements cel.Activation.
func (v *variables) ResolveName(name string) (any, bool) {
	switch name {
	case "principal.scopes":
		return v.scopes, true
	case "principal.kind":
		if v.who.Anonymous() {
			return types.String(principal.Anonymous), true
		}
		return types.String(v.who.Kind), true
	case "principal.anonymous":
		return types.Bool(v.who.Anonymous()), true
	case "principal.subject":
		return types.String(v.who.Subject), true
	case "principal.email":
		return types.String(v.who.Email), true
	case "principal.issuer":
		return types.String(v.who.Issuer), true
	case "request.version":
		return types.String(v.req.Version), true
	case "request.endpoint":
		return types.String(v.req.Endpoint), true
	case "identifier":
		return v.identifier, v.known >= stageIdentifier
	case "metadata":
		return v.metadata, v.known >= stageMetadata
	case "document":
		return v.document, v.known >= stageDocument
	}
	value, found := v.settings[name]
	return value, found
}

// Parent implements cel.Activation.
func (v *variables) Parent() cel.Activation { return nil }

// UnknownAttributePatterns implements cel.PartialActivation.
func (v *variables) UnknownAttributePatterns() []*cel.AttributePatternType {
	return v.unknowns[v.known:]
}

// AsPartialActivation tells the interpreter whether anything is unknown at all.
func (v *variables) AsPartialActivation() (cel.PartialActivation, bool) {
	return v, v.known < stageDocument
}

var _ cel.PartialActivation = (*variables)(nil)
