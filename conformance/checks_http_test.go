package conformance_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

func levelChecks(v api) []check {
	uri := func(level int) string {
		return fmt.Sprintf("http://iiif.io/api/image/%d/level%d.json", v.version, level)
	}
	checks := []check{
		v.check("6", 1, must, "info.json names the compliance level, and it is one of the three.", func(p *probe) {
			for _, id := range []string{cardID, grayID, largeID, pagesID} {
				if level := p.info(id).level; level != 2 {
					p.Errorf("%s has level %d", id, level)
				}
			}
		}),
		v.check("6", 2, should, "It is the highest level whose requirements are all met.", func(p *probe) {
			for prefix, want := range map[string]int{openPrefix: 2, strictPrefix: 2, tierPrefix: 2, legacyPrefix: map[int]int{2: 1, 3: 2}[p.api.version]} {
				base := strings.TrimSuffix(p.in(prefix, cardID, ""), "/")
				info := p.infoAt(base + "/info.json")
				if info.level != want {
					p.Errorf("%s has level %d, want %d", prefix, info.level, want)
				}
				for feature, level := range levels(p.api) {
					if level <= info.level && !p.works(base, feature, info) {
						p.Errorf("%s: level %d needs %s", prefix, info.level, feature)
					}
				}
			}
		}),
		v.check("6", 3, may, "A Link header names the level's document, on pictures and on info.json.", func(p *probe) {
			for _, rest := range []string{"info.json", "full/60,/0/default.jpg"} {
				if got := p.get(p.address(cardID, rest)).links()["profile"]; got != uri(2) {
					p.Errorf("%s has the profile %q", rest, got)
				}
			}
			if got, want := p.get(p.in(legacyPrefix, cardID, "info.json")).links()["profile"], uri(map[int]int{2: 1, 3: 2}[p.api.version]); got != want {
				p.Errorf("the profile is %q, want %q", got, want)
			}
		}),
	}
	return checks
}

// responseChecks are those of 2.1.1 §7.1 and §7.2, 3.0 §7, §7.2, §7.3 and §7.4.
func responseChecks(v api) []check {
	success, failure := "7.2", "7.3"
	if v.version == 2 {
		success, failure = "7.1", "7.2"
	}
	checks := []check{
		v.check(success, 1, must, "200 has the picture or the document as its body.", func(p *probe) {
			p.sized("full/60,/0/default.jpg", 60, 40)
			a := p.want(http.StatusOK, p.address(cardID, "full/60,/0/default.jpg"))
			if got := a.header.Get("Content-Length"); got != fmt.Sprint(len(a.body)) {
				p.Errorf("the length is %q, %d bytes came", got, len(a.body))
			}
			p.document(p.want(http.StatusOK, p.address(cardID, "info.json")))
		}),
		v.check(success, 2, must, "A redirect has a Location that answers the request.", func(p *probe) {
			base := strings.TrimSuffix(p.address(cardID, ""), "/")
			a := p.want(http.StatusSeeOther, base+"?auth=x")
			if got, want := a.header.Get("Location"), p.sites.base("")+base+"/info.json?auth=x"; got != want {
				p.Errorf("Location is %q, want %q", got, want)
			}
		}),
		v.check(success, 3, should, "A redirect's body is empty.", func(p *probe) {
			if a := p.want(http.StatusSeeOther, strings.TrimSuffix(p.address(cardID, ""), "/")); len(a.body) > 0 {
				p.Errorf("it has %d bytes", len(a.body))
			}
		}),
		v.check(success, 4, must, "304 is answered as HTTP has it: to a tag or a date that still counts, without a body.", func(p *probe) {
			for _, rest := range []string{"info.json", "full/60,/0/default.jpg"} {
				first := p.want(http.StatusOK, p.address(cardID, rest))
				tag, date := first.header.Get("ETag"), first.header.Get("Last-Modified")
				for _, headers := range [][]string{{"If-None-Match", tag}, {"If-None-Match", `"x", ` + tag}, {"If-Modified-Since", date}} {
					if a := p.want(http.StatusNotModified, p.address(cardID, rest), headers...); len(a.body) > 0 || a.header.Get("ETag") != tag {
						p.Errorf("%s: %d bytes with the tag %q", rest, len(a.body), a.header.Get("ETag"))
					}
				}
				p.want(http.StatusOK, p.address(cardID, rest), "If-None-Match", `"x"`)
				p.want(http.StatusOK, p.address(cardID, rest), "If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT")
			}
		}),
		v.check(failure, 1, must, "An identifier that nobody knows is 404.", func(p *probe) {
			for _, rest := range []string{"info.json", "full/60,/0/default.jpg"} {
				p.want(http.StatusNotFound, p.address("nobody-knows-this", rest))
			}
		}),
		v.check(failure, 2, should, "Errors of syntax are 400.", func(p *probe) {
			p.refused(http.StatusBadRequest, "a/max/0/default.jpg", "full/a/0/default.jpg", "full/60,/a/default.jpg", "full/60,/0/a.jpg", "full/60,/0/default.a")
		}),
		v.check(failure, 3, should, "An error says in plain words what is wrong.", func(p *probe) {
			for path, word := range map[string]string{
				p.address(cardID, "a,b,c/max/0/default.jpg"): "region", p.address(cardID, "full/a/0/default.jpg"): "size", p.address(cardID, "full/60,/a/default.jpg"): "rotation",
				p.address(cardID, "full/60,/0/abc.jpg"): "quality", p.address(cardID, "full/60,/0/default.abc"): "format", p.address("nobody", "info.json"): " ",
			} {
				a := p.get(path)
				if kind := a.header.Get("Content-Type"); !strings.HasPrefix(kind, "text/plain") || !strings.Contains(string(a.body), word) {
					p.Errorf("%s is answered %d %q %.100q", path, a.status, kind, a.body)
				}
			}
		}),
		v.check(failure, 4, ours, "An error is kept by nobody, and pages of other origins may read it.", func(p *probe) {
			for _, path := range []string{p.address("nobody", "info.json"), p.address(cardID, "full/a/0/default.jpg")} {
				a := p.get(path)
				if !strings.Contains(a.header.Get("Cache-Control"), "no-store") || a.header.Get("Access-Control-Allow-Origin") != "*" {
					p.Errorf("%s has %q and %q", path, a.header.Get("Cache-Control"), a.header.Get("Access-Control-Allow-Origin"))
				}
			}
		}),
	}
	if v.version == 2 {
		return checks
	}
	return append(checks,
		v.check("7", 1, must, "GET is answered.", func(p *probe) {
			p.want(http.StatusOK, p.address(cardID, "info.json"))
			p.want(http.StatusOK, p.address(cardID, "full/60,/0/default.jpg"))
		}),
		v.check("7", 2, should, "OPTIONS is answered.", func(p *probe) { p.preflights() }),
		v.check("7", 3, should, "HEAD is answered as GET is, without a body.", func(p *probe) { p.heads() }),
		v.check("7", 4, ours, "Other methods are 405, with Allow.", func(p *probe) { p.otherMethods() }),
		v.check("7.4", 1, should, "HTTP/2 is spoken.", func(p *probe) {
			p.overHTTP2()
		}),
	)
}

// corsChecks are 3.0 §7.1; in version 2.1.1 the feature cors and §5.1.
func corsChecks(v api) []check {
	section := "7.1"
	checks := []check{
		v.check(section, 11, should, "Pictures, information, redirects and errors carry Access-Control-Allow-Origin.", func(p *probe) {
			for _, path := range []string{
				p.address(cardID, "info.json"), p.address(cardID, "full/60,/0/default.jpg"), strings.TrimSuffix(p.address(cardID, ""), "/"), p.address("nobody", "info.json"),
				p.address(cardID, "full/a/0/default.jpg"),
			} {
				a := p.get(path, "Origin", "https://viewer.example.org")
				if got := a.header.Get("Access-Control-Allow-Origin"); got != "*" || a.header.Get("Access-Control-Allow-Credentials") != "" {
					p.Errorf("%s: it is %q", path, got)
				}
			}
		}),
		v.check(section, 12, should, "A preflight is answered, and allows Authorization.", func(p *probe) { p.preflights() }),
	}
	if v.version == 2 {
		checks = append(checks,
			v.check(section, 13, ours, "HEAD is answered as GET is, without a body; other methods are 405.", func(p *probe) {
				p.heads()
				p.otherMethods()
			}),
			v.check(section, 14, ours, "HTTP/2 is spoken.", func(p *probe) { p.overHTTP2() }))
	}
	return checks
}

func (p *probe) preflights() {
	p.Helper()
	for _, rest := range []string{"info.json", "full/60,/0/default.jpg"} {
		a := p.do(http.MethodOptions, p.address(cardID, rest), "Origin", "https://viewer.example.org", "Access-Control-Request-Method", "GET",
			"Access-Control-Request-Headers", "authorization")
		if a.status != http.StatusOK && a.status != http.StatusNoContent {
			p.Errorf("%s: the status is %d", rest, a.status)
		}
		for name, want := range map[string]string{"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET", "Access-Control-Allow-Headers": "Authorization"} {
			if got := a.header.Get(name); !strings.Contains(got, want) {
				p.Errorf("%s: %s is %q", rest, name, got)
			}
		}
	}
}

func (p *probe) heads() {
	p.Helper()
	for _, rest := range []string{"info.json", "full/60,/0/default.jpg", "full/a/0/default.jpg"} {
		get, head := p.get(p.address(cardID, rest)), p.do(http.MethodHead, p.address(cardID, rest))
		if head.status != get.status || len(head.body) > 0 {
			p.Errorf("%s: HEAD gives %d, GET %d", rest, head.status, get.status)
		}
		for _, name := range []string{"Content-Type", "Content-Length", "ETag", "Last-Modified", "Link", "Cache-Control", "Access-Control-Allow-Origin"} {
			if got, want := head.header.Get(name), get.header.Get(name); got != want {
				p.Errorf("%s: with HEAD %s is %q, with GET %q", rest, name, got, want)
			}
		}
	}
}

func (p *probe) otherMethods() {
	p.Helper()
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch} {
		a := p.do(method, p.address(cardID, "info.json"))
		if allow := a.header.Get("Allow"); a.status != http.StatusMethodNotAllowed || !slices.Contains(strings.Split(allow, ", "), "GET") {
			p.Errorf("%s is answered %d with Allow %q", method, a.status, allow)
		}
	}
}

func (p *probe) overHTTP2() {
	p.Helper()
	url := p.sites.secure + p.address(cardID, "info.json")
	request, err := http.NewRequestWithContext(p.Context(), http.MethodGet, url, nil)
	if err != nil {
		p.Fatal(err)
	}
	response, err := p.sites.secureClient.Do(request)
	if err != nil {
		p.Fatal(err)
	}
	_ = response.Body.Close()
	if response.ProtoMajor != 2 || response.StatusCode != http.StatusOK {
		p.Errorf("it is %s %d", response.Proto, response.StatusCode)
	}
	a := p.ask(p.sites.secureClient, http.MethodGet, url)
	if id, want := p.document(a)[p.api.idKey()], strings.TrimSuffix(url, "/info.json"); id != want {
		p.Errorf("over TLS the id is %v, want %v", id, want)
	}
}
