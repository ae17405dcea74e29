package docs_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"             //nolint:depguard // What Caddy makes of the pages is what is tested.
	"github.com/caddyserver/caddy/v2/caddyconfig" //nolint:depguard // What Caddy makes of the pages is what is tested.
	// The adapter and the standard directives.
	_ "github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile" //nolint:depguard // What Caddy makes of the pages is what is tested.
	_ "github.com/caddyserver/caddy/v2/modules/standard"          //nolint:depguard // What Caddy makes of the pages is what is tested.

	_ "github.com/gatehouse-server/gatehouse"
	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// Two sorts of snippet are parts of a Caddyfile: those that begin with this comment are the content of a site, and those
// in a block marked caddyfile-fragment are options of a collection.
const (
	inSite       = "# in a site\n"
	inCollection = "caddyfile-fragment"
)

// aroundSite and aroundCollection stand around the parts.
const (
	aroundSite = `{
	gatehouse {
		issuer city {
			issuer https://login.example.org/realms/city
			jwks_uri https://login.example.org/realms/city/protocol/openid-connect/certs
		}
		mail_login {
			secret {file./run/secrets/mail_login}
		}
		collection bouwdossiers {
			preset bouwdossier
			metadata http://metadata.internal:8000
			source edepot http https://edepot.internal/rest/
		}
	}
}

images.example.org {
%s}
`
	aroundCollection = `{
	gatehouse {
		collection mine {
			identifier ` + "`(?P<fonds>[^:]+):(?P<item>.+)`" + `
			metadata http://meta.internal/{fonds}/{item}.json
			source main folder /srv/images/{fonds}/{item}
%s			rule deny "Nobody else" ` + "`true`" + `
		}
	}
}
`
)

// snippet is a block of Caddyfile in a page.
type snippet struct {
	page string
	line int
	// language is what stands behind the fence.
	language string
	text     string
}

// whole is the Caddyfile that a snippet is, or is a part of.
func (s snippet) whole() string {
	switch {
	case s.language == inCollection:
		return fmt.Sprintf(aroundCollection, s.text)
	case strings.HasPrefix(s.text, inSite):
		return fmt.Sprintf(aroundSite, s.text)
	}
	return s.text
}

// isPart tells whether the snippet is indented as a part of a file.
func (s snippet) isPart() bool { return s.whole() != s.text }

var fenced = regexp.MustCompile("(?ms)^```([a-z-]*)\n(.*?)^```$")

// snippets finds all blocks of Caddyfile in the pages.
func snippets(t *testing.T) []snippet {
	t.Helper()
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	var found []snippet
	for _, page := range append(pages, "../README.md") {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range fenced.FindAllSubmatchIndex(content, -1) {
			s := snippet{
				page:     page,
				line:     strings.Count(string(content[:at[0]]), "\n") + 1,
				language: string(content[at[2]:at[3]]),
				text:     string(content[at[4]:at[5]]),
			}
			if strings.HasPrefix(s.language, "caddyfile") {
				found = append(found, s)
			}
		}
	}
	if len(found) < 15 {
		t.Fatalf("only %d snippets found", len(found))
	}
	return found
}

func adapt(t *testing.T, caddyfile string) ([]byte, []caddyconfig.Warning) {
	t.Helper()
	adapted, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(caddyfile), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		t.Fatal(err)
	}
	return adapted, warnings
}

func TestSnippetsAdaptWithoutAWarning(t *testing.T) {
	for _, s := range snippets(t) {
		t.Run(fmt.Sprintf("%s:%d", filepath.Base(s.page), s.line), func(t *testing.T) {
			_, warnings := adapt(t, s.whole())
			for _, w := range warnings {
				if !s.isPart() || !strings.Contains(w.Message, "not formatted") {
					t.Errorf("line %d: %s", w.Line, w.Message)
				}
			}
		})
	}
}

// What the snippets take from the machine is put into a folder: secrets, certificates, pictures, places to write.
func TestSnippetsAreValid(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	for _, s := range snippets(t) {
		t.Run(fmt.Sprintf("%s:%d", filepath.Base(s.page), s.line), func(t *testing.T) {
			adapted, _ := adapt(t, furnished(t, s.whole()))
			var config caddy.Config
			if err := json.Unmarshal(adapted, &config); err != nil {
				t.Fatal(err)
			}
			if err := caddy.Validate(&config); err != nil {
				t.Error(err)
			}
		})
	}
}

var (
	secretFile  = regexp.MustCompile(`/run/secrets/([a-z0-9_.]+)`)
	certificate = regexp.MustCompile(`/etc/ssl/[a-z]+\.pem`)
	picture     = regexp.MustCompile(`/etc/gatehouse/[a-z]+\.png`)
)

// furnished replaces a Caddyfile's paths by those of a folder that has what is read from them.
func furnished(t *testing.T, caddyfile string) string {
	t.Helper()
	dir := t.TempDir()
	for _, match := range secretFile.FindAllStringSubmatch(caddyfile, -1) {
		content := strings.Repeat("s", 64)
		if strings.HasSuffix(match[1], ".json") {
			content = `{"access_key": "a", "secret_key": "s"}`
		}
		write(t, filepath.Join(dir, match[1]), []byte(content))
	}
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	block := pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	write(t, filepath.Join(dir, "ca.pem"), pem.EncodeToMemory(&block))

	write(t, filepath.Join(dir, "mark.png"), testkit.PNG(t, 40, 20))

	caddyfile = picture.ReplaceAllString(caddyfile, dir+"/mark.png")
	caddyfile = secretFile.ReplaceAllString(caddyfile, dir+"/$1")
	caddyfile = certificate.ReplaceAllString(caddyfile, dir+"/ca.pem")
	return strings.ReplaceAll(caddyfile, "/var/", dir+"/var/")
}

func write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// The pages lead to each other, and to sections that are there.
func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#\s]*)(?:#([^)\s]*))?\)`)
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	roots, err := filepath.Glob("../*.md")
	if err != nil {
		t.Fatal(err)
	}
	links := 0
	for _, page := range append(pages, roots...) {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range link.FindAllStringSubmatch(fenced.ReplaceAllString(string(content), ""), -1) {
			target, section := match[1], match[2]
			if strings.Contains(target, "://") {
				continue
			}
			links++
			if target == "" {
				target = filepath.Base(page)
			}
			led, err := os.ReadFile(filepath.Join(filepath.Dir(page), target))
			switch {
			case err != nil:
				t.Errorf("%s: %v", page, err)
			case section != "" && !sections(string(led))[section]:
				t.Errorf("%s: %s has no section %q", page, target, section)
			}
		}
	}
	if links < 30 {
		t.Errorf("only %d links found", links)
	}
}

// sections gives the anchors that headings have on the pages of source forges.
func sections(page string) map[string]bool {
	heading := regexp.MustCompile(`(?m)^#+ (.*)$`)
	other := regexp.MustCompile(`[^a-z0-9 _-]`)
	found := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(page, -1) {
		found[strings.ReplaceAll(other.ReplaceAllString(strings.ToLower(match[1]), ""), " ", "-")] = true
	}
	return found
}
