package viewers_test

import (
	"embed"
	"image"
	"image/png"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
	"github.com/gatehouse-server/gatehouse/internal/testkit/originals"
)

//go:embed testdata
var pages embed.FS

// packages gives, by the name of a viewer, the folder of its npm package. They are got at most once in a test process.
var packages = sync.OnceValues(func() (map[string]string, error) {
	script := exec.Command("./xcaddy.sh", "viewers")
	script.Dir = ".."
	script.Stderr = os.Stderr
	lines, err := script.Output()
	if err != nil {
		return nil, err
	}
	folders := map[string]string{}
	for line := range strings.Lines(string(lines)) {
		words := strings.Fields(line)
		folders[words[0]], err = filepath.Abs(filepath.Join("..", words[2]))
		if err != nil {
			return nil, err
		}
	}
	return folders, nil
})

// site is a server with images, viewers and pages that show the ones in the others.
type site struct {
	*testkit.Server
	// other is the base URL of another origin, which serves the images alone.
	other string
}

// newSite starts one. The images lie in the collection "pictures", open to everybody, and once more in "vault", for those
// with the scope "staff".
func newSite(t *testing.T, issuer *testkit.IdentityProvider) *site {
	t.Helper()
	testkit.RequireServices(t, "npm", "chromium")
	folders, err := packages()
	if err != nil {
		testkit.Unavailable(t, "npm", "./xcaddy.sh viewers: "+err.Error())
	}
	other := testkit.FreeAddress(t)
	s := &site{other: "http://" + other}
	s.Server = testkit.StartServer(t, caddyfile, "OTHER="+other, "ISSUER="+issuer.Issuer(), "JWKS="+issuer.JWKSURL())
	for _, folder := range []string{"originals", "pages"} {
		if err := os.Mkdir(filepath.Join(s.Dir(), folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s.addPages(t)
	for name, folder := range folders {
		if err := os.Symlink(folder, filepath.Join(s.Dir(), "pages", name)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

const caddyfile = `
{
	gatehouse {
		state bolt {$DIR}/state
		spool {$DIR}/spool 256MiB
		issuer city {
			issuer {$ISSUER}
			jwks_uri {$JWKS}
		}
		collection pictures {
			source main folder {$DIR}/originals
		}
		collection vault {
			prefix /vault
			rule allow ` + "`\"staff\" in principal.scopes`" + `
			source main folder {$DIR}/originals
		}
		images {
			loaders jpeg png tiff webp gif jp2 pdf heif avif jxl
		}
	}
}
(images) {
	bind 127.0.0.1
	handle /iiif/* {
		gatehouse_iiif pictures
	}
	handle /vault/* {
		gatehouse_auth bearer
		gatehouse_authorize vault
		gatehouse_iiif vault
	}
}
http://{$ADDR} {
	import images
	handle {
		root {$DIR}/pages
		file_server
	}
}
http://{$OTHER} {
	import images
}
`

func (s *site) addPages(t *testing.T) {
	t.Helper()
	names, err := fs.Glob(pages, "testdata/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		content, err := pages.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s.addPage(t, filepath.Base(name), content)
	}
}

func (s *site) addPage(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.Dir(), "pages", name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// addOriginals writes originals of these kinds. Those that are shown by a placeholder become what that shows.
func (s *site) addOriginals(t *testing.T, kinds ...originals.Kind) []originals.File {
	t.Helper()
	files := originals.Write(t, filepath.Join(s.Dir(), "originals"), kinds...)
	for i := range files {
		if files[i].Strange {
			files[i].Want = s.placeholder(t, files[i].File)
			files[i].Width, files[i].Height = files[i].Want.Rect.Dx(), files[i].Want.Rect.Dy()
			files[i].Tolerance = originals.Tolerance{}
		}
	}
	return files
}

func (s *site) placeholder(t *testing.T, name string) *image.NRGBA {
	t.Helper()
	response, err := http.Get(s.URL() + "/iiif/3/" + name + "/full/max/0/default.png")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	picture, err := png.Decode(response.Body)
	if err != nil {
		t.Fatalf("%s: %d: %v", name, response.StatusCode, err)
	}
	return originals.Flat(picture)
}
