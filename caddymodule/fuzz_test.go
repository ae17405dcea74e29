package caddymodule

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// Whatever stands in the gatehouse block, it is refused with the file's name in the error, or its JSON means the same.
func FuzzGatehouseBlock(f *testing.F) {
	files, err := filepath.Glob("testdata/adapt/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		caddyfile, _, _ := strings.Cut(string(content), separator)
		_, block, found := strings.Cut(caddyfile, "gatehouse {\n")
		if !found {
			f.Fatalf("%s has no gatehouse block", file)
		}
		f.Add("gatehouse {\n" + block)
	}
	f.Add("gatehouse {\nimages {\nmax_pixels 1e9MP\n}\n}")
	f.Add("gatehouse {\ncollection a {\nrule tier 99999999999999999999 `true`\n}\n}")
	f.Fuzz(func(t *testing.T, text string) {
		tokens, err := caddyfile.Tokenize([]byte(text), "Caddyfile")
		if err != nil || len(tokens) == 0 {
			return
		}
		var config Config
		if err := config.UnmarshalCaddyfile(caddyfile.NewDispenser(tokens)); err != nil {
			if !strings.Contains(err.Error(), "Caddyfile:") {
				t.Errorf("error %q does not tell where", err)
			}
			return
		}
		text1, err := json.Marshal(config)
		if err != nil {
			t.Fatalf("no JSON for %+v: %v", config, err)
		}
		var again Config
		if err := json.Unmarshal(text1, &again); err != nil {
			t.Fatalf("own JSON %s refused: %v", text1, err)
		}
		text2, err := json.Marshal(again)
		if err != nil || !reflect.DeepEqual(text1, text2) {
			t.Errorf("JSON became %s, then %s (%v)", text1, text2, err)
		}
	})
}
