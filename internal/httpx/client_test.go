package httpx_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/httpx"
)

func client(t *testing.T, o httpx.Options) *httpx.Client {
	t.Helper()
	c, err := httpx.NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// get gives the status of an answer.
func get(t *testing.T, c *httpx.Client, url string) (int, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := c.Do(r)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestClientAddsItsHeader(t *testing.T) {
	var seen http.Header
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { seen = r.Header })
	c := client(t, httpx.Options{Base: url, Header: http.Header{"authorization": {"secret"}, "X-Two": {"a", "b"}}})
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	r.Header.Set("Authorization", "of the caller")
	response, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if got := seen.Values("Authorization"); len(got) != 1 || got[0] != "secret" {
		t.Errorf("Authorization = %q", got)
	}
	if got := seen.Values("X-Two"); len(got) != 2 {
		t.Errorf("X-Two = %q", got)
	}
	if r.Header.Get("Authorization") != "of the caller" {
		t.Error("the caller's request was changed")
	}
	if got := seen.Get("Accept-Encoding"); got != "" {
		t.Errorf("asks for content codings: %q", got)
	}
}

func TestClientFollowsRedirectsWithinTheOriginUpToTheLimit(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/aaa" {
			http.Redirect(w, r, r.URL.Path+"a", http.StatusFound)
		}
	})
	for _, c := range []struct {
		limit  int
		status int
	}{{0, 302}, {1, 302}, {2, 200}, {5, 200}} {
		status, err := get(t, client(t, httpx.Options{Base: url, MaxRedirects: c.limit}), url+"/a")
		if err != nil {
			t.Fatal(err)
		}
		if status != c.status {
			t.Errorf("with %d redirects: status %d, want %d", c.limit, status, c.status)
		}
	}
}

func TestClientVerifiesCertificates(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = quiet
	server.StartTLS()
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}

	if _, err := get(t, client(t, httpx.Options{Base: server.URL}), server.URL); err == nil {
		t.Error("a certificate of an unknown authority was accepted")
	} else if kind := httpx.ErrorKind(err); kind != httpx.KindTLS {
		t.Errorf("kind = %q (%v)", kind, err)
	}
	if _, err := get(t, client(t, httpx.Options{Base: server.URL, CAFile: ca}), server.URL); err != nil {
		t.Errorf("with its CA file: %v", err)
	}
	if _, err := get(t, client(t, httpx.Options{Base: server.URL, InsecureSkipVerify: true}), server.URL); err != nil {
		t.Errorf("without verification: %v", err)
	}
}

func TestNewClientRefuses(t *testing.T) {
	notPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(notPEM, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		options httpx.Options
		reason  string
	}{
		"no base":          {httpx.Options{}, "base URL"},
		"missing CA":       {httpx.Options{Base: "https://a.test", CAFile: "/nonexistent/ca.pem"}, "CA file"},
		"CA is no PEM":     {httpx.Options{Base: "https://a.test", CAFile: notPEM}, "no PEM certificate"},
		"CA and insecure":  {httpx.Options{Base: "https://a.test", CAFile: notPEM, InsecureSkipVerify: true}, "exclude"},
		"header name":      {httpx.Options{Base: "https://a.test", Header: http.Header{"A b": {"c"}}}, "token"},
		"empty name":       {httpx.Options{Base: "https://a.test", Header: http.Header{"": {"c"}}}, "token"},
		"header injection": {httpx.Options{Base: "https://a.test", Header: http.Header{"A": {"hunter2\r\nHost: b"}}}, "line break"},
		"host":             {httpx.Options{Base: "https://a.test", Header: http.Header{"host": {"b"}}}, "cannot be set"},
		"framing":          {httpx.Options{Base: "https://a.test", Header: http.Header{"Transfer-Encoding": {"chunked"}}}, "cannot be set"},
	} {
		_, err := httpx.NewClient(c.options)
		if err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v, want something about %q", name, err, c.reason)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error repeats the value: %v", name, err)
		}
	}
}

func TestClientBoundsTheResponseHeader(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 100 {
			w.Header().Add("X-Long", strings.Repeat("x", 1000))
		}
	})
	if _, err := get(t, client(t, httpx.Options{Base: url}), url); err == nil {
		t.Error("100 KB of response header were accepted")
	}
	if _, err := get(t, client(t, httpx.Options{Base: url, MaxHeaderBytes: 1 << 20}), url); err != nil {
		t.Errorf("with a larger bound: %v", err)
	}
}

func TestClientGivesUpOnAServerThatNeverAnswers(t *testing.T) {
	release := make(chan struct{})
	url := serve(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	_, err := get(t, client(t, httpx.Options{Base: url, ResponseHeaderTimeout: 50 * time.Millisecond}), url)
	if err == nil || httpx.ErrorKind(err) != httpx.KindTimeout {
		t.Errorf("error %v, want a timeout", err)
	}
}

func TestBaseIsACopy(t *testing.T) {
	c := client(t, httpx.Options{Base: "http://archive.test/rest"})
	c.Base().Host = "elsewhere.test"
	if got := c.Base().Host; got != "archive.test" {
		t.Errorf("the base became %q", got)
	}
	if c.HTTPClient().Jar != nil {
		t.Error("the client keeps cookies")
	}
}
