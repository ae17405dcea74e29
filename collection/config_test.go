package collection_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/collection"
	"github.com/gatehouse-server/gatehouse/source"
)

func template(t testing.TB, text string) *source.Template {
	t.Helper()
	made, err := source.ParseTemplate(text)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// own is a collection with its own grammar, rules and metadata.
func own(t testing.TB, url string) collection.Config {
	return collection.Config{
		Name:       "mine",
		Identifier: []string{`(?P<fonds>[^:]+):(?P<item>.+)`},
		Metadata:   &collection.MetadataConfig{URL: url},
		Places:     map[string]collection.Place{"main": {Source: &fakeSource{}, Kind: source.KindS3, Path: template(t, "{fonds}/{item}.tif")}},
		Rules:      []collection.Rule{{Outcome: "allow", Expr: "true"}},
	}
}

func TestConfigRefusals(t *testing.T) {
	mine := func(change func(*collection.Config)) func(testing.TB) collection.Config {
		return func(t testing.TB) collection.Config {
			c := own(t, "http://127.0.0.1/{fonds}/{item}.json")
			change(&c)
			return c
		}
	}
	dossiers := func(change func(*collection.Config)) func(testing.TB) collection.Config {
		return func(testing.TB) collection.Config {
			c := bouwdossiers("http://127.0.0.1")
			change(&c)
			return c
		}
	}
	tests := map[string]struct {
		config func(testing.TB) collection.Config
		want   string
	}{
		"no name":                  {mine(func(c *collection.Config) { c.Name = "" }), `name ""`},
		"odd name":                 {mine(func(c *collection.Config) { c.Name = "My Things" }), `"My Things"`},
		"prefix without slash":     {mine(func(c *collection.Config) { c.Prefix = "iiif" }), `prefix "iiif"`},
		"prefix ends with a slash": {mine(func(c *collection.Config) { c.Prefix = "/iiif/" }), "prefix"},
		"prefix with dots":         {mine(func(c *collection.Config) { c.Prefix = "/a/../b" }), "prefix"},
		"prefix with a query":      {mine(func(c *collection.Config) { c.Prefix = "/a?b" }), "prefix"},
		"no source":                {mine(func(c *collection.Config) { c.Places = nil }), "no source"},
		"source not set up":        {mine(func(c *collection.Config) { c.Places["main"] = collection.Place{} }), "source main"},
		"two sources, no choice":   {mine(func(c *collection.Config) { c.Places["other"] = place() }), "several sources"},
		"source without a path":    {mine(func(c *collection.Config) { c.Places["main"] = place() }), "source main: the identifier has no group (?P<path>...)"},
		"source with an odd path": {mine(func(c *collection.Config) {
			c.Places["main"] = collection.Place{Source: &fakeSource{}, Path: template(t, "{box}")}
		}), "{box}"},
		"grammar":                    {mine(func(c *collection.Config) { c.Identifier = []string{"("} }), "identifier pattern 1"},
		"metadata, no rule":          {mine(func(c *collection.Config) { c.Rules = nil }), "metadata and no rule"},
		"metadata of one item":       {mine(func(c *collection.Config) { c.Metadata.URL = "http://127.0.0.1/x.json" }), "no placeholder"},
		"metadata of an odd group":   {mine(func(c *collection.Config) { c.Metadata.URL = "http://127.0.0.1/{box}" }), "{box}"},
		"metadata host by request":   {mine(func(c *collection.Config) { c.Metadata.URL = "http://{fonds}/x" }), "metadata: placeholders"},
		"metadata port by request":   {mine(func(c *collection.Config) { c.Metadata.URL = "http://127.0.0.1:{item}/x" }), "metadata: placeholders"},
		"metadata user by request":   {mine(func(c *collection.Config) { c.Metadata.URL = "http://{fonds}@127.0.0.1/{item}" }), "metadata: placeholders"},
		"metadata scheme by request": {mine(func(c *collection.Config) { c.Metadata.URL = "{fonds}://127.0.0.1/x" }), "metadata:"},
		"metadata password":          {mine(func(c *collection.Config) { c.Metadata.URL = "http://a:hunter2@127.0.0.1/{item}" }), "user info"},
		"metadata query":             {mine(func(c *collection.Config) { c.Metadata.URL = "http://127.0.0.1/x?id={item}" }), "query"},
		"metadata scheme":            {mine(func(c *collection.Config) { c.Metadata.URL = "ftp://127.0.0.1/{item}" }), "http"},
		"metadata timeout":           {mine(func(c *collection.Config) { c.Metadata.Timeout = -1 }), "timeout"},
		"metadata bound":             {mine(func(c *collection.Config) { c.Metadata.MaxBody = -1 }), "negative"},
		"metadata trust":             {mine(func(c *collection.Config) { c.Metadata.CAFile, c.Metadata.InsecureSkipVerify = "x", true }), "exclude"},
		"free copyright, no preset":  {mine(func(c *collection.Config) { c.FreeCopyright = []string{"N"} }), "free_copyright"},
		"unknown preset":             {dossiers(func(c *collection.Config) { c.Preset = "dossiers" }), `unknown preset "dossiers"; there is bouwdossier`},
		"preset without metadata":    {dossiers(func(c *collection.Config) { c.Metadata = nil }), "preset bouwdossier needs a metadata server"},
		"preset with other groups":   {dossiers(func(c *collection.Config) { c.Identifier = []string{`(?P<source>a)(?P<barcode>b)`} }), "missing: district, dossier, filenr"},
		"public with deny_status": {func(testing.TB) collection.Config {
			return collection.Config{Name: "open", Places: map[string]collection.Place{"main": place()}, DenyStatus: 404}
		}, "a public collection denies nothing"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := test.config(t).Validate()
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("%v, want %q", err, test.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a password is repeated: %v", err)
			}
			if _, err := collection.New(test.config(t), collection.Deps{}); err == nil {
				t.Error("New accepts what Validate refuses")
			}
		})
	}
}

func TestAllMistakesAreTold(t *testing.T) {
	err := collection.Config{Name: "A", Prefix: "x", Preset: "y"}.Validate()
	for _, want := range []string{"name", "prefix", "preset", "metadata server", "no source"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
}

func TestConfigNeedsNoFiles(t *testing.T) {
	c := own(t, "https://127.0.0.1/{item}")
	c.Metadata.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	if _, err := collection.New(c, collection.Deps{}); err == nil || !strings.Contains(err.Error(), "metadata: CA file") {
		t.Errorf("a missing CA file: %v", err)
	}
	if err := os.WriteFile(c.Metadata.CAFile, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := collection.New(c, collection.Deps{}); err == nil || !strings.Contains(err.Error(), "PEM") {
		t.Errorf("an empty CA file: %v", err)
	}
}

func TestPublicCollection(t *testing.T) {
	config := collection.Config{Name: "open", Places: map[string]collection.Place{"main": place()}}
	for cacheFor, want := range map[time.Duration]time.Duration{0: 24 * time.Hour, time.Minute: time.Minute, -1: 0} {
		config.CacheFor = cacheFor
		c := newCollection(t, config, collection.Deps{})
		if _, restricted := c.Policy(); restricted {
			t.Error("a collection with neither metadata, preset nor rule has a policy")
		}
		if got := c.PublicCacheFor(); got != want {
			t.Errorf("kept for %s, want %s", got, want)
		}
		if c.Name() != "open" || c.Prefix() != "/iiif" || c.Preset() != "" {
			t.Errorf("%s %s %s", c.Name(), c.Prefix(), c.Preset())
		}
	}
}

func TestARuleAloneMakesAPolicy(t *testing.T) {
	config := collection.Config{Name: "mine", Places: map[string]collection.Place{"main": place()}, Rules: []collection.Rule{{Outcome: "allow", Expr: `"staff" in principal.scopes`}}}
	p, found := newCollection(t, config, collection.Deps{}).Policy()
	if !found || p.Metadata || p.Document || !slices.Equal(p.Groups, []string{"path"}) {
		t.Errorf("%+v, %t", p, found)
	}
}

func TestPolicyOfThePreset(t *testing.T) {
	config := bouwdossiers("http://127.0.0.1")
	p, _ := newCollection(t, config, collection.Deps{}).Policy()
	if p.DenyStatus != 401 || !p.Metadata || !p.Document || !slices.Equal(p.Settings["free_copyright"], []string{"N"}) || len(p.Cache) != 1 || p.Cache[0].For != 129600*time.Second {
		t.Errorf("%+v", p)
	}
	config.Rules = []collection.Rule{{Outcome: "deny", Expr: `identifier.dossier == "1"`}}
	config.Cache = []collection.CacheRule{{For: time.Second, Expr: "false"}}
	config.Restricted, config.DenyStatus, config.FreeCopyright = "true", 403, []string{"N", "V"}
	q, _ := newCollection(t, config, collection.Deps{}).Policy()
	if len(q.Rules) != len(p.Rules)+1 || q.Rules[0].Expr != `identifier.dossier == "1"` || len(q.Cache) != 2 || q.Cache[0].For != time.Second {
		t.Errorf("own rules do not go first: %+v", q)
	}
	if q.Restricted != "true" || q.DenyStatus != 403 || !slices.Equal(q.Settings["free_copyright"], []string{"N", "V"}) {
		t.Errorf("%+v", q)
	}
	policyOf(t, newCollection(t, config, collection.Deps{}))
}

func TestPresets(t *testing.T) {
	for _, name := range collection.Presets() {
		if spec, found := collection.Preset(name); !found || spec.Name != name {
			t.Errorf("%s: %+v", name, spec)
		}
	}
	if _, found := collection.Preset("nothing"); found {
		t.Error("a preset that is not listed")
	}
	one, _ := collection.Preset("bouwdossier")
	one.Rules[0].Expr, one.FreeCopyright[0], one.Groups[0] = "false", "J", "x"
	if two, _ := collection.Preset("bouwdossier"); two.Rules[0].Expr == "false" || two.FreeCopyright[0] == "J" || two.Groups[0] == "x" {
		t.Error("one caller's preset is another's")
	}
}
