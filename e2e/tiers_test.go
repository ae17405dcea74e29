package e2e_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// museum has a collection of its own grammar and rules: the fonds is in the identifier, staff see all, anybody sees
// a picture of at most 200 pixels of what is public, and those who logged in see it whole.
func museum(t *testing.T) *house {
	t.Helper()
	idp := testkit.NewIdentityProvider(t)
	metadata := testkit.NewStandIn(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		access, known := map[string]string{
			"/prints/1%20a.json": "PUBLIC", "/prints/fine.json": "PUBLIC", "/prints/gone.json": "PUBLIC", "/prints/secret.json": "CLOSED",
		}[r.URL.EscapedPath()]
		if !known {
			http.NotFound(w, r)
			return
		}
		_, _ = fmt.Fprintf(w, `{"access":%q}`, access)
	}))
	h := site(t, strings.NewReplacer("METADATA", metadata.URL(), "ISSUER", idp.Issuer(), "JWKS", idp.JWKSURL()).Replace(`
		issuer city {
			issuer ISSUER
			jwks_uri JWKS
			audience gatehouse
		}
		collection museum {
			prefix /museum
			identifier `+"`^(?P<fonds>[a-z]+):(?P<item>.+)$`"+`
			metadata METADATA/{fonds}/{item}.json
			rule deny "Closed to the public" `+"`metadata.access != \"PUBLIC\" && !(\"staff\" in principal.scopes)`"+`
			rule tier 200 `+"`principal.anonymous`"+`
			rule allow `+"`true`"+`
			cacheable 1h `+"`metadata.access == \"PUBLIC\"`"+`
			source main folder {$DIR}/masters/{fonds}/{item}.tif
		}`), `
	handle /museum/* {
		gatehouse_auth bearer
		gatehouse_authorize museum
		gatehouse_iiif museum
	}`)
	h.idp = idp
	for _, name := range []string{"1 a", "secret"} {
		writeFile(t, filepath.Join(h.server.Dir(), "masters/prints", name+".tif"), testkit.PyramidTIFF(t, 1000, 600))
	}
	writeFile(t, filepath.Join(h.server.Dir(), "masters/prints/fine.tif"), stripes(t, 1000, 600))
	eventually(t, "keys of the identity provider", func() bool {
		return h.get("/museum/2/prints:secret/info.json", h.roles()...).status == http.StatusForbidden
	})
	return h
}

// stripes is a picture whose columns are black and white in turn: what was made smaller has lost them for good.
func stripes(t testing.TB, width, height int) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, width, height))
	for i := range m.Pix {
		m.Pix[i] = uint8(255 * (i % 2))
	}
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestOwnGrammarAndRules(t *testing.T) {
	h := museum(t)
	const closed = "Closed to the public"
	for _, version := range []string{"2", "3"} {
		base := "/museum/" + version + "/prints:"
		h.get(base+"1%20a/info.json").size(t, 200, 120)
		h.get(base+"1%20a/info.json", h.roles()...).size(t, 1000, 600)
		h.get(base+"secret/info.json").text(t, http.StatusForbidden, closed)
		h.get(base+"secret/info.json", h.roles("visitor")...).text(t, http.StatusForbidden, closed)
		h.get(base+"secret"+imageTail, h.roles("staff")...).picture(t, "jpeg", 1000, 600)
		h.get(base+"gone/info.json", h.roles()...).text(t, http.StatusNotFound, "No source file could be found")
		h.get(base+"unknown/info.json").text(t, http.StatusNotFound, "No metadata could be found for this dossier")
		h.get("/museum/"+version+"/PRINTS:1/info.json").is(t, http.StatusBadRequest)
		h.get("/museum/"+version+"/prints:..%2F..%2Fx/info.json", h.roles("staff")...).is(t, http.StatusBadRequest)
	}
	h.get("/museum/2/prints:1%20a"+imageTail, h.roles()...).headers(t, "Cache-Control", "private, max-age=3600")
	h.get("/museum/2/prints:secret"+imageTail, h.roles("staff")...).headers(t, "Cache-Control", noStore, "ETag", "")
	h.calm()
}

// Every address that the info.json of a tier advertises is answered; everything above it is refused, tiles of the
// original included; and the original is not handed out.
func TestTier(t *testing.T) {
	h := museum(t)
	for _, version := range []string{"2", "3"} {
		base := "/museum/" + version + "/prints:1%20a"
		got := h.get(base + "/info.json").info(t)
		if got.Width != 200 || got.Height != 120 || len(got.Sizes) == 0 || len(got.Tiles) == 0 {
			t.Fatalf("info.json tells %+v", got)
		}
		advertised(t, h, base, version, got)
		for _, path := range []string{
			"/full/201,/0/default.jpg", "/full/,121/0/default.jpg", "/full/400,240/0/default.jpg", "/full/1000,/0/default.jpg", "/full/pct:101/0/default.jpg",
			"/full/1000,600/0/default.jpg", "/0,0,100,100/101,/0/default.jpg", "/0,0,256,256/256,256/0/default.jpg", "/0,0,256,256/256,/0/default.jpg",
			"/256,0,256,256/256,256/0/default.jpg", "/744,344,256,256/256,256/0/default.jpg", "/500,300,10,10/max/0/default.jpg", "/square/600,/0/default.jpg",
		} {
			if a := h.get(base + path); a.status != http.StatusBadRequest && a.status != http.StatusForbidden {
				t.Errorf("version %s: %s gives %d to who may see 200 pixels", version, path, a.status)
			}
		}
		if body := string(h.get(base + "/info.json").body); strings.Contains(body, "sizeUpscaling") || strings.Contains(body, "sizeAboveFull") {
			t.Errorf("info.json promises to enlarge: %s", body)
		}
		for _, path := range []string{"?source_file=true", imageTail + "?source_file=true", "/info.json?source_file=true&download=1"} {
			h.get(base+path).is(t, http.StatusForbidden)
		}
		for path, size := range map[string][2]int{
			imageTail: {200, 120}, "/full/!1000,1000/0/default.jpg": {200, 120}, "/square/max/0/default.jpg": {120, 120}, "/pct:50,50,50,50/max/0/default.jpg": {100, 60},
			"/full/max/90/default.jpg": {120, 200}, "/0,0,1000,600/max/0/default.jpg": {200, 120},
		} {
			h.get(base+path).picture(t, "jpeg", size[0], size[1])
		}
		// A tier's answers and those to others are never the same for a cache.
		tier, whole := h.get(base+"/full/100,/0/default.jpg"), h.get(base+"/full/100,/0/default.jpg", h.roles()...)
		if tag := tier.header.Get("ETag"); tag != "" && tag == whole.header.Get("ETag") {
			t.Errorf("both have the tag %s", tag)
		}
	}
}

// Whatever is asked for of a tier, its pixels have no more detail than the smaller image: enlarging does not bring back
// what was taken away.
func TestTierHasNoDetail(t *testing.T) {
	h := museum(t)
	contrast := func(a answer) int {
		m, _, err := image.Decode(bytes.NewReader(a.body))
		if err != nil {
			t.Fatal(err)
		}
		b, low, high := m.Bounds(), 255, 0
		for x := b.Min.X + b.Dx()/4; x < b.Max.X-b.Dx()/4; x++ {
			v := int(color.GrayModel.Convert(m.At(x, b.Min.Y+b.Dy()/2)).(color.Gray).Y)
			low, high = min(low, v), max(high, v)
		}
		return high - low
	}
	const detail = "/100,100,50,50/max/0/default.png"
	if c := contrast(h.get("/museum/3/prints:fine"+detail, h.roles()...)); c < 200 {
		t.Fatalf("the whole picture has a contrast of %d", c)
	}
	for _, path := range []string{
		"2/prints:fine/full/max/0/default.png", "2/prints:fine" + detail, "3/prints:fine" + detail, "3/prints:fine/100,50,20,20/^100,/0/default.png",
		"3/prints:fine/full/^max/0/default.png", "3/prints:fine/full/^1000,/0/default.png", "2/prints:fine/full/1000,/0/default.png",
		"2/prints:fine/10,10,10,10/200,/0/default.png", "3/prints:fine/pct:10,10,2,2/max/0/default.png", "3/prints:fine/full/^!1000,1000/0/default.png",
	} {
		a := h.get("/museum/" + path)
		if a.status != http.StatusOK {
			continue
		}
		if c := contrast(a); c > 60 {
			t.Errorf("%s shows a contrast of %d, which a picture of 200 pixels cannot have", path, c)
		}
	}
}
