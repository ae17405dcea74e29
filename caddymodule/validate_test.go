package caddymodule

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// validate does what `caddy validate` does.
func validate(t *testing.T, caddyfile string) error {
	t.Helper()
	adapted, _, err := adapt(t, caddyfile)
	if err != nil {
		t.Fatal(err)
	}
	var config caddy.Config
	if err := json.Unmarshal([]byte(adapted), &config); err != nil {
		t.Fatal(err)
	}
	return caddy.Validate(&config)
}

func writeFile(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestExampleIsValid(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"mail_login": strings.Repeat("s", 64) + "\n", "edepot": "Bearer e\n", "wabo": "Bearer w\n",
	} {
		writeFile(t, filepath.Join(dir, name), content)
	}
	state := filepath.Join(dir, "state")
	for name, value := range map[string]string{
		"SECRETS": dir, "STATE": state, "SPOOL": filepath.Join(dir, "spool"), "AUDIT_LOG": filepath.Join(dir, "audit.log"), "BEELDBANK": dir,
	} {
		t.Setenv(name, value)
	}
	example, err := os.ReadFile("../Caddyfile.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, string(example)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(state); !os.IsNotExist(err) {
		t.Errorf("validating touched the state: %v", err)
	}
}

// What is wrong with a configuration is found without starting it, and told in the operator's words.
func TestValidationRefuses(t *testing.T) {
	dir := t.TempDir()
	short := filepath.Join(dir, "short")
	empty := filepath.Join(dir, "empty")
	writeFile(t, short, "tooshort")
	writeFile(t, empty, "\n")
	mark, cut, large := filepath.Join(dir, "mark.png"), filepath.Join(dir, "cut.png"), filepath.Join(dir, "large.png")
	picture := string(testkit.PNG(t, 40, 20))
	writeFile(t, mark, picture)
	writeFile(t, cut, picture[:len(picture)/2])
	writeFile(t, large, string(testkit.PNG(t, 4097, 1)))
	const open = "collection c {\nsource main folder /srv\n}\n"
	tests := map[string]struct{ block, site, want string }{
		"unknown collection at authorize": {open, "gatehouse_authorize x", `collection "x" is not configured; choose one of: c`},
		"unknown collection at iiif":      {open, "gatehouse_iiif x", `collection "x" is not configured; choose one of: c`},
		"missing secret file":             {"mail_login {\nsecret {file." + dir + "/none}\n}", "", "mail_login secret 1 has no value"},
		"empty secret file":               {"mail_login {\nsecret {file." + empty + "}\n}", "", "mail_login secret 1 has no value"},
		"missing secret variable":         {"mail_login {\nsecret {env.GATEHOUSE_TEST_NONE}\n}", "", "mail_login secret 1 has no value"},
		"short secret":                    {"mail_login {\nsecret {file." + short + "}\n}", "", "32"},
		"no secret":                       {"mail_login {\n}", "", "secret"},
		"bearer without issuer":           {open, "gatehouse_auth bearer", "issuer"},
		"mail login without block":        {open, "gatehouse_auth mail_login", "mail_login"},
		"issuer without keys":             {"issuer i {\n}", "", "jwks_uri"},
		"keys over http":                  {"issuer i {\njwks_uri http://keys.example.org/\n}", "", "http"},
		"symmetric algorithm":             {"issuer i {\njwks_uri https://k.example.org/\nalgorithms HS256\n}", "", "HS256"},
		"no source":                       {"collection c {\n}", "", "no source"},
		"metadata without rule":           {"collection c {\nmetadata http://m/{path}\nsource main folder /srv\n}", "", "metadata and no rule"},
		"preset without metadata":         {"collection c {\npreset bouwdossier\nsource edepot folder /srv\n}", "", "needs a metadata server"},
		"unknown preset":                  {"collection c {\npreset museum\nmetadata http://m\nsource a folder /srv\n}", "", "bouwdossier"},
		"rule that does not compile":      {"collection c {\nrule allow `principal.nobody`\nsource main folder /srv\n}", "", "nobody"},
		"rule that is no condition":       {"collection c {\nrule allow `1 + 1`\nsource main folder /srv\n}", "", "rule 1"},
		"rule about absent metadata":      {"collection c {\nrule allow `metadata.a == 1`\nsource main folder /srv\n}", "", "metadata"},
		"rule with an unknown mark":       {"collection c {\nrule tier 8 watermark city `true`\nsource main folder /srv\n}", "", `rule 1: watermark "city" is not configured; write watermark city FILE`},
		"rule with a misspelled mark":     {"watermark city " + mark + "\ncollection c {\nrule allow `false`\nrule tier 8 watermark citty `true`\nsource main folder /srv\n}", "", `rule 2: watermark "citty" is not configured; choose one of: city`},
		"watermark that is not there":     {"watermark city " + dir + "/none.png", "", `watermark "city": open`},
		"watermark that is a folder":      {"watermark city " + dir, "", `watermark "city"`},
		"watermark that is no picture":    {"watermark city " + short, "", `watermark "city": the file is neither PNG nor JPEG`},
		"watermark that is cut off":       {"watermark city " + cut, "", `watermark "city": the picture cannot be read`},
		"watermark that is too large":     {"watermark city " + large, "", "4097 by 1 pixels"},
		"watermark of a wrong name":       {"watermark City/1 " + mark, "", `watermark "City/1": the name`},
		"info that does not compile":      {"collection c {\ninfo rights = `identifier.`\nsource main folder /srv\n}", "", "info 1 (rights): the expression"},
		"info of another type":            {"collection c {\ninfo logo http://a.nl/\ninfo rights = `1 + 1`\nsource main folder /srv\n}", "", "info 2 (rights): the expression `1 + 1` gives int; it must give a text (string)"},
		"info object of another type":     {"collection c {\ninfo partOf = `[]`\nsource main folder /srv\n}", "", "it must give an object (map)"},
		"info with no condition":          {"collection c {\ninfo rights http://a.nl/ `\"true\"`\nsource main folder /srv\n}", "", "it must give true or false (bool)"},
		"info about absent metadata":      {"collection c {\ninfo attribution = `metadata.title`\nsource main folder /srv\n}", "", "metadata"},
		"info about an absent group":      {"collection c {\ninfo attribution = `identifier.title`\nsource main folder /srv\n}", "", `the identifier has no group "title"; its groups are path`},
		"public info about the caller":    {"collection c {\ninfo attribution = `principal.subject`\nsource main folder /srv\n}", "", "known variables: identifier, request.endpoint, request.version"},
		"too many info":                   {"collection c {\n" + strings.Repeat("info seeAlso `{\"id\": \"https://a.nl/\", \"type\": \"Dataset\"}`\n", 65) + "source main folder /srv\n}", "", "at most 64"},
		"wrong expression of identifier":  {"collection c {\nidentifier `(`\nrule allow `true`\nsource main folder /srv\n}", "", "identifier pattern 1"},
		"placeholder in a host":           {"collection c {\nidentifier `(?P<host>.+)`\nsource main http http://{host}/x\n}", "", "placeholders may stand in the path only"},
		"unknown placeholder":             {"collection c {\nidentifier `(?P<item>.+)`\nsource main folder /srv/{other}.tif\n}", "", "other"},
		"relative folder":                 {"collection c {\nsource main folder srv\n}", "", "absolute"},
		"missing header secret":           {"collection c {\nsource main http http://a/ {\nheader Authorization {file." + dir + "/none}\n}\n}", "", "header Authorization has no value"},
		"missing CA file":                 {"collection c {\nsource main http https://a/ {\nca_file " + dir + "/none\n}\n}", "", "none"},
		"spool at a missing variable":     {"spool {env.GATEHOUSE_TEST_NONE} 1GiB", "", "spool: the folder"},
		"max_age with rules":              {"collection c {\nrule allow `true`\nmax_age 1h\nsource main folder /srv\n}", "", "max_age is for public collections"},
		"base_url with a newline":         {"collection c {\nbase_url \"not a url\"\nsource main folder /srv\n}", "", "base_url"},
		"unknown loader":                  {"images {\nloaders svg\n}", "", "svg"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := validate(t, "{\nadmin off\ngatehouse {\nstate bolt "+dir+"/state\n"+test.block+"\n}\n}\nhttp://127.0.0.1:0 {\n"+test.site+"\n}\n")
			if err == nil {
				t.Fatal("taken as valid")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q does not tell %q", err, test.want)
			}
			for _, secret := range []string{"tooshort"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("error %q holds a secret", err)
				}
			}
		})
	}
}

// JSON passes by the Caddyfile's parser, and is held to the same.
func TestValidationRefusesJSON(t *testing.T) {
	tests := map[string]struct{ app, want string }{
		"null issuer":          {`{"issuer":{"a":null}}`, `issuer "a" has no settings`},
		"null collection":      {`{"collection":{"a":null}}`, `collection "a" has no settings`},
		"null source":          {`{"collection":{"a":{"source":{"m":null}}}}`, `source "m" has no settings`},
		"a small cache":        {`{"cache":{"memory":1024}}`, "at least 1MiB"},
		"a small cache folder": {`{"cache":{"folder":{"path":"/srv","size":"1MiB"}}}`, "at least 16MiB"},
		"cache folder nowhere": {`{"cache":{"folder":{"size":"1GiB"}}}`, "needs a path"},
		"unknown pyramids":     {`{"pyramids":{"mode":"maybe"}}`, `"maybe" is not known; choose one of off, on`},
		"pyramids off with":    {`{"pyramids":{"mode":"off","from":"3MP"}}`, "have no settings"},
		"few pyramids":         {`{"pyramids":{"folder":"/srv","size":"1MiB"}}`, "at least 64MiB"},
		"unknown stored_tiles": {`{"images":{"stored_tiles":"yes"}}`, `"yes" is not known; choose one of off, on`},
		"unknown isolation":    {`{"images":{"isolation":"jail"}}`, `"jail" is not known; choose one of none, process`},
		"unknown admission":    {`{"images":{"admission":"lottery"}}`, `"lottery" is not known; choose one of lanes, shadow`},
		"isolation of what":    {`{"images":{"isolation":{"mode":"process","cores":2}}}`, `unknown field "cores"`},
		"none with settings":   {`{"images":{"isolation":{"mode":"none","processes":2}}}`, "none takes no settings"},
		"too many processes":   {`{"images":{"isolation":{"processes":5000}}}`, "from 1 to 1024"},
		"a tiny process":       {`{"images":{"isolation":{"memory":"1MiB"}}}`, "at least 128 MiB"},
		"recycle below one":    {`{"images":{"isolation":{"recycle":-1}}}`, "recycle is -1"},
		"unknown upscaling":    {`{"collection":{"a":{"upscaling":"down","source":{"m":{"kind":"folder","location":"/srv"}}}}}`, `"down" is not known`},
		"unknown fit":          {`{"collection":{"a":{"confined_upscale":"rejekt","source":{"m":{"kind":"folder","location":"/srv"}}}}}`, `"rejekt" is not known`},
		"unknown source":       {`{"collection":{"a":{"source":{"m":{"kind":"ftp","location":"ftp://x"}}}}}`, "ftp"},
		"unknown outcome":      {`{"collection":{"a":{"rule":[{"outcome":"maybe","expr":"true"}],"source":{"m":{"kind":"folder","location":"/srv"}}}}}`, "maybe"},
		"null watermark":       {`{"watermark":{"m":null}}`, `watermark "m" has no settings`},
		"unknown position":     {`{"watermark":{"m":{"file":"/m.png","position":"middle"}}}`, `position: "middle" is not known`},
		"opacity below zero":   {`{"watermark":{"m":{"file":"/m.png","opacity":-0.5}}}`, "opacity: -0.5"},
		"scale beyond one":     {`{"watermark":{"m":{"file":"/m.png","scale":1.5}}}`, "scale: 1.5"},
		"tier of nothing":      {`{"collection":{"a":{"rule":[{"outcome":"tier","expr":"true"}],"source":{"m":{"kind":"folder","location":"/srv"}}}}}`, "a tier takes something away"},
		"tier in colour":       {`{"collection":{"a":{"rule":[{"outcome":"tier","quality":"color","expr":"true"}],"source":{"m":{"kind":"folder","location":"/srv"}}}}}`, `the quality is "color"`},
		"mark on all":          {`{"collection":{"a":{"rule":[{"outcome":"tier","watermark":"m","expr":"true"}],"source":{"m":{"kind":"folder","location":"/srv"}}}}}`, `watermark "m" is not configured`},
		"unknown field":        {`{"collection":{"a":{"info":[{"field":"summary","value":"x"}],"source":{"m":{"kind":"folder","location":"/srv"}}}}}`, `info 1 (summary): "summary" is no field of info.json; choose one of attribution`},
		"wrong value":          {`{"collection":{"a":{"info":[{"field":"rights","value":["x"]}],"source":{"m":{"kind":"folder","location":"/srv"}}}}}`, "info 1 (rights): the value must be a text"},
		"no value":             {`{"collection":{"a":{"info":[{"field":"rights"}],"source":{"m":{"kind":"folder","location":"/srv"}}}}}`, "a value or an expression"},
		"two values":           {`{"collection":{"a":{"info":[{"field":"rights","value":"http://a.nl/","from":"'http://a.nl/'"}],"source":{"m":{"kind":"folder","location":"/srv"}}}}}`, "and not both"},
		"null value":           {`{"collection":{"a":{"info":[{"field":"rights","value":null}],"source":{"m":{"kind":"folder","location":"/srv"}}}}}`, "info 1 (rights): "},
		"unknown engine":       {`{"state":{"engine":"mysql","path":"/x"}}`, `"mysql" is not known`},
		"unknown option":       {`{"nonsense":1}`, "nonsense"},
		"workers below zero":   {`{"images":{"workers":-1}}`, "orkers"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			config := caddy.Config{Admin: &caddy.AdminConfig{Disabled: true}, AppsRaw: caddy.ModuleMap{appID: json.RawMessage(test.app)}}
			err := caddy.Validate(&config)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v does not tell %q", err, test.want)
			}
		})
	}
}

// A spool without a folder keeps its files in a place of its own, never in the working directory.
func TestSpoolWithoutFolder(t *testing.T) {
	app := &App{Config: Config{Spool: &SpoolConfig{Size: 1 << 30}}}
	if err := app.provisionSpool(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := app.pooled.release(); err != nil {
			t.Error(err)
		}
	}()
	key, ok := app.pooled.keys[0].(spoolKey)
	if !ok || !strings.HasPrefix(key.folder, os.TempDir()) || !strings.Contains(filepath.Base(key.folder), "gatehouse") {
		t.Errorf("the spool lies in %v", app.pooled.keys[0])
	}
}
