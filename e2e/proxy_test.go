package e2e_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// guarded is a house whose site guards an image server that exists. Metadata says PUBLIC, STAFF or PREVIEW of an item.
type guarded struct {
	*house
	behind, elsewhere *testkit.StandIn
}

func newGuarded(t *testing.T) guarded { return newGuardedSite(t, "") }

// newGuardedSite has more in its site, where BEHIND stands for the guarded server's address.
func newGuardedSite(t *testing.T, site string) guarded {
	t.Helper()
	image := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			w.WriteHeader(http.StatusSwitchingProtocols)
			return
		}
		w.Header().Set("Content-Type", "image/jpeg")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		_, _ = io.WriteString(w, "the picture")
	}
	g := guarded{
		behind:    testkit.NewStandIn(t, http.HandlerFunc(image)),
		elsewhere: testkit.NewStandIn(t, http.HandlerFunc(image)),
	}
	items := testkit.NewStandIn(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		access, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/items/"), "-")
		_, _ = io.WriteString(w, `{"access": "`+strings.ToUpper(access)+`"}`)
	}))
	g.house = newHouse(t, plan{
		gatehouse: "collection maps {\n prefix /maps\n" +
			"identifier `(?P<item>[a-z]+-[^:]+)`\n" +
			"metadata " + items.URL() + "/items/{item...}\n" +
			"rule tier 100 `metadata.access == \"PREVIEW\"`\n" +
			"rule allow `metadata.access == \"PUBLIC\"`\n" +
			"rule allow `metadata.access == \"STAFF\" && \"staff\" in principal.scopes`\n" +
			"rule deny \"For staff\" `true`\n" +
			"source none folder /nonexistent/{item}\n}\n" +
			"collection open {\n prefix /open\nsource main folder /nonexistent\n}",
		// In any order: the directives are sorted as they must run.
		site: strings.ReplaceAll(site, "BEHIND", g.behind.Address()) + "\nhandle {\nreverse_proxy " + g.behind.Address() + "\ngatehouse_authorize maps\ngatehouse_auth bearer mail_login\n}\n" +
			"handle /other/* {\nreverse_proxy " + g.elsewhere.Address() + "\ngatehouse_authorize maps\ngatehouse_auth bearer mail_login\n}",
	})
	return g
}

const tail = "/full/100,/0/default.jpg"

func TestProxyPassesOnWhatWasAuthorized(t *testing.T) {
	g := newGuarded(t)
	staff := g.roles("staff")
	for _, test := range []struct {
		name, path, want string
		headers          []string
	}{
		{"as sent", "/maps/2/public-1" + tail, "/maps/2/public-1" + tail, nil},
		{"with a token", "/maps/3/staff-1" + tail, "/maps/3/staff-1" + tail, staff},
		{"with a token in the query", "/maps/2/public-1/info.json" + mailQuery(), "/maps/2/public-1/info.json", nil},
		{"another query", "/maps/2/public-1" + tail + "?page=1&x=../../staff-1&_method=DELETE", "/maps/2/public-1" + tail, nil},
		{"encoded", "/maps/2/%70ublic-1/%66ull/100,/0/default.jpg", "/maps/2/public-1" + tail, nil},
		{"odd numbers", "/maps/2/public-1/0,0,010,0010/00100,/000.0/default.jpg", "/maps/2/public-1/0,0,10,10/100,/0/default.jpg", nil},
		{"a slash within", "/maps/2/public-a%2Fb/info.json", "/maps/2/public-a%2Fb/info.json", nil},
		{"twice encoded", "/maps/2/public-%252e%252e/info.json", "/maps/2/public-%252e%252e/info.json", nil},
		{"a page", "/maps/2/public-1/info.json?page=3", "/maps/2/public-1;p=3/info.json", nil},
		{"the original", "/maps/2/public-1?source_file=true&auth=", "/maps/2/public-1?source_file=true", staff},
	} {
		g.behind.Forget()
		headers := append([]string{
			"Cookie", "session=cookie-secret", "X-Auth-Token", "t", "X-User-Token", "t", "X-API-Token", "t",
			"X-Gatehouse-Subject", "me", "x_gatehouse_scopes", "staff",
			"X-Original-URL", "/maps/2/staff-2", "X-Rewrite-URL", "/maps/2/staff-2", "X_Original_Url", "/maps/2/staff-2",
			"X-HTTP-Method-Override", "DELETE", "X-Forwarded-Path", "/elsewhere", "X-Forwarded-Id", "staff-2",
			"Referer", "https://site.example.org/page?auth=referer-secret", "Upgrade", "h2c", "Connection", "Upgrade, HTTP2-Settings",
			"HTTP2-Settings", "AAMAAABkAAQAoAAAAAIAAAAA", "Accept", "image/jpeg",
		}, test.headers...)
		a := g.get(test.path, headers...)
		requests := g.behind.Requests()
		if a.status != http.StatusOK || string(a.body) != "the picture" || len(requests) != 1 {
			t.Errorf("%s: %d %.100q, %d requests", test.name, a.status, a.body, len(requests))
			continue
		}
		a.headers(t, "Access-Control-Allow-Origin", "*")
		if !a.varies("Authorization") {
			t.Errorf("%s: Vary is %q", test.name, a.header.Values("Vary"))
		}
		got := requests[0]
		path := got.Path
		if got.Query != "" {
			path += "?" + got.Query
		}
		if path != test.want || got.Method != http.MethodGet {
			t.Errorf("%s: %s %s went on, want %s", test.name, got.Method, path, test.want)
		}
		var names []string
		for name := range got.Header {
			names = append(names, name)
		}
		slices.Sort(names)
		if want := []string{"Accept", "Accept-Encoding", "User-Agent", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"}; !slices.Equal(names, want) {
			t.Errorf("%s: the headers %q went on, want %q", test.name, names, want)
		}
	}
	// What only staff may see was shown, by whoever.
	g.server.WaitLog(`"msg":"restricted original shown","collection":"maps","identifier":"staff-1"`)
}

// Whatever an image server might read as one of its addresses is judged, or goes nowhere.
func TestProxyHoldsBack(t *testing.T) {
	g := newGuarded(t)
	w := &wire{address: g.address()}
	defer w.close()
	ask := func(method, target string, lines ...string) answer {
		t.Helper()
		a, err := w.ask(method, strings.Replace(getHead(target, g.address(), lines...), "GET", method, 1))
		if err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		return a
	}
	for _, target := range []string{
		"/maps/2/staff-1" + tail, "/maps/2/unknown-1/info.json", "/maps/2/staff-1", "/maps/2/staff-1?source_file=true",
		"/MAPS/2/staff-1" + tail, "/Maps/2/staff-1/info.json", "/%6daps/2/staff-1/info.json", "/%4Daps/2/staff-1/info.json", "/%256daps/2/staff-1/info.json",
		"//maps/2/staff-1" + tail, "/maps//2/staff-1" + tail, "/maps/2//staff-1" + tail, "/./maps/2/staff-1" + tail, "/x/../maps/2/staff-1" + tail,
		"/x/%2e%2e/maps/2/staff-1" + tail, "/x/..%2fmaps/2/staff-1" + tail, "/maps%2f2%2fstaff-1/info.json", "/maps%2F2/staff-1" + tail,
		"/maps/2/public-1/../staff-1" + tail, "/maps/2/public-1/%2e%2e/staff-1" + tail, "/maps/2/public-1%2f..%2fstaff-1/info.json",
		`/\maps/2/staff-1` + tail, `/maps\2\staff-1` + tail, `/x/..\maps/2/staff-1`, "/x%5c..%5cmaps/2/staff-1" + tail, `/maps/2/public-1\..\staff-1/info.json`,
		"/maps/1/staff-1/info.json", "/maps/4/public-1/info.json", "/maps/02/public-1/info.json", "/maps/2/", "/maps/2", "/maps/", "/maps", "/maps/admin",
		"/maps;x=1/2/staff-1" + tail, "/x/..;/maps/2/staff-1" + tail, "/x/..;a=b/maps/2/staff-1" + tail, "/;x/maps/2/staff-1", "/maps%3bx/2/staff-1" + tail,
		"/maps/2;x/staff-1" + tail, "/maps/2/public-1/full/100,/0/default.jpg/extra", "/maps/2/public-1/full", "/maps/2/public-1/full/100,/0/default.xyz",
		"/maps/2/public-1/info.json/", "/maps/2/%00public-1/info.json", "/maps/2/..%2f..%2fadmin/info.json", "/maps/2/public-%2e%2e/info.json/..",
		"/maps/2/public-1%0d%0aX:y/info.json", "http://" + g.address() + "/maps/2/staff-1" + tail,
	} {
		if a := ask("GET", target); a.status < 400 || a.status > 404 {
			t.Errorf("%s is answered %d %.100q", target, a.status, a.body)
		}
	}
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "get", "Get"} {
		lines := []string{"Content-Length: 0", "X-HTTP-Method-Override: GET"}
		if a := ask(method, "/maps/2/public-1"+tail, lines...); a.status < 400 || a.status > 499 {
			t.Errorf("%s is answered %d", method, a.status)
		}
	}
	if a := ask("GET", "/maps/2/staff-1"+tail, "X-Original-URL: /maps/2/public-1", "X-Gatehouse-Scopes: staff"); a.status != http.StatusForbidden || string(a.body) != "For staff" {
		t.Errorf("headers made it %d %q", a.status, a.body)
	}
	for _, a := range []answer{
		ask("OPTIONS", "/maps/2/staff-1"+tail, "Origin: https://site.example.org", "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: authorization"),
		ask("OPTIONS", "/maps/2/staff-1/info.json"),
	} {
		a.is(t, http.StatusNoContent)
		a.headers(t, "Access-Control-Allow-Origin", "*", "Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
	}
	for _, credential := range []string{"Authorization: Bearer x", "Authorization: Basic dTpw"} {
		if a := ask("GET", "/maps/2/public-1"+tail, credential); a.status != http.StatusUnauthorized {
			t.Errorf("%s is answered %d", credential, a.status)
		}
	}
	// A tier is a smaller picture, which only we could make.
	for _, method := range []string{"GET", "HEAD"} {
		a := ask(method, "/maps/2/preview-1"+tail)
		a.is(t, http.StatusForbidden)
		a.headers(t, "Cache-Control", noStore, "Access-Control-Allow-Origin", "*")
	}
	for _, r := range slices.Concat(g.behind.Requests(), g.elsewhere.Requests()) {
		t.Errorf("%s %s came through", r.Method, r.Path)
	}
	g.calm()
}

// A body is no part of what was authorized.
func TestProxyDropsBodies(t *testing.T) {
	g := newGuarded(t)
	w := &wire{address: g.address()}
	defer w.close()
	body := "_method=DELETE"
	head := getHead("/maps/2/public-1"+tail, g.address(), "Content-Type: application/x-www-form-urlencoded", "Content-Length: 14")
	if a, err := w.ask("GET", head+body); err != nil || a.status != http.StatusOK {
		t.Fatalf("got %d %v", a.status, err)
	}
	if r := g.behind.Requests()[0]; r.Header.Get("Content-Length") != "" || r.Header.Get("Content-Type") != "" || r.Header.Get("Transfer-Encoding") != "" {
		t.Errorf("the body went on: %v", r.Header)
	}
}

// What lies outside the collection's prefix is not ours to judge.
func TestProxyOutsideThePrefix(t *testing.T) {
	g := newGuarded(t)
	for _, path := range []string{"/", "/mapsx/2/staff-1", "/other/page?x=/maps/2/staff-1", "/other/maps/2/staff-1", "/map/s"} {
		if a := g.get(path); a.status != http.StatusOK {
			t.Errorf("%s is answered %d %q", path, a.status, a.body)
		}
	}
	g.do(http.MethodPost, "/other/form", "Content-Type", "text/plain").is(t, http.StatusOK)
	if here, there := g.behind.Count(), g.elsewhere.Count(); here != 3 || there != 3 {
		t.Errorf("%d and %d requests came", here, there)
	}
}

// Pictures of a collection with a policy need the decision for this very collection.
func TestImagesNeedTheirOwnDecision(t *testing.T) {
	const other = "collection other {\nrule allow `true`\nsource main folder /srv\n}"
	for name, site := range map[string]string{
		"none":                   "handle /iiif/* {\ngatehouse_iiif bouwdossiers\n}",
		"authentication alone":   "handle /iiif/* {\ngatehouse_auth bearer mail_login\ngatehouse_iiif bouwdossiers\n}",
		"for another collection": "handle /iiif/* {\ngatehouse_auth bearer mail_login\ngatehouse_authorize other\ngatehouse_iiif bouwdossiers\n}",
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, plan{gatehouse: other, before: withSite(site)})
			h.fill()
			for _, path := range []string{imageTail, "/info.json", "?source_file=true", imageTail + mailQuery()} {
				// Until the keys have come, the answer is 503.
				var a answer
				eventually(t, "keys", func() bool {
					a = h.get("/iiif/2/"+edepotID("1", 0)+path, h.roles("BD/X")...)
					return a.status != http.StatusServiceUnavailable
				})
				if a.status != http.StatusInternalServerError || strings.Contains(a.header.Get("Content-Type"), "image") || len(a.body) > 200 {
					t.Errorf("%s is answered %d %.100q", path, a.status, a.body)
				}
				a.headers(t, "Cache-Control", noStore)
			}
			h.server.WaitLog("gatehouse_authorize")
			if h.edepot.Count() > 0 {
				t.Error("the archive was asked")
			}
		})
	}
}

// An address that is changed after it was authorized still leads to what was authorized.
func TestRewritingAfterTheDecision(t *testing.T) {
	h := newHouse(t, plan{before: withSite("handle /iiif/* {\nroute {\ngatehouse_auth bearer mail_login\ngatehouse_authorize bouwdossiers\n" +
		"rewrite * /iiif/2/edepot:SU_3~D_0/full/max/0/default.jpg\ngatehouse_iiif bouwdossiers\n}\n}")})
	h.waitForKeys()
	h.fill()
	h.edepot.Put("secret.jpg", "image/jpeg", testkit.JPEG(t, 90, 90))
	h.metadata.Put(dossier("3", "RESTRICTED", "PUBLIC", "N", "secret.jpg"))
	h.get("/iiif/2/"+edepotID("1", 0)+imageTail, h.roles("BD/R")...).picture(t, "jpeg", 40, 30)
	if h.edepot.CountPath("/secret.jpg") > 0 {
		t.Error("the archive was asked for what was not authorized")
	}
}

// withSite replaces the house's handler of pictures.
func withSite(site string) func(*house) {
	return func(h *house) {
		start := strings.Index(h.caddyfile, "\thandle /iiif/* {")
		h.caddyfile = h.caddyfile[:start] + site + "\n}\n"
	}
}
