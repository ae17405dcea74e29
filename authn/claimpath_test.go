package authn

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestClaimPaths(t *testing.T) {
	for name, test := range map[string]struct {
		claims, path string
		want         []string
	}{
		"a list":                      {`{"a":["x","y"]}`, "a", []string{"x", "y"}},
		"words":                       {`{"a":"x  y"}`, "a", []string{"x", "y"}},
		"an empty list":               {`{"a":[]}`, "a", nil},
		"blanks":                      {`{"a":"  "}`, "a", nil},
		"a path":                      {`{"a":{"b":{"c":["x"]}}}`, "a.b.c", []string{"x"}},
		"a name with a dot":           {`{"a.b":["x"]}`, "a.b", []string{"x"}},
		"a URL as name":               {`{"https://example.org/roles":["x"]}`, "https://example.org/roles", []string{"x"}},
		"a dot in the middle":         {`{"a":{"b.c":{"d":["x"]}}}`, "a.b.c.d", []string{"x"}},
		"dots everywhere":             {`{"a.b":{"c.d":["x"]}}`, "a.b.c.d", []string{"x"}},
		"the longest name wins":       {`{"a":{"b":["short"]},"a.b":["long"]}`, "a.b", []string{"long"}},
		"the longest that leads on":   {`{"a":{"b":{"c":["x"]}},"a.b":{"d":1}}`, "a.b.c", []string{"x"}},
		"a wrong type is passed over": {`{"a":{"b":["x"]},"a.b":5}`, "a.b", []string{"x"}},
		"a number":                    {`{"a":5}`, "a", nil},
		"null":                        {`{"a":null}`, "a", nil},
		"an object":                   {`{"a":{"b":"x"}}`, "a", nil},
		"a list with null":            {`{"a":["x",null]}`, "a", nil},
		"a list of lists":             {`{"a":[["x"]]}`, "a", nil},
		"a path into a list":          {`{"a":[{"b":"x"}]}`, "a.b", nil},
		"a path into text":            {`{"a":"b"}`, "a.b", nil},
		"missing":                     {`{}`, "a.b.c", nil},
		"another case":                {`{"A":["x"]}`, "a", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var c claims
			if err := json.Unmarshal([]byte(test.claims), &c); err != nil {
				t.Fatal(err)
			}
			if got := c.strings(test.path); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// Whatever names, with dots or without, a value lies under: the names joined by dots lead to it.
func TestAPathLeadsToWhatLiesThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.StringMatching(`[a-z]{1,3}(\.[a-z]{1,3}){0,2}`), 1, 4).Draw(t, "names")
		want := rapid.SliceOfN(rapid.StringMatching(`[A-Z/]{1,5}`), 1, 3).Draw(t, "want")
		list := make([]any, len(want))
		for i, s := range want {
			list[i] = s
		}
		var value any = list
		if rapid.Bool().Draw(t, "as words") {
			value = strings.Join(want, " ")
		}
		for _, name := range slices.Backward(names) {
			value = map[string]any{name: value, "other": 1.0}
		}
		if got := claims(value.(map[string]any)).strings(strings.Join(names, ".")); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
