package e2e_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// logLines are the server's lines of one logger.
func (h *house) logLines(logger string) (lines []map[string]any) {
	for text := range strings.Lines(h.server.Logs()) {
		var line map[string]any
		if json.Unmarshal([]byte(text), &line) == nil && line["logger"] == logger {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestAccessLog(t *testing.T) {
	h := newHouse(t, plan{site: "log"})
	h.fill()
	h.get("/iiif/2/"+edepotID("3", 0)+imageTail, h.roles("BD/X")...).is(t, http.StatusOK)
	h.get("/iiif/2/"+edepotID("1", 0)+imageTail+mailQuery()).is(t, http.StatusOK)
	h.get("/iiif/3/"+edepotID("2", 0)+"/info.json"+mailQuery()).is(t, http.StatusUnauthorized)
	h.get("/iiif/2/"+edepotID("1", 0)+imageTail).is(t, http.StatusUnauthorized)
	h.get("/iiif/2/"+edepotID("1", 0)+imageTail, "Authorization", "Bearer x").is(t, http.StatusUnauthorized)
	h.get("/status/health").is(t, http.StatusOK)

	const logger = "http.log.access"
	eventually(t, "the access log", func() bool { return strings.Contains(h.server.Logs(), "/status/health") })
	type fields struct{ principal, decision, reason string }
	var got []fields
	var lines []map[string]any
	for _, line := range h.logLines(logger) {
		object, ok := line["gatehouse"].(map[string]any)
		if uri := line["request"].(map[string]any)["uri"].(string); !ok || strings.HasPrefix(uri, "/iiif/2/x/") {
			continue
		}
		text := func(name string) string { s, _ := object[name].(string); return s }
		got = append(got, fields{text("principal"), text("decision"), text("reason")})
		lines = append(lines, line)
	}
	want := []fields{
		{"bearer", "allow", "allowed"}, {"mail_login", "allow", "allowed"}, {"mail_login", "deny", "copyright"},
		{"anonymous", "deny", "no_token"}, {"anonymous", "deny", "token_invalid"},
	}
	if !slices.Equal(got, want) {
		t.Fatalf("the log tells %+v, want %+v", got, want)
	}
	first := lines[0]["gatehouse"].(map[string]any)
	for _, name := range []string{"metadata_ms", "source_ms", "render_ms"} {
		if ms, ok := first[name].(float64); !ok || ms <= 0 || ms > 60_000 {
			t.Errorf("%s is %v", name, first[name])
		}
	}
	if denied := lines[2]["gatehouse"].(map[string]any); denied["source_ms"] != 0.0 || denied["render_ms"] != 0.0 {
		t.Errorf("a refused caller waited for an original: %v", denied)
	}
	if lines[0]["user_id"] != "f3a1c0de-0000-4000-8000-000000000001" {
		t.Errorf("user_id is %q", lines[0]["user_id"])
	}
	for _, personal := range []string{citizen, "j.vanderberg", strings.ReplaceAll(citizen, "@", "%40")} {
		if strings.Contains(h.server.Logs(), personal) {
			t.Errorf("the log holds %q", personal)
		}
	}
}

// Each restricted original that was shown has a line in a log that can be kept apart; nothing else has one.
func TestAuditLog(t *testing.T) {
	h := newHouse(t, plan{before: withGlobals(`
	log {
		exclude gatehouse.audit
	}
	log audit {
		include gatehouse.audit
		output file {$DIR}/audit.log {
			mode 0600
		}
		format json
	}`)})
	h.waitForKeys()
	h.fill()
	special := h.roles("BD/X")
	path := "/iiif/2/" + edepotID("3", 0)
	for _, quiet := range []struct {
		method, path string
		headers      []string
	}{
		{"GET", "/iiif/2/" + edepotID("1", 0) + imageTail, special},
		{"GET", path + imageTail, h.roles("BD/R")},
		{"GET", path + imageTail, nil},
		{"GET", path + "/info.json", special},
		{"GET", path, special},
		{"HEAD", path + imageTail, special},
		{"HEAD", path + "?source_file=true", special},
		{"GET", path + "/full/max/0/default.xyz", special},
		{"GET", path + "?source_file=true", append([]string{"Range", "bytes=999999999-"}, special...)},
		{"OPTIONS", path + imageTail, nil},
	} {
		h.do(quiet.method, quiet.path, quiet.headers...)
	}
	h.get(path+imageTail, special...).is(t, http.StatusOK)
	h.get("/iiif/2/"+edepotID("2", 0)+"?source_file=true", h.roles("BD/R")...).is(t, http.StatusOK)
	h.get(path+"?source_file=true", append([]string{"Range", "bytes=0-9"}, special...)...).is(t, http.StatusPartialContent)

	audit := filepath.Join(h.server.Dir(), "audit.log")
	var lines []map[string]any
	eventually(t, "the audit log", func() bool {
		text, _ := os.ReadFile(audit)
		lines = nil
		for text := range strings.Lines(string(text)) {
			var line map[string]any
			if json.Unmarshal([]byte(text), &line) == nil {
				lines = append(lines, line)
			}
		}
		return len(lines) > 0 && lines[len(lines)-1]["as"] == "source_file" && lines[len(lines)-1]["identifier"] == edepotID("3", 0)
	})
	shown := make([]string, 0, len(lines))
	for _, line := range lines {
		shown = append(shown, line["as"].(string)+" "+line["identifier"].(string))
		for name, want := range map[string]any{
			"logger": "gatehouse.audit", "collection": "bouwdossiers", "credential": "bearer", "issuer": "city",
			"subject": "f3a1c0de-0000-4000-8000-000000000001", "client": "127.0.0.1",
		} {
			if line[name] != want {
				t.Errorf("%s is %v, want %v", name, line[name], want)
			}
		}
		if line["ts"] == nil || line["rule"] == "" || len(line["scopes"].([]any)) == 0 {
			t.Errorf("something is left out: %v", line)
		}
	}
	want := []string{"image " + edepotID("3", 0), "source_file " + edepotID("2", 0), "source_file " + edepotID("3", 0)}
	if !slices.Equal(shown, want) {
		t.Errorf("shown: %q, want %q", shown, want)
	}
	if info, err := os.Stat(audit); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the audit log is %v, %v", info.Mode(), err)
	}
	if strings.Contains(h.server.Logs(), "restricted original shown") {
		t.Error("the audit line is in the general log too")
	}
}
