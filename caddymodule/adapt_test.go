package caddymodule

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	// The adapter and the standard directives.
	_ "github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/standard"
)

var update = flag.Bool("update", false, "write the golden files anew")

const separator = "\n----------\n"

// adapt turns a Caddyfile into indented JSON and the texts of its warnings.
func adapt(t *testing.T, caddyfile string) (string, []string, error) {
	t.Helper()
	raw, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(caddyfile), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		return "", nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "\t"); err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, w := range warnings {
		if !strings.Contains(w.Message, "not formatted") {
			texts = append(texts, w.Message)
		}
	}
	return out.String(), texts, nil
}

// Each file below testdata/adapt is a Caddyfile, a line of dashes, and the JSON that it means.
func TestAdapt(t *testing.T) {
	files, err := filepath.Glob("testdata/adapt/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			caddyfile, want, _ := strings.Cut(string(content), separator)
			got, warnings, err := adapt(t, caddyfile)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range warnings {
				t.Errorf("unexpected warning: %s", w)
			}
			if *update {
				if err := os.WriteFile(file, []byte(caddyfile+separator+got+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != strings.TrimSuffix(want, "\n") {
				t.Errorf("adapted to\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestAdaptRefusesWithFileLineAndChoices(t *testing.T) {
	tests := map[string]struct {
		block string // inside gatehouse { … }, which opens on line 2
		wants []string
	}{
		"unknown option":            {"nonsense", []string{"Caddyfile:3", `unknown option "nonsense"`, "cache, collection, images, issuer, mail_login, pyramids, spool, state, watermark"}},
		"state without place":       {"state bolt", []string{"Caddyfile:3", "state bolt FOLDER"}},
		"unknown state engine":      {"state mysql x", []string{`"mysql" is not known`, "bolt"}},
		"state twice":               {"state bolt /a\nstate bolt /b", []string{"Caddyfile:4", `"state" of gatehouse is given twice`}},
		"spool without size":        {"spool /a", []string{"spool FOLDER 10GiB"}},
		"spool with wrong size":     {"spool /a 10QB", []string{`"10QB" is not a number with one of the units KiB, MiB, GiB, TiB, KB, MB, GB, TB, B`}},
		"issuer without name":       {"issuer {\n}", []string{"Caddyfile:3", "wrong argument count"}},
		"issuer twice":              {"issuer a {\n}\nissuer a {\n}", []string{"Caddyfile:5", `issuer "a" is given twice`}},
		"unknown issuer option":     {"issuer a {\njwks x\n}", []string{"Caddyfile:4", "unknown option \"jwks\" of issuer", "jwks_file, jwks_uri"}},
		"flag with argument":        {"issuer a {\nallow_http yes\n}", []string{"Caddyfile:4", "wrong argument count"}},
		"mail_login with argument":  {"mail_login x {\n}", []string{"wrong argument count"}},
		"wrong lifetime":            {"mail_login {\nlifetime long\n}", []string{"Caddyfile:4", `lifetime: "long" is not a duration such as 90s, 36h or 30d`}},
		"negative lifetime":         {"mail_login {\nlifetime -1h\n}", []string{"is negative"}},
		"unknown rule":              {"collection c {\nrule permit `true`\n}", []string{"Caddyfile:4", "rule allow `EXPR`"}},
		"rule without expression":   {"collection c {\nrule allow\n}", []string{"rule allow `EXPR`"}},
		"tier without number":       {"collection c {\nrule tier big `true`\n}", []string{`rule tier: "big" is not the longest side in pixels`}},
		"full tier of nothing":      {"collection c {\nrule tier full `true`\n}", []string{"Caddyfile:4", "rule tier full takes nothing away", "watermark NAME"}},
		"tier in colour":            {"collection c {\nrule tier full quality color `true`\n}", []string{"Caddyfile:4", `quality: "color" is not known`, "bitonal, gray"}},
		"tier with two qualities":   {"collection c {\nrule tier 8 quality gray quality gray `true`\n}", []string{"Caddyfile:4", "quality is given twice"}},
		"tier with another word":    {"collection c {\nrule tier 8 colour gray `true`\n}", []string{"Caddyfile:4", "rule tier LONGEST_SIDE|full [quality gray|bitonal] [watermark NAME] `EXPR`"}},
		"tier without expression":   {"collection c {\nrule tier 8 quality gray\n}", []string{"Caddyfile:4", "rule tier LONGEST_SIDE|full"}},
		"tier with an empty mark":   {"collection c {\nrule tier 8 watermark \"\" `true`\n}", []string{"Caddyfile:4", "watermark is empty"}},
		"watermark without file":    {"watermark city", []string{"Caddyfile:3", "watermark NAME FILE"}},
		"watermark twice":           {"watermark city /a.png\nwatermark city /b.png", []string{"Caddyfile:4", `watermark "city" is given twice`}},
		"unknown watermark option":  {"watermark city /a.png {\nsize 3\n}", []string{"Caddyfile:4", `unknown option "size" of watermark`, "opacity, position, scale"}},
		"opacity beyond one":        {"watermark city /a.png {\nopacity 2\n}", []string{"Caddyfile:4", `opacity: "2" is not a number above 0 and up to 1`}},
		"no scale":                  {"watermark city /a.png {\nscale 0\n}", []string{"Caddyfile:4", `scale: "0" is not a number above 0 and up to 1`}},
		"scale that is no number":   {"watermark city /a.png {\nscale NaN\n}", []string{"Caddyfile:4", "scale"}},
		"unknown position":          {"watermark city /a.png {\nposition middle\n}", []string{"Caddyfile:4", `position: "middle" is not known`, "bottom_right, center, left"}},
		"cacheable without time":    {"collection c {\ncacheable `true`\n}", []string{"cacheable 36h `EXPR`"}},
		"info without anything":     {"collection c {\ninfo\n}", []string{"Caddyfile:4", "info FIELD VALUE", "info FIELD = `EXPR`"}},
		"unknown info field":        {"collection c {\nprefix /c\ninfo see_also x\n}", []string{"Caddyfile:5", `"see_also" is no field of info.json`, "attribution, license, logo, partOf, preferredFormats, rights, seeAlso, service"}},
		"info without a value":      {"collection c {\ninfo rights\n}", []string{"Caddyfile:4", "info FIELD VALUE"}},
		"info without expression":   {"collection c {\ninfo rights =\n}", []string{"Caddyfile:4", "info FIELD = `EXPR`"}},
		"info with too much":        {"collection c {\ninfo rights http://a.nl/ `true` more\n}", []string{"Caddyfile:4", "info FIELD VALUE"}},
		"info with two expressions": {"collection c {\ninfo rights = `a` `b` `c`\n}", []string{"Caddyfile:4", "info FIELD = `EXPR`"}},
		"rights that are no URI":    {"collection c {\ninfo rights \"public domain\"\n}", []string{"Caddyfile:4", "info rights: the URI holds a character that must be percent-encoded"}},
		"rights of another scheme":  {"collection c {\ninfo rights javascript:alert(1)\n}", []string{"Caddyfile:4", "info rights: the value must be an http or https URI"}},
		"logo that is a path":       {"collection c {\ninfo logo /logo.png\n}", []string{"Caddyfile:4", "info logo: the value must be an http or https URI"}},
		"attribution of blanks":     {"collection c {\ninfo attribution \"  \"\n}", []string{"Caddyfile:4", "info attribution: the text is empty"}},
		"partOf that is a text":     {"collection c {\ninfo partOf https://a.nl/m.json\n}", []string{"Caddyfile:4", "info partOf: the value is no JSON object"}},
		"partOf that is a list":     {"collection c {\ninfo partOf `[]`\n}", []string{"Caddyfile:4", "info partOf: the value must be a JSON object"}},
		"seeAlso without type":      {"collection c {\ninfo seeAlso `{\"id\": \"https://a.nl/\"}`\n}", []string{"Caddyfile:4", `info seeAlso: the object must have the member "type"`}},
		"service of no version":     {"collection c {\ninfo service `{\"id\": \"https://a.nl/\"}`\n}", []string{"Caddyfile:4", "info service: the service must have"}},
		"unknown preferred format":  {"collection c {\ninfo preferredFormats webp bmp\n}", []string{"Caddyfile:4", "info preferredFormats: a format is not known", "webp"}},
		"no preferred format":       {"collection c {\ninfo preferredFormats `has(metadata.x)`\n}", []string{"Caddyfile:4", "info preferredFormats FORMAT..."}},
		"unknown source kind":       {"collection c {\nsource a ftp ftp://x\n}", []string{"Caddyfile:4", `"ftp" is not known`, "folder, http, s3"}},
		"source without location":   {"collection c {\nsource a folder\n}", []string{"source NAME folder PATH"}},
		"option of another source":  {"collection c {\nsource a folder /x {\nregion y\n}\n}", []string{"Caddyfile:5", `unknown option "region" of source folder`}},
		"header without value":      {"collection c {\nsource a http http://x {\nheader Authorization\n}\n}", []string{"Caddyfile:5", "wrong argument count"}},
		"header twice":              {"collection c {\nsource a http http://x {\nheader A 1\nheader A 2\n}\n}", []string{`header "A" is given twice`}},
		"deny_status out of bounds": {"collection c {\ndeny_status 200\n}", []string{"200", "from 400 to 499"}},
		"unknown confined_upscale":  {"collection c {\nconfined_upscale maybe\n}", []string{`"maybe" is not known`, "fit, reject"}},
		"unknown upscaling":         {"collection c {\nupscaling maybe\n}", []string{`"maybe" is not known`, "named, off, on"}},
		"metadata without URL":      {"collection c {\nmetadata\n}", []string{"wrong argument count"}},
		"unknown metadata option":   {"collection c {\nmetadata http://m {\nttl 3s\n}\n}", []string{`unknown option "ttl" of metadata`, "ca_file, fresh, header, insecure_skip_verify, timeout"}},
		"wrong pixels":              {"images {\nmax_pixels 4kp\n}", []string{"max_pixels", "MP, GP"}},
		"wrong dimensions":          {"images {\nmax_output 8192\n}", []string{"WIDTHxHEIGHT"}},
		"no pixels":                 {"images {\nmax_pixels 0\n}", []string{"Caddyfile:4", "max_pixels: it must be more than 0"}},
		"no time":                   {"images {\ntime_limit 0s\n}", []string{"more than 0"}},
		"empty spool":               {"spool /a 0", []string{"more than 0"}},
		"scope map of one":          {"issuer a {\nscope_map x\n}", []string{"wrong argument count"}},
		"scope map twice":           {"issuer a {\nscope_map x y\nscope_map x z\n}", []string{`scope_map "x" is given twice`}},
		"no workers":                {"images {\nworkers 0\n}", []string{"from 1 to 1024"}},
		"cache with an argument":    {"cache 1GiB", []string{"after '1GiB'"}},
		"cache in words":            {"cache {\nmemory much\n}", []string{`"much" is not a number`, "or off"}},
		"cache folder, no size":     {"cache {\nfolder /srv\n}", []string{"folder takes a path and a size"}},
		"unknown option of cache":   {"cache {\ndisk /srv 1GiB\n}", []string{`unknown option "disk" of cache`, "bypass_scope, folder, memory"}},
		"pyramids in words":         {"pyramids maybe", []string{`"maybe" is not known`, "off, on"}},
		"pyramids with two words":   {"pyramids on off", []string{"wrong argument count"}},
		"pyramids folder, no size":  {"pyramids {\nfolder /srv\n}", []string{"folder takes a path and a size"}},
		"pyramids from nothing":     {"pyramids {\nfrom 0\n}", []string{"from: it must be more than 0"}},
		"unknown pyramids option":   {"pyramids {\ntiles 256\n}", []string{`unknown option "tiles" of pyramids`, "folder, from"}},
		"unknown stored_tiles":      {"images {\nstored_tiles maybe\n}", []string{`"maybe" is not known`, "on", "off"}},
		"unknown isolation":         {"images {\nisolation jail\n}", []string{`"jail" is not known`, "none, process"}},
		"unknown admission":         {"images {\nadmission lottery\n}", []string{`"lottery" is not known`, "lanes, shadow"}},
		"isolation of nothing":      {"images {\nisolation\n}", []string{"wrong argument count"}},
		"isolation in words":        {"images {\nisolation process many\n}", []string{`"many" is out of place`, "from 1 to 1024"}},
		"none of two":               {"images {\nisolation none 2\n}", []string{`"2" is out of place`}},
		"none with a block":         {"images {\nisolation none {\nmemory 1GiB\n}\n}", []string{`unknown option "memory" of isolation none`}},
		"unknown isolation option":  {"images {\nisolation process {\ncores 2\n}\n}", []string{`unknown option "cores" of isolation process`, "cpu, memory, recycle"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := adapt(t, "{\n\tgatehouse {\n"+test.block+"\n}\n}\n")
			if err == nil {
				t.Fatal("adapted without an error")
			}
			for _, want := range test.wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not tell %q", err, want)
				}
			}
		})
	}
}

func TestDirectivesRefuseWrongArguments(t *testing.T) {
	tests := map[string]struct{ directive, want string }{
		"auth without kinds":      {"gatehouse_auth", "choose from bearer, mail_login"},
		"auth with unknown kind":  {"gatehouse_auth basic", `credential "basic" is not known`},
		"auth with a kind twice":  {"gatehouse_auth bearer bearer", "given twice"},
		"auth with block":         {"gatehouse_auth bearer {\n x\n}", "takes no block"},
		"authorize without name":  {"gatehouse_authorize", "gatehouse_authorize COLLECTION"},
		"authorize with block":    {"gatehouse_authorize c {\n x\n}", "takes no block"},
		"iiif without name":       {"gatehouse_iiif", "gatehouse_iiif COLLECTION"},
		"iiif with two names":     {"gatehouse_iiif a b", "gatehouse_iiif COLLECTION"},
		"health with argument":    {"gatehouse_health x", "takes no arguments"},
		"two gatehouse blocks":    {"", "given twice"},
		"redact with an argument": {"log {\nformat filter {\nrequest>uri gatehouse_redact x\n}\n}", "wrong argument count"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			global := "{\ngatehouse {\n}\n}\n"
			if name == "two gatehouse blocks" {
				global = "{\ngatehouse {\n}\ngatehouse {\n}\n}\n"
			}
			_, _, err := adapt(t, global+":8080 {\n"+test.directive+"\n}\n")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v does not tell %q", err, test.want)
			}
		})
	}
}

func TestAdapterWarnsOfImagesWithoutDecision(t *testing.T) {
	const global = "{\ngatehouse {\ncollection closed {\nrule allow `true`\nsource main folder /srv\n}\ncollection open {\nsource main folder /srv\n}\n}\n}\n"
	tests := map[string]struct {
		site  string
		warns bool
	}{
		"no authorize":             {"gatehouse_iiif closed", true},
		"authorize of another":     {"gatehouse_authorize open\ngatehouse_iiif closed", true},
		"authorize elsewhere":      {"handle /a/* {\ngatehouse_authorize closed\n}\nhandle {\ngatehouse_iiif closed\n}", true},
		"authorize before":         {"gatehouse_authorize closed\ngatehouse_iiif closed", false},
		"authorize around a block": {"gatehouse_authorize closed\nhandle {\ngatehouse_iiif closed\n}", false},
		"public collection":        {"gatehouse_iiif open", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, warnings, err := adapt(t, global+":8080 {\n"+test.site+"\n}\n")
			if err != nil {
				t.Fatal(err)
			}
			if warned := len(warnings) > 0; warned != test.warns {
				t.Errorf("warnings %q, want any: %t", warnings, test.warns)
			}
			for _, w := range warnings {
				if !strings.Contains(w, "gatehouse_authorize closed") || !strings.Contains(w, "Caddyfile:") {
					t.Errorf("warning %q does not tell where and what", w)
				}
			}
		})
	}
}
