package iiif

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// TestProtectedShowsNothingWithoutItsDecision: a directive that was forgotten, or a decision about something else,
// costs an error and no byte.
func TestProtectedShowsNothingWithoutItsDecision(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]*authz.Decision{
		"none":               nil,
		"empty":              {},
		"other collection":   decided(func(d *authz.Decision) { d.Collection = "other" }),
		"other identifier":   decided(func(d *authz.Decision) { d.Identifier = "b" }),
		"decoded identifier": decided(func(d *authz.Decision) { d.Identifier = "%61" }),
		"no outcome":         decided(func(d *authz.Decision) { d.Outcome = "" }),
		"tier of no size":    decided(func(d *authz.Decision) { d.Outcome = authz.Tier }),
		"tier in colour":     decided(func(d *authz.Decision) { d.Outcome, d.Quality = authz.Tier, "color" }),
		"tier below nothing": decided(func(d *authz.Decision) { d.Outcome, d.MaxSide = authz.Tier, -1 }),
	} {
		for _, target := range []string{"/iiif/2/a", "/iiif/2/a/info.json", "/iiif/3/a/full/max/0/default.jpg", "/iiif/2/a?source_file=true"} {
			images := &fakeImages{}
			s := ask{config: Config{Protected: true}, images: images, target: target, decision: d}.serve(t)
			s.want(t, http.StatusInternalServerError, "Cache-Control", problem.NoStore, "Location", "")
			if images.called() != "" || !strings.Contains(strings.Join(s.Header().Values("Vary"), " "), "Authorization") {
				t.Errorf("%s: %s caused %q, Vary %v", name, target, images.called(), s.Header().Values("Vary"))
			}
			var e *problem.Error
			if !errors.As(s.err, &e) || e.Code != codeNoDecision || e.Err == nil {
				t.Errorf("%s: the log gets %v, want it to say why", name, s.err)
			} else if strings.Contains(s.Body.String(), e.Err.Error()) || strings.Contains(s.Body.String(), "gatehouse") {
				t.Errorf("%s: the caller is told %s", name, s.Body)
			}
		}
	}
}

// TestForeignDecisionStopsAPublicCollectionToo: somebody decided about this request, though not about this item.
func TestForeignDecisionStopsAPublicCollectionToo(t *testing.T) {
	t.Parallel()
	images := &fakeImages{}
	s := ask{images: images, target: "/iiif/2/b/info.json", decision: allowed()}.serve(t)
	s.want(t, http.StatusInternalServerError)
	if images.called() != "" {
		t.Errorf("it caused %s", images.called())
	}
}

func TestDenyIsAnsweredInItsOwnWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		reason string
		want   int
		body   string
	}{
		{401, "Document access is restricted", 401, "Document access is restricted"},
		{404, "", 404, "Access is not allowed."},
		{0, "", 403, "Access is not allowed."},
		{200, "", 403, "Access is not allowed."},
		{302, "x", 403, "x"},
	} {
		images := &fakeImages{}
		d := decided(func(d *authz.Decision) { d.Outcome, d.Status, d.Reason = authz.Deny, c.status, c.reason })
		s := ask{config: Config{Protected: true}, images: images, target: "/iiif/2/a/info.json", decision: d}.serve(t)
		s.want(t, c.want, "Cache-Control", problem.NoStore)
		if s.Body.String() != c.body || images.called() != "" {
			t.Errorf("denied with %q after %q", s.Body, images.called())
		}
		var e *problem.Error
		if !errors.As(s.err, &e) || !e.Denial {
			t.Errorf("%v is not marked as a denial", s.err)
		}
	}
	// An outcome that nobody knows is no permission.
	s := ask{config: Config{Protected: true}, target: "/iiif/2/a/info.json", decision: decided(func(d *authz.Decision) { d.Outcome = "maybe" })}.serve(t)
	s.want(t, http.StatusForbidden)
}

// TestDecisionIsBoundToTheRawSegment: one decode, by us; two spellings are two decisions.
func TestDecisionIsBoundToTheRawSegment(t *testing.T) {
	t.Parallel()
	config := Config{Protected: true}
	for target, identifier := range map[string]string{
		"/iiif/2/a%2Fb/info.json":       "a%2Fb",
		"/iiif/2/a;p=2/info.json":       "a",
		"/iiif/2/a%3Bp%3D2/info.json":   "a",
		"/iiif/2/a/info.json?page=2":    "a",
		"/iiif/2/%61/info.json":         "%61",
		"/%69iif/2/a%2fb/info.json":     "a%2fb",
		"/iiif/2/%252e%252e/info.json":  "%252e%252e",
		"/iiif/2/a;p=2;p=2/info.json":   "a;p=2",
		"/iiif/2/caf%C3%A9/info.json":   "caf%C3%A9",
		"/iiif/2/a%20(2)-b/info.json":   "a%20(2)-b",
		"/iiif/2/x:y_z~w-0_1/info.json": "x:y_z~w-0_1",
	} {
		d := decided(func(d *authz.Decision) { d.Identifier = identifier })
		images := &fakeImages{}
		ask{config: config, images: images, target: target, decision: d}.serve(t).want(t, http.StatusOK)
		if images.last.Identifier != identifier {
			t.Errorf("%s asks for %q, decided was %q", target, images.last.Identifier, identifier)
		}
	}
}

func TestDangerousIdentifiersAreRefused(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"..", "%2e%2e", "%2E.", "..%2Fetc%2Fpasswd", "a%2F..%2Fb", "a%2F..", "a%5Cb", "%5c..%5c", "a%00", "a%00.jpg", "a%0d%0aX:y", "a%0a", "%09",
		"a%7f", "a%C2%85b", "%ff", "%C3", "%c0%ae%c0%ae", "%ED%A0%80", "a%zz", "a%2", "a%", strings.Repeat("x", 513), strings.Repeat("%C3%A9", 257), ";p=2", "%3Bp%3D2",
	} {
		for _, rest := range []string{"", "/info.json", "/full/max/0/default.jpg"} {
			for _, query := range []string{"", "source_file=true"} {
				req, ours, err := ParsePath("/iiif", "/iiif/3/"+raw+rest, query)
				if !ours || req.RawIdentifier != "" || req.Identifier != "" {
					t.Errorf("%q gives %+v", raw, req)
				}
				wantRefusal(t, err, http.StatusBadRequest, codeIdentifier, "identifier")
			}
		}
	}
}

// TestRawBytesAreRefusedLikeEncodedOnes: how a byte is written decides nothing.
func TestRawBytesAreRefusedLikeEncodedOnes(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{`a\b`, `..\..\b^`, "a%2F\xff", "..%2F^", "^%2F..", "a^%00", "a^%5c"} {
		for _, rest := range []string{"", "/info.json", "/full/^max/0/default.jpg", "?source_file=true"} {
			images := &fakeImages{}
			s := ask{images: images, target: "/iiif/3/" + raw + rest}.serve(t)
			s.want(t, http.StatusBadRequest)
			if images.called() != "" {
				t.Errorf("%q caused %s", raw+rest, images.called())
			}
		}
	}
}

// TestSecretsInURLsLeakNowhere: neither to the next page, nor into a header but the redirect that must keep it, nor
// into an error.
func TestSecretsInURLsLeakNowhere(t *testing.T) {
	t.Parallel()
	const secret = "eyJhbGciOi.SECRET.sig"
	for _, target := range []string{
		"/iiif/2/a/info.json", "/iiif/2/a/full/300,/0/default.jpg", "/iiif/2/a/full/nope/0/default.jpg", "/iiif/2/missing/info.json", "/iiif/2/a/b",
		"/iiif/2/..%2f/info.json",
	} {
		for _, query := range []string{"?auth=" + secret, "?x=1&auth=" + secret, "?%61uth=" + secret} {
			s := ask{target: target + query}.serve(t)
			s.want(t, s.Code, "Referrer-Policy", "no-referrer")
			all := s.Body.String()
			for name, values := range s.Header() {
				all += name + strings.Join(values, " ")
			}
			if strings.Contains(all, "SECRET") || s.err != nil && strings.Contains(s.err.Error(), "SECRET") {
				t.Errorf("%s%s leaks its token: %s %v", target, query, all, s.err)
			}
		}
	}
	s := ask{target: "/iiif/2/a?auth=" + secret}.serve(t)
	s.want(t, http.StatusSeeOther, "Referrer-Policy", "no-referrer", "Location", "https://archive.example.org/iiif/2/a/info.json?auth="+secret)
}

// TestErrorsRepeatNoMarkup: what a caller typed comes back shortened and harmless.
func TestErrorsRepeatNoMarkup(t *testing.T) {
	t.Parallel()
	s := ask{target: "/iiif/3/a/%3Cscript%3Ealert(1)%3C%2Fscript%3E%0d%0a" + strings.Repeat("x", 5000) + "/max/0/default.jpg"}.serve(t)
	s.want(t, http.StatusBadRequest, "Content-Type", "text/plain; charset=utf-8", "X-Content-Type-Options", "nosniff")
	if s.Body.Len() > 400 || strings.ContainsAny(s.Body.String(), "\r\n\x00") {
		t.Errorf("%d bytes: %q", s.Body.Len(), s.Body)
	}
}

func TestHeadersCannotBeSplit(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"/iiif/2/a?x=%0d%0aSet-Cookie:%20y", "/iiif/2/%0d%0aSet-Cookie:%20y", "/iiif/2/a%22%3E,%3Cx%3E;rel=evil/full/300,/0/default.jpg"} {
		s := ask{target: target}.serve(t)
		for name, values := range s.Header() {
			if strings.ContainsAny(strings.Join(values, ""), "\r\n") || name == "Set-Cookie" {
				t.Errorf("%s: %s is %q", target, name, values)
			}
		}
		if link := s.Header().Get("Link"); strings.Count(link, "<") > 2 {
			t.Errorf("%s: Link is %s", target, link)
		}
	}
	s := ask{images: &fakeImages{name: "a\r\nSet-Cookie: x=\"y\".tif"}, target: "/iiif/2/a?source_file=true"}.serve(t)
	s.want(t, http.StatusOK, "Content-Disposition", `inline; filename="aSet-Cookie_ x=_y_.tif"`)
}

// TestMalformedURLsAreTheCallersFault sends 10,000 broken paths: no panic, no 5xx, nothing behind us is asked.
func TestMalformedURLsAreTheCallersFault(t *testing.T) {
	t.Parallel()
	images := &fakeImages{}
	h, err := New(Config{Collection: "c"}, images, nil)
	if err != nil {
		t.Fatal(err)
	}
	pieces := []string{
		"/", "//", "%", "%00", "%2F", "%2e%2e", "..", ",", "^", "!", "-1", "+", "pct:", "full", "max", "0", "1e9", "NaN", "99999999999999999999", ".", "jpg",
		"default", "info.json", ";p=", "\xff", "é", " ", "%zz", "default.svg", "#",
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		path := "/iiif/" + []string{"2", "3"}[random.IntN(2)] + "/"
		// The leading piece is none that an identifier may hold, so that no path here is right.
		path += []string{"%00", "%5C", "%2e%2e", "%ff", "%zz"}[random.IntN(5)] + "/"
		for range random.IntN(12) {
			path += pieces[random.IntN(len(pieces))]
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.Path, r.URL.RawPath = "", path
		r.URL.RawQuery = pieces[random.IntN(len(pieces))] + "=" + pieces[random.IntN(len(pieces))]
		req, ours, err := ParsePath("/iiif", path, r.URL.RawQuery)
		if err == nil {
			t.Fatalf("%q was read as %+v (ours: %t)", path, req, ours)
		}
		if e := problem.From(err); e.Status < 400 || e.Status > 499 {
			t.Fatalf("%q: %v", path, err)
		}
		r.URL.Path, r.URL.RawPath = strings.ReplaceAll(path, "%", "%25"), ""
		w := httptest.NewRecorder()
		if err := h.ServeHTTP(w, r); err != nil && problem.From(err).Status > 499 {
			t.Fatalf("%q: %v", path, err)
		}
	}
	if got := images.called(); strings.Contains(got, "render") {
		t.Errorf("malformed requests caused %d calls", len(strings.Fields(got)))
	}
}
