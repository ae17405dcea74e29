package e2e_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// withGlobals puts lines before the gatehouse block of the house's Caddyfile. It is a plan's before, so that the house
// does not wait for keys by itself.
func withGlobals(lines string) func(*house) {
	return func(h *house) {
		h.caddyfile = strings.Replace(h.caddyfile, "{\n\tgatehouse {", "{\n"+lines+"\n\tgatehouse {", 1)
	}
}

// fill makes dossiers known: 1 is public, 2 copyrighted, 3 restricted.
func (h *house) fill() {
	h.edepot.Put("a.jpg", "image/jpeg", testkit.JPEG(h.t, 40, 30))
	h.metadata.Put(dossier("1", "PUBLIC", "PUBLIC", "N", "a.jpg"))
	h.metadata.Put(dossier("2", "PUBLIC", "PUBLIC", "Y", "a.jpg"))
	h.metadata.Put(dossier("3", "RESTRICTED", "PUBLIC", "N", "a.jpg"))
}

// metrics reads the samples of the admin endpoint's page by name and labels, as they stand there.
func (h *house) metrics() map[string]float64 {
	h.t.Helper()
	status, body, err := h.server.Admin(http.MethodGet, "/metrics", "", nil)
	if err != nil || status != http.StatusOK {
		h.t.Fatalf("the metrics page is %d %v", status, err)
	}
	samples := make(map[string]float64)
	for line := range strings.Lines(string(body)) {
		name, value, found := strings.Cut(strings.TrimSpace(line), "} ")
		if found {
			name += "}"
		} else {
			name, value, _ = strings.Cut(strings.TrimSpace(line), " ")
		}
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			samples[name] = n
		}
	}
	return samples
}

func TestMetrics(t *testing.T) {
	h := newHouse(t, plan{})
	h.fill()
	before := h.metrics()
	image := func(number string) string { return "/iiif/2/" + edepotID(number, 0) + imageTail }
	for range 3 {
		h.get(image("1"), h.roles("BD/R")...).is(t, http.StatusOK)
	}
	h.get(image("3"), h.roles("BD/R")...).is(t, http.StatusUnauthorized)
	h.get(image("2")+mailQuery()).is(t, http.StatusUnauthorized)
	h.get(image("9"), h.roles("BD/X")...).is(t, http.StatusNotFound)
	h.get(image("1"), "Authorization", "Bearer garbage").is(t, http.StatusUnauthorized)
	h.edepot.Fail(testkit.Status(http.StatusTeapot))
	h.metadata.Put(dossier("4", "PUBLIC", "PUBLIC", "N", "b.jpg"))
	h.get(image("4"), h.roles("BD/R")...).is(t, http.StatusBadGateway)

	after := h.metrics()
	const requests = "gatehouse_requests_total"
	for name, want := range map[string]float64{
		requests + `{code="allowed",collection="bouwdossiers",outcome="allow"}`:            3,
		requests + `{code="access_restricted",collection="bouwdossiers",outcome="deny"}`:   1,
		requests + `{code="copyright",collection="bouwdossiers",outcome="deny"}`:           1,
		requests + `{code="metadata_not_found",collection="bouwdossiers",outcome="error"}`: 1,
		requests + `{code="source_status",collection="bouwdossiers",outcome="error"}`:      1,
		requests + `{code="token_invalid",collection="none",outcome="deny"}`:               1,
		`gatehouse_render_seconds_count{outcome="ok"}`:                                     1,
		`gatehouse_cache_requests_total{outcome="miss"}`:                                   1,
		`gatehouse_cache_requests_total{outcome="memory"}`:                                 2,
		`gatehouse_metadata_seconds_count{outcome="not_found"}`:                            1,
		`gatehouse_source_seconds_count{kind="http",outcome="status"}`:                     1,
	} {
		if got := after[name] - before[name]; got != want {
			t.Errorf("%s grew by %v, want %v", name, got, want)
		}
	}
	for _, name := range []string{
		`gatehouse_metadata_seconds_count{outcome="ok"}`, `gatehouse_source_seconds_count{kind="http",outcome="ok"}`,
		`gatehouse_source_bytes_total{kind="http"}`, `gatehouse_metadata_seconds_sum{outcome="ok"}`, `gatehouse_jwks_keys{issuer="city"}`,
	} {
		if after[name] <= 0 {
			t.Errorf("%s is %v", name, after[name])
		}
	}
	for _, gauge := range []string{"gatehouse_render_queue", "gatehouse_render_running", "gatehouse_spool_bytes", `gatehouse_jwks_age_seconds{issuer="city"}`} {
		if value, found := after[gauge]; !found || value < 0 {
			t.Errorf("%s is %v, %v", gauge, value, found)
		}
	}
	if t.Failed() {
		for name, value := range after {
			if strings.HasPrefix(name, requests) || strings.HasPrefix(name, "gatehouse_") && strings.Contains(name, "_count") {
				t.Log(name, value)
			}
		}
	}
}

func TestHealthOfEachPart(t *testing.T) {
	h := newHouse(t, plan{})
	if a := h.get("/status/live"); a.status != http.StatusOK || string(a.body) != "OK" {
		t.Errorf("live is %d %q", a.status, a.body)
	}
	if a := h.do(http.MethodHead, "/status/health"); a.status != http.StatusOK || len(a.body) > 0 {
		t.Errorf("HEAD is %d", a.status)
	}
	h.do(http.MethodPost, "/status/health").is(t, http.StatusMethodNotAllowed)
	h.get("/status/other").headers(t, "Cache-Control", "")
	var ready struct {
		Ready bool
		Parts map[string]string
	}
	a := h.get("/status/ready")
	if err := json.Unmarshal(a.body, &ready); err != nil || a.status != http.StatusOK || !ready.Ready {
		t.Errorf("ready is %d %q", a.status, a.body)
	}
	for _, part := range []string{"state", "renderer", "issuer city"} {
		if ready.Parts[part] != "ok" {
			t.Errorf("%s is %q", part, ready.Parts[part])
		}
	}
}

// An identity provider, a metadata server or an archive that is down is none of this node's own faults.
func TestHealthIsThisNodesOwn(t *testing.T) {
	h := newHouse(t, plan{before: func(h *house) { h.idp.Down(); h.metadata.Down(); h.edepot.Down() }})
	h.get("/status/health").is(t, http.StatusOK)
	if a := h.get("/status/ready"); a.status != http.StatusOK || !strings.Contains(string(a.body), `"issuer city":"no keys yet"`) {
		t.Errorf("ready is %d %s", a.status, a.body)
	}
}

// The address in info.json follows forwarded headers from a trusted proxy, and from nobody else.
func TestTrustedProxies(t *testing.T) {
	for name, test := range map[string]struct {
		before  func(*house)
		trusted bool
	}{
		"nobody":   {func(*house) {}, false},
		"another":  {withGlobals("servers {\ntrusted_proxies static 192.0.2.0/24\n}"), false},
		"this one": {withGlobals("servers {\ntrusted_proxies static 127.0.0.0/8\n}"), true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, plan{before: test.before, site: "log"})
			h.waitForKeys()
			h.fill()
			path := "/iiif/2/" + edepotID("1", 0)
			id := func(headers ...string) string {
				return h.get(path+"/info.json", append(headers, h.roles("BD/R")...)...).info(t).ID
			}
			own := h.server.URL() + path
			proxied := "https://images.example.org" + path
			want := own
			if test.trusted {
				want = proxied
			}
			if got := id("X-Forwarded-Proto", "https", "X-Forwarded-Host", "images.example.org"); got != want {
				t.Errorf("the id is %q, want %q", got, want)
			}
			for _, host := range []string{"a/../b", "user@evil.example", "evil.example\\", "a b", "evil.example?x"} {
				if got := id("X-Forwarded-Host", host); got != own {
					t.Errorf("with the host %q the id is %q", host, got)
				}
			}
			if got := id("X-Forwarded-Proto", "javascript"); got != own {
				t.Errorf("the id is %q", got)
			}
			if got := id(); got != own {
				t.Errorf("the id is %q", got)
			}
			h.get(path+"/info.json?client", append(h.roles("BD/R"), "X-Forwarded-For", "198.51.100.7")...)
			h.server.WaitLog("info.json?client")
			client := regexp.MustCompile(`"client_ip":"([^"]+)"[^\n]*info.json\?client`).FindStringSubmatch(h.server.Logs())
			if wantClient := map[bool]string{true: "198.51.100.7", false: "127.0.0.1"}[test.trusted]; client == nil || client[1] != wantClient {
				t.Errorf("the client is %q, want %q", client, wantClient)
			}
		})
	}
}

// An address with a credential does not go on as a Referer, whatever the answer.
func TestReferrerPolicy(t *testing.T) {
	h := newHouse(t, plan{})
	h.fill()
	for path, status := range map[string]int{
		edepotID("1", 0) + imageTail + mailQuery():      http.StatusOK,
		edepotID("1", 0) + "/info.json" + mailQuery():   http.StatusOK,
		edepotID("1", 0) + mailQuery():                  http.StatusSeeOther,
		edepotID("3", 0) + imageTail + mailQuery():      http.StatusUnauthorized,
		edepotID("1", 0) + imageTail + "?auth=x":        http.StatusUnauthorized,
		edepotID("1", 0) + imageTail + "?%61uth=x":      http.StatusUnauthorized,
		edepotID("1", 0) + imageTail + "?x=1&AUTH=x":    http.StatusUnauthorized,
		"edepot:x/full/max/0/default.jpg" + mailQuery(): http.StatusBadRequest,
	} {
		a := h.get("/iiif/2/" + path)
		a.is(t, status)
		a.headers(t, "Referrer-Policy", "no-referrer")
	}
	h.get("/iiif/2/"+edepotID("1", 0)+imageTail, h.roles("BD/R")...).headers(t, "Referrer-Policy", "")
}
