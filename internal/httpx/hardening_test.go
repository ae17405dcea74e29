package httpx_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/httpx"
)

// A redirect to another origin, be it only another port of the same machine, is never dialled, and the credential
// stays at home.
func TestRedirectNeverLeavesTheOrigin(t *testing.T) {
	var visits atomic.Int32
	victim := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	defer victim.Close()
	for _, target := range []string{
		victim.URL + "/internal",
		strings.TrimPrefix(victim.URL, "http:"),
		strings.Replace(victim.URL, "127.0.0.1", "localhost", 1),
		strings.Replace(victim.URL, "http://", "http://user:pass@", 1),
		"http://169.254.169.254/latest/meta-data/",
		"https://127.0.0.1:1/",
		"file:///etc/passwd",
		"gopher://127.0.0.1/",
	} {
		origin := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", target)
			w.WriteHeader(http.StatusFound)
		})
		c := client(t, httpx.Options{Base: origin, MaxRedirects: 5, Header: http.Header{"Authorization": {"secret"}}})
		status, err := get(t, c, origin+"/a")
		if err != nil {
			t.Errorf("redirect to %s: %v", target, err)
			continue
		}
		if status != http.StatusFound {
			t.Errorf("redirect to %s: status %d", target, status)
		}
	}
	if n := visits.Load(); n != 0 {
		t.Errorf("%d requests reached another origin", n)
	}
}

func TestRedirectWithUserInfoIsNotFollowed(t *testing.T) {
	var followed atomic.Bool
	var origin string
	origin = serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/next" {
			followed.Store(true)
			return
		}
		w.Header().Set("Location", strings.Replace(origin, "http://", "http://user:pass@", 1)+"/next")
		w.WriteHeader(http.StatusFound)
	})
	if _, err := get(t, client(t, httpx.Options{Base: origin, MaxRedirects: 5}), origin+"/a"); err != nil {
		t.Fatal(err)
	}
	if followed.Load() {
		t.Error("credentials out of a redirect were used")
	}
}

// Also who holds the bare *http.Client, or builds the URL wrongly, cannot reach another origin.
func TestRequestToAnotherOriginIsNotDialled(t *testing.T) {
	var visits atomic.Int32
	victim := serve(t, func(http.ResponseWriter, *http.Request) { visits.Add(1) })
	c := client(t, httpx.Options{Base: "http://archive.test/rest", Header: http.Header{"Authorization": {"secret"}}})
	for _, target := range []string{victim, "https://archive.test/rest/a", "http://archive.test:8080/", "http://archive.test.evil.test/", "http://u:p@archive.test/"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		for _, do := range []func(*http.Request) (*http.Response, error){c.Do, c.HTTPClient().Do} {
			response, err := do(r)
			if err == nil {
				_ = response.Body.Close()
			}
			if !errors.Is(err, httpx.ErrOrigin) {
				t.Errorf("%s: %v, want ErrOrigin", target, err)
			}
		}
	}
	if visits.Load() != 0 {
		t.Error("another origin was reached")
	}
}

func TestProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	var visits atomic.Int32
	proxy := serve(t, func(http.ResponseWriter, *http.Request) { visits.Add(1) })
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy)
	}
	// A name that does not resolve: only a proxy could answer for it.
	c := client(t, httpx.Options{Base: "http://archive.invalid/"})
	if _, err := get(t, c, "http://archive.invalid/a"); err == nil {
		t.Error("something answered for a name that does not exist")
	}
	if visits.Load() != 0 {
		t.Error("the request went to the proxy")
	}
}

func TestSetCookieIsForgotten(t *testing.T) {
	var cookies atomic.Int32
	origin := serve(t, func(w http.ResponseWriter, r *http.Request) {
		cookies.Add(int32(len(r.Cookies())))
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
	})
	c := client(t, httpx.Options{Base: origin})
	for range 2 {
		if _, err := get(t, c, origin); err != nil {
			t.Fatal(err)
		}
	}
	if cookies.Load() != 0 {
		t.Error("a cookie came back")
	}
}
