package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// site is the server, with collections over the same originals: open, protected, and protected without an audit log.
type site struct {
	server                     *testkit.Server
	open, protected, unaudited *service
}

// variant is how a site differs from others: what stands in its configuration, and what its contenders are called.
type variant struct {
	label, options string
	// rename is that of its services.
	rename func(string) string
}

var (
	// cold makes each picture anew, of the original.
	cold = variant{options: "cache {\nmemory off\n}\npyramids off"}
	// warm has all that is asked for in memory.
	warm = variant{label: ", warm", options: "cache {\nmemory 256MiB\n}\npyramids off"}
	// pyramids makes each picture anew, of the pyramid where there is one.
	pyramids = variant{label: ", pyramids", options: "cache {\nmemory off\n}\npyramids {\nfolder {$DIR}/pyramids 4GiB\nfrom 100000\n}"}
)

// startSite starts the server among the systems that it asks. Everything is as in the README's Caddyfile: tokens of an
// identity provider, rules over metadata, an audit log in a file.
func startSite(t testing.TB, a *album, v variant) *site {
	t.Helper()
	idp := testkit.NewIdentityProvider(t)
	metadata := testkit.NewStandIn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access": "RESTRICTED", "title": "Example Quay 12 - 18"}`))
	}))
	rules := fmt.Sprintf("identifier `(?P<item>[a-z0-9.-]+)`\nmetadata %s/items/{item}\n"+
		"rule deny \"Access to this item is restricted\" `metadata.access != \"PUBLIC\" && !(\"staff\" in principal.scopes)`\n"+
		"rule allow `true`\nsource main folder %s/{item}", metadata.URL(), a.dir)
	server := testkit.StartServer(t, fmt.Sprintf(`
{
	log {
		exclude gatehouse.audit
	}
	log audit {
		include gatehouse.audit
		output file {$DIR}/audit.log
	}
	gatehouse {
		state bolt {$DIR}/state
		spool {$DIR}/spool 256MiB
		issuer city {
			issuer %[1]s
			jwks_uri %[2]s
			audience gatehouse
		}
		collection open {
			prefix /open
			source main folder %[3]s
		}
		collection protected {
			prefix /protected
			%[4]s
		}
		collection unaudited {
			prefix /unaudited
			restricted `+"`false`"+`
			%[4]s
		}
		%[5]s
		images {
			jpeg_quality %[6]d
			webp_quality %[7]d
		}
	}
}
http://{$ADDR} {
	bind 127.0.0.1
	handle /open/* {
		gatehouse_iiif open
	}
	handle /protected/* {
		gatehouse_auth bearer
		gatehouse_authorize protected
		gatehouse_iiif protected
	}
	handle /unaudited/* {
		gatehouse_auth bearer
		gatehouse_authorize unaudited
		gatehouse_iiif unaudited
	}
}
`, idp.Issuer(), idp.JWKSURL(), a.dir, rules, v.options, jpegQuality, webpQuality))
	s := &site{
		server:    server,
		open:      newService(server, "Gatehouse, open"+v.label, "/open/3/"),
		protected: newService(server, "Gatehouse, protected"+v.label, "/protected/3/"),
		unaudited: newService(server, "Gatehouse, protected, no audit"+v.label, "/unaudited/3/"),
	}
	for _, guarded := range []*service{s.protected, s.unaudited} {
		guarded.client.header = "Authorization: Bearer " + idp.RoleToken("staff") + "\r\n"
	}
	for _, served := range []*service{s.open, s.protected, s.unaudited} {
		served.rename = v.rename
	}
	s.protected.await(t, a.pictures[0].descriptions(0)[0])
	return s
}

// service is a server as a contender.
type service struct {
	label   string
	prefix  string
	process process
	client  client
	// fixed answers the same to every request.
	fixed bool
	// rename, when set, gives the path that the service has for one of ours.
	rename func(string) string
}

func newService(server *testkit.Server, label, prefix string) *service {
	return &service{
		label: label, prefix: prefix, process: process{server.Pid()},
		client: client{address: strings.TrimPrefix(server.URL(), "http://")},
	}
}

func (s *service) name() string { return s.label }

func (s *service) path(j job) string {
	if s.fixed {
		return s.prefix
	}
	if s.rename != nil {
		return s.prefix + s.rename(j.path)
	}
	return s.prefix + j.path
}

// await returns once the server has fetched the keys of the identity provider.
func (s *service) await(t testing.TB, j job) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if _, err = s.first(j); err == nil {
			return
		}
	}
	t.Fatal(err)
}

func (s *service) first(j job) ([]byte, error) { return s.client.fetch(s.path(j)) }

func (s *service) run(connections int, jobs []job) (sample, error) {
	paths := make([]string, len(jobs))
	for i, j := range jobs {
		paths[i] = s.path(j)
	}
	before, err := s.process.cpu()
	if err != nil {
		return sample{}, err
	}
	most := s.process.watchMemory()
	took, err := s.client.load(connections, paths)
	peak, memoryErr := most()
	if err = errors.Join(err, memoryErr); err != nil {
		return sample{}, err
	}
	after, err := s.process.cpu()
	if err != nil {
		return sample{}, err
	}
	took.cpuSeconds = (after - before).Seconds()
	took.peakBytes = peak
	return took, nil
}

// settled waits until all pyramids are made that were asked for.
func (s *site) settled() error {
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		out, err := s.server.Command("gatehouse", "status", "--json")
		if err != nil {
			return err
		}
		var status struct {
			Pyramids struct{ Waiting, Failed, Skipped int }
		}
		if err := json.Unmarshal([]byte(out), &status); err != nil {
			return err
		}
		if p := status.Pyramids; p.Failed > 0 || p.Skipped > 0 || time.Now().After(deadline) {
			return fmt.Errorf("pyramids cannot be made: %+v", p)
		} else if p.Waiting == 0 {
			return nil
		}
	}
}

// startFloor starts a Caddy that answers with the same bytes to everything, out of its configuration, where they are
// text, and out of a file: what no handler inside Caddy can be faster than.
func startFloor(t testing.TB, name string, body []byte) (respond, fileServer *service) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
		t.Fatal(err)
	}
	text := "`" + string(body) + "`"
	if !utf8.Valid(body) {
		text = "none"
	}
	server := testkit.StartServer(t, fmt.Sprintf(`
http://{$ADDR} {
	bind 127.0.0.1
	handle /respond {
		header Content-Type application/json
		respond %s
	}
	handle {
		root %s
		file_server
	}
}
`, text, dir))
	respond = newService(server, "Caddy, respond", "/respond")
	fileServer = newService(server, "Caddy, file_server", "/"+name)
	respond.fixed, fileServer.fixed = true, true
	return respond, fileServer
}
