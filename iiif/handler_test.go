package iiif

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/internal/problem"
)

func TestBaseRedirects(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"/iiif/2/a":                      "https://archive.example.org/iiif/2/a/info.json",
		"/iiif/3/a%2Fb":                  "https://archive.example.org/iiif/3/a%2Fb/info.json",
		"/iiif/2/a?auth=x.y.z&q=%C3%A9+": "https://archive.example.org/iiif/2/a/info.json?auth=x.y.z&q=%C3%A9+",
		"/iiif/2/a;p=2":                  "https://archive.example.org/iiif/2/a;p=2/info.json",
		"/iiif/2/a?page=2":               "https://archive.example.org/iiif/2/a;p=2/info.json?page=2",
		"/iiif/2/a?\"<é>":                "https://archive.example.org/iiif/2/a/info.json?%22%3C%C3%A9%3E",
	} {
		s := ask{target: target}.serve(t)
		s.want(t, http.StatusSeeOther, "Location", want, "Access-Control-Allow-Origin", "*")
		if s.Body.Len() > 0 {
			t.Errorf("the redirect has a body: %s", s.Body)
		}
	}
}

func TestRedirectLeadsToInfo(t *testing.T) {
	t.Parallel()
	first := ask{target: "/iiif/3/a?page=2"}.serve(t)
	second := ask{target: strings.TrimPrefix(first.Header().Get("Location"), "https://archive.example.org")}.serve(t)
	second.want(t, http.StatusOK)
	if id := infoOf(t, second)["id"]; id != "https://archive.example.org/iiif/3/a;p=2" {
		t.Errorf("the id is %v", id)
	}
}

func TestInfoAnswer(t *testing.T) {
	t.Parallel()
	s := ask{target: "/iiif/2/a%2Fb/info.json"}.serve(t)
	s.want(t, http.StatusOK,
		"Content-Type", "application/json",
		"Vary", "Accept",
		"Access-Control-Allow-Origin", "*",
		"Access-Control-Allow-Credentials", "",
		"Link", `<http://iiif.io/api/image/2/level2.json>;rel="profile"`,
		"Cache-Control", "public, max-age=3600",
		"Expires", "",
		"Last-Modified", "Wed, 04 Mar 2026 05:06:07 GMT",
		"Content-Length", strconv.Itoa(s.Body.Len()),
		"X-Content-Type-Options", "nosniff",
		"Referrer-Policy", "",
	)
	if id := infoOf(t, s)["@id"]; id != "https://archive.example.org/iiif/2/a%2Fb" {
		t.Errorf("the id is %v", id)
	}
	s = ask{target: "/iiif/3/a/info.json"}.serve(t)
	s.want(t, http.StatusOK, "Content-Type", typeLD3, "Link", `<http://iiif.io/api/image/3/level2.json>;rel="profile"`)
	s = ask{target: "/iiif/2/a/info.json", header: map[string]string{"Accept": "application/ld+json"}}.serve(t)
	s.want(t, http.StatusOK, "Content-Type", "application/ld+json")
}

func TestInfoIDFollowsTheClientsView(t *testing.T) {
	t.Parallel()
	config := Config{Prefix: "/x", BaseURL: func(*http.Request) string { return "https://proxy.example.org/outer/" }}
	for target, want := range map[string]string{
		"/x/3/a%2fb/info.json":     "https://proxy.example.org/outer/x/3/a%2fb",
		"/x/3/a;p=2/info.json":     "https://proxy.example.org/outer/x/3/a;p=2",
		"/x/3/a%3Bp%3D2/info.json": "https://proxy.example.org/outer/x/3/a%3Bp%3D2",
		"/x/3/a/info.json?page=2":  "https://proxy.example.org/outer/x/3/a;p=2",
		"/%78/3/a/info.json":       "https://proxy.example.org/outer/x/3/a",
	} {
		if id := infoOf(t, ask{config: config, target: target}.serve(t))["id"]; id != want {
			t.Errorf("the id of %s is %v, want %s", target, id, want)
		}
	}
}

func TestImageAnswer(t *testing.T) {
	t.Parallel()
	images := &fakeImages{}
	s := ask{images: images, target: "/iiif/3/a;p=2/pct:0,0,50,50/!300,300/!90/gray.png"}.serve(t)
	s.want(t, http.StatusOK,
		"Content-Type", "image/png",
		"Link", `<https://archive.example.org/iiif/3/a;p=2/0,0,3000,2000/300,200/!90/gray.png>;rel="canonical", <http://iiif.io/api/image/3/level2.json>;rel="profile"`,
		"Content-Disposition", `inline; filename="SU99000147_00001_p2_0,0,3000,2000_300x200_!90_gray.png"`,
		"Content-Length", strconv.Itoa(s.Body.Len()),
		"Cache-Control", "public, max-age=3600",
		"Access-Control-Allow-Origin", "*",
		"Vary", "",
	)
	if want := "2 0 {Canvas:(6000,4000) Region:(0,0)-(3000,2000) Size:(300,200) Mirror:true Rotation:90 Quality:gray Format:png Version:v}"; s.Body.String() != want {
		t.Errorf("rendered %s, want %s", s.Body, want)
	}
	if images.called() != "describe render" || images.last != (Target{Identifier: "a", Page: 2}) {
		t.Errorf("the calls were %s, the last for %+v", images.called(), images.last)
	}
	s = ask{target: "/iiif/2/a/full/300,/0/default.jpg?download=1"}.serve(t)
	s.want(t, http.StatusOK,
		"Content-Disposition", `attachment; filename="SU99000147_00001_300x200.jpg"`,
		"Link", `<https://archive.example.org/iiif/2/a/full/300,/0/default.jpg>;rel="canonical", <http://iiif.io/api/image/2/level2.json>;rel="profile"`)
}

// TestLargeAnswersAreSentInPieces, so that who stands in front can see that they go on.
func TestLargeAnswersAreSentInPieces(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("0123456789"), 100_000)
	const target = "/iiif/3/a/full/max/0/default.jpg"
	for _, c := range []struct {
		method string
		limit  int
		sizes  []int
	}{
		{http.MethodGet, 10, []int{256 << 10, 256 << 10, 256 << 10, 1_000_000 - 3*256<<10}},
		{http.MethodGet, 2, []int{256 << 10, 256 << 10}},
		{http.MethodHead, 10, nil},
	} {
		h, err := New(Config{Collection: "c"}, &fakeImages{rendered: content}, nil)
		if err != nil {
			t.Fatal(err)
		}
		w := &chunks{ResponseRecorder: httptest.NewRecorder(), limit: c.limit}
		if err := h.ServeHTTP(w, httptest.NewRequest(c.method, target, nil)); err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, size := range c.sizes {
			total += size
		}
		if !slices.Equal(w.sizes, c.sizes) || !bytes.Equal(w.Body.Bytes(), content[:total]) || w.Header().Get("Content-Length") != "1000000" {
			t.Errorf("%s: pieces of %v, %d bytes of %s", c.method, w.sizes, w.Body.Len(), w.Header().Get("Content-Length"))
		}
	}
	s := ask{images: &fakeImages{rendered: []byte{}}, target: target}.serve(t)
	s.want(t, http.StatusOK, "Content-Length", "0")
}

// TestRenderIsToldWhichVersionTheAnswerSpeaksOf: the entity tag is that of the original that was described; one that was
// replaced since must not be rendered under it.
func TestRenderIsToldWhichVersionTheAnswerSpeaksOf(t *testing.T) {
	t.Parallel()
	images := &fakeImages{version: "1"}
	s := ask{images: images, target: "/iiif/3/a/full/max/0/default.jpg"}.serve(t)
	s.want(t, http.StatusOK)
	if images.plan.Version != "v1" {
		t.Errorf("the plan is for version %q", images.plan.Version)
	}
	images = &fakeImages{version: "1", replaced: true}
	s = ask{images: images, target: "/iiif/3/a/full/max/0/default.jpg"}.serve(t)
	s.want(t, http.StatusServiceUnavailable, "ETag", "", "Last-Modified", "", "Cache-Control", problem.NoStore, "Retry-After", "1")
}

// TestBytesThatShouldHaveBeenEncoded: clients and proxies send some of them raw. The identifier stays what it is, and
// nothing of it breaks out of a header.
func TestBytesThatShouldHaveBeenEncoded(t *testing.T) {
	t.Parallel()
	images := &fakeImages{}
	s := ask{images: images, target: "/iiif/3/sub%2Fa.png/full/^max/0/default.jpg"}.serve(t)
	s.want(t, http.StatusOK)
	if images.last.Identifier != "sub%2Fa.png" {
		t.Errorf("asked for %q", images.last.Identifier)
	}
	for raw, encoded := range map[string]string{
		`a%2F"b`: "a%2F%22b", "a%2Fb|c": "a%2Fb%7Cc", "a%2Fb^c": "a%2Fb%5Ec", "a%2F{b}": "a%2F%7Bb%7D", "a%2F`b": "a%2F%60b",
		"a%2F>;rel=x,<b": "a%2F%3E;rel=x,%3Cb", "a%2F#b": "a%2F%23b", "a%2F\u00e9": "a%2F%C3%A9", "a^b": "a%5Eb",
	} {
		id := "https://archive.example.org/iiif/3/" + encoded
		s := ask{target: "/iiif/3/" + raw + "/info.json"}.serve(t)
		s.want(t, http.StatusOK)
		if got := infoOf(t, s)["id"]; got != id {
			t.Errorf("%s: the id is %v", raw, got)
		}
		ask{target: "/iiif/3/" + raw}.serve(t).want(t, http.StatusSeeOther, "Location", id+"/info.json")
		ask{target: "/iiif/3/" + raw + "/full/max/0/default.jpg"}.serve(t).want(t, http.StatusOK,
			"Link", "<"+id+`/full/max/0/default.jpg>;rel="canonical", <http://iiif.io/api/image/3/level2.json>;rel="profile"`)
	}
}

func TestErrorsCarryCORSAndAreNotKept(t *testing.T) {
	t.Parallel()
	for target, status := range map[string]int{
		"/iiif/2/missing/info.json":                   404,
		"/iiif/2/missing/full/full/0/default.jpg":     404,
		"/iiif/2/missing?source_file=true":            404,
		"/iiif/2/a/b/c":                               404,
		"/iiif/3/a/full/full/0/default.jpg":           400,
		"/iiif/3/a/full/9000,/0/default.jpg":          400,
		"/iiif/3/a/full/max/0/default.gif":            400,
		"/iiif/3/broken/info.json":                    500,
		"/iiif/3/unrenderable/full/max/0/default.jpg": 503,
		"/elsewhere": 404,
	} {
		s := ask{config: Config{Protected: false}, target: target}.serve(t)
		s.want(t, status, "Access-Control-Allow-Origin", "*", "Cache-Control", problem.NoStore, "ETag", "", "Link", "", "Content-Disposition", "")
		if s.Body.Len() == 0 || !strings.HasPrefix(s.Header().Get("Content-Type"), "text/plain") {
			t.Errorf("%s has no text: %s %s", target, s.Header().Get("Content-Type"), s.Body)
		}
	}
}

func TestRefusedParametersReachNothingBehind(t *testing.T) {
	t.Parallel()
	images := &fakeImages{}
	for _, target := range []string{"/iiif/3/a/full/nope/0/default.jpg", "/iiif/3/a/full/max/0/default.gif", "/iiif/3/a/b", "/iiif/3/..%2Fx/info.json"} {
		ask{images: images, target: target}.serve(t)
	}
	if images.called() != "" {
		t.Errorf("refused requests caused %s", images.called())
	}
}

func TestRendererThatHasNotStartedIsNoMistakeOfTheCaller(t *testing.T) {
	t.Parallel()
	images := &fakeImages{notStarted: true}
	for _, target := range []string{"/iiif/2/a/info.json", "/iiif/3/a/full/max/0/default.jpg"} {
		ask{images: images, target: target}.serve(t).want(t, http.StatusServiceUnavailable, "Retry-After", "5")
	}
	if images.called() != "" {
		t.Errorf("it caused %s", images.called())
	}
	ask{images: images, target: "/iiif/2/a?source_file=true"}.serve(t).want(t, http.StatusOK)
}

func TestMethods(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodTrace, "PROPFIND"} {
		s := ask{method: method, target: "/iiif/2/a/info.json"}.serve(t)
		s.want(t, http.StatusMethodNotAllowed, "Allow", "GET, HEAD, OPTIONS", "Access-Control-Allow-Origin", "*")
	}
	for _, target := range []string{"/iiif/2/a/info.json", "/iiif/2/a/full/300,/0/default.jpg", "/iiif/2/a?source_file=true"} {
		get, head := ask{target: target}.serve(t), ask{method: http.MethodHead, target: target}.serve(t)
		head.want(t, http.StatusOK, "Content-Length", strconv.Itoa(get.Body.Len()), "ETag", get.Header().Get("ETag"), "Content-Type", get.Header().Get("Content-Type"))
		if head.Body.Len() > 0 {
			t.Errorf("HEAD %s has a body", target)
		}
	}
}

func TestPreflightNeedsNoDecision(t *testing.T) {
	t.Parallel()
	images := &fakeImages{}
	for _, target := range []string{"/iiif/2/a/info.json", "/iiif/3/a/full/max/0/default.jpg", "/iiif/3/a/full/nonsense/0/default.jpg"} {
		s := ask{config: Config{Protected: true}, images: images, method: http.MethodOptions, target: target}.serve(t)
		s.want(t, http.StatusNoContent,
			"Access-Control-Allow-Origin", "*",
			"Access-Control-Allow-Methods", "GET, HEAD, OPTIONS",
			"Access-Control-Allow-Headers", "Authorization, Accept, Range, If-Range, If-None-Match, If-Modified-Since",
			"Access-Control-Max-Age", "86400",
			"Allow", "GET, HEAD, OPTIONS")
	}
	if images.called() != "" {
		t.Errorf("a preflight caused %s", images.called())
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	h, err := New(Config{Collection: "c"}, &fakeImages{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]bool{
		"/iiif/2/a": true, "/iiif/3/a/b/c": true, "/iiif/2/": true, "/%69iif/3/a": true, "/iiif/1/a": false, "/iiif/zip/": false, "/": false,
	} {
		if got := h.Match(httptest.NewRequest(http.MethodGet, target, nil)); got != want {
			t.Errorf("Match(%s) = %t", target, got)
		}
	}
}

func TestCachingFollowsTheDecision(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"/iiif/2/a/info.json", "/iiif/2/a/full/300,/0/default.jpg", "/iiif/2/a?source_file=true", "/iiif/2/a"} {
		for _, c := range []struct {
			cacheFor       time.Duration
			shared         bool
			control        string
			expires        string
			withValidators bool
		}{
			{36 * time.Hour, false, "private, max-age=129600", "", true},
			{36 * time.Hour, true, "public, max-age=129600", "", true},
			{1500 * time.Millisecond, false, "private, max-age=1", "", true},
			{999 * time.Millisecond, true, problem.NoStore, problem.Past, false},
			{0, true, problem.NoStore, problem.Past, false},
			{-time.Hour, false, problem.NoStore, problem.Past, false},
		} {
			s := ask{config: Config{Protected: true}, target: target, decision: decided(func(d *authz.Decision) { d.CacheFor, d.Shared = c.cacheFor, c.shared })}.serve(t)
			vary := "Authorization"
			if strings.HasSuffix(target, "info.json") {
				vary = "Authorization | Accept"
			}
			s.want(t, s.Code, "Cache-Control", c.control, "Expires", c.expires, "Vary", vary)
			if has := s.Header().Get("ETag") != "" && s.Header().Get("Last-Modified") != ""; has != c.withValidators && s.Code == http.StatusOK {
				t.Errorf("%s for %v: validators sent: %t", target, c.cacheFor, has)
			}
		}
	}
}

func TestPublicMaxAge(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]string{time.Minute: "public, max-age=60", -1: problem.NoStore} {
		ask{config: Config{PublicMaxAge: age}, target: "/iiif/2/a/info.json"}.serve(t).want(t, http.StatusOK, "Cache-Control", want)
	}
}

func TestVaryIsAddedToWhatIsThere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		before, want string
	}{
		{"", "Accept"}, {"Origin", "Origin | Accept"}, {"origin, ACCEPT", "origin, ACCEPT"}, {"*", "*"},
	} {
		h := http.Header{}
		if c.before != "" {
			h.Set("Vary", c.before)
		}
		addVary(h, "Accept")
		addVary(h, "accept")
		if got := strings.Join(h.Values("Vary"), " | "); got != c.want {
			t.Errorf("Vary %q becomes %q, want %q", c.before, got, c.want)
		}
	}
}

func TestConditionalRequests(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"/iiif/2/a/info.json", "/iiif/2/a/full/300,/0/default.jpg", "/iiif/2/a?source_file=true"} {
		etag := ask{target: target}.serve(t).Header().Get("ETag")
		if !strings.HasPrefix(etag, `"`) {
			t.Fatalf("%s has no strong entity tag but %q", target, etag)
		}
		for _, c := range []struct {
			name, value string
			status      int
		}{
			{"If-None-Match", etag, 304},
			{"If-None-Match", "W/" + etag, 304},
			{"If-None-Match", `"other", ` + etag, 304},
			{"If-None-Match", "*", 304},
			{"If-None-Match", `"other"`, 200},
			{"If-Modified-Since", "Wed, 04 Mar 2026 05:06:07 GMT", 304},
			{"If-Modified-Since", "Thu, 05 Mar 2026 05:06:07 GMT", 304},
			{"If-Modified-Since", "Wed, 04 Mar 2026 05:06:06 GMT", 200},
			{"If-Modified-Since", "yesterday", 200},
		} {
			images := &fakeImages{}
			s := ask{images: images, target: target, header: map[string]string{c.name: c.value}}.serve(t)
			s.want(t, c.status, "ETag", etag, "Cache-Control", "public, max-age=3600", "Access-Control-Allow-Origin", "*")
			if c.status == 304 && (s.Body.Len() > 0 || strings.Contains(images.called(), "render")) {
				t.Errorf("%s %s: %s: rendered or sent a body", target, c.name, c.value)
			}
			s = ask{target: target, header: map[string]string{c.name: c.value}, decision: decided(func(d *authz.Decision) { d.CacheFor = 0 })}.serve(t)
			s.want(t, 200, "ETag", "", "Last-Modified", "")
		}
	}
	s := ask{target: "/iiif/2/a/info.json", header: map[string]string{"If-None-Match": `"other"`, "If-Modified-Since": "Thu, 05 Mar 2026 05:06:07 GMT"}}.serve(t)
	s.want(t, http.StatusOK)
}

// TestEntityTagsTellAnswersApart: what may differ in the bytes differs in the tag, and nothing else.
func TestEntityTagsTellAnswersApart(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	of := func(name string, a ask) string {
		s := a.serve(t)
		s.want(t, http.StatusOK)
		return s.Header().Get("ETag")
	}
	const info, picture = "/iiif/2/a/info.json", "/iiif/2/a/full/300,/0/default.jpg"
	tier := decided(func(d *authz.Decision) { d.Outcome, d.MaxSide = authz.Tier, 800 })
	lower := decided(func(d *authz.Decision) { d.Outcome, d.MaxSide = authz.Tier, 600 })
	for name, a := range map[string]ask{
		"info":           {target: info},
		"info 3":         {target: "/iiif/3/a/info.json"},
		"info ld":        {target: info, header: map[string]string{"Accept": "application/ld+json"}},
		"info page":      {target: info + "?page=2"},
		"info version":   {target: info, images: &fakeImages{version: "2"}},
		"info host":      {target: info, config: Config{BaseURL: func(*http.Request) string { return "https://other.example.org" }}},
		"info tier":      {target: info, decision: tier},
		"info lower":     {target: info, decision: lower},
		"info gray":      {target: info, decision: limited(0, "gray", "")},
		"info bitonal":   {target: info, decision: limited(0, "bitonal", "")},
		"info marked":    {target: info, decision: limited(0, "", "city")},
		"image gray":     {target: picture, decision: limited(0, "gray", "")},
		"image bitonal":  {target: picture, decision: limited(0, "bitonal", "")},
		"image marked":   {target: picture, decision: limited(0, "", "city")},
		"image marked 2": {target: picture, decision: limited(0, "", "state")},
		"info limits":    {target: info, config: Config{MaxWidth: 100}},
		"image":          {target: picture},
		"image page":     {target: "/iiif/2/a;p=2/full/300,/0/default.jpg"},
		"image version":  {target: picture, images: &fakeImages{version: "2"}},
		"image tier":     {target: picture, decision: tier},
		"image lower":    {target: picture, decision: lower},
		"image size":     {target: "/iiif/2/a/full/301,/0/default.jpg"},
		"image region":   {target: "/iiif/2/a/0,0,300,200/300,/0/default.jpg"},
		"image rotation": {target: "/iiif/2/a/full/300,/90/default.jpg"},
		"image mirror":   {target: "/iiif/2/a/full/300,/!0/default.jpg"},
		"image quality":  {target: "/iiif/2/a/full/300,/0/gray.jpg"},
		"image format":   {target: "/iiif/2/a/full/300,/0/default.png"},
		"original":       {target: "/iiif/2/a?source_file=true"},
		"original 2":     {target: "/iiif/2/a?source_file=true", images: &fakeImages{version: "2"}},
	} {
		etag := of(name, a)
		if other, found := seen[etag]; found {
			t.Errorf("%s and %s have the same entity tag", name, other)
		}
		seen[etag] = name
		if again := of(name, a); again != etag {
			t.Errorf("%s has %s, and then %s", name, etag, again)
		}
	}
	one, two := of("by width", ask{target: picture}), of("by percent", ask{target: "/iiif/3/a/pct:0,0,100,100/pct:5/360/default.jpg"})
	if one != two {
		t.Errorf("the same picture has the entity tags %s and %s", one, two)
	}
}

func TestTierIsASmallerImage(t *testing.T) {
	t.Parallel()
	tier := decided(func(d *authz.Decision) { d.Outcome, d.MaxSide = authz.Tier, 900 })
	config := Config{Protected: true}
	images := &fakeImages{}
	s := ask{config: config, images: images, target: "/iiif/3/a/info.json", decision: tier}.serve(t)
	document := infoOf(t, s)
	if document["width"] != 900.0 || document["height"] != 600.0 || images.last.MaxSide != 900 {
		t.Errorf("the image is %v by %v, asked for as %+v", document["width"], document["height"], images.last)
	}
	for target, status := range map[string]int{
		"/iiif/3/a/full/max/0/default.jpg":                200,
		"/iiif/3/a/full/900,600/0/default.jpg":            200,
		"/iiif/3/a/512,512,388,88/388,88/0/default.jpg":   200,
		"/iiif/3/a/full/901,/0/default.jpg":               400,
		"/iiif/3/a/full/^901,/0/default.jpg":              501,
		"/iiif/3/a/full/^max/0/default.jpg":               501,
		"/iiif/2/a/full/900,/0/default.jpg":               200,
		"/iiif/2/a/full/901,/0/default.jpg":               400,
		"/iiif/3/a/900,600,512,512/512,512/0/default.jpg": 400,
		"/iiif/3/a/0,0,6000,4000/1024,/0/default.jpg":     400,
	} {
		ask{config: config, target: target, decision: tier}.serve(t).want(t, status)
	}
}
