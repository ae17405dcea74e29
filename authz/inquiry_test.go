package authz_test

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/internal/problem"
)

func environment(t testing.TB, public bool) *authz.Environment {
	t.Helper()
	e, err := authz.NewEnvironment(authz.Config{
		Settings: map[string][]string{"free": {"N"}}, Groups: []string{"fonds", "item"}, Metadata: !public, Document: !public, Public: public,
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func compiled(t testing.TB, e *authz.Expression, err error) *authz.Expression {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestExpressionsOfAnEnvironmentAreChecked(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		public  bool
		compile func(*authz.Environment, string) (*authz.Expression, error)
		text    string
		want    string // in the error; empty when it compiles
	}{
		{false, (*authz.Environment).Text, `metadata.title`, ""},
		{false, (*authz.Environment).Text, `"a" + principal.kind`, ""},
		{false, (*authz.Environment).Text, `1 + 1`, "it must give a text (string)"},
		{false, (*authz.Environment).Text, ``, "empty"},
		{false, (*authz.Environment).Text, `identifier.file`, `no group "file"`},
		{false, (*authz.Environment).Object, `{"id": metadata.x, "n": 1}`, ""},
		{false, (*authz.Environment).Object, `metadata`, ""},
		{false, (*authz.Environment).Object, `["a"]`, "it must give an object (map)"},
		{false, (*authz.Environment).List, `settings.free`, ""},
		{false, (*authz.Environment).List, `"a"`, "it must give a list"},
		{false, (*authz.Environment).Condition, `has(metadata.x)`, ""},
		{false, (*authz.Environment).Condition, `"true"`, "it must give true or false (bool)"},
		{true, (*authz.Environment).Text, `identifier.fonds + request.version`, ""},
		{true, (*authz.Environment).Text, `principal.subject`, "principal"},
		{true, (*authz.Environment).Text, `metadata.title`, "metadata"},
	} {
		_, err := test.compile(environment(t, test.public), test.text)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%q: error %v, want %q", test.text, err, test.want)
		}
	}
}

// TestInquiryFetchesWhatAnExpressionNeeds: each fact once, in order, and none that an expression can do without.
func TestInquiryFetchesWhatAnExpressionNeeds(t *testing.T) {
	t.Parallel()
	e := environment(t, false)
	known := &facts{identifier: map[string]string{"fonds": "f"}, metadata: map[string]any{"title": "T"}, document: map[string]any{"n": int64(3)}}
	q := e.Inquire(nil, authz.RequestInfo{Version: "3"}, known)
	ask := func(text, asked string, want any) {
		t.Helper()
		x, err := e.Text(text)
		got, err := q.Value(t.Context(), compiled(t, x, err))
		if err != nil || got != want || strings.Join(known.asked, " ") != asked {
			t.Errorf("%s gives %v, %v, having asked for %v; want %v and %q", text, got, err, known.asked, want, asked)
		}
	}
	ask(`"version " + request.version`, "", "version 3")
	ask(`identifier.fonds`, "identifier", "f")
	condition, err := e.Condition(`principal.anonymous || metadata.title == "T"`)
	if holds, err := q.Holds(t.Context(), compiled(t, condition, err)); err != nil || !holds || len(known.asked) != 1 {
		t.Errorf("the condition is %t, %v, having asked for %v", holds, err, known.asked)
	}
	ask(`metadata.title + identifier.fonds`, "identifier metadata", "Tf")
	ask(`string(document.n) + metadata.title`, "identifier metadata document", "3T")
}

func TestInquiryTellsFactsFromExpressions(t *testing.T) {
	t.Parallel()
	e := environment(t, false)
	x, err := e.Text(`metadata.title`)
	title := compiled(t, x, err)
	x, err = e.Condition(`metadata.title == "T"`)
	condition := compiled(t, x, err)
	down := problem.New(502, "metadata_unreachable", "The iiif-metadata-server cannot be reached")
	q := e.Inquire(nil, authz.RequestInfo{}, &facts{failing: "metadata", err: down})
	if _, err := q.Value(t.Context(), title); !errors.Is(err, down) {
		t.Errorf("without metadata the error is %v", err)
	}
	if holds, err := q.Holds(t.Context(), condition); holds || !errors.Is(err, down) {
		t.Errorf("without metadata the condition is %t, %v", holds, err)
	}
	var known *problem.Error
	q = e.Inquire(nil, authz.RequestInfo{}, &facts{metadata: map[string]any{}})
	if _, err := q.Value(t.Context(), title); err == nil || errors.As(err, &known) {
		t.Errorf("without a title the error is %v", err)
	}
	if holds, err := q.Holds(t.Context(), condition); holds || err == nil || errors.As(err, &known) {
		t.Errorf("without a title the condition is %t, %v", holds, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := q.Value(gone, title); !errors.As(err, &known) || known.Status != problem.StatusClientClosedRequest {
		t.Errorf("for a caller that left the error is %v", err)
	}
}

func TestValuesLeaveAsPlainData(t *testing.T) {
	t.Parallel()
	e := environment(t, false)
	deep := any("x")
	for range 40 {
		deep = map[string]any{"a": deep}
	}
	metadata := map[string]any{
		"text": "é <b>", "nothing": nil, "number": 1.5, "whole": int64(7), "yes": true, "list": []any{"a", nil, int64(1)},
		"object": map[string]any{"b": nil, "c": []any{map[string]any{}}}, "deep": deep,
		"long": strings.Repeat("x", 20_000), "many": slices.Repeat([]any{"x"}, 5000), "broken": "a\xffb",
		"keys": map[string]any{strings.Repeat("k", 20_000): true},
	}
	for text, want := range map[string]any{
		`metadata.text`:   "é <b>",
		`metadata.object`: map[string]any{"c": []any{map[string]any{}}},
		`metadata.list`:   []any{"a", int64(1)},
		`{"a": metadata.nothing, "b": metadata.yes}`:                            map[string]any{"b": true},
		`{"a": metadata.number, "b": [metadata.whole, 2u, "x"]}`:                map[string]any{"a": 1.5, "b": []any{int64(7), uint64(2), "x"}},
		`{"a": identifier.fonds}`:                                               map[string]any{"a": "f"},
		`uriComponent(metadata.text) + uriComponent(identifier.fonds + "/?#%")`: "%C3%A9%20%3Cb%3Ef%2F%3F%23%25",
		`uriComponent("azAZ09-._~")`:                                            "azAZ09-._~",
		// Errors, by a part of their texts.
		`uriComponent(metadata.list)`: errors.New("no such overload"),
		`metadata.nothing`:            errors.New("null"),
		`metadata.none`:               errors.New("no such key"),
		`metadata.deep`:               errors.New("levels"),
		`metadata.long`:               errors.New("more than 16384 bytes"),
		`metadata.many`:               errors.New("more than 16384 bytes"),
		`metadata.keys`:               errors.New("more than 16384 bytes"),
		`metadata.broken`:             errors.New("UTF-8"),
		`dyn({1: "a"})`:               errors.New("a key is int"),
		`dyn(0.0 / 0.0)`:              errors.New("not finite"),
		`dyn(b"abc")`:                 errors.New("bytes, which JSON does not have"),
		`dyn(duration("3s"))`:         errors.New("write string("),
	} {
		compile := e.Text
		if _, isMap := want.(map[string]any); isMap {
			compile = e.Object
		}
		if _, isList := want.([]any); isList {
			compile = e.List
		}
		x, err := compile(text)
		got, err := e.Inquire(nil, authz.RequestInfo{}, &facts{identifier: map[string]string{"fonds": "f"}, metadata: maps.Clone(metadata)}).
			Value(t.Context(), compiled(t, x, err))
		if fails, is := want.(error); is {
			if err == nil || !strings.Contains(err.Error(), fails.Error()) {
				t.Errorf("%s gives %v, %v; want the error %q", text, got, err, fails)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s gives %#v, %v; want %#v", text, got, err, want)
		}
	}
}
