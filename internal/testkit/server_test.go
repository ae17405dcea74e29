package testkit_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

const greeting = `http://{$ADDR} {
	bind 127.0.0.1
	respond "%s in {$WHERE}"
}
`

func site(words string) string { return strings.Replace(greeting, "%s", words, 1) }

func TestServerServesReloadsAndComesBack(t *testing.T) {
	s := testkit.StartServer(t, site("one"), "WHERE=here")
	expect := func(want string) {
		t.Helper()
		if _, body, err := get(t, s.URL()); err != nil || body != want {
			t.Fatalf("got %q, %v; want %q", body, err, want)
		}
	}
	expect("one in here")
	if err := s.Reload(site("two")); err != nil {
		t.Fatal(err)
	}
	expect("two in here")
	if err := s.Reload("http://{$ADDR} {\n\tno_such_directive\n}\n"); err == nil || !strings.Contains(err.Error(), "no_such_directive") {
		t.Errorf("a wrong Caddyfile gave %v", err)
	}
	expect("two in here")

	before := s.Pid()
	s.Kill()
	if _, _, err := get(t, s.URL()); err == nil {
		t.Error("a killed server answered")
	}
	s.Restart(site("three"))
	expect("three in here")
	if s.Pid() == before {
		t.Error("the process is the same")
	}
	s.WaitLog("serving initial configuration")
}

func TestServerRunsCommandsInItsEnvironment(t *testing.T) {
	s := testkit.StartServer(t, site("x"))
	out, err := s.Command("list-modules")
	if err != nil || !strings.Contains(out, "http.handlers.gatehouse_iiif") {
		t.Errorf("%v: the modules are not there: %.200s", err, out)
	}
	if _, err := s.Command("no-such-command"); err == nil {
		t.Error("an unknown command went well")
	}
	status, body, err := s.Admin(http.MethodGet, "/config/apps/http/servers/srv0/listen", "", nil)
	if err != nil || status != http.StatusOK || !strings.Contains(string(body), s.URL()[len("http://"):]) {
		t.Errorf("admin: %d %s %v", status, body, err)
	}
	if _, err := os.Stat(s.Dir()); err != nil {
		t.Error(err)
	}
}

func TestServerThatCannotStartTellsWhy(t *testing.T) {
	if logs := testkit.FailToStart(t, "http://{$ADDR} {\n\tno_such_directive\n}\n"); !strings.Contains(logs, "no_such_directive") {
		t.Errorf("the log says only: %s", logs)
	}
}
