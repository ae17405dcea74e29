package conformance_test

import (
	"net/http"
	"strings"
)

func addressChecks(v api) []check {
	return []check{
		v.check("2", 1, may, "A prefix may have several segments.", func(p *probe) {
			id, _ := p.document(p.want(http.StatusOK, p.in(deepPrefix, cardID, "info.json")))[p.api.idKey()].(string)
			if want := p.sites.base("") + p.in(deepPrefix, cardID, ""); id+"/" != want {
				p.Errorf("the id is %q, want %q", id+"/", want)
			}
			p.measured(p.in(deepPrefix, cardID, "full/60,/0/default.png"), 60, 40)
		}),
		v.check("2", 2, must, "Special characters in an identifier come percent-encoded, and are understood.", func(p *probe) {
			for _, name := range oddNames() {
				p.sizedOf(encodeID(name), "full/"+p.api.whole+"/0/default.png", 30, 20)
			}
		}),
		v.check("2", 3, should, "The base URI leads to the image information.", func(p *probe) {
			a := p.get(strings.TrimSuffix(p.address(cardID, ""), "/"))
			p.document(p.want(http.StatusOK, strings.TrimPrefix(a.header.Get("Location"), p.sites.base(""))))
		}),
		v.check("2", 4, should, "It does so by 303 and the address of info.json.", func(p *probe) {
			for _, id := range []string{cardID, encodeID("what? #1 [a]@b.png")} {
				base := strings.TrimSuffix(p.address(id, ""), "/")
				a := p.want(http.StatusSeeOther, base)
				if got, want := a.header.Get("Location"), p.sites.base("")+base+"/info.json"; got != want {
					p.Errorf("%s leads to %q, want %q", base, got, want)
				}
			}
		}),
		v.check("2", 5, ours, "Other addresses below the prefix are 404.", func(p *probe) {
			for _, rest := range []string{"", "info.xml", "full", "full/max/0", "full/max/0/default.jpg/x", "info.json/x", "x/info.json", "full/max/0/info.json"} {
				p.want(http.StatusNotFound, p.address(cardID, rest))
			}
		}),
		v.check("2.1", 1, must, "A picture is asked for by identifier, region, size, rotation, quality and format.", func(p *probe) {
			p.sized("full/"+p.api.whole+"/0/default.jpg", 600, 400)
			p.sized("60,40,300,200/150,/90/gray.png", 100, 150)
		}),
		v.check("2.2", 1, must, "The image information is at {identifier}/info.json.", func(p *probe) {
			p.document(p.want(http.StatusOK, p.address(cardID, "info.json")))
		}),
		v.check("2.2", 2, must, "Scheme, server, prefix and identifier are the same for pictures and information.", func(p *probe) {
			for _, id := range []string{cardID, encodeID("caf\u00e9 \u2014 \u56fe.png"), encodeID(arkID)} {
				base := p.info(id).id
				if want := p.sites.base("") + p.address(id, ""); base+"/" != want {
					p.Errorf("the id of %s is %q, want %q", id, base+"/", want)
				}
				p.decoded(strings.TrimPrefix(base, p.sites.base("")) + "/full/" + p.api.whole + "/0/default.png")
			}
		}),
		v.check("2.2", 3, must, "They are those that the client sees, also behind a proxy.", func(p *probe) {
			a := p.want(http.StatusOK, p.address(cardID, "info.json"), "X-Forwarded-Proto", "https", "X-Forwarded-Host", "images.example.org")
			if id, want := p.document(a)[p.api.idKey()], "https://images.example.org"+strings.TrimSuffix(p.address(cardID, ""), "/"); id != want {
				p.Errorf("behind a trusted proxy the id is %v, want %v", id, want)
			}
			a = p.want(http.StatusOK, p.in(limitedPrefix, cardID, "info.json"), "X-Forwarded-Proto", "https", "X-Forwarded-Host", "images.example.org")
			if id, want := p.document(a)[p.api.idKey()], p.sites.limited.URL()+strings.TrimSuffix(p.in(limitedPrefix, cardID, ""), "/"); id != want {
				p.Errorf("a stranger's headers made the id %v, want %v", id, want)
			}
			a = p.want(http.StatusOK, p.in(basedPrefix, cardID, "info.json"))
			if id, want := p.document(a)[p.api.idKey()], baseURL+strings.TrimSuffix(p.in(basedPrefix, cardID, ""), "/"); id != want {
				p.Errorf("with base_url the id is %v, want %v", id, want)
			}
		}),
	}
}

func identifierChecks(v api) []check {
	return []check{
		v.check("3", 1, may, "Identifiers may have any form: ARK, URN, address, file name.", func(p *probe) {
			for _, id := range []string{"ark:%2F12025%2F654xz32", "urn:foo:a123,456", "id1.v2"} {
				p.sizedOf(id, "full/"+p.api.whole+"/0/default.png", 30, 20)
			}
			p.measured(p.in(mappedPrefix, "http:%2F%2Fexample.com%2F%3F54%23a", "full/"+p.api.whole+"/0/default.png"), 30, 20)
		}),
		v.check("3", 2, must, "? and # in an identifier are percent-encoded, and then part of it.", func(p *probe) {
			p.sizedOf("what%3F%20%231%20%5Ba%5D%40b.png", "full/"+p.api.whole+"/0/default.png", 30, 20)
			p.want(http.StatusNotFound, p.address("what%3F", "info.json"))
		}),
		v.check("3", 3, must, "A slash in an identifier is percent-encoded; one that is not separates.", func(p *probe) {
			p.sizedOf("in%2Fa%20folder%2Fbelow.png", "full/"+p.api.whole+"/0/default.png", 30, 20)
			p.sizedOf("in%2fa%20folder%2fbelow.png", "full/"+p.api.whole+"/0/default.png", 30, 20)
			p.want(http.StatusNotFound, p.address("in/a%20folder/below.png", "full/"+p.api.whole+"/0/default.png"))
			p.want(http.StatusNotFound, p.address("in/a%20folder/below.png", "info.json"))
		}),
	}
}

// parameterChecks are those on what stands above all parameters, §4.
func parameterChecks(v api) []check {
	checks := []check{
		v.check("4", 1, must, "The parameters stand in this order and in no other.", func(p *probe) {
			p.refused(http.StatusBadRequest, p.api.whole+"/square/0/default.jpg", "square/0/"+p.api.whole+"/default.jpg", "0/square/100,/default.jpg",
				"square/100,/default.jpg/0", "square/default/0/100,.jpg")
		}),
		v.check("4", 2, must, "Pixels are whole numbers that are not negative.", func(p *probe) {
			p.refused(http.StatusBadRequest, "0,0,10.5,10/max/0/default.jpg", "-1,0,10,10/max/0/default.jpg", "0,0,-10,10/max/0/default.jpg", "0,0,1e2,10/max/0/default.jpg",
				"full/10.5,/0/default.jpg", "full/,10.5/0/default.jpg", "full/-10,/0/default.jpg", "full/10,-10/0/default.jpg", "full/!10.5,10/0/default.jpg",
				"full/+10,/0/default.jpg", "full/0x10,/0/default.jpg")
		}),
		v.check("4", 3, must, "Percentages and degrees may have a fraction.", func(p *probe) {
			p.sized("pct:12.5,12.5,62.5,75/"+p.api.whole+"/0/default.png", 375, 300)
			p.sized("full/pct:12.5/0/default.png", 75, 50)
			p.picture(cardID, "full/90,/22.5/default.png")
		}),
	}
	if v.version == 2 {
		return append(checks, v.check("4", 4, should, "Up to ten decimals are understood.", func(p *probe) {
			p.sized("pct:0,0,33.3333333333,33.3333333333/full/0/default.png", 200, 133)
			p.sized("full/pct:33.3333333333/0/default.png", 200, 133)
			p.picture(cardID, "full/90,/0.0000000001/default.png")
		}))
	}
	return append(checks, v.check("4", 4, should, "Pictures may be read by pages of other origins (CORS).", func(p *probe) {
		if got := p.get(p.address(cardID, "full/60,/0/default.jpg"), "Origin", "https://viewer.example.org").header.Get("Access-Control-Allow-Origin"); got != "*" {
			p.Errorf("Access-Control-Allow-Origin is %q", got)
		}
	}))
}

func encodingChecks(v api) []check {
	return []check{
		v.check("9", 1, must, "The slashes between the parameters are not encoded: encoded ones do not separate.", func(p *probe) {
			p.want(http.StatusNotFound, p.address(cardID, "full%2Fmax/0/default.jpg"))
			p.want(http.StatusNotFound, p.address(cardID, "full/max/0%2Fdefault.jpg"))
			p.want(http.StatusNotFound, p.address(cardID+"%2Finfo.json", "info.json"))
		}),
		v.check("9", 2, must, "Each of / ? # [ ] @ % may stand in an identifier, encoded.", func(p *probe) {
			for _, name := range oddNames() {
				if info := p.info(encodeID(name)); info.width != 30 || info.height != 20 {
					p.Errorf("%s is %d by %d", name, info.width, info.height)
				}
			}
		}),
		v.check("9", 3, must, "An identifier is decoded once: %253C means the characters %3C.", func(p *probe) {
			p.sizedOf("urn:sici:1046-8188(199501)13:1%253C69:FTTHBI%253E2.0.TX;2-4", "full/"+p.api.whole+"/0/default.png", 30, 20)
			p.want(http.StatusNotFound, p.address("urn:sici:1046-8188(199501)13:1%3C69:FTTHBI%3E2.0.TX;2-4", "info.json"))
		}),
		v.check("9", 4, should, "Encoding what needs no encoding changes nothing, in the identifier and in the other parameters.", func(p *probe) {
			plain := p.want(http.StatusOK, p.address(cardID, "60,40,300,200/150,/90/gray.png"))
			for _, path := range []string{
				p.address("%63%61rd%2Epng", "60,40,300,200/150,/90/gray.png"),
				p.address(cardID, "60%2C40%2c300%2C200/150%2C/%390/%67ray%2Epng"),
			} {
				if a := p.want(http.StatusOK, path); string(a.body) != string(plain.body) {
					p.Errorf("%s is another picture", path)
				}
			}
			p.sized("pct%3A10%2C10%2C50%2C50/%21100%2C90/%210/default.png", 100, 67)
			p.document(p.want(http.StatusOK, p.address(cardID, "%69nfo.json")))
		}),
		v.check("9", 7, must, "The parameters of the specification's table are understood.", func(p *probe) {
			p.sizedOf(exampleID, "0,10,100,200/pct:50/90/default.png", 95, 50)
			p.picture(exampleID, "pct:10,10,80,80/50,/22.5/color.jpg")
			p.sizedOf(exampleID, "full/"+p.api.whole+"/270/gray.jpg", 200, 300)
		}),
		v.check("9", 5, ours, "The id holds the identifier as it was sent.", func(p *probe) {
			for _, id := range []string{"%63ard.png", "in%2fa%20folder%2Fbelow.png", encodeID("50% & more.png")} {
				if got, want := p.info(id).id, p.sites.base("")+strings.TrimSuffix(p.address(id, ""), "/"); got != want {
					p.Errorf("the id is %q, want %q", got, want)
				}
			}
		}),
		v.check("9", 6, ours, "What is not well encoded is 400.", func(p *probe) {
			for _, path := range []string{p.address("a%00b", "info.json"), p.address("a%ff%feb", "info.json"), p.address("a%5Cb", "info.json"), p.address("a%0Ab", "info.json")} {
				p.want(http.StatusBadRequest, path)
			}
		}),
	}
}

func securityChecks(v api) []check {
	checks := []check{
		v.check("10", 1, should, "No address leads out of the folder of images.", func(p *probe) {
			for _, id := range []string{"..%2F..%2Fetc%2Fpasswd", "in%2F..%2F..%2Fcard.png", "%2E%2E%2Fcard.png"} {
				// Caddy may find before us that the address leads elsewhere.
				if a := p.get(p.address(id, "info.json")); a.status != http.StatusBadRequest && a.status != http.StatusNotFound {
					p.Errorf("%s is answered %d", a.path, a.status)
				}
			}
		}),
		v.check("10", 2, should, "Addresses are checked early: lengths, characters, ranges.", func(p *probe) {
			p.want(http.StatusBadRequest, p.address(strings.Repeat("a", 600), "info.json"))
			p.refused(http.StatusBadRequest, "full/99999999999999999999,/0/default.jpg", "0,0,4294967297,1/max/0/default.jpg",
				"full/pct:"+strings.Repeat("9", 100)+"/0/default.jpg", "full/max/"+strings.Repeat("0", 100)+"/default.jpg")
		}),
	}
	if v.version == 2 {
		checks = append(checks, v.check("10", 3, should, "Where sizeAboveFull is offered, a limit on sizes is stated.", func(p *probe) {
			if info := p.info(cardID); !info.has("sizeAboveFull") || info.maxWidth == 0 {
				p.Errorf("the features are %v, maxWidth is %d", info.features, info.maxWidth)
			}
		}), v.check("11.A", 1, should, "A Content-Disposition names a file by identifier and parameters.", func(p *probe) {
			names := map[string]bool{}
			for _, params := range []string{"full/60,/0/default.jpg", "full/60,/90/default.jpg", "full/60,/0/gray.jpg", "full/60,/0/default.png", "square/60,/0/default.jpg"} {
				name := p.get(p.address(cardID, params)).header.Get("Content-Disposition")
				if !strings.Contains(name, "filename") || !strings.Contains(name, "card") || names[name] {
					p.Errorf("%s has the Content-Disposition %q", params, name)
				}
				names[name] = true
			}
		}))
	}
	return checks
}
