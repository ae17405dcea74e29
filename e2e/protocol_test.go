package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// Version 2's w,h distorts by the standard; legacy_fit fits within the box and never enlarges (dossier contract §7).
func TestLegacyFit(t *testing.T) {
	for name, test := range map[string]struct {
		collection string
		sizes      map[string][2]int
	}{
		"standard": {"", map[string][2]int{"50,50": {50, 50}, "400,400": {400, 400}, "200,100": {200, 100}, "30,10": {30, 10}}},
		"legacy":   {"legacy_fit", map[string][2]int{"50,50": {50, 25}, "400,400": {200, 100}, "200,100": {200, 100}, "30,10": {20, 10}, "10,": {10, 5}, ",10": {20, 10}}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, plan{collection: test.collection})
			h.put("1", map[string][]byte{"q.jpg": quadrants(t, 200, 100)}, "q.jpg")
			for size, want := range test.sizes {
				h.get("/iiif/2/"+edepotID("1", 0)+"/full/"+size+"/0/default.jpg", h.roles("BD/R")...).picture(t, "jpeg", want[0], want[1])
			}
			h.get("/iiif/3/"+edepotID("1", 0)+"/full/50,50/0/default.jpg", h.roles("BD/R")...).picture(t, "jpeg", 50, 50)
		})
	}
}

// Only answers that the caller may keep carry validators, and only these become 304. A refused caller is refused,
// whatever it claims to have (dossier contract §8).
func TestConditionalRequests(t *testing.T) {
	h := newHouse(t, plan{metadata: "fresh 0"})
	h.put("1", map[string][]byte{"q.jpg": quadrants(t, 200, 100)}, "q.jpg")
	h.metadata.Put(dossier("2", "PUBLIC", "PUBLIC", "Y", "q.jpg"))
	base := "/iiif/2/" + edepotID("1", 0)
	for _, tail := range []string{"/info.json", imageTail, "?source_file=true"} {
		ask := func(lines ...string) answer { return h.get(base+tail, append(h.roles("BD/R"), lines...)...) }
		first := ask()
		first.is(t, http.StatusOK)
		etag, modified := first.header.Get("ETag"), first.header.Get("Last-Modified")
		if etag == "" || modified == "" || strings.HasPrefix(etag, "W/") {
			t.Fatalf("%s: ETag %q, Last-Modified %q", tail, etag, modified)
		}
		for _, lines := range [][]string{
			{"If-None-Match", etag}, {"If-None-Match", `"x", ` + etag}, {"If-None-Match", "W/" + etag}, {"If-None-Match", "*"},
			{"If-Modified-Since", modified}, {"If-None-Match", etag, "If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"},
		} {
			a := ask(lines...)
			a.is(t, http.StatusNotModified)
			a.headers(t, "ETag", etag, "Cache-Control", keep36Hours, "Access-Control-Allow-Origin", "*")
			if len(a.body) > 0 || !a.varies("Authorization") {
				t.Errorf("%s with %q: %d bytes, Vary %q", tail, lines, len(a.body), a.header.Values("Vary"))
			}
		}
		for _, lines := range [][]string{
			{"If-None-Match", `"x"`}, {"If-None-Match", `"x"`, "If-Modified-Since", modified}, {"If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"},
			{"If-Modified-Since", "soon"}, {"If-None-Match", strings.Trim(etag, `"`)},
		} {
			ask(lines...).is(t, http.StatusOK)
		}
		h.get(base+tail, "If-None-Match", etag).text(t, http.StatusUnauthorized, "No token supplied")
		again := h.get(strings.Replace(base, "SU_1~", "SU_2~", 1)+tail, append(h.roles("BD/R"), "If-None-Match", etag, "If-Modified-Since", modified)...)
		again.is(t, http.StatusOK)
		again.headers(t, "ETag", "", "Last-Modified", "", "Cache-Control", noStore)
		h.get(strings.Replace(base, "SU_1~", "SU_2~", 1)+tail+mailSeparator(tail)+mailQuery()[1:], "If-None-Match", etag).
			text(t, http.StatusUnauthorized, "Document has copyright restriction")

		// A withdrawn right is refused at once, also to who kept an answer.
		h.metadata.Put(dossier("1", "RESTRICTED", "PUBLIC", "N", "q.jpg"))
		ask("If-None-Match", etag).text(t, http.StatusUnauthorized, "Document access is restricted")
		h.metadata.Put(dossier("1", "PUBLIC", "PUBLIC", "N", "q.jpg"))
	}
	// Different answers have different tags.
	tags := map[string]string{}
	for _, path := range []string{
		base + "/info.json", base + imageTail, base + "/full/100,/0/default.jpg", base + "/full/100,/0/default.png", base + "/full/100,/0/gray.jpg",
		base + "/full/100,/90/default.jpg", base + "/full/100,/!0/default.jpg", base + "/0,0,100,100/100,/0/default.jpg", base + "?source_file=true",
		strings.Replace(base, "/2/", "/3/", 1) + "/info.json",
	} {
		tag := h.get(path, h.roles("BD/R")...).header.Get("ETag")
		if tags[tag] != "" {
			t.Errorf("%s and %s have the tag %s", path, tags[tag], tag)
		}
		tags[tag] = path
	}
}

func mailSeparator(tail string) string {
	if strings.Contains(tail, "?") {
		return "&"
	}
	return "?"
}

// HEAD has the headers of GET and no body; on refusals too.
func TestHead(t *testing.T) {
	h := newHouse(t, plan{})
	h.put("1", map[string][]byte{"q.jpg": quadrants(t, 200, 100)}, "q.jpg")
	h.metadata.Put(dossier("2", "RESTRICTED", "PUBLIC", "N", "q.jpg"))
	for _, path := range []string{
		"/iiif/2/" + edepotID("1", 0), "/iiif/2/" + edepotID("1", 0) + "/info.json", "/iiif/3/" + edepotID("1", 0) + imageTail,
		"/iiif/2/" + edepotID("1", 0) + "?source_file=true", "/iiif/2/" + edepotID("2", 0) + "/info.json", "/iiif/2/x/info.json", "/iiif/2/a/b/c",
	} {
		get, head := h.get(path, h.roles("BD/R")...), h.do(http.MethodHead, path, h.roles("BD/R")...)
		if head.status != get.status || len(head.body) > 0 {
			t.Errorf("%s: HEAD gives %d with %d bytes, GET %d", path, head.status, len(head.body), get.status)
		}
		for name := range get.header {
			// A server may leave the length out of an answer to HEAD (RFC 9110 §8.6), as Go's does when it is 0.
			if name != "Date" && (name != "Content-Length" || len(get.body) > 0) {
				head.headers(t, name, strings.Join(get.header.Values(name), ", "))
			}
		}
	}
}

// Any page may ask, and may send a token along.
func TestPreflights(t *testing.T) {
	h := newHouse(t, plan{})
	for _, path := range []string{"/iiif/2/" + edepotID("1", 0) + "/info.json", "/iiif/3/" + edepotID("1", 0) + imageTail, "/iiif/2/x/info.json"} {
		for _, credential := range [][]string{nil, {"Authorization", "Bearer garbage"}} {
			a := h.do(http.MethodOptions, path, append(credential, "Origin", "https://data.example.org", "Access-Control-Request-Method", "GET",
				"Access-Control-Request-Headers", "authorization")...)
			if a.status != http.StatusNoContent && a.status != http.StatusOK {
				t.Errorf("%s: status %d", path, a.status)
			}
			a.headers(t, "Access-Control-Allow-Origin", "*", "Access-Control-Allow-Credentials", "", "Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
			if allowed := a.header.Get("Access-Control-Allow-Headers"); !strings.Contains(allowed, "Authorization") {
				t.Errorf("%s: Access-Control-Allow-Headers is %q", path, allowed)
			}
		}
	}
	if n := h.behind(); n > 0 {
		t.Errorf("%d requests to servers behind", n)
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	h := newHouse(t, plan{})
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodTrace, "PROPFIND", "QUERY"} {
		for _, path := range []string{"/iiif/2/" + edepotID("1", 0) + "/info.json", "/iiif/3/" + edepotID("1", 0) + imageTail} {
			a := h.do(method, path, h.roles("BD/X")...)
			a.is(t, http.StatusMethodNotAllowed)
			a.headers(t, "Allow", "GET, HEAD, OPTIONS", "Access-Control-Allow-Origin", "*", "Cache-Control", noStore)
		}
	}
	if n := h.behind(); n > 0 {
		t.Errorf("%d requests to servers behind", n)
	}
}

// info.json speaks the media type that was asked for, and names its address as the caller saw it.
func TestInfoNegotiation(t *testing.T) {
	h := newHouse(t, plan{})
	h.put("1", map[string][]byte{"q.jpg": quadrants(t, 200, 100)}, "q.jpg")
	const linked3 = `application/ld+json;profile="http://iiif.io/api/image/3/context.json"`
	for _, test := range []struct{ version, accept, want string }{
		{"2", "", "application/json"}, {"2", "*/*", "application/json"}, {"2", "application/ld+json", "application/ld+json"},
		{"2", "application/ld+json;q=0.5, application/json", "application/json"},
		{"3", "", linked3}, {"3", "application/ld+json", linked3}, {"3", linked3, linked3}, {"3", "application/json", "application/json"},
		{"3", "text/html", "application/json"},
	} {
		lines := h.roles("BD/R")
		if test.accept != "" {
			lines = append(lines, "Accept", test.accept)
		}
		a := h.get("/iiif/"+test.version+"/"+edepotID("1", 0)+"/info.json", lines...)
		a.headers(t, "Content-Type", test.want)
		if !a.varies("Accept") {
			t.Errorf("Vary is %q", a.header.Values("Vary"))
		}
	}
	// Who is no trusted proxy cannot make info.json lead elsewhere.
	a := h.get("/iiif/2/"+edepotID("1", 0)+"/info.json", append(h.roles("BD/R"), "X-Forwarded-Host", "evil.example.net", "X-Forwarded-Proto", "https")...)
	if got := a.info(t).ID; got != h.server.URL()+"/iiif/2/"+edepotID("1", 0) {
		t.Errorf("the id is %q", got)
	}
}

// A proxy that is configured as trusted says what the caller saw; and a configured address goes before all.
func TestAddressesInInfo(t *testing.T) {
	forwarded := []string{"X-Forwarded-Host", "images.example.org", "X-Forwarded-Proto", "https"}
	for name, test := range map[string]struct {
		plan plan
		want string
	}{
		"trusted proxy":    {plan{global: "servers {\ntrusted_proxies static 127.0.0.1/32\n}"}, "https://images.example.org"},
		"base_url":         {plan{collection: "base_url https://iiif.example.org"}, "https://iiif.example.org"},
		"no trusted proxy": {plan{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, test.plan)
			h.put("1", map[string][]byte{"q.jpg": quadrants(t, 200, 100)}, "q.jpg")
			want := test.want
			if want == "" {
				want = h.server.URL()
			}
			want += "/iiif/3/" + edepotID("1", 0)
			credential := h.roles("BD/R")
			if got := h.get("/iiif/3/"+edepotID("1", 0)+"/info.json", append(credential, forwarded...)...).info(t).ID3; got != want {
				t.Errorf("the id is %q, want %q", got, want)
			}
			h.get("/iiif/3/"+edepotID("1", 0), append(credential, forwarded...)...).headers(t, "Location", want+"/info.json")
			h.get("/iiif/3/"+edepotID("1", 0)+"/full/100,/0/default.jpg", append(credential, forwarded...)...).
				headers(t, "Link", "<"+want+`/full/100,50/0/default.jpg>;rel="canonical", <http://iiif.io/api/image/3/level2.json>;rel="profile"`)
		})
	}
}

// Version 3's !w,h never enlarges; whether a larger box is refused is a setting.
func TestConfinedUpscale(t *testing.T) {
	for setting, status := range map[string]int{"": 200, "confined_upscale fit": 200, "confined_upscale reject": 400} {
		h := newHouse(t, plan{collection: setting})
		h.put("1", map[string][]byte{"q.jpg": quadrants(t, 200, 100)}, "q.jpg")
		a := h.get("/iiif/3/"+edepotID("1", 0)+"/full/!400,400/0/default.jpg", h.roles("BD/R")...)
		if a.is(t, status) && status == http.StatusOK {
			a.picture(t, "jpeg", 200, 100)
		}
		h.get("/iiif/3/"+edepotID("1", 0)+"/full/!50,50/0/default.jpg", h.roles("BD/R")...).picture(t, "jpeg", 50, 25)
	}
}

// What is wrong with the parameters is told in a sentence that names it, with the reason for the caller only.
func TestWrongParameters(t *testing.T) {
	h := newHouse(t, plan{})
	h.put("1", map[string][]byte{"q.jpg": quadrants(t, 200, 100)}, "q.jpg")
	for params, part := range map[string]string{
		"0,0,0,10/max/0/default.jpg": "0,0,0,10", "-1,0,5,5/max/0/default.jpg": "-1,0,5,5", "500,0,5,5/max/0/default.jpg": "500,0,5,5",
		"full/0,/0/default.jpg": "0,", "full/x/0/default.jpg": "x", "full/9999,/0/default.jpg": "9999,", "full/max/361/default.jpg": "361",
		"full/max/-1/default.jpg": "-1", "full/max/0/shiny.jpg": "shiny", "full/max/0/default.bmp": "bmp", "full/pct:0/0/default.jpg": "pct:0",
		"full/1e2,/0/default.jpg": "1e2", "full/ 10,/0/default.jpg": "10,", "full/max/nan/default.jpg": "nan", "1,2,3/max/0/default.jpg": "1,2,3",
	} {
		a := h.get("/iiif/2/"+edepotID("1", 0)+"/"+strings.ReplaceAll(params, " ", "%20"), h.roles("BD/R")...)
		if !a.is(t, http.StatusBadRequest) {
			continue
		}
		if !strings.Contains(string(a.body), part) {
			t.Errorf("%s: %q does not name %q", params, a.body, part)
		}
		a.headers(t, "Content-Type", plainText, "Cache-Control", noStore, "Access-Control-Allow-Origin", "*")
	}
	for _, path := range []string{"/a/b", "/full/max/0", "/full/max/0/default.jpg/more", "/info.json/", "//info.json", "/info.xml"} {
		h.get("/iiif/2/"+edepotID("1", 0)+path, h.roles("BD/R")...).is(t, http.StatusNotFound)
	}
	for _, path := range []string{"/iiif/1/" + edepotID("1", 0) + "/info.json", "/iiif/2", "/iiif/2/", "/iiif/", "/iiif/4/x/info.json"} {
		if a := h.get(path, h.roles("BD/R")...); a.status != http.StatusNotFound {
			t.Errorf("%s: %d %q", path, a.status, a.body)
		}
	}
}

// Who guesses cannot tell what there is: a refusal for lack of a credential is the same for every identifier.
func TestAnonymousCallersLearnNothing(t *testing.T) {
	h := newHouse(t, plan{})
	h.put("1", map[string][]byte{"q.jpg": testkit.JPEG(t, 4, 4)}, "q.jpg")
	for _, identifier := range []string{edepotID("1", 0), edepotID("1", 9), edepotID("404", 0), "edepot:SU_1~E_0", "wabo:SU_1~D_0", "elsewhere:SU_1~D_0", "x"} {
		for _, path := range []string{"/iiif/2/" + identifier, "/iiif/3/" + identifier + "/info.json", "/iiif/2/" + identifier + imageTail, "/iiif/2/" + identifier + "?source_file=true"} {
			h.get(path).text(t, http.StatusUnauthorized, "No token supplied")
		}
	}
	if n := h.behind(); n > 0 {
		t.Errorf("%d requests to servers behind", n)
	}
}
