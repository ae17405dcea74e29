package e2e_test

import (
	"debug/buildinfo"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// ownRules is a collection whose denial tells which configuration decided.
func ownRules(reason string) string {
	return "collection mine {\nprefix /mine\nrule deny \"" + reason + "\" `!(\"staff\" in principal.scopes)`\nrule allow `true`\nsource main folder {$DIR}/pictures\n}"
}

// reloads is the second configuration beside the house's own: all that can differ does, but the state.
func reloads(h *house) string {
	return strings.NewReplacer(
		ownRules("first"), ownRules("second")+"\nimages {\nworkers 1\nqueue 200\n}\ncollection more {\nprefix /more\nsource main folder {$DIR}\n}",
		"audience gatehouse", "audience gatehouse other\nalgorithms RS256 PS256",
		"spool {$DIR}/spool 256MiB", "spool {$DIR}/spool 128MiB",
		"preset bouwdossier", "preset bouwdossier\nlegacy_fit",
	).Replace(h.caddyfile)
}

// resources is what a process holds.
type resources struct {
	goroutines, files, threads int
	live                       int   // bytes of the heap that a collection leaves
	resident                   int64 // bytes of all memory
}

func (h *house) resources() (r resources) {
	h.t.Helper()
	_, profile, err := h.server.Admin(http.MethodGet, "/debug/pprof/goroutine?debug=1", "", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	total := regexp.MustCompile(`total (\d+)`).FindSubmatch(profile)
	r.goroutines, _ = strconv.Atoi(string(total[1]))
	process := filepath.Join("/proc", strconv.Itoa(h.server.Pid()))
	files, _ := os.ReadDir(filepath.Join(process, "fd"))
	threads, _ := os.ReadDir(filepath.Join(process, "task"))
	r.files, r.threads = len(files), len(threads)
	_, profile, err = h.server.Admin(http.MethodGet, "/debug/pprof/heap?debug=1&gc=1", "", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	live := regexp.MustCompile(`# HeapAlloc = (\d+)`).FindSubmatch(profile)
	r.live, _ = strconv.Atoi(string(live[1]))
	status, _ := os.ReadFile(filepath.Join(process, "status"))
	if found := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status); found != nil {
		kilobytes, _ := strconv.ParseInt(string(found[1]), 10, 64)
		r.resident = kilobytes << 10
	}
	return r
}

// watchesRaces tells whether the server was built with the race detector.
func watchesRaces(t *testing.T) bool {
	t.Helper()
	info, err := buildinfo.ReadFile(testkit.Binary(t))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "-race" && s.Value == "true" })
}

func newReloadHouse(t *testing.T) *house {
	t.Helper()
	h := newHouse(t, plan{
		gatehouse: ownRules("first"),
		site:      "handle /mine/* {\ngatehouse_auth bearer mail_login\ngatehouse_authorize mine\ngatehouse_iiif mine\n}",
	})
	h.fill()
	writeFile(t, filepath.Join(h.server.Dir(), "pictures", "b.jpg"), testkit.JPEG(t, 50, 50))
	// The archive cannot send ranges, so that originals lie in the spool.
	h.edepot.RefuseRanges()
	return h
}

func TestReloadsUnderLoad(t *testing.T) {
	h := newReloadHouse(t)
	other := reloads(h)
	reload := func(i int) {
		t.Helper()
		if err := h.server.Reload([]string{other, h.caddyfile}[i%2]); err != nil {
			t.Fatal(err)
		}
	}
	// What grows only once has grown after this.
	h.startLoad(4).end()
	h.client.CloseIdleConnections()
	before := h.resources()
	counted := h.metrics()[`gatehouse_requests_total{code="allowed",collection="bouwdossiers",outcome="allow"}`]

	l := h.startLoad(4)
	for i := range 100 {
		reload(i)
		l.after(6)
		if t.Failed() {
			break
		}
	}
	l.end()
	for _, reason := range []string{"first", "second"} {
		if _, told := l.reasons.Load(reason); !told {
			t.Errorf("the configuration with %q never decided", reason)
		}
	}
	var after resources
	eventually(t, fmt.Sprintf("what was held to be given back: %+v", before), func() bool {
		after = h.resources()
		return after.goroutines <= before.goroutines+5 && after.files <= before.files+3
	})
	t.Logf("%d requests; held before %+v, after %+v", l.asked(), before, after)
	if after.threads > before.threads+8 {
		t.Errorf("%d threads became %d", before.threads, after.threads)
	}
	// What stays of every configuration is found from 40 kB each on.
	if after.live > before.live+(4<<20) {
		t.Errorf("%d MB of live heap became %d", before.live>>20, after.live>>20)
	}
	// The garbage collector lets about 64 MB lie that a server at rest does not have, and the race detector keeps several
	// times of it.
	if !watchesRaces(t) && after.resident > before.resident+before.resident/2+(128<<20) {
		t.Errorf("%d MB became %d", before.resident>>20, after.resident>>20)
	}
	if now := h.metrics()[`gatehouse_requests_total{code="allowed",collection="bouwdossiers",outcome="allow"}`]; now <= counted || now < float64(l.asked())/3 {
		t.Errorf("the counter went from %v to %v over %d requests", counted, now, l.asked())
	}
	h.calm()
}

// A configuration that cannot be loaded changes nothing, and the next good one is loaded.
func TestBrokenReloads(t *testing.T) {
	h := newReloadHouse(t)
	elsewhere := newHouse(t, plan{})
	busy := testkit.NewArchive(t, "")
	broken := map[string]struct{ from, to, want string }{
		"unknown collection": {"gatehouse_iiif bouwdossiers", "gatehouse_iiif dossiers", "dossiers"},
		"unknown option":     {"preset bouwdossier", "presets x", "presets"},
		"wrong rule":         {"rule allow `true`", "rule allow `tru`", "tru"},
		"missing secret":     {"{env.MAIL_SECRET}", "{env.NO_SUCH_SECRET}", "mail_login secret 1 has no value"},
		"missing header":     {"{env.EDEPOT_SECRET}", "{env.NO_SUCH_SECRET}", "header Authorization has no value"},
		"state in use":       {"state bolt {$DIR}", "state bolt " + elsewhere.server.Dir(), "in use by another process"},
		"state in a file":    {"state bolt {$DIR}/state", "state bolt {$DIR}/pictures/b.jpg", "b.jpg"},
		"address in use":     {"http://{$ADDR} {", "http://" + busy.Address() + " {\nbind 127.0.0.1\n}\nhttp://{$ADDR} {", "address already in use"},
	}
	l := h.startLoad(2)
	before := h.resources()
	for name, test := range broken {
		caddyfile := strings.Replace(h.caddyfile, test.from, test.to, 1)
		err := h.server.Reload(caddyfile)
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), `\"`, `"`), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		l.after(10)
		status := h.command("status")
		for _, part := range []string{"ready                    true", "collection bouwdossiers", "2 keys"} {
			if !strings.Contains(status, part) {
				t.Errorf("%s: status does not tell %q:\n%s", name, part, status)
			}
		}
		samples := h.metrics()
		for _, gauge := range []string{`gatehouse_jwks_keys{issuer="city"}`, "gatehouse_render_queue", "gatehouse_spool_bytes"} {
			if _, found := samples[gauge]; !found {
				t.Errorf("%s: %s is gone", name, gauge)
			}
		}
		if err := h.server.Reload(reloads(h)); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
		l.after(10)
		if err := h.server.Reload(h.caddyfile); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
	}
	l.end()
	h.client.CloseIdleConnections()
	eventually(t, fmt.Sprintf("what was held to be given back: %+v", before), func() bool {
		after := h.resources()
		return after.goroutines <= before.goroutines+5 && after.files <= before.files+3
	})
	h.calm()
}

// State, spool and issuer may move while requests come, and come back.
func TestReloadsThatMoveThings(t *testing.T) {
	h := newReloadHouse(t)
	idp := testkit.NewIdentityProvider(t)
	l := h.startLoad(3)
	for _, change := range [][2]string{
		{"spool {$DIR}/spool 256MiB", "spool {$DIR}/other 256MiB"},
		{"spool {$DIR}/spool 256MiB", "spool {$DIR}/spool 1GiB"},
		{"state bolt {$DIR}/state", "state bolt {$DIR}/moved"},
		{"issuer city {", "issuer town {"},
		{"audience gatehouse", "audience gatehouse\nazp dossier-frontend"},
		{"\t\tissuer city {", "issuer second {\njwks_uri " + idp.JWKSURL() + "\nissuer " + idp.Issuer() + "\n}\nissuer city {"},
	} {
		for range 3 {
			for _, caddyfile := range []string{strings.Replace(h.caddyfile, change[0], change[1], 1), h.caddyfile} {
				if err := h.server.Reload(caddyfile); err != nil {
					t.Fatal(err)
				}
				l.after(6)
			}
		}
		if t.Failed() {
			t.Fatalf("with %q", change[1])
		}
	}
	l.end()
	h.calm()
}

// Keys are fetched once however often the configuration is loaded, and go on being fetched; when the issuer is gone,
// nobody asks for its keys any more.
func TestKeysOverReloads(t *testing.T) {
	h := newReloadHouse(t)
	asked := h.idp.Count()
	for i := range 6 {
		if err := h.server.Reload(strings.Replace(h.caddyfile, `"first"`, fmt.Sprintf("%q", fmt.Sprint(i)), 1)); err != nil {
			t.Fatal(err)
		}
	}
	if now := h.idp.Count(); now != asked {
		t.Errorf("reloads that keep the issuer fetched its keys %d times", now-asked)
	}
	// A new key, unknown so far, is fetched by the goroutine that was there from the start.
	h.idp.Rotate()
	eventually(t, "the new keys", func() bool {
		return h.get("/iiif/2/"+edepotID("1", 0)+"/info.json", h.roles("BD/R")...).status == http.StatusOK
	})
	fetching := func() bool {
		_, profile, err := h.server.Admin(http.MethodGet, "/debug/pprof/goroutine?debug=2", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(profile), "gatehouse/authn.(*")
	}
	if !fetching() {
		t.Error("nobody waits to fetch keys")
	}
	without := strings.ReplaceAll(h.caddyfile, "gatehouse_auth bearer mail_login", "gatehouse_auth mail_login")
	start := strings.Index(without, "\t\tissuer city {")
	end := start + strings.Index(without[start:], "\n\t\t}\n") + len("\n\t\t}\n")
	if err := h.server.Reload(without[:start] + without[end:]); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of fetching", func() bool { return !fetching() })
	h.get("/iiif/2/"+edepotID("1", 0)+imageTail+mailQuery()).is(t, http.StatusOK)
	if err := h.server.Reload(h.caddyfile); err != nil {
		t.Fatal(err)
	}
	h.get("/iiif/2/"+edepotID("1", 0)+imageTail, h.roles("BD/R")...).is(t, http.StatusOK)
	h.calm()
}
