package e2e_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// write puts a Caddyfile beside the server's own and gives its path.
func (h *house) writeConfig(caddyfile string) string {
	h.t.Helper()
	path := filepath.Join(h.t.TempDir(), "Caddyfile")
	if err := os.WriteFile(path, []byte(caddyfile), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return path
}

// tree lists files and folders with their sizes and times.
func tree(t *testing.T, root string) string {
	t.Helper()
	var out strings.Builder
	err := filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			out.WriteString(path + " " + info.Mode().String() + " " + info.ModTime().String() + "\n")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Validating works beside the running server, with its very configuration, and touches nothing that the server uses.
func TestValidateBesideTheServer(t *testing.T) {
	h := newHouse(t, plan{})
	h.fill()
	path := h.writeConfig(h.caddyfile)
	eventually(t, "keys in the state", func() bool {
		state, _ := os.ReadFile(filepath.Join(h.server.Dir(), "state", "gatehouse.db"))
		return strings.Contains(string(state), h.idp.JWKSURL())
	})
	// The text is in the file before the transaction that brings it has ended.
	before := ""
	eventually(t, "an end of writing", func() bool {
		last := before
		before = tree(t, h.server.Dir())
		time.Sleep(100 * time.Millisecond)
		return before == last
	})
	asked, behind := h.idp.Count(), h.behind()
	for range 3 {
		start := time.Now()
		if _, err := h.server.Command("validate", "--config", path); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
	}
	if after := tree(t, h.server.Dir()); after != before {
		t.Errorf("files before:\n%safter:\n%s", before, after)
	}
	if h.idp.Count() != asked || h.behind() != behind {
		t.Errorf("validating asked somebody: %v", h.idp.Requests())
	}
	h.get("/iiif/2/"+edepotID("1", 0)+imageTail, h.roles("BD/R")...).picture(t, "jpeg", 40, 30)
	h.calm()
}

// What is not there yet stays away: neither folders nor keys are made.
func TestValidateMakesNothing(t *testing.T) {
	h := newHouse(t, plan{})
	elsewhere := t.TempDir()
	caddyfile := strings.NewReplacer(
		"{$DIR}", elsewhere+"/new", "jwks_uri "+h.idp.JWKSURL(), "development\nsigning_key "+elsewhere+"/new/key.json",
	).Replace(h.caddyfile)
	if _, err := h.server.Command("validate", "--config", h.writeConfig(caddyfile)); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(elsewhere); err != nil || len(entries) > 0 {
		t.Errorf("validating made %v, %v", entries, err)
	}
}

// Mistakes are told with the file, the line and the choices, and the command fails.
func TestValidateTellsMistakes(t *testing.T) {
	h := newHouse(t, plan{})
	line := func(caddyfile, of string) string {
		before, _, found := strings.Cut(caddyfile, of)
		if !found {
			t.Fatalf("no %q", of)
		}
		return "Caddyfile:" + strconv.Itoa(strings.Count(before, "\n")+1)
	}
	for name, test := range map[string]struct {
		from, to string
		want     []string
		atLine   bool
	}{
		"unknown option":     {"preset bouwdossier", "presets bouwdossier", []string{`unknown option "presets"`, "preset", "deny_status"}, true},
		"unknown preset":     {"preset bouwdossier", "preset museum", []string{"museum", "bouwdossier"}, false},
		"unknown engine":     {"state bolt {$DIR}/state", "state sqlite /x", []string{"sqlite", "bolt"}, true},
		"unknown collection": {"gatehouse_iiif bouwdossiers", "gatehouse_iiif dossiers", []string{`"dossiers"`, "bouwdossiers"}, false},
		"unknown credential": {"gatehouse_auth bearer mail_login", "gatehouse_auth cookie", []string{`"cookie"`, "bearer, mail_login"}, true},
		"unknown kind":       {"source wabo http", "source wabo ftp", []string{`"ftp"`, "folder, http, s3"}, true},
		"wrong size":         {"spool {$DIR}/spool 256MiB", "spool /x 256MOB", []string{"256MOB", "MiB"}, true},
		"missing secret":     {"{env.MAIL_SECRET}", "{env.NO_SUCH_VARIABLE}", []string{"mail_login secret 1 has no value"}, false},
		"wrong algorithm":    {"audience gatehouse", "algorithms RS256 XX", []string{"XX", "ES256"}, false},
		"option given twice": {"audience gatehouse", "audience gatehouse\naudience other", []string{`"audience"`, "twice"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			caddyfile := strings.Replace(h.caddyfile, test.from, test.to, 1)
			_, err := h.server.Command("validate", "--config", h.writeConfig(caddyfile))
			if err == nil {
				t.Fatal("taken as valid")
			}
			// The message comes as JSON.
			message := strings.ReplaceAll(err.Error(), `\"`, `"`)
			want := test.want
			if test.atLine {
				want = append(want, line(caddyfile, test.to))
			}
			for _, part := range want {
				if !strings.Contains(message, part) {
					t.Errorf("the error does not tell %q: %v", part, message)
				}
			}
			for _, secret := range []string{mailSecret, edepotSecret, waboSecret} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error holds a secret: %v", err)
				}
			}
		})
	}
}

// The example in the repository is valid with the files that its comments ask for.
func TestExampleCaddyfile(t *testing.T) {
	server := testkit.StartServer(t, "http://{$ADDR} {\nrespond hello\n}\n", exampleEnv(t)...)
	if _, err := server.Command("validate", "--config", filepath.Join(testkit.ModuleRoot(t), "Caddyfile.example"), "--adapter", "caddyfile"); err != nil {
		t.Error(err)
	}
}

func exampleEnv(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"mail_login": mailSecret, "edepot": edepotSecret, "wabo": waboSecret} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"SECRETS=" + dir, "STATE=" + dir + "/state", "SPOOL=" + dir + "/spool", "AUDIT_LOG=" + dir + "/audit.log", "BEELDBANK=" + dir}
}

// A bolt file belongs to one process. A second one gives up soon and says what serves several.
func TestSecondProcessOnTheSameState(t *testing.T) {
	h := newHouse(t, plan{})
	h.fill()
	second := strings.NewReplacer("state bolt {$DIR}", "state bolt "+h.server.Dir()).Replace(h.caddyfile)
	start := time.Now()
	log := testkit.FailToStart(t, second, secretsEnv()...)
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("it gave up after %v", took)
	}
	if !strings.Contains(log, "state postgres") || !strings.Contains(log, h.server.Dir()) {
		t.Errorf("it says:\n%s", log)
	}
	h.get("/iiif/2/"+edepotID("1", 0)+imageTail, h.roles("BD/R")...).picture(t, "jpeg", 40, 30)
	h.calm()
}
