package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// attempts is how many malformed inputs of each kind are sent (safety rules, figures to reach).
const attempts = 10_000

// storm sends as many requests as attempts from several connections, each with a generator of its own seed. what makes
// the head of a request; judge tells what is wrong with the answer.
func (h *house) storm(t *testing.T, what func(nastiness) string, judge func(answer) string) {
	t.Helper()
	const connections = 8
	var failed atomic.Int32
	var statuses [1000]atomic.Int32
	var workers sync.WaitGroup
	for c := range connections {
		workers.Go(func() {
			n, w := newNastiness(uint64(c)), &wire{address: h.address()} //nolint:gosec // a small number
			defer w.close()
			for range attempts / connections {
				head := what(n)
				a, err := w.ask(http.MethodGet, head)
				var complaint string
				switch {
				case err != nil:
					complaint = err.Error()
				case a.status >= 500:
					complaint = "a fault of the server"
				default:
					complaint = judge(a)
				}
				statuses[a.status].Add(1)
				if complaint != "" && failed.Add(1) < 20 {
					t.Errorf("%.400q: %d %.100q: %s", head, a.status, a.body, complaint)
				}
			}
		})
	}
	workers.Wait()
	for status := range statuses {
		if count := statuses[status].Load(); count > 0 {
			t.Logf("status %d: %d times", status, count)
		}
	}
}

// stormHouse has one dossier that everybody with a credential may see.
func stormHouse(t *testing.T) *house {
	t.Helper()
	h := newHouse(t, plan{})
	h.put("1", map[string][]byte{"a.jpg": testkit.JPEG(t, 4, 4)}, "a.jpg")
	return h
}

// unharmed checks that a storm reached nobody behind and left the server well.
func (h *house) unharmed(t *testing.T) {
	t.Helper()
	if n := h.behind(); n > 0 {
		t.Errorf("%d requests reached servers behind: %+v %+v", n, h.metadata.Requests(), h.edepot.Requests())
	}
	h.get("/iiif/2/"+edepotID("1", 0)+imageTail, h.roles("BD/X")...).picture(t, "jpeg", 4, 4)
	h.calm()
}

func clientError(a answer) string {
	if a.status < 400 {
		return "it was taken"
	}
	return ""
}

// Addresses that are none, from a caller who may see everything: only the address can be what they are refused for.
func TestMalformedAddresses(t *testing.T) {
	h := stormHouse(t)
	token := h.idp.RoleToken("BD/X")
	h.storm(t, func(n nastiness) string { return getHead(n.target(), h.address(), "Authorization: Bearer "+token) }, clientError)
	h.unharmed(t)
}

func TestMalformedTokens(t *testing.T) {
	h := stormHouse(t)
	h.idp.Forget()
	target := "/iiif/2/" + edepotID("1", 0) + "/info.json"
	h.storm(t, func(n nastiness) string {
		token := n.token(h.idp)
		switch n.IntN(6) {
		case 0, 1:
			return getHead(target+"?auth="+strings.NewReplacer("?", "%3f", "\xe2\x82\xac", "%E2%82%AC").Replace(token), h.address())
		case 2:
			return getHead(target, h.address(), "Authorization: "+n.one("Basic ", "Token ", "Negotiate ", "bearer  ", "Bearer\t", "Bearer,", "")+token)
		case 3:
			return getHead(target, h.address(), "Authorization: Bearer "+token, "Authorization: Bearer "+n.token(h.idp))
		}
		return getHead(target, h.address(), "Authorization: Bearer "+token)
	}, func(a answer) string {
		if a.status != http.StatusUnauthorized && a.status != http.StatusBadRequest && a.status != http.StatusRequestHeaderFieldsTooLarge {
			return "it is neither 401 nor 400"
		}
		return ""
	})
	if n := h.idp.Count(); n > 2 {
		t.Errorf("%d fetches of keys", n)
	}
	h.unharmed(t)
}

// Lines of the head, from a caller who is refused by a rule that needs no metadata, so that the whole way up to it is
// walked.
func TestMalformedHeaders(t *testing.T) {
	h := stormHouse(t)
	token := testkit.MailToken(mailSecret, testkit.MailClaims(citizen))
	h.storm(t, func(n nastiness) string {
		lines := make([]string, 1+n.IntN(12))
		for i := range lines {
			lines[i] = n.header()
		}
		host := h.address()
		if n.IntN(20) == 0 {
			host = n.one("evil.example.net", "127.0.0.1", "localhost:"+fmt.Sprint(n.IntN(70000)), "[::1]", "a"+strings.Repeat(".a", 200), "x:y:z", "%00")
		}
		target := "/iiif/" + n.one("2", "3") + "/wabo:SU_1~D_0" + n.one("", "/info.json", imageTail) + "?auth=" + token
		if n.IntN(10) == 0 {
			target += "&source_file=true"
		}
		return getHead(target, host, lines...)
	}, func(a answer) string {
		// A host that is none is refused, or answered by the empty default page of Caddy, before any of our handlers.
		if a.status >= 400 || a.status == http.StatusOK && len(a.body) == 0 && a.header.Get("Content-Type") == "" {
			return ""
		}
		return "it was taken"
	})
	h.unharmed(t)
}

// The same lines from callers who are welcome: they get what they asked for, a part of it, or word that they have it.
func TestOddHeadersOfWelcomeCallers(t *testing.T) {
	h := stormHouse(t)
	token := h.idp.RoleToken("BD/R")
	h.storm(t, func(n nastiness) string {
		lines := []string{"Authorization: Bearer " + token}
		for range 1 + n.IntN(6) {
			lines = append(lines, n.header())
		}
		target := "/iiif/" + n.one("2", "3") + "/" + edepotID("1", 0) + n.one("", "/info.json", "/full/max/0/default.png", "?source_file=true")
		return getHead(target, h.address(), lines...)
	}, func(a answer) string {
		switch a.status {
		case http.StatusOK, http.StatusPartialContent, http.StatusSeeOther, http.StatusNotModified, http.StatusPreconditionFailed, http.StatusRequestedRangeNotSatisfiable:
		default:
			return "it was refused"
		}
		if strings.Contains(a.header.Get("Location")+a.header.Get("Link")+string(a.body), "evil") {
			return "it leads elsewhere"
		}
		return ""
	})
	if n := h.behind(); n > 10 {
		t.Errorf("%d requests to servers behind for one picture", n)
	}
	h.calm()
}

// What is not even HTTP is refused, and no connection that sends it harms another.
func TestBrokenRequests(t *testing.T) {
	h := stormHouse(t)
	for _, head := range []string{
		"\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /iiif/2/x HTTP/1.1\r\n\r\n", "GET /iiif/2/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"GET /iiif/2/\x00 HTTP/1.1\r\nHost: x\r\n\r\n", "GET /iiif/2/x HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n", "GET /iiif/2/x HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n",
		"GET /iiif/2/x HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "GET /iiif/2/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
		"GET /iiif/2/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nzz\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET http://evil.example.net/iiif/2/x HTTP/1.1\r\nHost: x\r\n\r\n", "CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", getHead("/"+strings.Repeat("a", 1<<20), h.address()), getHead("/", h.address(), "X: "+strings.Repeat("a", 2<<20)),
		getHead("/iiif/2/x", h.address(), strings.Split(strings.Repeat("X: y\n", 20_000), "\n")[:19_999]...),
	} {
		w := &wire{address: h.address(), patience: time.Second}
		a, err := w.ask(http.MethodGet, head)
		w.close()
		// Not to answer, because more is to come, is fine.
		if err == nil && a.status == http.StatusOK && len(a.body) > 0 {
			t.Errorf("%.100q gave %d %.100q", head, a.status, a.body)
		}
	}
	h.unharmed(t)
}
