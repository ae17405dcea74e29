package viewers_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
	"github.com/gatehouse-server/gatehouse/internal/testkit/originals"
)

// Images may come from another site than the page, with a token for those who need one, and under names that have to be
// escaped.
func TestViewersShowImagesOfAnotherOrigin(t *testing.T) {
	issuer := testkit.NewIdentityProvider(t)
	s := newSite(t, issuer)
	files := s.addOriginals(t, originals.Named("tiff jpeg pyramid", "tiff page 2 of 3")...)
	files[0] = s.rename(t, files[0], "kaarten/blad 1 \u00e9, 100% #2.tif")

	public3, public2 := picturesOf(files, s.other+"/iiif", 3), picturesOf(files, s.other+"/iiif", 2)
	s.addManifest3(t, "public3.json", public3)
	s.addManifest2(t, "public2.json", public2)
	secret := picturesOf(files, s.other+"/vault", 3)
	s.addManifest3(t, "secret3.json", secret)

	query := url.Values{"images": {s.other + "/"}, "token": {issuer.RoleToken("staff")}}.Encode()
	checkRefused(t, secret[0].ID+"/info.json")

	for _, page := range []string{"openseadragon.html", "mirador.html", "universalviewer.html"} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			b := newBrowser(t)
			b.open(t, s.URL()+"/"+page+"#public3.json")
			b.leaf(t, public3, "version 3", s.URL(), s.other)
			b.open(t, s.URL()+"/"+page+"#public2.json")
			b.leaf(t, public2, "version 2", s.URL(), s.other)
			b.open(t, s.URL()+"/"+page+"?"+query+"#secret3.json")
			b.leaf(t, secret, "with a token", s.URL(), s.other)
		})
	}
}

// checkRefused holds that a token is needed at all.
func checkRefused(t *testing.T, address string) {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Fatalf("%s without a token: %d", address, response.StatusCode)
	}
}

// WebGL is what viewers draw by where there is a graphics card. It takes only pictures that this page may read.
func TestOpenSeadragonDrawsByWebGL(t *testing.T) {
	s := newSite(t, testkit.NewIdentityProvider(t))
	pictures := picturesOf(s.addOriginals(t, originals.Named("tiff jpeg pyramid")...), s.other+"/iiif", 3)
	b := newBrowser(t)
	b.open(t, s.URL()+"/openseadragon.html?webgl")
	b.leaf(t, pictures, "version 3", s.URL(), s.other)
	if drawer := call[string](t, b, "osd().drawer.getType"); drawer != "webgl" {
		t.Errorf("it draws by %s", drawer)
	}
}

// rename gives a copy of an original under another name.
func (s *site) rename(t *testing.T, file originals.File, name string) originals.File {
	t.Helper()
	content, err := os.ReadFile(file.Path)
	if err != nil {
		t.Fatal(err)
	}
	file.File = name
	file.Path = filepath.Join(s.Dir(), "originals", filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file.Path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file.Path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
