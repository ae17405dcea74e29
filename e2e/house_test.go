// Package e2e_test sees Gatehouse as callers and operators do: the real binary, over HTTP, among stand-ins of the
// systems around it.
package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
	"github.com/gatehouse-server/gatehouse/internal/testkit/s3gateway"
)

var gateway s3gateway.Shared

func TestMain(m *testing.M) {
	code := m.Run()
	gateway.Stop()
	os.Exit(code)
}

const (
	mailSecret   = "mail-login-secret-of-this-test-run-0001"
	edepotSecret = "Token edepot-secret-0001"
	waboSecret   = "Token wabo-secret-0001"
	citizen      = "a.citizen@example.org"
)

// The cache headers of the dossier contract, §8.
const (
	noStore     = "max-age=0, no-cache, no-store, must-revalidate, private"
	keep36Hours = "private, max-age=129600"
	plainText   = "text/plain; charset=utf-8"
	problemJSON = "application/problem+json"
	imageTail   = "/full/max/0/default.jpg"
)

// plan says in what a house differs from the usual one. The texts are lines of its Caddyfile.
type plan struct {
	collection string // in the block of the collection of dossiers
	metadata   string // in its metadata block
	source     string // in both of its source blocks
	issuer     string // in the issuer's block
	gatehouse  string // in the gatehouse block
	global     string // beside it
	site       string // in the site, before the handlers for dossiers
	// before is called when the stand-ins are up and the server is not.
	before func(*house)
}

// house is a server with the preset for building dossiers, among the systems that it talks to.
type house struct {
	t            testing.TB
	idp          *testkit.IdentityProvider
	metadata     *testkit.MetadataServer
	edepot, wabo *testkit.Archive
	caddyfile    string
	server       *testkit.Server
	client       *http.Client
}

// newHouse starts one; it ends with the test. Unless the plan takes the identity provider down, it returns once tokens
// can be verified.
func newHouse(t testing.TB, p plan) *house {
	t.Helper()
	h := &house{
		t:        t,
		idp:      testkit.NewIdentityProvider(t),
		metadata: testkit.NewMetadataServer(t),
		edepot:   testkit.NewArchive(t, edepotSecret),
		wabo:     testkit.NewArchive(t, waboSecret),
		client:   newClient(),
	}
	h.caddyfile = h.write(p)
	if p.before != nil {
		p.before(h)
	}
	h.server = testkit.StartServer(t, h.caddyfile, secretsEnv()...)
	if p.before == nil {
		h.waitForKeys()
	}
	return h
}

func secretsEnv() []string {
	return []string{"MAIL_SECRET=" + mailSecret, "EDEPOT_SECRET=" + edepotSecret, "WABO_SECRET=" + waboSecret}
}

func newClient() *http.Client {
	return &http.Client{
		Timeout:       time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16},
	}
}

func (h *house) write(p plan) string {
	return fmt.Sprintf(`
{
	gatehouse {
		state bolt {$DIR}/state
		spool {$DIR}/spool 256MiB
		issuer city {
			issuer %s
			jwks_uri %s
			audience gatehouse
			%s
		}
		mail_login {
			secret {env.MAIL_SECRET}
		}
		collection bouwdossiers {
			preset bouwdossier
			metadata %s {
				%s
			}
			source edepot http %s/ {
				header Authorization {env.EDEPOT_SECRET}
				%s
			}
			source wabo http %s/ {
				header Authorization {env.WABO_SECRET}
				%s
			}
			%s
		}
		%s
	}
	%s
}
http://{$ADDR} {
	bind 127.0.0.1
	%s
	handle /status/* {
		gatehouse_health
	}
	handle /iiif/status/* {
		gatehouse_health
	}
	handle /iiif/* {
		gatehouse_auth bearer mail_login
		gatehouse_authorize bouwdossiers
		gatehouse_iiif bouwdossiers
	}
	handle {
		respond 404
	}
}
`, h.idp.Issuer(), h.idp.JWKSURL(), p.issuer, h.metadata.URL(), p.metadata, h.edepot.URL(), p.source, h.wabo.URL(), p.source,
		p.collection, p.gatehouse, p.global, p.site)
}

// waitForKeys returns once a bearer token is verified.
func (h *house) waitForKeys() {
	h.t.Helper()
	token := h.idp.RoleToken()
	eventually(h.t, "keys of the identity provider", func() bool {
		return h.get("/iiif/2/x/info.json", "Authorization", "Bearer "+token).status != http.StatusServiceUnavailable
	})
}

// eventually waits for what no event tells from outside.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// roles makes the header of a bearer token with these roles.
func (h *house) roles(roles ...string) []string {
	return []string{"Authorization", "Bearer " + h.idp.RoleToken(roles...)}
}

// mailQuery is the query of a login link.
func mailQuery() string { return "?auth=" + testkit.MailToken(mailSecret, testkit.MailClaims(citizen)) }

// put makes files known to the first archive and to the metadata server, as the only document, D, of a dossier that
// everybody with a credential may see.
func (h *house) put(number string, files map[string][]byte, order ...string) {
	for _, path := range order {
		h.edepot.Put(path, "", files[path])
	}
	h.metadata.Put(dossier(number, "PUBLIC", "PUBLIC", "N", order...))
}

// dossier is one in the district SU with one document, D.
func dossier(number string, access, documentAccess, copyright any, files ...string) testkit.Dossier {
	return testkit.Dossier{
		District: "SU", Number: number, Access: access,
		Documents: []testkit.Document{{Barcode: "D", Access: documentAccess, Copyright: copyright, Title: "Plan", Files: files}},
	}
}

// edepotID is the identifier of a file of such a dossier.
func edepotID(number string, file int) string { return fmt.Sprintf("edepot:SU_%s~D_%d", number, file) }

// behind counts the requests to metadata server and archives.
func (h *house) behind() int { return h.metadata.Count() + h.edepot.Count() + h.wabo.Count() }

// calm checks that the server is well and has not complained of itself.
func (h *house) calm() {
	h.t.Helper()
	if a := h.get("/status/health"); a.status != http.StatusOK || string(a.body) != "Connectivity OK" {
		h.t.Errorf("health is %d %q", a.status, a.body)
	}
	for _, bad := range []string{"panic", "goroutine ", "DATA RACE", "SIGSEGV"} {
		if strings.Contains(h.server.Logs(), bad) {
			h.t.Errorf("the log holds %q", bad)
		}
	}
}
