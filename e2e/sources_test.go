package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
	"github.com/gatehouse-server/gatehouse/internal/testkit/pictures"
)

// publicDay is how long anybody may keep what a public collection shows.
const publicDay = "public, max-age=86400"

func writeFile(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// exhibits are originals of the usual kinds, by their paths.
func exhibits(t testing.TB) map[string][]byte {
	t.Helper()
	return map[string][]byte{
		"maps/city 1.jpg":    quadrants(t, 400, 200),
		"maps/plan.png":      testkit.PNG(t, 300, 150),
		"scans/tiled.tif":    testkit.PyramidTIFF(t, 700, 500),
		"scans/book.tif":     testkit.MultiPageTIFF(t, 120, 90, 2),
		"scans/deed.pdf":     pictures.PDF(pictures.PDFPage{Width: 144, Height: 72, Color: color.RGBA{B: 255, A: 255}}),
		"scans/ü & (2)+.jpg": testkit.JPEG(t, 64, 48),
	}
}

// showsExhibits checks that a server at base, such as "/open/2/", shows them.
func showsExhibits(t *testing.T, h *house, prefix string, credential ...string) {
	t.Helper()
	all := exhibits(t)
	for path, size := range map[string][2]int{
		"maps%2Fcity%201.jpg": {400, 200}, "maps%2Fplan.png": {300, 150}, "scans%2Ftiled.tif": {700, 500}, "scans%2Fbook.tif;p=2": {60, 45},
		"scans%2Fdeed.pdf": {300, 150}, "scans%2F%C3%BC%20%26%20(2)%2B.jpg": {64, 48},
	} {
		for _, version := range []string{"2", "3"} {
			base := prefix + "/" + version + "/" + path
			h.get(base+"/info.json", credential...).size(t, size[0], size[1])
			h.get(base+imageTail, credential...).picture(t, "jpeg", size[0], size[1])
			h.get(base+"/0,0,40,20/20,10/0/default.png", credential...).picture(t, "png", 20, 10)
		}
	}
	for path, data := range all {
		escaped := strings.NewReplacer("/", "%2F", " ", "%20", "&", "%26", "+", "%2B", "ü", "%C3%BC").Replace(path)
		if a := h.get(prefix+"/2/"+escaped+"?source_file=true", credential...); !bytes.Equal(a.body, data) {
			t.Errorf("%s: got %d and %d bytes, want %d", path, a.status, len(a.body), len(data))
		}
	}
	for _, path := range []string{"maps%2Fnone.jpg", "maps", "none", "maps%2FCITY%201.jpg"} {
		h.get(prefix+"/2/"+path+"/info.json", credential...).is(t, http.StatusNotFound)
	}
}

// A collection without metadata, preset and rules is public: its identifiers are the paths of the files, anybody may
// see them, and any cache may keep them.
func TestFolder(t *testing.T) {
	h := publicSite(t, "source main folder {$DIR}/images")
	for path, data := range exhibits(t) {
		writeFile(t, filepath.Join(h.server.Dir(), "images", path), data)
	}
	writeFile(t, filepath.Join(h.server.Dir(), "secret.jpg"), testkit.JPEG(t, 4, 4))
	if err := os.Symlink(filepath.Join(h.server.Dir(), "secret.jpg"), filepath.Join(h.server.Dir(), "images", "link.jpg")); err != nil {
		t.Fatal(err)
	}
	showsExhibits(t, h, "/open")

	a := h.get("/open/2/maps%2Fplan.png" + imageTail)
	a.headers(t, "Cache-Control", publicDay, "Expires", "")
	if a.varies("Authorization") || a.header.Get("ETag") == "" || a.header.Get("Last-Modified") == "" {
		t.Errorf("the headers of a public image are %v", a.header)
	}
	// Credentials are nothing to a public collection, not even wrong ones.
	h.get("/open/2/maps%2Fplan.png/info.json", "Authorization", "Bearer garbage").size(t, 300, 150)

	for _, outside := range []string{
		"..%2Fsecret.jpg", "%2E%2E%2Fsecret.jpg", "maps%2F..%2F..%2Fsecret.jpg", "..%5Csecret.jpg", "%2Fetc%2Fpasswd",
		strings.ReplaceAll(h.server.Dir(), "/", "%2F") + "%2Fsecret.jpg", "maps%2F.%2Fplan.png", "maps%2F%2Fplan.png", "maps%00.jpg", "maps%2F",
		"%252E%252E%252Fsecret.jpg",
	} {
		for _, tail := range []string{"/info.json", "?source_file=true"} {
			if a := h.get("/open/2/" + outside + tail); a.status != http.StatusBadRequest && a.status != http.StatusNotFound {
				t.Errorf("%s: got %d %.100q", outside, a.status, a.body)
			}
		}
	}
	// A link that leads out of the folder is a mistake of who keeps it.
	for _, tail := range []string{"/info.json", imageTail, "?source_file=true"} {
		if a := h.get("/open/2/link.jpg" + tail); a.status == http.StatusOK || bytes.Contains(a.body, []byte("JFIF")) || strings.Contains(string(a.body), h.server.Dir()) {
			t.Errorf("a link out of the folder: got %d %.100q", a.status, a.body)
		}
	}

	// What is replaced is shown anew, also to who has the old one.
	etag := h.get("/open/2/maps%2Fplan.png" + imageTail).header.Get("ETag")
	h.get("/open/2/maps%2Fplan.png"+imageTail, "If-None-Match", etag).is(t, http.StatusNotModified)
	writeFile(t, filepath.Join(h.server.Dir(), "images", "maps/plan.png"), testkit.PNG(t, 30, 15))
	h.get("/open/2/maps%2Fplan.png"+imageTail, "If-None-Match", etag).picture(t, "jpeg", 30, 15)
	h.calm()
}

// bucket makes one at the S3 service, with these objects in it.
func bucket(t *testing.T, name string, objects map[string][]byte) (env []string, block string) {
	t.Helper()
	g := gateway.Get(t)
	client := s3.New(s3.Options{
		Region: g.Region, BaseEndpoint: aws.String(g.Endpoint), UsePathStyle: true,
		Credentials:                credentials.NewStaticCredentialsProvider(g.AccessKey, g.SecretKey, ""),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
	})
	ctx := context.Background()
	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	for key, data := range objects {
		if _, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: &name, Key: &key, Body: bytes.NewReader(data)}); err != nil {
			t.Fatal(err)
		}
	}
	env = []string{"S3_ACCESS=" + g.AccessKey, "S3_SECRET=" + g.SecretKey}
	block = fmt.Sprintf("{\nendpoint %s\nregion %s\npath_style\naccess_key {env.S3_ACCESS}\nsecret_key {env.S3_SECRET}\ntimeout 3s\n}", g.Endpoint, g.Region)
	return env, block
}

func TestS3(t *testing.T) {
	objects := map[string][]byte{}
	for path, data := range exhibits(t) {
		objects["masters/"+path] = data
	}
	large := noisyPyramid(t)
	objects["masters/large.tif"] = large
	objects["private/a.jpg"] = testkit.JPEG(t, 4, 4)
	env, block := bucket(t, "exhibits", objects)
	h := publicSite(t, "source main s3 s3://exhibits/masters "+block, env...)
	showsExhibits(t, h, "/open")
	h.get("/open/2/..%2Fprivate%2Fa.jpg/info.json").is(t, http.StatusBadRequest)
	tile := h.get("/open/3/large.tif/1024,1024,256,256/256,256/0/default.jpg").picture(t, "jpeg", 256, 256)
	noisyColor(t, tile, 1024+128, 1024+128)

	gateway.Get(t).Kill(t)
	defer gateway.Get(t).Restart(t)
	a := h.get("/open/2/none.jpg/info.json")
	a.is(t, http.StatusBadGateway)
	if !strings.HasPrefix(string(a.body), archiveUnreachable) || strings.Contains(string(a.body), "127.0.0.1") {
		t.Errorf("got %q", a.body)
	}
}

// The preset over another server of the same binary, which wants a header, answers 404 by itself, and knows ranges,
// entity tags and conditions.
func TestRealFileServer(t *testing.T) {
	files := fileServer(t)
	metadata := testkit.NewMetadataServer(t)
	var order []string
	for path, data := range exhibits(t) {
		writeFile(t, filepath.Join(files.Dir(), path), data)
		order = append(order, path)
	}
	large := noisyPyramid(t)
	writeFile(t, filepath.Join(files.Dir(), "LARGE.tif"), large)
	h := newHouseOver(t, files, metadata)
	metadata.Put(dossier("1", "PUBLIC", "PUBLIC", "N", append(order, "Large.tif", "none.jpg")...))
	for i, path := range order {
		a := h.get("/iiif/2/"+edepotID("1", i)+"?source_file=true", h.roles("BD/R")...)
		if !bytes.Equal(a.body, exhibits(t)[path]) {
			t.Errorf("%s: got %d and %d bytes", path, a.status, len(a.body))
		}
		h.get("/iiif/3/"+edepotID("1", i)+imageTail, h.roles("BD/R")...).is(t, http.StatusOK)
	}
	tile := h.get("/iiif/2/"+edepotID("1", len(order))+"/2048,512,256,256/256,256/0/default.jpg", h.roles("BD/R")...).picture(t, "jpeg", 256, 256)
	noisyColor(t, tile, 2048+128, 512+128)
	a := h.get("/iiif/2/"+edepotID("1", len(order))+"?source_file=true", append(h.roles("BD/R"), "Range", "bytes=5000000-5000999")...)
	if a.status != http.StatusPartialContent || !bytes.Equal(a.body, large[5_000_000:5_001_000]) {
		t.Errorf("a range of a large original: %d and %d bytes", a.status, len(a.body))
	}
	h.get("/iiif/2/"+edepotID("1", len(order)+1)+imageTail, h.roles("BD/R")...).text(t, http.StatusNotFound, "No source file could be found")

	files.Stop()
	h.get("/iiif/2/"+edepotID("1", len(order)+1)+imageTail, h.roles("BD/R")...).
		text(t, http.StatusBadGateway, archiveUnreachable+"connection refused")
}

// newHouseOver is a house whose archive is a server of the same binary.
func newHouseOver(t *testing.T, files *testkit.Server, metadata *testkit.MetadataServer) *house {
	t.Helper()
	h := &house{t: t, idp: testkit.NewIdentityProvider(t), metadata: metadata, client: newClient()}
	h.caddyfile = strings.NewReplacer("EDEPOT", files.URL(), "METADATA", metadata.URL(), "ISSUER", h.idp.Issuer(), "JWKS", h.idp.JWKSURL()).Replace(`
{
	gatehouse {
		state bolt {$DIR}/state
		spool {$DIR}/spool 256MiB
		issuer city {
			issuer ISSUER
			jwks_uri JWKS
		}
		collection bouwdossiers {
			preset bouwdossier
			metadata METADATA
			source edepot http EDEPOT/ {
				header Authorization {env.ARCHIVE_KEY}
			}
		}
	}
}
http://{$ADDR} {
	bind 127.0.0.1
	handle /iiif/* {
		gatehouse_auth bearer
		gatehouse_authorize bouwdossiers
		gatehouse_iiif bouwdossiers
	}
}
`)
	h.server = testkit.StartServer(t, h.caddyfile, "ARCHIVE_KEY="+edepotSecret)
	h.waitForKeys()
	return h
}

// One tile of a large pyramid costs a few requests and a small part of its bytes, at every level.
func TestTilesCostWhatTheyShow(t *testing.T) {
	data := noisyPyramid(t)
	archive := testkit.NewArchive(t, "")
	archive.Put("large.tif", "image/tiff", data)
	h := publicSite(t, "source main http "+archive.URL()+"/")
	// settled waits for answers that the archive has not yet done with although their beginning was used.
	settled := func() (count int, sent int64) {
		count, sent = archive.Count(), archive.BytesSent()
		for {
			time.Sleep(20 * time.Millisecond)
			c, s := archive.Count(), archive.BytesSent()
			if c == count && s == sent {
				return count, sent
			}
			count, sent = c, s
		}
	}
	spent := func(what string, requests int, bytes int64, do func()) {
		t.Helper()
		count, sent := settled()
		do()
		after, total := settled()
		count, sent = after-count, total-sent
		t.Logf("%s: %d requests, %d bytes of %d", what, count, sent, len(data))
		if count > requests || sent > bytes {
			t.Errorf("%s cost %d requests and %d bytes, at most %d and %d are expected", what, count, sent, requests, bytes)
		}
	}
	// The directory of each of the five levels lies behind the level's own tiles.
	spent("info.json", 6, 2<<20, func() { h.get("/open/3/large.tif/info.json").size(t, 4096, 4096) })
	for _, tile := range []struct{ x, y, factor int }{{512, 768, 1}, {3072, 3072, 1}, {1024, 512, 2}, {2048, 0, 4}, {0, 0, 8}} {
		side := 256 * tile.factor
		what := fmt.Sprintf("%d,%d,%d,%d/256,256/0/default.jpg", tile.x, tile.y, side, side)
		spent(what, 2, 1<<20, func() {
			a := h.get("/open/3/large.tif/" + what)
			m := a.picture(t, "jpeg", 256, 256)
			if tile.factor == 1 {
				noisyColor(t, m, tile.x, tile.y)
			}
		})
		spent(what+", again", 0, 0, func() { h.get("/open/3/large.tif/"+what).picture(t, "jpeg", 256, 256) })
	}
	spent("a thumbnail", 2, 1<<20, func() { h.get("/open/3/large.tif/full/100,/0/default.jpg").picture(t, "jpeg", 100, 100) })
}

// An original that is replaced while it is read by ranges is never shown as a mixture of both: who asks meanwhile may be
// told to come again, and then sees the new one.
func TestReplacedOriginal(t *testing.T) {
	archive := testkit.NewArchive(t, "")
	data := noisyPyramid(t)
	archive.Put("large.tif", "image/tiff", data)
	h := publicSite(t, "source main http "+archive.URL()+"/")
	const other = "/open/3/large.tif/3072,3072,256,256/256,256/0/default.jpg"
	noisyColor(t, h.get("/open/3/large.tif/0,0,256,256/256,256/0/default.jpg").picture(t, "jpeg", 256, 256), 0, 0)

	// The new one is smaller, so that nothing in it lies where the old one's directories say.
	archive.Put("large.tif", "image/tiff", testkit.PyramidTIFF(t, 3400, 3400))
	a := h.get(other)
	if a.status == http.StatusServiceUnavailable {
		a.headers(t, "Retry-After", "1", "Cache-Control", noStore)
		a = h.get(other)
	}
	m := a.picture(t, "jpeg", 256, 256)
	near(t, "the new original", m, image.Pt(100, 100), pictures.CardAt(3172, 3172, 3400, 3400))
	h.get("/open/3/large.tif/info.json").size(t, 3400, 3400)
	h.calm()
}
