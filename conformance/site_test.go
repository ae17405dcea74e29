package conformance_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
	"github.com/gatehouse-server/gatehouse/internal/testkit/pictures"
)

// The prefixes of the collections. All of them have the same images.
const (
	openPrefix     = "/iiif"      // every setting at its default
	strictPrefix   = "/strict"    // confined_upscale reject, upscaling named
	legacyPrefix   = "/legacy"    // legacy_fit
	basedPrefix    = "/based"     // base_url
	deepPrefix     = "/a/deep/er" // several segments
	tierPrefix     = "/tier"      // a policy that gives everybody a smaller image
	grayTierPrefix = "/graytier"  // a policy that shows nobody any colours
	flatPrefix     = "/flat"      // upscaling off
	saidPrefix     = "/said"      // fields of info.json
	mappedPrefix   = "/mapped"    // an identifier grammar for the addresses of web pages
	limitedPrefix  = "/limited"   // on another server, whose max_output is small
	areaPrefix     = "/area"      // on a third one, whose max_area is small
)

const (
	baseURL     = "https://images.example.org/some/where"
	tierSide    = 300
	limitWidth  = 250
	limitHeight = 150
	limitArea   = 15000
)

// The images, by identifier.
const (
	cardID    = "card.png"           // 600 by 400, smooth
	exampleID = "example.png"        // 300 by 200, the size of the specification's examples
	tallID    = "tall.png"           // 210 by 600
	equalID   = "equal.png"          // 320 by 320
	grayID    = "gray.png"           // 200 by 150, one band
	largeID   = "large.jpg"          // 2001 by 1403, a JPEG without tiles
	pyramidID = "pyramid.tif"        // 1100 by 701, with tiles of 256 and all levels
	clearID   = "clear.png"          // 120 by 80, transparent in its right half
	squaresID = "67352ccc-squares"   // 1000 by 1000 in 10 by 10 squares of random colours
	pagesID   = "pages.tif"          // three pages
	arkID     = "ark:/12025/654xz32" // a name with slashes
)

// sites are the servers that all checks share.
type sites struct {
	main, limited, area *testkit.Server
	secure              string // the address of the main server over TLS
	client              *http.Client
	secureClient        *http.Client
}

// newSites starts them. images are settings of rendering that must change nothing.
func newSites(t *testing.T, images string) *sites {
	t.Helper()
	root := t.TempDir()
	fill(t, root)
	secure := testkit.FreeAddress(t)
	s := &sites{secure: "https://" + secure, client: newClient()}
	s.secureClient = &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{
			ForceAttemptHTTP2: true,
			//nolint:gosec // The certificate is by the server's own authority, which nobody else knows.
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		},
	}
	s.main = testkit.StartServer(t, mainCaddyfile(root, secure, images))
	s.limited = testkit.StartServer(t, limitedCaddyfile(limitedPrefix, root, fmt.Sprintf("max_output %dx%d\n%s", limitWidth, limitHeight, images)))
	s.area = testkit.StartServer(t, limitedCaddyfile(areaPrefix, root, fmt.Sprintf("max_area %d\n%s", limitArea, images)))
	s.waitForCertificate(t)
	return s
}

// waitForCertificate returns once the server has made the certificate of its TLS site, which it does when it serves
// already.
func (s *sites) waitForCertificate(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		response, err := s.secureClient.Get(s.secure)
		if err == nil {
			_ = response.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// calm checks that no server has complained of itself.
func (s *sites) calm(t *testing.T) {
	t.Helper()
	for _, server := range []*testkit.Server{s.main, s.limited, s.area} {
		for _, bad := range []string{"panic", "goroutine ", "SIGSEGV"} {
			if strings.Contains(server.Logs(), bad) {
				t.Errorf("the log holds %q", bad)
			}
		}
	}
}

// base is the scheme and authority that a path is found at.
func (s *sites) base(path string) string {
	if strings.HasPrefix(path, limitedPrefix+"/") {
		return s.limited.URL()
	}
	if strings.HasPrefix(path, areaPrefix+"/") {
		return s.area.URL()
	}
	return s.main.URL()
}

func mainCaddyfile(root, secure, images string) string {
	var collections, handlers strings.Builder
	for _, c := range []struct{ name, prefix, options string }{
		{"open", openPrefix, ""},
		{"strict", strictPrefix, "confined_upscale reject\nupscaling named"},
		{"legacy", legacyPrefix, "legacy_fit"},
		{"based", basedPrefix, "base_url " + baseURL},
		{"deep", deepPrefix, ""},
		{"flat", flatPrefix, "upscaling off"},
		{"said", saidPrefix, strings.ReplaceAll(saidFields, "'", "`")},
		{"tier", tierPrefix, fmt.Sprintf("rule tier %d `true`", tierSide)},
		{"graytier", grayTierPrefix, "rule tier full quality gray `true`"},
	} {
		fmt.Fprintf(&collections, "collection %s {\nprefix %s\nsource main folder %s\n%s\n}\n", c.name, c.prefix, root, c.options)
		authorize := ""
		if strings.HasPrefix(c.options, "rule ") {
			authorize = "gatehouse_authorize " + c.name + "\n"
		}
		fmt.Fprintf(&handlers, "handle %s/* {\n%sgatehouse_iiif %s\n}\n", c.prefix, authorize, c.name)
	}
	fmt.Fprintf(&collections, "collection mapped {\nprefix %s\nidentifier `^http://example\\.com/\\?(?P<n>[0-9]+)#(?P<l>[a-z])$`\n"+
		"rule allow `true`\nsource main folder %s/mapped/{n}{l}.png\n}\n", mappedPrefix, root)
	fmt.Fprintf(&handlers, "handle %s/* {\ngatehouse_authorize mapped\ngatehouse_iiif mapped\n}\n", mappedPrefix)
	return fmt.Sprintf(`
{
	skip_install_trust
	auto_https disable_redirects
	servers {
		trusted_proxies static 127.0.0.1/32
	}
	gatehouse {
		state bolt {$DIR}/state
		spool {$DIR}/spool 256MiB
		%s
		images {
			%s
		}
	}
}
http://{$ADDR} {
	bind 127.0.0.1
	%s
	handle {
		respond 404
	}
}
https://%s {
	bind 127.0.0.1
	tls internal
	%s
}
`, collections.String(), images, handlers.String(), secure, handlers.String())
}

// saidFields are a publisher's words for info.json, with apostrophes where backquotes are to be.
const saidFields = `info rights http://creativecommons.org/publicdomain/mark/1.0/
info attribution "City Archives"
info logo https://example.org/logo.png
info preferredFormats webp png
info partOf '{"id":"https://example.org/manifest.json","type":"Manifest","label":{"en":["A book"]}}'
info seeAlso '{"id":"https://example.org/record.json","type":"Dataset","label":{"en":["Record"]},"format":"application/json","profile":"https://example.org/profile"}'
info service '{"@context":"https://example.org/context.json","id":"https://example.org/service","@id":"https://example.org/service","type":"Service","profile":"https://example.org/service.html"}'`

func limitedCaddyfile(prefix, root, limit string) string {
	return fmt.Sprintf(`
{
	gatehouse {
		state bolt {$DIR}/state
		spool {$DIR}/spool 256MiB
		collection limited {
			prefix %s
			source main folder %s
		}
		images {
			%s
		}
	}
}
http://{$ADDR} {
	bind 127.0.0.1
	gatehouse_iiif limited
}
`, prefix, root, limit)
}

// fill makes the images.
func fill(t *testing.T, root string) {
	t.Helper()
	write := func(name string, data []byte) {
		t.Helper()
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // Images that the server reads.
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil { //nolint:gosec // Images that the server reads.
			t.Fatal(err)
		}
	}
	write(cardID, encodePNG(t, smooth{600, 400}.image()))
	write(exampleID, encodePNG(t, smooth{300, 200}.image()))
	write(tallID, encodePNG(t, smooth{210, 600}.image()))
	write(equalID, encodePNG(t, smooth{320, 320}.image()))
	write(grayID, encodePNG(t, grayRamp(200, 150)))
	write(clearID, encodePNG(t, halfClear(120, 80)))
	write(squaresID, encodePNG(t, squares()))
	write(largeID, testkit.JPEG(t, 2001, 1403))
	write(pyramidID, testkit.PyramidTIFF(t, 1100, 701))
	write(pagesID, testkit.MultiPageTIFF(t, 240, 160, 3))
	write(arkID, encodePNG(t, pictures.Card(30, 20)))
	write("mapped/54a.png", encodePNG(t, pictures.Card(30, 20)))
	for _, name := range oddNames() {
		write(name, encodePNG(t, pictures.Card(30, 20)))
	}
}

// oddNames are identifiers that need care, as they are named once decoded.
func oddNames() []string {
	return []string{
		"with space.png", "50% & more.png", "what? #1 [a]@b.png", "in/a folder/below.png", "caf\u00e9 \u2014 \u56fe.png", "a+b=c,d;e'f!g*h(i)~.png",
		"urn:foo:a123,456", "urn:sici:1046-8188(199501)13:1%3C69:FTTHBI%3E2.0.TX;2-4", "id1.v2",
	}
}
