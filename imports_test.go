package gatehouse_test

import (
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/gatehouse-server/gatehouse"

// mayImport says, for each package, which of our packages its code may import, each together with all below it. A row
// holds for the packages below it too, unless they have their own; those that share a row may import each other.
// "internal" stands for all of internal but the test kit, which is for tests and for packages called …test; "*" stands
// for everything.
func mayImport() map[string][]string {
	domains := []string{
		"internal", "authn", "authz", "collection", "source", "objectstore", "iiif", "render", "derivative",
		"zipper", "jobs", "mail", "signedmap", "parcel", "cases",
	}
	return map[string][]string{
		".":                 {"caddymodule"},
		"cmd/gatehouse":     {"."},
		"caddymodule":       {"*"},
		"authn":             {"internal"},
		"authn/principal":   {},
		"authz":             {"internal", "authn/principal"},
		"collection":        {"internal", "source"},
		"source":            {"internal"},
		"objectstore":       {"internal"},
		"iiif":              {"internal", "authz"},
		"render":            {"internal", "source"},
		"render/vips":       {"internal", "source", "render"},
		"render/storedtile": {"internal", "source", "render"},
		"derivative":        {"internal", "objectstore"},
		"pyramid":           {"internal", "objectstore", "source", "render"},
		"zipper":            {"internal", "objectstore"},
		"jobs":              {"internal"},
		"mail":              {"internal"},
		"signedmap":         {"internal"},
		"parcel":            {"internal", "objectstore"},
		"cases":             {"internal", "objectstore"},
		"state":             domains,
		"internal":          {"internal"},
		"internal/testkit":  {"internal", "internal/testkit"},
		"demo":              {"internal/testkit"},
		"viewers":           {"internal/testkit"},
		"bench":             {"*", "internal/testkit"},
	}
}

// onlyIn says which packages alone may import something of others: import path prefixes and packages.
func onlyIn() map[string][]string {
	return map[string][]string{
		"C":                             {"render/vips"},
		"github.com/davidbyttow/govips": {"render/vips"},
		"github.com/caddyserver":        {"caddymodule", "cmd/gatehouse"},
		"github.com/lestrrat-go":        {"authn"},
		"go.etcd.io/bbolt":              {"state/bolt"},
		"github.com/jackc/pgx":          {"state/postgres"},
		"github.com/riverqueue/river":   {"state/postgres"},
		"github.com/aws":                {"source", "objectstore"},
		"cel.dev":                       {"authz"},
		"github.com/google/cel-go":      {"authz"},
	}
}

func TestPackagesImportOnlyWhatTheyMay(t *testing.T) {
	packages := directImports(t)
	if len(packages["authz"]) == 0 {
		t.Fatalf("no imports found: %v", slices.Collect(maps.Keys(packages)))
	}
	for pkg, imports := range packages {
		for _, imported := range imports {
			if reason := objection(pkg, imported); reason != "" {
				t.Errorf("%s imports %s: %s", pkg, imported, reason)
			}
		}
	}
}

func TestImportRulesObject(t *testing.T) {
	for _, test := range []struct {
		pkg, imported string
		allowed       bool
	}{
		{"authz", module + "/authn/principal", true},
		{"authz", module + "/authn", false},
		{"authn", module + "/authn/principal", true},
		{"authn/principal", module + "/internal/clock", false},
		{"authn/principal", module + "/authn", false},
		{"source/sourcetest", module + "/source", true},
		{"source/sourcetest", module + "/internal/testkit", true},
		{"source", module + "/source/sourcetest", true},
		{"iiif", module + "/source", false},
		{"iiif", module + "/internal/testkit", false},
		{"caddymodule", module + "/internal/testkit", false},
		{"caddymodule", module + "/iiif", true},
		{"caddymodule", "github.com/caddyserver/caddy/v2", true},
		{"iiif", "github.com/caddyserver/caddy/v2", false},
		{"render/vips", "C", true},
		{"render", "C", false},
		{"source", "github.com/aws/aws-sdk-go-v2/service/s3", true},
		{"collection", "github.com/aws/aws-sdk-go-v2/service/s3", false},
		{"internal/httpx", module + "/authn", false},
		{"a/new/package", "fmt", false},
		{"jobs", "fmt", true},
	} {
		if reason := objection(test.pkg, test.imported); (reason == "") != test.allowed {
			t.Errorf("%s imports %s: %q", test.pkg, test.imported, reason)
		}
	}
}

// objection tells why pkg must not import imported, or nothing.
func objection(pkg, imported string) string {
	for prefix, homes := range onlyIn() {
		if within(imported, prefix) && !slices.ContainsFunc(homes, func(home string) bool { return within(pkg, home) }) {
			return "only for " + strings.Join(homes, ", ")
		}
	}
	owner, row, ok := rowOf(pkg)
	if !ok {
		return "the package has no row in the table"
	}
	if !within(imported, module) {
		return ""
	}
	ours := strings.TrimPrefix(strings.TrimPrefix(imported, module), "/")
	if ours == "" {
		ours = "."
	}
	if within(ours, "internal/testkit") && !slices.Contains(row, "internal/testkit") && !strings.HasSuffix(pkg, "test") {
		return "the test kit is for tests"
	}
	for _, allowed := range append(row, owner) {
		if allowed == "*" || ours == allowed || allowed != "." && within(ours, allowed) {
			return ""
		}
	}
	return "may import only " + strings.Join(row, ", ")
}

// rowOf finds the row of the package or of the nearest one above it, and whose it is.
func rowOf(pkg string) (owner string, row []string, ok bool) {
	table := mayImport()
	for dir := pkg; ; dir = path.Dir(dir) {
		if row, ok := table[dir]; ok && (dir != "." || pkg == ".") {
			return dir, row, true
		}
		if dir == "." {
			return "", nil, false
		}
	}
}

func within(name, prefix string) bool {
	return name == prefix || strings.HasPrefix(name, prefix+"/") || strings.HasPrefix(name, prefix+".")
}

// directImports reads the imports of all code that is built; tests may import what they need.
func directImports(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if base := path.Base(name); name != "." && (strings.HasPrefix(base, ".") || base == "testdata" || base == "build" || base == "node_modules") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		if built, err := build.Default.MatchFile(path.Dir(name), path.Base(name)); err != nil || !built {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			found[path.Dir(name)] = append(found[path.Dir(name)], imported)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
