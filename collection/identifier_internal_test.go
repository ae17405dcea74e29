package collection

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDecodeIdentifierOnce(t *testing.T) {
	for raw, want := range map[string]string{
		"edepot:ST_00015~ST00000126_0": "edepot:ST_00015~ST00000126_0",
		"edepot%3AST_1~2%20(2)_1":      "edepot:ST_1~2 (2)_1",
		"a%2Fb.tif":                    "a/b.tif",
		"%253C":                        "%3C",
		"caf%C3%A9":                    "café",
		"a+b":                          "a+b",
		"a.b.c":                        "a.b.c",
	} {
		if got, err := decodeIdentifier(raw); err != nil || got != want {
			t.Errorf("%s: %q, %v", raw, got, err)
		}
	}
}

func TestDecodeIdentifierRefusals(t *testing.T) {
	for name, test := range map[string]struct{ raw, want string }{
		"empty":                   {"", "empty"},
		"parent folder":           {"a/../b", "two dots"},
		"encoded parent folder":   {"%2e%2E/b", "two dots"},
		"two dots in a name":      {"a..b", "two dots"},
		"backslash":               {`a\b`, "backslash"},
		"encoded backslash":       {"a%5cb", "backslash"},
		"NUL":                     {"a%00b", "control"},
		"line break":              {"a%0d%0ab", "control"},
		"escape":                  {"a%1bb", "control"},
		"delete":                  {"a%7fb", "control"},
		"C1 control":              {"a%C2%85b", "control"},
		"broken escape":           {"a%zz", "percent"},
		"escape at the end":       {"a%2", "percent"},
		"not UTF-8":               {"a%ff", "UTF-8"},
		"overlong slash":          {"a%c0%afb", "UTF-8"},
		"surrogate":               {"a%ed%a0%80", "UTF-8"},
		"513 bytes":               {strings.Repeat("a", 513), "512"},
		"513 bytes, encoded":      {strings.Repeat("%61", 513), "512"},
		"very long, then decoded": {strings.Repeat("%61", 100_000), "512"},
	} {
		if got, err := decodeIdentifier(test.raw); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := decodeIdentifier(strings.Repeat("%61", 512)); err != nil {
		t.Errorf("512 bytes: %v", err)
	}
}

func TestPathsHaveOneSpelling(t *testing.T) {
	for _, path := range []string{"a", "a/b.tif", "a.b/c", ".hidden", "a b/c"} {
		if err := checkPath(path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, path := range []string{"/a", "a/", "a//b", "./a", "a/./b", "a/.", ".", "//"} {
		if checkPath(path) == nil {
			t.Errorf("%s was accepted", path)
		}
	}
}

// TestDossierIdentifiersReadBack: what is put together in the preset's form comes apart into the same parts.
func TestDossierIdentifiersReadBack(t *testing.T) {
	grammar, err := NewGrammar(bouwdossierIdentifiers())
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		parts := map[string]string{
			"source":   rapid.StringMatching(`[a-z]{1,8}`).Draw(t, "source"),
			"district": rapid.StringMatching(`[A-Z]{1,3}`).Draw(t, "district"),
			"dossier":  rapid.StringMatching(`[A-Za-z0-9_-]{1,12}`).Draw(t, "dossier"),
			"barcode":  rapid.StringMatching(`[A-Za-z0-9_ ()-]{1,20}`).Draw(t, "barcode"),
			"filenr":   rapid.StringMatching(`[0-9]{1,9}`).Draw(t, "filenr"),
		}
		extension := rapid.SampledFrom([]string{"", ".jpg", ".TIF"}).Draw(t, "extension")
		text := parts["source"] + ":" + parts["district"] + "_" + parts["dossier"] + "~" + parts["barcode"] + "_" + parts["filenr"] + extension
		got, matches := grammar.Match(text)
		if !matches {
			t.Fatalf("%q does not match", text)
		}
		for name, want := range parts {
			if got[name] != want {
				t.Fatalf("%q: %s is %q, want %q", text, name, got[name], want)
			}
		}
	})
}
