package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// What an operator puts between the decision and the guarded server cannot bring back what the caller sent.
func TestGuardedAddressSurvivesTheRoute(t *testing.T) {
	g := newGuardedSite(t, `
		handle_path /service/* {
			gatehouse_auth bearer mail_login
			gatehouse_authorize maps
			reverse_proxy BEHIND {
				header_up X-Seen {uri}
				header_up X-Original {http.request.orig_uri}
			}
		}
		handle /moved/* {
			route {
				gatehouse_auth bearer mail_login
				uri strip_prefix /moved
				gatehouse_authorize maps
				rewrite /image-service{uri}
				reverse_proxy BEHIND
			}
		}`)
	token := strings.TrimPrefix(mailQuery(), "?auth=")
	for path, want := range map[string]string{
		"/service/maps/2/public-1" + tail:                          "/maps/2/public-1" + tail,
		"/service/maps/2/public-a%2Fb/00,0,010,10/full/0/gray.jpg": "/maps/2/public-a%2Fb/0,0,10,10/full/0/gray.jpg",
		"/moved/maps/2/public-a/00,0,010,10/full/0/gray.jpg":       "/image-service/maps/2/public-a/0,0,10,10/full/0/gray.jpg",
		"/maps/3/public-a%2Fb/full/^max/0/default.jpg":             "/maps/3/public-a%2Fb/full/%5Emax/0/default.jpg",
	} {
		g.behind.Forget()
		w := wire{address: g.address()}
		a, err := w.ask(http.MethodGet, getHead(path+"?auth="+token+"&x=1", g.address()))
		w.close()
		if err != nil {
			t.Fatal(err)
		}
		requests := g.behind.Requests()
		if a.status != http.StatusOK || len(requests) != 1 {
			t.Errorf("%s: %d %.100q, %d requests", path, a.status, a.body, len(requests))
			continue
		}
		if got := requests[0]; got.Path != want || got.Query != "" {
			t.Errorf("%s went on as %s?%s, want %s", path, got.Path, got.Query, want)
		}
		for name, values := range requests[0].Header {
			if strings.Contains(strings.Join(values, " "), token) {
				t.Errorf("%s: the token went on in %s", path, name)
			}
		}
	}
}

// A gatehouse_iiif of another collection has no say in what was authorized for this one.
func TestOtherCollectionDoesNotUndoTheGuard(t *testing.T) {
	g := newGuardedSite(t, `
		handle /maps/* {
			gatehouse_auth bearer mail_login
			gatehouse_authorize maps
			gatehouse_iiif open
			reverse_proxy BEHIND
		}`)
	g.get("/maps/2/preview-1"+tail).is(t, http.StatusForbidden)
	if n := g.behind.Count(); n != 0 {
		t.Errorf("%d requests for a tier went on", n)
	}
	a := g.get("/maps/2/public-1"+tail+mailQuery(), "Cookie", "session=1")
	a.is(t, http.StatusOK)
	a.headers(t, "Cache-Control", noStore)
	for _, r := range g.behind.Requests() {
		if r.Query != "" || r.Header.Get("Cookie") != "" {
			t.Errorf("?%s and the cookie %q went on", r.Query, r.Header.Get("Cookie"))
		}
	}
}

// Targets that are no path, and headers that name another one, get nobody past the guard.
func TestGuardSeesEveryFormOfAnAddress(t *testing.T) {
	g := newGuarded(t)
	for _, target := range []string{
		"x:maps/2/staff-1" + tail, "http:maps/2/staff-1" + tail, "http:%2fmaps/2/staff-1" + tail,
		"/%256daps/2/staff-1/info.json", "/%256daps/2/staff-1/info.json%25", "/%25256daps/2/staff-1/info.json", "/x/%252e%252e/maps/2/staff-1/info.json%zz",
	} {
		w := wire{address: g.address()}
		if a, err := w.ask(http.MethodGet, getHead(target, g.address())); err == nil && (a.status < 400 || a.status >= 500) {
			t.Errorf("%s is answered %d %.50q", target, a.status, a.body)
		}
		w.close()
	}
	if n := g.behind.Count(); n != 0 {
		t.Errorf("%d requests went on", n)
	}
	g.get("/", "X-Original-URL", "/maps/2/staff-1"+tail, "X_Rewrite_Url", "/maps/2/staff-1"+tail).is(t, http.StatusOK)
	for _, r := range g.behind.Requests() {
		for name, values := range r.Header {
			if strings.Contains(strings.Join(values, " "), "staff-1") {
				t.Errorf("%s went on beside the prefix", name)
			}
		}
	}
}

// A guarded server that fails takes nobody to an error route with what was not authorized.
func TestFailureBehindTheGuard(t *testing.T) {
	backup := testkit.NewStandIn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=999")
		w.WriteHeader(http.StatusOK)
	}))
	g := newGuardedSite(t, "handle_errors {\nreverse_proxy "+backup.Address()+"\n}")
	g.behind.Down()
	a := g.get("/maps/2/public-1" + tail + mailQuery())
	a.text(t, http.StatusBadGateway, "The image server cannot answer this request")
	a.headers(t, "Cache-Control", noStore)
	if backup.Count() != 0 {
		t.Error("the error route was asked")
	}
	g.behind.Up()
	g.get("/maps/2/public-1"+tail).is(t, http.StatusOK)
}

// The redirect of a bare identifier is ours, and keeps the query that the next request needs.
func TestGuardRedirects(t *testing.T) {
	g := newGuarded(t)
	a := g.get("/maps/3/public-1" + mailQuery())
	a.is(t, http.StatusSeeOther)
	if want := "/maps/3/public-1/info.json" + mailQuery()[:6]; !strings.Contains(a.header.Get("Location"), want) {
		t.Errorf("Location is %q", a.header.Get("Location"))
	}
	g.get("/maps/3/staff-1").text(t, http.StatusForbidden, "For staff")
	if n := g.behind.Count(); n != 0 {
		t.Errorf("%d requests went on", n)
	}
}
