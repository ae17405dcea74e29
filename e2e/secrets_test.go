package e2e_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// vault remembers every secret of a test run, by what it is.
type vault map[string]string

// keep remembers a secret and gives it back. Of a token it remembers the signature, which no part of a log may hold.
func (v vault) keep(what, secret string) string {
	part := secret
	if segments := strings.Split(secret, "."); len(segments) == 3 {
		part = segments[2]
	}
	v[fmt.Sprintf("%s (%d)", what, len(v))] = part
	return secret
}

// search complains of every secret in text.
func (v vault) search(t *testing.T, where, text string) {
	t.Helper()
	for what, secret := range v {
		if at := strings.Index(text, secret); at >= 0 {
			line := text[strings.LastIndexByte(text[:at], '\n')+1:]
			line, _, _ = strings.Cut(line, "\n")
			t.Errorf("%s holds the %s: %.900s", where, what, line)
		}
	}
}

// login makes a new login link's token.
func (v vault) login(what string) string {
	claims := testkit.MailClaims(citizen)
	claims["jti"] = rand.Text()
	return v.keep(what, testkit.MailToken(mailSecret, claims))
}

// The log as the documentation and the example configure it, and everything that Caddy can tell.
const documentedLog = `
	debug
	log {
		format filter {
			request>uri gatehouse_redact
			uri gatehouse_redact
			request>headers>Referer delete
			request>headers>X-Auth-Token delete
			request>headers>X-User-Token delete
			request>headers>X-Api-Token delete
			resp_headers>X-User-Token delete
			resp_headers>Location gatehouse_redact
		}
		exclude gatehouse.audit
	}
	log audit {
		include gatehouse.audit
		output file {$DIR}/audit.log
		format json
	}`

// broken is a house with each kind of secret in its configuration, and with sites that fail and that pass requests on.
func broken(t *testing.T, v vault) (h *house, servers []*testkit.StandIn) {
	t.Helper()
	proxied := testkit.NewStandIn(t, http.NotFoundHandler())
	s3 := testkit.NewStandIn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "<Error><Code>AccessDenied</Code></Error>", http.StatusForbidden)
	}))
	h = newHouse(t, plan{
		metadata: "header Authorization \"Token {$METADATA_SECRET}\"",
		gatehouse: "collection objects {\nprefix /objects\nsource main s3 s3://bucket/ {\nendpoint " + s3.URL() + "\npath_style\n" +
			"access_key {env.S3_ACCESS}\nsecret_key {env.S3_SECRET}\n}\n}\n" +
			"collection guarded {\nprefix /guarded\nrule allow `true`\nsource none folder /nonexistent\n}",
		site: "log\n@rewritten path /rewritten/*\nrewrite @rewritten /iiif/2{uri}\nredir /moved* /iiif/2/y{uri} 302\n" +
			"handle /objects/* {\ngatehouse_auth bearer mail_login\ngatehouse_iiif objects\n}\n" +
			"handle /guarded/* {\ngatehouse_auth bearer mail_login\ngatehouse_authorize guarded\nreverse_proxy " + proxied.Address() + "\n}\n" +
			"handle /dead/* {\ngatehouse_auth bearer mail_login\nreverse_proxy " + testkit.FreeAddress(t) + "\n}\n" +
			"handle /error/* {\nerror \"no luck\" 503\n}\nhandle /files/* {\nroot {$DIR}\nfile_server\n}",
		before: func(h *house) {
			withGlobals(documentedLog)(h)
			replacer := strings.NewReplacer("\"Token {$METADATA_SECRET}\"", "{env.METADATA_SECRET}")
			h.caddyfile = replacer.Replace(h.caddyfile)
			for name, value := range map[string]string{
				"METADATA_SECRET": "metadata-secret-" + rand.Text(), "S3_ACCESS": "AKIA" + rand.Text(), "S3_SECRET": "s3-secret-" + rand.Text(),
			} {
				t.Setenv(name, v.keep(name, value))
			}
		},
	})
	for what, secret := range map[string]string{"mail secret": mailSecret, "edepot's key": "edepot-secret-0001", "wabo's key": "wabo-secret-0001"} {
		v.keep(what, secret)
	}
	h.waitForKeys()
	h.fill()
	return h, []*testkit.StandIn{proxied, s3, h.idp.StandIn, h.metadata.StandIn, h.edepot.StandIn, h.wabo.StandIn}
}

// spellings are queries and path ends that carry a login token, in all the ways that callers get wrong.
func spellings() []string {
	return []string{
		"?auth=@", "?AUTH=@", "?Auth=@", "?%61uth=@", "?a%75th=@", "?%2561uth=@", "?auth%20=@", "?+auth=@", "?x=1&auth=@", "?auth=@&auth=@", "?auth=x&auth=@",
		"?auth=@;x=1", "?x=1;auth=@", "?x=1?auth=@", "??auth=@", "?&&auth=@&", "?auth==@", "?auth=%20@", "?auth=@%zz", "?%zz=@&auth=@", "?x=%zz&auth=@",
		"?auth=Bearer%20@", "?token=@", "?access_token=@", "?next=%2Fiiif%3Fauth%3D@", "?next=/iiif?auth=@", "?@", "?x[auth]=@",
		"&auth=@", "%3Fauth=@", "%3fauth%3d@", "%26auth=@", ";auth=@", "/auth=@", "/@", "?page=@", "?source_file=true&auth=@", "?page=99&auth=@",
	}
}

func TestSecretsStayWhereTheyBelong(t *testing.T) {
	v := vault{}
	h, servers := broken(t, v)
	w := &wire{address: h.address()}
	defer w.close()
	ask := func(target string, lines ...string) {
		t.Helper()
		a, err := w.ask("GET", getHead(target, h.address(), lines...))
		if err != nil {
			t.Fatalf("%q: %v", target, err)
		}
		// The way to info.json keeps the caller's own credential.
		a.header.Del("Location")
		var header strings.Builder
		_ = a.header.Write(&header)
		v.search(t, "the answer to "+target, header.String()+string(a.body))
	}
	image, info := edepotID("1", 0)+imageTail, edepotID("1", 0)+"/info.json"
	for _, base := range []string{
		"/iiif/2/" + image, "/iiif/3/" + info, "/iiif/2/" + edepotID("1", 0), "/iiif/2/" + edepotID("3", 0) + imageTail, "/iiif/2/wabo:SU_1~D_0/info.json",
		"/iiif/2/nonsense", "/iiif/2/%zz", "/iiif/4/x", "/objects/2/a.jpg/info.json", "/guarded/2/a/info.json", "/dead/x", "/error/x", "/files/x", "/status/health",
		"/rewritten/" + edepotID("1", 0), "/moved/x", "/nowhere", "/", "http://" + h.address() + "/iiif/2/x",
	} {
		for _, spelling := range spellings() {
			if strings.HasPrefix(base, "/files/") && !strings.HasPrefix(spelling, "?") {
				// At debug level Caddy's file server tells paths of its own making.
				continue
			}
			ask(base + strings.ReplaceAll(spelling, "@", v.login(base+spelling)))
		}
		if strings.Contains(base, "%zz") {
			// Go's server cuts the connection without reading what follows.
			continue
		}
		bearer := v.keep("bearer token", h.idp.RoleToken("BD/X"))
		ask(base, "Authorization: Bearer "+bearer)
		ask(base, "Authorization: Bearer "+bearer+"x", "Proxy-Authorization: Bearer "+bearer)
		ask(base, "Authorization: bearer  "+bearer, "X-Auth-Token: "+bearer, "X-User-Token: "+bearer, "X-API-Token: "+bearer, "Cookie: session="+bearer)
		ask(base, "Referer: https://site.example.org/page?auth="+v.login("Referer"))
	}
	ask("http://user:"+v.keep("password", rand.Text())+"@"+h.address()+"/iiif/2/x", "Authorization: Basic "+v.keep("password", "dTpwYXNzd29yZDEyMzQ1Njc4OTA"))
	long := v.login("overlong token") + strings.Repeat("a", 9<<10)
	ask("/iiif/2/"+image+"?auth="+long, "Authorization: Bearer "+long)

	// With everything behind us in trouble, the errors are told as well.
	for _, fault := range []testkit.Fault{testkit.Status(http.StatusInternalServerError), testkit.Reset(), testkit.WrongJSON(), testkit.Redirect("http://169.254.169.254/?auth=x")} {
		for _, server := range servers {
			server.Fail(fault)
		}
		h.metadata.Put(dossier(rand.Text(), "PUBLIC", "PUBLIC", "N", "a.jpg"))
		for _, number := range []string{"1", "5"} {
			ask("/iiif/2/"+edepotID(number, 0)+imageTail+"?auth="+v.login("token in trouble"), "Authorization: Bearer "+v.keep("bearer token", h.idp.RoleToken("BD/X")))
		}
		ask("/objects/2/"+rand.Text()+"/info.json?auth="+v.login("token in trouble"), "Range: bytes=0-1")
		ask("/guarded/2/a/info.json?auth=" + v.login("token in trouble"))
	}
	h.searchEverywhere(v)
	for _, server := range servers {
		for _, r := range server.Requests() {
			own := slices.Contains([]string{edepotSecret, waboSecret, os.Getenv("METADATA_SECRET")}, r.Header.Get("Authorization")) ||
				strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
			if own {
				r.Header.Del("Authorization")
			}
			what, _ := json.Marshal(r)
			v.search(t, "a request to "+server.URL(), string(what))
		}
	}
	if servers[0].Count() == 0 || servers[1].Count() == 0 || h.edepot.Count() == 0 {
		t.Error("not every server behind was asked")
	}
	h.calm()
}

// searchEverywhere looks for secrets in all that an operator may read, and in all files that the server wrote.
func (h *house) searchEverywhere(v vault) {
	h.t.Helper()
	t := h.t.(*testing.T)
	logs := h.server.Logs()
	if strings.Count(logs, "http.log.access") < 500 || !strings.Contains(logs, `"level":"debug"`) {
		t.Errorf("the log is too short to tell anything: %d lines", strings.Count(logs, "\n"))
	}
	for line := range strings.Lines(logs) {
		v.search(t, "the log", line)
	}
	for _, path := range []string{
		"/metrics", "/gatehouse/status", "/config/", "/debug/pprof/goroutine?debug=1", "/debug/vars", "/reverse_proxy/upstreams",
		"/gatehouse/explain?collection=bouwdossiers&scope=BD/X&identifier=" + edepotID("1", 0),
	} {
		status, body, err := h.server.Admin(http.MethodGet, path, "", nil)
		if err != nil || status != http.StatusOK {
			t.Errorf("%s is %d %v", path, status, err)
		}
		v.search(t, path, string(body))
	}
	v.search(t, "the status command", h.command("status")+h.command("status", "--json"))
	err := filepath.WalkDir(filepath.Dir(h.server.Dir()), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		v.search(t, path, string(content))
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
