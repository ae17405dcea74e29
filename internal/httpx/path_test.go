package httpx_test

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatehouse-server/gatehouse/internal/httpx"
)

func base(t testing.TB, raw string) *url.URL {
	t.Helper()
	u, err := httpx.ParseBase(raw)
	if err != nil {
		t.Fatalf("ParseBase(%q): %v", raw, err)
	}
	return u
}

func TestJoinPath(t *testing.T) {
	for _, c := range []struct{ base, path, want string }{
		{"http://archive.test/rest/", "SU/99001/SU99000147_00001.jpg", "http://archive.test/rest/SU/99001/SU99000147_00001.jpg"},
		{"http://archive.test/rest", "a.jpg", "http://archive.test/rest/a.jpg"},
		{"http://archive.test", "a.jpg", "http://archive.test/a.jpg"},
		{"http://archive.test/", "/a.jpg", "http://archive.test/a.jpg"},
		{"http://archive.test/rest", "//elsewhere.test/a.jpg", "http://archive.test/rest/elsewhere.test/a.jpg"},
		{"http://archive.test/rest", "http://elsewhere.test/a.jpg", "http://archive.test/rest/http://elsewhere.test/a.jpg"},
		{"http://archive.test/rest", "@elsewhere.test/a.jpg", "http://archive.test/rest/@elsewhere.test/a.jpg"},
		{"http://archive.test/rest", "SQ-01452 (2)-SQ1.jpg", "http://archive.test/rest/SQ-01452%20(2)-SQ1.jpg"},
		{"http://archive.test/rest", "SQ-01452%20(2)-SQ1.jpg", "http://archive.test/rest/SQ-01452%20(2)-SQ1.jpg"},
		{"http://archive.test/rest", "a?b=c#d", "http://archive.test/rest/a%3Fb=c%23d"},
		{"http://archive.test/rest", "100%.jpg", "http://archive.test/rest/100%25.jpg"},
		{"http://archive.test/rest", "100%zz", "http://archive.test/rest/100%25zz"},
		{"http://archive.test/rest", "a%2Fb", "http://archive.test/rest/a%2Fb"},
		{"http://archive.test/rest", "café.jpg", "http://archive.test/rest/caf%C3%A9.jpg"},
		{"http://archive.test/rest", "a//b.jpg", "http://archive.test/rest/a//b.jpg"},
		{"http://archive.test/rest", "bouwdossier/ST_00015/", "http://archive.test/rest/bouwdossier/ST_00015/"},
		{"http://archive.test/rest", "...", "http://archive.test/rest/..."},
		{"http://archive.test/a%2Fb", "c", "http://archive.test/a%2Fb/c"},
		{"http://[::1]:8080/x", "c", "http://[::1]:8080/x/c"},
	} {
		got, err := httpx.JoinPath(base(t, c.base), c.path)
		if err != nil {
			t.Errorf("JoinPath(%q, %q): %v", c.base, c.path, err)
		} else if got.String() != c.want {
			t.Errorf("JoinPath(%q, %q) = %q, want %q", c.base, c.path, got, c.want)
		}
	}
}

var refusedPaths = []string{
	"", "/", "//",
	"..", "../a", "a/..", "a/../b", "/../a", "//..", ".", "./a", "a/./b", "a/.",
	"..;/a", "a/..;x=1/b", ".;",
	"%2e%2e/a", "%2E%2e", ".%2e/a", "%2e./a", "a/%2e%2e%2fb", "..%2fa", "..%2Fa", "a%2f..", "%2e",
	"%252e%252e/a", "%25252e%25252e/a", "..%252fa",
	`..\a`, `a\b`, "a%5cb", "a%5Cb", "a%255cb",
	"a\x00b", "a%00b", "a%2500b", "a\nb", "a%0ab", "a\r\nHost: x", "a\x7f", "a%7f",
	"%2525252525252561",
	strings.Repeat("a", 4097),
}

func TestJoinPathRefuses(t *testing.T) {
	for _, p := range refusedPaths {
		got, err := httpx.JoinPath(base(t, "http://archive.test/rest"), p)
		if !errors.Is(err, httpx.ErrPath) {
			t.Errorf("JoinPath(%.40q) = %v, %v, want ErrPath", p, got, err)
			continue
		}
		if len(p) > 3 && strings.Contains(err.Error(), p) {
			t.Errorf("the error repeats the path: %v", err)
		}
	}
}

func TestJoinPathKeepsEveryOctetOfAPlainName(t *testing.T) {
	b := base(t, "https://archive.test/rest/")
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-zA-Z0-9 ?#&+=:@!$'()*,~é\[\]{}"<>^|_-]{1,40}`).Draw(t, "name")
		u, err := httpx.JoinPath(b, name)
		if err != nil {
			t.Fatal(err)
		}
		read, err := url.Parse(u.String())
		if err != nil {
			t.Fatal(err)
		}
		if read.Path != "/rest/"+name {
			t.Fatalf("%q arrives as %q", name, read.Path)
		}
	})
}

func FuzzJoinPath(f *testing.F) {
	for _, p := range refusedPaths {
		f.Add("http://archive.test/rest", p)
	}
	f.Add("https://archive.test:8443/a%2Fb/", "x/%20y?z#1%")
	f.Fuzz(func(t *testing.T, rawBase, rawPath string) {
		b, err := httpx.ParseBase(rawBase)
		if err != nil {
			return
		}
		u, err := httpx.JoinPath(b, rawPath)
		if err != nil {
			if !errors.Is(err, httpx.ErrPath) {
				t.Fatalf("JoinPath(%q, %q): %v is no ErrPath", rawBase, rawPath, err)
			}
			return
		}
		read, err := url.Parse(u.String())
		if err != nil {
			t.Fatalf("%q is no URL: %v", u, err)
		}
		if !httpx.SameOrigin(read, b) || read.RawQuery != "" || read.Fragment != "" || read.User != nil {
			t.Fatalf("JoinPath(%q, %q) = %q leaves the origin", rawBase, rawPath, u)
		}
		// Servers clean the decoded path in one way or another; below the base it has to stay.
		prefix := path.Clean("/" + b.Path)
		if got := path.Clean(read.Path); prefix != "/" && got != prefix && !strings.HasPrefix(got, prefix+"/") {
			t.Fatalf("JoinPath(%q, %q) = %q is cleaned to %q", rawBase, rawPath, u, got)
		}
		if strings.Contains(read.Path, `\`) {
			t.Fatalf("JoinPath(%q, %q) = %q holds a backslash", rawBase, rawPath, u)
		}
	})
}

func TestParseBaseRefuses(t *testing.T) {
	for _, c := range []struct{ raw, reason string }{
		{"archive.test/rest", "scheme"},
		{"/rest", "scheme"},
		{"ftp://archive.test/", "scheme"},
		{"file:///etc", "scheme"},
		{"http:archive.test", "host"},
		{"http:///rest", "host"},
		{"http://:80/", "host"},
		{"http://user:hunter2@archive.test/", "user info"},
		{"http://archive.test/?a=b", "query"},
		{"http://archive.test/?", "query"},
		{"http://archive.test/#a", "query nor fragment"},
		{"http://archive.test:0/", "port"},
		{"http://archive.test:70000/", "port"},
		{"http://archivé.test/", "ASCII"},
		{"http://archive.test/a/../b", "dot segment"},
		{"http://archive.test/a/%2e%2e/b", "dot segment"},
		{"http://user:hunter2@arch ive.test/", "not a URL"},
	} {
		_, err := httpx.ParseBase(c.raw)
		if err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("ParseBase(%q): %v, want something about %q", c.raw, err, c.reason)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("ParseBase(%q) repeats the password: %v", c.raw, err)
		}
	}
}

func TestSameOrigin(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"http://archive.test", "http://archive.test:80/x", true},
		{"https://archive.test", "https://archive.test:443/x", true},
		{"http://ARCHIVE.test", "http://archive.TEST/", true},
		{"http://archive.test", "https://archive.test", false},
		{"http://archive.test", "http://archive.test:8080", false},
		{"http://archive.test:443", "https://archive.test", false},
		{"http://archive.test", "http://archive.test.evil.test", false},
		{"http://127.0.0.1", "http://localhost", false},
		{"http://[::1]", "http://[::1]:80", true},
	} {
		if got := httpx.SameOrigin(base(t, c.a), base(t, c.b)); got != c.want {
			t.Errorf("SameOrigin(%q, %q) = %v", c.a, c.b, got)
		}
	}
}

func ExampleJoinPath() {
	archive, _ := httpx.ParseBase("https://archive.example.org/rest/")
	u, _ := httpx.JoinPath(archive, "SU/99001/scan 1.jpg")
	fmt.Println(u)
	_, err := httpx.JoinPath(archive, "SU/%2e%2e/secret.jpg")
	fmt.Println(err)
	// Output:
	// https://archive.example.org/rest/SU/99001/scan%201.jpg
	// unusable path: it holds a dot segment
}
