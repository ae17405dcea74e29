package source_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatehouse-server/gatehouse/source"
)

func values(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

func mustParse(t testing.TB, text string) *source.Template {
	t.Helper()
	tmpl, err := source.ParseTemplate(text)
	if err != nil {
		t.Fatalf("ParseTemplate(%q): %v", text, err)
	}
	return tmpl
}

func TestTemplateExpand(t *testing.T) {
	for _, c := range []struct {
		template string
		values   []string
		want     string
	}{
		{"{fonds}/{item}.tif", []string{"fonds", "1.04.02", "item", "7"}, "1.04.02/7.tif"},
		{"plain.tif", nil, "plain.tif"},
		{"{a}{b}-{a}", []string{"a", "x", "b", "y"}, "xy-x"},
		{"{metadata.file.path...}", []string{"metadata.file.path", "SU/99001/x.jpg"}, "SU/99001/x.jpg"},
		{"{identifier...}", []string{"identifier", "deep/down/x.jpg"}, "deep/down/x.jpg"},
		{"{identifier...}.tif", []string{"identifier", "deep/x"}, "deep/x.tif"},
		{"{a}", []string{"a", "SQ-01452 (2)-SQ1"}, "SQ-01452 (2)-SQ1"},
		{"{a}", []string{"a", "100%"}, "100%"},
		{"{a}", []string{"a", "..x"}, "..x"},
		{"{a}", []string{"a", "{b}"}, "{b}"},
	} {
		got, err := mustParse(t, c.template).Expand(values(c.values...))
		if err != nil || got != c.want {
			t.Errorf("%q with %q = %q, %v, want %q", c.template, c.values, got, err, c.want)
		}
	}
}

func TestTemplateExpandRefuses(t *testing.T) {
	for _, c := range []struct {
		template string
		values   []string
	}{
		{"{a}/x", nil},
		{"{a}/x", []string{"a", ""}},
		{"{a}", []string{"a", "b/c"}},
		{"{a}", []string{"a", "/b"}},
		{"{a}", []string{"a", "b%2Fc"}},
		{"{a}", []string{"a", "b%2fc"}},
		{"{a}", []string{"a", "b%252Fc"}},
		{"{a}", []string{"a", "b%25252fc"}},
		{"{a}", []string{"a", ".."}},
		{"{a}", []string{"a", "%2e%2e"}},
		{"{a}", []string{"a", `b\c`}},
		{"{a}", []string{"a", "b\x00"}},
		{"{a}", []string{"a", "b\nc"}},
		{"{a}{b}", []string{"a", ".", "b", "."}},
		{"x/.{a}", []string{"a", "."}},
		{"x/{a}./y", []string{"a", "."}},
		{"{a}{b}", []string{"a", "%2", "b", "f"}},
		{"%2{a}", []string{"a", "f"}},
		{"{a}{b}{a}", []string{"a", "x", "b", "%5c"}},
		{"{a...}", []string{"a", "/etc/passwd"}},
		{"{a...}", []string{"a", "x//y"}},
		{"{a...}", []string{"a", "x/"}},
		{"{a...}", []string{"a", "x/../y"}},
		{"{a...}", []string{"a", "x/%2e%2e/y"}},
		{"{a...}", []string{"a", "x%2f..%2fy"}},
		{"{a...}", []string{"a", "x%2fy"}},
	} {
		got, err := mustParse(t, c.template).Expand(values(c.values...))
		if !errors.Is(err, source.ErrValue) {
			t.Errorf("%q with %q = %q, %v, want ErrValue", c.template, c.values, got, err)
		}
	}
}

func TestParseTemplateRefuses(t *testing.T) {
	for _, text := range []string{"", "{", "}", "{}", "a}", "{a", "{a}}", "{a{b}}", "{a b}", "{.a}", "{a.}", "{a..b}", "{...}", "{a....}", "{a/b}", "{é}", `a\b{c}`, "a\n{b}", "../{a}", "{a}/../x", "{a}/%2e%2e"} {
		if tmpl, err := source.ParseTemplate(text); err == nil {
			t.Errorf("ParseTemplate(%q) = %q", text, tmpl)
		}
	}
}

func TestTemplateCheckNamesTheKnownPlaceholders(t *testing.T) {
	tmpl := mustParse(t, "{fonds}/{metadata.file.name}/{item}")
	if err := tmpl.Check([]string{"fonds", "item", "metadata.*"}); err != nil {
		t.Error(err)
	}
	err := tmpl.Check([]string{"fonds", "metadata.*"})
	if want := "unknown placeholder {item}; known are {fonds}, {metadata.*}"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if err := tmpl.Check([]string{"fonds", "item", "metadata"}); err == nil {
		t.Error("a name without a star stood for its fields")
	}
	if got := mustParse(t, "{a}/{b}/{a}").Names(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("Names() = %q", got)
	}
}

func TestTemplateTextIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "/", ".tif", "{b}", "{c.d}", "{e...}", "é", "%20"}), 1, 8).Draw(t, "pieces"), "")
		tmpl, err := source.ParseTemplate(text)
		if err != nil {
			t.Fatal(err)
		}
		if tmpl.String() != text {
			t.Fatalf("%q is written as %q", text, tmpl)
		}
	})
}

func FuzzTemplate(f *testing.F) {
	f.Add("{fonds}/{item}.tif", "1.04", "7", "x/y")
	f.Add("{fonds}{item}/{path...}", ".", ".", "a/../b")
	f.Add("%2{fonds}", "f", "%25", "a%2f..")
	f.Fuzz(func(t *testing.T, text, fonds, item, path string) {
		tmpl, err := source.ParseTemplate(text)
		if err != nil {
			return
		}
		if tmpl.String() != text {
			t.Fatalf("%q is written as %q", text, tmpl)
		}
		got, err := tmpl.Expand(values("fonds", fonds, "item", item, "path", path))
		if err != nil {
			if !errors.Is(err, source.ErrValue) {
				t.Fatalf("%v is no ErrValue", err)
			}
			return
		}
		slashes := 0
		for rest := text; rest != ""; {
			literal, after, found := strings.Cut(rest, "{")
			slashes += strings.Count(literal, "/")
			if !found {
				break
			}
			name, after, _ := strings.Cut(after, "}")
			if strings.HasSuffix(name, "...") {
				v, _ := values("fonds", fonds, "item", item, "path", path)(strings.TrimSuffix(name, "..."))
				slashes += strings.Count(v, "/")
			}
			rest = after
		}
		if strings.Count(got, "/") != slashes {
			t.Fatalf("%q became %q: a value added a separator", text, got)
		}
		for segment := range strings.SplitSeq(got, "/") {
			if segment == "." || segment == ".." {
				t.Fatalf("%q became %q", text, got)
			}
		}
		if strings.ContainsAny(got, "\\\x00\r\n") {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func TestParseTarget(t *testing.T) {
	for _, c := range []struct {
		kind           source.Kind
		target         string
		base, template string
	}{
		{source.KindFolder, "/srv/images", "/srv/images", ""},
		{source.KindFolder, "/srv/{fonds}/{item}.tif", "/srv/", "{fonds}/{item}.tif"},
		{source.KindFolder, "/srv/a-{fonds}", "/srv/", "a-{fonds}"},
		{source.KindHTTP, "https://edepot.internal/rest/", "https://edepot.internal/rest/", ""},
		{source.KindHTTP, "https://edepot.internal/rest/{fonds}/x", "https://edepot.internal/rest/", "{fonds}/x"},
		{source.KindHTTP, "http://[::1]:80/{fonds}", "http://[::1]:80/", "{fonds}"},
		{source.KindS3, "s3://masters", "s3://masters", ""},
		{source.KindS3, "s3://masters/{fonds}/{item}.tif", "s3://masters/", "{fonds}/{item}.tif"},
		{source.KindS3, "s3://masters/pre/{item...}", "s3://masters/pre/", "{item...}"},
	} {
		base, tmpl, err := source.ParseTarget(c.kind, c.target)
		if err != nil {
			t.Errorf("%q: %v", c.target, err)
			continue
		}
		text := ""
		if tmpl != nil {
			text = tmpl.String()
		}
		if base != c.base || text != c.template {
			t.Errorf("%q = %q and %q, want %q and %q", c.target, base, text, c.base, c.template)
		}
	}
}

func TestParseTargetRefuses(t *testing.T) {
	for _, c := range []struct {
		kind   source.Kind
		target string
		reason string
	}{
		{source.KindHTTP, "{scheme}://edepot/x", "written as"},
		{source.KindHTTP, "http://{host}/x", "not in scheme"},
		{source.KindHTTP, "http://edepot-{host}", "not in scheme"},
		{source.KindHTTP, "http://edepot:{port}/x", "not in scheme"},
		{source.KindHTTP, "http://edepot/x?id={id}", "query"},
		{source.KindHTTP, "http://edepot/{id}#x", "fragment"},
		{source.KindHTTP, "/srv/images", "http://host/path"},
		{source.KindHTTP, "s3://bucket/x", "http://host/path"},
		{source.KindS3, "s3://{bucket}/x", "bucket"},
		{source.KindS3, "s3://masters{x}", "bucket"},
		{source.KindS3, "http://bucket/x", "s3://bucket/prefix"},
		{source.KindFolder, "images/{x}", "absolute"},
		{source.KindFolder, "{x}/images", "absolute"},
		{source.KindFolder, "/srv/{x", "closing"},
		{source.KindFolder, "/srv/x}", "opening"},
		{"ftp", "ftp://a/b", "folder, http and s3"},
	} {
		_, _, err := source.ParseTarget(c.kind, c.target)
		if err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s %q: %v, want something about %q", c.kind, c.target, err, c.reason)
		}
	}
}

func TestNameVariants(t *testing.T) {
	for _, c := range []struct {
		path string
		want []string
	}{
		{"SU/Scan_1.Jpg", []string{"SU/Scan_1.Jpg", "SU/scan_1.jpg", "SU/SCAN_1.Jpg"}},
		{"SU/scan_1.jpg", []string{"SU/scan_1.jpg", "SU/SCAN_1.jpg"}},
		{"SU/SCAN_1.jpg", []string{"SU/SCAN_1.jpg", "SU/scan_1.jpg"}},
		{"SU/SCAN_1.JPG", []string{"SU/SCAN_1.JPG", "SU/scan_1.jpg"}},
		{"Su/001.tif", []string{"Su/001.tif"}},
		{"scan", []string{"scan", "SCAN"}},
		{"a/.hidden", []string{"a/.hidden"}},
		{"Été.jpg", []string{"Été.jpg", "été.jpg", "ÉTÉ.jpg"}},
	} {
		if got := source.NameVariants(c.path); !slices.Equal(got, c.want) {
			t.Errorf("NameVariants(%q) = %q, want %q", c.path, got, c.want)
		}
	}
}

func ExampleTemplate() {
	base, tmpl, _ := source.ParseTarget(source.KindS3, "s3://masters/{fonds}/{item}.tif")
	path, _ := tmpl.Expand(values("fonds", "1.04.02", "item", "7"))
	fmt.Println(base, path)
	_, err := tmpl.Expand(values("fonds", "..", "item", "7"))
	fmt.Println(err)
	// Output:
	// s3://masters/ 1.04.02/7.tif
	// value cannot stand in a path: {fonds}: unusable path: it holds a dot segment
}
