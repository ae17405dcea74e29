package collection_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/collection"
)

func TestDossierIdentifiers(t *testing.T) {
	spec, found := collection.Preset("bouwdossier")
	if !found {
		t.Fatal("no preset")
	}
	grammar, err := collection.NewGrammar(spec.Identifier)
	if err != nil {
		t.Fatal(err)
	}
	for identifier, want := range map[string][]string{
		"edepot:ST_00015~ST00000126_0":                {"edepot", "ST", "00015", "ST00000126", "0"},
		"edepot:SQ_01452X~SQ10079651_0":               {"edepot", "SQ", "01452X", "SQ10079651", "0"},
		"edepot:SQ_01452~SQ-01452 (2)-SQ10079651_1":   {"edepot", "SQ", "01452", "SQ-01452 (2)-SQ10079651", "1"},
		"edepot:SQ_28276-SQ-file9EyinW~SQ10263352_3":  {"edepot", "SQ", "28276-SQ-file9EyinW", "SQ10263352", "3"},
		"edepot:SQ_26614abc~sq10241283_1":             {"edepot", "SQ", "26614abc", "sq10241283", "1"},
		"wabo:SDZ_TA-38657~628547_1":                  {"wabo", "SDZ", "TA-38657", "628547", "1"},
		"wabo:SDO_10316333~ECS0000004420-000-00-00_2": {"wabo", "SDO", "10316333", "ECS0000004420-000-00-00", "2"},
		"wabo:SDO_T-10316333~ECS0000004420_000_000":   {"wabo", "SDO", "T-10316333", "ECS0000004420_000", "000"},
		"edepot:ST-00001-ST0001_00001.jpg":            {"edepot", "ST", "00001", "ST0001", "00001"},
		"edepot:ST-00001-ST-00-01_00001":              {"edepot", "ST", "00001", "ST-00-01", "00001"},
		"edepot:ST_00015~ST00000126_0.jpg":            {"edepot", "ST", "00015", "ST00000126", "0"},
		"edepot:ST_00_015~ST.126_0.TIFF":              {"edepot", "ST", "00_015", "ST.126", "0"},
		"other:ST_00015~ST00000126_0":                 {"other", "ST", "00015", "ST00000126", "0"},
	} {
		got, matches := grammar.Match(identifier)
		if !matches {
			t.Errorf("%s does not match", identifier)
			continue
		}
		parts := []string{got["source"], got["district"], got["dossier"], got["barcode"], got["filenr"]}
		if !slices.Equal(parts, want) {
			t.Errorf("%s: %q", identifier, parts)
		}
	}
	for _, identifier := range []string{
		"ST_00015~ST00000126_0", ":ST_00015~ST00000126_0", "edepot:ST_00015", "edepot:ST_00015~ST00000126", "edepot:_00015~ST00000126_0",
		"edepot:ST_~ST00000126_0", "edepot:ST_00015~_0", "edepot:ST_00015~ST00000126_", "edepot:ST_00015~ST00000126_x", "edepot:ST_00015~ST00000126_-1",
		"edepot:ST_00015~ST00000126_+1", "edepot:ST_00015~ST00000126_1234567890", "edepot:ST_00015~ST~126_0", "edepot:ST_00/015~ST126_0", "edepot:ST_00015~ST/126_0",
		"edepot:ST_00015~ST00000126_0.", "edepot:ST_00015~ST00000126_0.j g", "edepot:ST_00015~ST00000126_0\n", "edepot:ST_00015~ST00000126_٠", "",
	} {
		if got, matches := grammar.Match(identifier); matches {
			t.Errorf("%q matches: %v", identifier, got)
		}
	}
}

func TestGrammarTriesPatternsInOrder(t *testing.T) {
	grammar, err := collection.NewGrammar([]string{`(?P<fonds>[^:]+):(?P<item>\d+)`, `(?P<fonds>[^:]+):(?P<name>.+?)(?P<page>\.\d+)?`})
	if err != nil {
		t.Fatal(err)
	}
	if got := grammar.Groups(); !slices.Equal(got, []string{"fonds", "item", "name", "page"}) {
		t.Errorf("groups: %v", got)
	}
	for identifier, want := range map[string]map[string]string{
		"a:12":  {"fonds": "a", "item": "12", "name": "", "page": ""},
		"a:x12": {"fonds": "a", "item": "", "name": "x12", "page": ""},
		"a:x.1": {"fonds": "a", "item": "", "name": "x", "page": ".1"},
	} {
		if got, matches := grammar.Match(identifier); !matches || !maps.Equal(got, want) {
			t.Errorf("%s: %v, %t", identifier, got, matches)
		}
	}
	if _, matches := grammar.Match("nothing"); matches {
		t.Error("matches nothing's pattern")
	}
}

func TestPatternsMatchTheWholeIdentifier(t *testing.T) {
	// An alternative at the top must not escape the anchors.
	grammar, err := collection.NewGrammar([]string{`(?P<a>x)|(?P<b>y)`})
	if err != nil {
		t.Fatal(err)
	}
	for identifier, want := range map[string]bool{"x": true, "y": true, "xy": false, "zx": false, "yz": false, "x\n": false} {
		if _, matches := grammar.Match(identifier); matches != want {
			t.Errorf("%q: %t", identifier, matches)
		}
	}
}

func TestWithoutGrammarTheIdentifierIsThePath(t *testing.T) {
	grammar, err := collection.NewGrammar(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, matches := grammar.Match("a/b.tif"); !matches || got["path"] != "a/b.tif" || len(got) != 1 {
		t.Errorf("%v, %t", got, matches)
	}
	if _, matches := grammar.Match("/a"); matches {
		t.Error("an absolute path matches")
	}
}

func TestGrammarRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		patterns []string
		want     string
	}{
		"not a pattern":         {[]string{`(?P<a>[)`}, "pattern 1"},
		"stray parenthesis":     {[]string{`(?P<a>x))|((?P<b>y)`}, "unexpected )"},
		"no named group":        {[]string{`(?P<a>x)`, `(.*)`}, "pattern 2: it has no named group"},
		"capital in a name":     {[]string{`(?P<Item>x)`}, `group "Item"`},
		"the same name twice":   {[]string{`(?P<a>x)(?P<a>y)`}, "pattern 1"},
		"too long":              {[]string{`(?P<a>` + strings.Repeat("x", 1024) + `)`}, "1024"},
		"too many":              {slices.Repeat([]string{`(?P<a>x)`}, 17), "17"},
		"exponential repeating": {[]string{`(?P<a>(x{1000}){1000})`}, "pattern 1"},
	} {
		if _, err := collection.NewGrammar(test.patterns); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
