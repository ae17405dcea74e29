package e2e_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// nastiness makes input that must be refused, the same for the same seed.
type nastiness struct{ *rand.Rand }

func newNastiness(seed uint64) nastiness { return nastiness{rand.New(rand.NewPCG(seed, 2026))} } //nolint:gosec // not for secrets

func (n nastiness) one(of ...string) string { return of[n.IntN(len(of))] }

// piece is a short text that some parser may stumble over, fit for a URL's path.
func (n nastiness) piece() string {
	return n.one("..", "%2e%2e", "%252e%252e", "%00", "%0a", "%0d%0aX:%20y", "%5c", "%ff%fe", "%c0%ae", "%u002e", "%", "%2", "%zz", "%2F", "//", "/./", ";",
		";p=", ";p=-1", "%3bp%3d0", "~", "~~", ":", "::", "_", "_-1", "_99999999999999999999", "_0x1", "_1e9", "%F0%9F%97%BA", "%E2%80%AE", "%20", "+", "'",
		"%22", "%3Cscript%3E", "${7*7}", "{{7}}", "%7B%7D", "$(id)", "|id", "*", "?", "=", "&", ",", "-", "NaN", "Inf", "null", "true", "0", "-0", "٣", "é",
		"\u202e", "a"+strings.Repeat("b", n.IntN(40)), "file:", "http://127.0.0.1:1/", "@127.0.0.1", "[::1]", "\x7f")
}

func (n nastiness) pieces(most int) string {
	var b strings.Builder
	for range 1 + n.IntN(most) {
		b.WriteString(n.piece())
	}
	return b.String()
}

// target is a path with a query below the Image API that no caller may be answered with a picture: the identifier is
// none, or one of the parameters, or the number of segments. Everything else in it is as it should be.
func (n nastiness) target() string {
	version := n.one("2", "3")
	good := "edepot:SU_1~D_0"
	query := ""
	if n.IntN(4) == 0 {
		query = "?" + n.one("page", "source_file", "download", "auth2", "x", "") + "=" + strings.NewReplacer("?", "", " ", "").Replace(n.pieces(3))
	}
	switch n.IntN(6) {
	case 0:
		return "/iiif/" + version + "/" + n.badIdentifier() + n.one("", "/info.json", imageTail) + query
	case 1:
		return "/iiif/" + version + "/" + good + n.one("/info.json/", "/a", "/a/b", "/a/b/c/d/e", imageTail+"/x", "//info.json", "/info.jso", "/INFO.JSON", "/"+n.pieces(2)+"/x")
	case 2:
		return "/iiif/" + version + "/" + good + "/" + n.badRegion() + "/max/0/default.jpg"
	case 3:
		return "/iiif/" + version + "/" + good + "/full/" + n.badSize() + "/0/default.jpg"
	case 4:
		return "/iiif/" + version + "/" + good + "/full/max/" + n.badRotation() + "/default.jpg"
	}
	return "/iiif/" + version + "/" + good + "/full/max/0/" + n.badQuality()
}

// badIdentifier lacks what every identifier of a dossier has: a source that is configured, and its colon.
func (n nastiness) badIdentifier() string {
	s := n.one("", "SU_1~D_0", "elsewhere:SU_1~D_0", "edepot%00:SU_1~D_0", "%65depot%20:SU_1~D_0", "file:%2F%2F%2Fetc%2Fpasswd", strings.Repeat("a", 600),
		strings.Repeat("%61", 520), "edepot:SU_1~D_0"+strings.Repeat("x", 600)) + n.pieces(4)
	// What is left of a question mark would be judged alone.
	s = strings.ReplaceAll(s, "?", "%3f")
	if strings.HasPrefix(s, "edepot:") && len(s) < 512 || s == "" {
		return "x" + s
	}
	return s
}

func (n nastiness) badRegion() string {
	return n.one("Full", "0,0,0,1", "0,0,1,0", "0,0,1", "0,0,1,1,1", "-1,0,1,1", "+1,0,1,1", "0.5,0,1,1", "1e1,0,1,1", "0x1,0,1,1", "pct:", "pct:0,0,0,0",
		"pct:-1,0,1,1", "pct:NaN,0,1,1", "pct:1,1,1", "99999999999999999999,0,1,1", "0,0,99999999999999999999,1", "sqare", "%20full", "full%20", ",,,", "pct:,,,",
		"full%00", "..", "%2e%2e%2f", "{", "0,0,1,1;", "٣,0,1,1")
}

func (n nastiness) badSize() string {
	return n.one("Max", "0,", ",0", "0,0", ",", "", "-1,", "1,,", "^", "!", "^^max", "!^1,1", "pct:", "pct:0", "pct:-5", "pct:1e9", "pct:NaN", "99999999999999999999,",
		",99999999999999999999", "1.5,", "0x10,", "1e3,", "%201,", "max%00", "1,1,1", "!1,", "!,1", "pct:10,", "^pct:", "٣,")
}

func (n nastiness) badRotation() string {
	return n.one("", "-1", "361", "360.1", "!", "!!0", "1e1", "NaN", "Inf", "0x1", "+1", "%200", "0%00", "1.2.3", ".", "90deg", "99999999999999999999", "٩٠", "!-90", "0!")
}

func (n nastiness) badQuality() string {
	return n.one("default", "default.", ".jpg", "Default.jpg", "default.JPG", "default.exe", "default.svg", "shiny.jpg", "default.jpg.jpg", "default.jpg%00", "default%2ejpg%2e",
		"default.jp", "bitonal.bmp", "..", "default.%6apg%20", "color.raw", "gray.php", "native.jpg%0a")
}

// token is a bearer or mail token that must be refused: parts of it were real once.
func (n nastiness) token(idp *testkit.IdentityProvider) string {
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	_, kid := idp.Key("ES256")
	header := n.one(
		`{"alg":"none"}`, `{"alg":"None","kid":"`+kid+`"}`, `{"alg":"HS256","kid":"`+kid+`"}`, `{"alg":"HS256"}`, `{"alg":"ES256"}`, `{"alg":"ES256","kid":"`+kid+`"}`,
		`{"alg":"ES256","kid":""}`, `{"alg":"ES256","kid":7}`, `{"alg":["ES256"],"kid":"`+kid+`"}`, `{"alg":"ES256","kid":"../../`+kid+`"}`, `{}`, `[]`, `null`, `7`, ``, `{`,
		`{"alg":"ES256","kid":"`+kid+`","crit":["x"]}`, `{"alg":"ES256","jwk":{"kty":"oct","k":"AAAA"},"kid":"`+kid+`"}`, `{"alg":"ES256","jku":"http://127.0.0.1:1/","kid":"`+kid+`"}`,
		`{"alg":"ES256","kid":"`+kid+`","alg":"none"}`, `{"alg":"RSA-OAEP","enc":"A256GCM"}`, `{"alg":"ES256","kid":"`+strings.Repeat("k", n.IntN(9000))+`"}`, "\xff\xfe", strings.Repeat("[", 500),
	)
	claims := n.one(
		`{}`, `{"exp":9999999999,"scope":"BD/X"}`, `{"exp":"never","scope":"BD/X"}`, `{"exp":1e400}`, `{"exp":-1,"scopes":["BD/X"]}`, `{"exp":null}`, `[]`, `null`, ``, `{`,
		`{"sub":"a@example.org","exp":9999999999,"scopes":["BD/P"]}`, `{"scopes":{"BD/X":1},"exp":9999999999}`, strings.Repeat(`{"a":`, 300), "\x00", `{"exp":9999999999,"exp":1}`,
	)
	signature := n.one("", "AAAA", encode(string(make([]byte, 64))), encode(strings.Repeat("\xff", 64)), encode(strings.Repeat("x", 96)), "!!!!", "====", "A")
	switch n.IntN(8) {
	case 0:
		return n.one("", ".", "..", "...", "a.b.c", "a.b", "null", "undefined", "Bearer", strings.Repeat("a", 9000), strings.Repeat(".", 300), "\xe2\x82\xac")
	case 1:
		return encode(header) + "." + encode(claims)
	case 2:
		return encode(header) + "." + encode(claims) + "." + signature + "." + signature
	case 3:
		// One letter of a real token is another.
		token := []byte(idp.Token("ES256", testkit.Claims{"scope": "BD/X"}))
		at := n.IntN(len(token))
		token[at] = n.one("A", "B", "_", "-", ".", "~", "=", "9")[0]
		return string(token)
	case 4:
		return encode(header) + "=." + encode(claims) + "=." + signature
	case 5:
		return base64.StdEncoding.EncodeToString([]byte(header+">?>")) + "." + encode(claims) + "." + signature
	}
	return encode(header) + "." + encode(claims) + "." + signature
}

// header is a line of a request's head that a server may stumble over. It does not break the head's framing and grants
// nothing.
func (n nastiness) header() string {
	long := strings.Repeat("x", n.IntN(3000))
	name := n.one("Accept", "Accept-Encoding", "Accept-Language", "Range", "If-Range", "If-None-Match", "If-Modified-Since", "If-Match", "X-Forwarded-For",
		"X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "Origin", "Referer", "Cookie",
		"X-Gatehouse-Principal", "X_Gatehouse_Principal", "X-Auth-Token", "Access-Control-Request-Method", "Connection", "Via", "Date", "Pragma", "Cache-Control",
		"User-Agent", "TE", "Upgrade-Insecure-Requests", "Content-Type", "Prefer", "Max-Forwards", "Sec-WebSocket-Key", "X-"+fmt.Sprint(n.IntN(1000)), "X-Y"+strings.Repeat("z", n.IntN(300)))
	value := n.one("", long, "*", "*/*;q=", "application/problem+json;q=NaN", "application/problem+json;q=0;q=1", ";;;,,,", `"`, `W/"`, `"""`, "bytes=0-", "bytes=-0", "bytes=9-1",
		"bytes=0-0,1-1,2-2", "bytes="+strings.Repeat("0-0,", 400), "bytes=99999999999999999999-", "Thu, 99 Foo 0000 99:99:99 GMT", "127.0.0.1", "::1, 10.0.0.1, evil", "evil.example.net",
		"https://evil.example.net", "null", "file:///etc/passwd", "for=\"_x\";proto=x", "\x80\xff\xfe", "é", "${jndi:ldap://127.0.0.1:1/x}", "/iiif/2/other/info.json", "DELETE", "admin",
		"keep-alive, x, , close,", "a=b; a=c; ="+long, "9999999999999999999999", "-1", "0x1")
	return name + ": " + value
}
