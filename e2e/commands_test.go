package e2e_test

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// command runs `gatehouse gatehouse …` beside the server, and fails the test when it does not succeed.
func (h *house) command(arguments ...string) string {
	h.t.Helper()
	out, err := h.server.Command(append([]string{"gatehouse"}, arguments...)...)
	if err != nil {
		h.t.Fatalf("gatehouse %q: %v", arguments, err)
	}
	return out
}

// commandJSON is command with --json.
func (h *house) commandJSON(into any, arguments ...string) {
	h.t.Helper()
	out := h.command(append(arguments, "--json")...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		h.t.Fatalf("gatehouse %q: %v in %.300q", arguments, err, out)
	}
}

func TestStatusCommand(t *testing.T) {
	h := newHouse(t, plan{gatehouse: "collection pictures {\nprefix /pictures\nsource main folder {$DIR}\n}"})
	text := h.command("status")
	for _, want := range []string{
		"version", "ready", "true", "libvips", "issuer city", "2 keys", "collection bouwdossiers", "by policy", "edepot wabo", "collection pictures", "public",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("status does not tell %q:\n%s", want, text)
		}
	}
	var status struct {
		Ready   bool
		Parts   map[string]string
		Images  struct{ Loaders, Formats []string }
		Issuers []struct {
			Name       string
			Keys       int
			AgeSeconds float64 `json:"age_seconds"`
		}
		Collections []struct {
			Name, Prefix string
			Public       bool
			Sources      []string
		}
	}
	h.commandJSON(&status, "status")
	if !status.Ready || status.Parts["state"] != "ok" || status.Parts["renderer"] != "ok" || status.Parts["issuer city"] != "ok" {
		t.Errorf("not well: %+v", status)
	}
	if !slices.Contains(status.Images.Loaders, "jpeg") || !slices.Contains(status.Images.Formats, "jpg") {
		t.Errorf("images: %+v", status.Images)
	}
	if len(status.Issuers) != 1 || status.Issuers[0].Keys != 2 || status.Issuers[0].AgeSeconds < 0 || status.Issuers[0].AgeSeconds > 60 {
		t.Errorf("issuers: %+v", status.Issuers)
	}
	if len(status.Collections) != 2 || status.Collections[0].Public || !status.Collections[1].Public || status.Collections[1].Prefix != "/pictures" {
		t.Errorf("collections: %+v", status.Collections)
	}
	// The admin route answers the same.
	code, body, err := h.server.Admin(http.MethodGet, "/gatehouse/status", "", nil)
	if err != nil || code != http.StatusOK || !strings.Contains(string(body), `"ready":true`) {
		t.Errorf("the admin route answers %d %s %v", code, body, err)
	}
	if code, _, _ := h.server.Admin(http.MethodPost, "/gatehouse/status", "application/json", []byte("{}")); code != http.StatusMethodNotAllowed {
		t.Errorf("POST is answered %d", code)
	}
}

// The table of the dossier contract, §5: explain tells the answer, the reason and the rule, as the server itself decides.
func TestExplainCommand(t *testing.T) {
	h := newHouse(t, plan{})
	h.metadata.Put(dossier("1", "PUBLIC", "PUBLIC", "N", "a.jpg"))
	h.metadata.Put(dossier("2", "PUBLIC", "PUBLIC", "Y", "a.jpg"))
	h.metadata.Put(dossier("3", "RESTRICTED", "PUBLIC", "N", "a.jpg"))
	h.metadata.Put(dossier("4", "PUBLIC", nil, "N", "a.jpg"))
	const (
		copyrighted, closed = "Document has copyright restriction", "Document access is restricted"
		viaMail             = "WABO dossiers cannot be retrieved using the mail login access."
	)
	mail, civil, special := []string{"--scope", "BD/P", "--mail"}, []string{"--scope", "BD/R"}, []string{"--scope", "BD/X"}
	for i, test := range []struct {
		identifier string
		caller     []string
		status     int
		reason     string
	}{
		{edepotID("1", 0), mail, 200, ""}, {edepotID("1", 0), civil, 200, ""}, {edepotID("1", 0), special, 200, ""},
		{edepotID("2", 0), mail, 401, copyrighted}, {edepotID("2", 0), civil, 200, ""}, {edepotID("2", 0), special, 200, ""},
		{edepotID("3", 0), mail, 401, closed}, {edepotID("3", 0), civil, 401, closed}, {edepotID("3", 0), special, 200, ""},
		{edepotID("4", 0), mail, 401, closed}, {edepotID("4", 0), civil, 401, closed}, {edepotID("4", 0), special, 200, ""},
		{"wabo:SU_1~D_0", mail, 401, viaMail},
		{edepotID("1", 0), nil, 401, "No token supplied"},
		{edepotID("1", 0), []string{"--scope", "BD/Q"}, 401, "Invalid scope"},
		{edepotID("9", 0), special, 404, "No metadata could be found for this dossier"},
		{"edepot:SU_1~E_0", special, 404, "Document not found in metadata"},
		{"elsewhere:SU_1~D_0", special, 400, "Invalid formatted url"},
	} {
		if testing.Short() && i%5 != 0 {
			continue // each is a process
		}
		arguments := append([]string{"explain", "--collection", "bouwdossiers", "--identifier", test.identifier}, test.caller...)
		var got struct {
			Outcome, Reason, Code, Summary string
			Status                         int
			Rules                          []struct {
				Number       int
				Rule, Result string
				Decides      bool
			}
		}
		h.commandJSON(&got, arguments...)
		if got.Status != test.status || got.Reason != test.reason || got.Code == "" || got.Summary == "" {
			t.Errorf("%q: got %+v, want %d %q", arguments, got, test.status, test.reason)
			continue
		}
		text := h.command(arguments...)
		if !strings.Contains(text, got.Summary) || !strings.Contains(text, test.reason) {
			t.Errorf("%q: the text leaves out the summary %q or the reason:\n%s", arguments, got.Summary, text)
		}
		deciding := 0
		for _, rule := range got.Rules {
			if rule.Decides {
				deciding++
				if rule.Result != "true" || !strings.Contains(text, rule.Rule) {
					t.Errorf("%q: the rule %+v is not told:\n%s", arguments, rule, text)
				}
			}
		}
		if got.Outcome != "" && deciding != 1 {
			t.Errorf("%q: %d rules decide: %+v", arguments, deciding, got.Rules)
		}
	}
	if h.edepot.Count()+h.wabo.Count() > 0 {
		t.Error("an explanation asked an archive")
	}
}

// fails runs the binary with arguments that must not succeed: a message on the error stream, nothing on the other.
func fails(t *testing.T, server *testkit.Server, want string, arguments ...string) {
	t.Helper()
	out, err := server.Command(arguments...)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%q: got %q %v, want an error with %q", arguments, out, err, want)
	}
	if strings.Contains(out, "Error") {
		t.Errorf("%q: the error is on the wrong stream: %q", arguments, out)
	}
}

func TestCommandsFail(t *testing.T) {
	h := newHouse(t, plan{})
	config := filepath.Join(filepath.Dir(h.server.Dir()), "Caddyfile")
	nowhere := testkit.FreeAddress(t)
	fails(t, h.server, "name one of the commands", "gatehouse")
	fails(t, h.server, "unknown command", "gatehouse", "stats")
	fails(t, h.server, "unknown flag", "gatehouse", "status", "--jsonn")
	fails(t, h.server, nowhere, "gatehouse", "status", "--address", nowhere)
	fails(t, h.server, "identifier", "gatehouse", "explain", "--collection", "bouwdossiers")
	fails(t, h.server, "choose one of: bouwdossiers", "gatehouse", "explain", "--collection", "bouwdossier", "--identifier", "x")
	fails(t, h.server, "development", "gatehouse", "token", "--subject", "a", "--scope", "BD/X", "--config", config)
	fails(t, h.server, "development", "gatehouse", "token", "--subject", citizen, "--mail", "--config", config)
	fails(t, h.server, "no gatehouse block", "gatehouse", "token", "--subject", "a", "--config", empty(t))
}

// empty is a Caddyfile without anything of ours.
func empty(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "empty.caddyfile")
	if err := os.WriteFile(path, []byte(":0 {\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A server without our block says so.
func TestCommandsWithoutGatehouse(t *testing.T) {
	server := testkit.StartServer(t, "http://{$ADDR} {\nrespond hello\n}\n")
	fails(t, server, "no gatehouse block", "gatehouse", "status")
	fails(t, server, "no gatehouse block", "gatehouse", "explain", "--collection", "c", "--identifier", "i")
}

// Tokens are made for a development issuer alone, and the server takes them.
func TestTokenCommand(t *testing.T) {
	h := newHouse(t, plan{before: func(h *house) {
		h.caddyfile = strings.ReplaceAll(h.caddyfile, "jwks_uri "+h.idp.JWKSURL(), "development\nsigning_key {$DIR}/signing.json")
	}})
	h.edepot.Put("a.jpg", "image/jpeg", testkit.JPEG(t, 40, 30))
	h.metadata.Put(dossier("1", "PUBLIC", "PUBLIC", "N", "a.jpg"))
	h.metadata.Put(dossier("3", "RESTRICTED", "PUBLIC", "N", "a.jpg"))
	config := filepath.Join(filepath.Dir(h.server.Dir()), "Caddyfile")
	mint := func(arguments ...string) (token string) {
		arguments = append([]string{"token", "--config", config}, arguments...)
		var made struct {
			Token   string
			Expires time.Time
		}
		h.commandJSON(&made, arguments...)
		if left := time.Until(made.Expires); strings.Count(made.Token, ".") != 2 || left < 30*time.Minute || left > 25*time.Hour {
			t.Errorf("%q: made %+v", arguments, made)
		}
		if text := strings.TrimSpace(h.command(arguments...)); strings.Count(text, ".") != 2 || strings.ContainsAny(text, " \n") {
			t.Errorf("%q: the text is more than a token: %q", arguments, text)
		}
		return made.Token
	}
	ask := func(number string, query string, headers ...string) answer {
		return h.get("/iiif/2/"+edepotID(number, 0)+imageTail+query, headers...)
	}
	special := "Bearer " + mint("--subject", "a", "--scope", "BD/X")
	ask("3", "", "Authorization", special).is(t, http.StatusOK)
	civil := "Bearer " + mint("--subject", "a", "--scope", "BD/R", "--scope", "other")
	ask("1", "", "Authorization", civil).is(t, http.StatusOK)
	ask("3", "", "Authorization", civil).text(t, http.StatusUnauthorized, "Document access is restricted")
	none := "Bearer " + mint("--subject", "a")
	ask("1", "", "Authorization", none).text(t, http.StatusUnauthorized, "Invalid scope")
	mail := "?auth=" + mint("--subject", citizen, "--mail")
	ask("1", mail).is(t, http.StatusOK)
	ask("3", mail).text(t, http.StatusUnauthorized, "Document access is restricted")

	fails(t, h.server, "BD/P", "gatehouse", "token", "--config", config, "--subject", "a", "--scope", "BD/P")
	fails(t, h.server, "development", "gatehouse", "token", "--config", config, "--subject", "a", "--issuer", "other")
}

// The commands work by address too, without the server's environment.
func TestCommandByAddress(t *testing.T) {
	admin := testkit.FreeAddress(t)
	newHouse(t, plan{before: func(h *house) {
		h.caddyfile = strings.Replace(h.caddyfile, "{\n", "{\nadmin "+admin+"\n", 1)
	}})
	out, err := exec.Command(testkit.Binary(t), "gatehouse", "status", "--json", "--address", admin).Output()
	if err != nil || !json.Valid(out) {
		t.Errorf("got %q %v", out, err)
	}
}
