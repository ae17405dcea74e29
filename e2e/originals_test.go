package e2e_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	"image/color"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
	"github.com/gatehouse-server/gatehouse/internal/testkit/pictures"
)

// pathsAsked are the distinct paths that an archive was asked for, in order.
func pathsAsked(a *testkit.Archive) []string {
	var paths []string
	for _, r := range a.Requests() {
		if !slices.Contains(paths, r.Path) {
			paths = append(paths, r.Path)
		}
	}
	return paths
}

// The name is tried as it stands, in lower case and in upper case, each distinct spelling once (dossier contract §6).
func TestNameVariants(t *testing.T) {
	h := newHouse(t, plan{})
	picture := testkit.JPEG(t, 4, 4)
	for i, test := range []struct {
		named, lies string
		asked       []string
	}{
		{"Map/AbC_1.jpg", "Map/AbC_1.jpg", []string{"/Map/AbC_1.jpg"}},
		{"Map/AbC_2.jpg", "Map/abc_2.jpg", []string{"/Map/AbC_2.jpg", "/Map/abc_2.jpg"}},
		{"Map/AbC_3.jpg", "Map/ABC_3.jpg", []string{"/Map/AbC_3.jpg", "/Map/abc_3.jpg", "/Map/ABC_3.jpg"}},
		{"Map/abc_4.jpg", "Map/ABC_4.jpg", []string{"/Map/abc_4.jpg", "/Map/ABC_4.jpg"}},
		{"Map/ABC_5.jpg", "Map/abc_5.jpg", []string{"/Map/ABC_5.jpg", "/Map/abc_5.jpg"}},
		{"Map/AbC_6.jpg", "", []string{"/Map/AbC_6.jpg", "/Map/abc_6.jpg", "/Map/ABC_6.jpg"}},
		{"Map/0001.jpg", "", []string{"/Map/0001.jpg"}},
		{"Map/AbC_7.jpg", "map/abc_7.jpg", []string{"/Map/AbC_7.jpg", "/Map/abc_7.jpg", "/Map/ABC_7.jpg"}},
		{"with space/A b.jpg", "with space/a b.jpg", []string{"/with%20space/A%20b.jpg", "/with%20space/a%20b.jpg"}},
	} {
		t.Run(test.named, func(t *testing.T) {
			number := fmt.Sprint(100 + i)
			h.edepot.Forget()
			h.metadata.Put(dossier(number, "PUBLIC", "PUBLIC", "N", test.named))
			found := slices.Contains(test.asked, "/"+strings.ReplaceAll(test.lies, " ", "%20"))
			if test.lies != "" {
				h.edepot.Put(test.lies, "image/jpeg", picture)
			}
			a := h.get("/iiif/2/"+edepotID(number, 0)+"?source_file=true", h.roles("BD/R")...)
			if !found {
				a.text(t, http.StatusNotFound, "No source file could be found")
			} else if a.status != http.StatusOK || !bytes.Equal(a.body, picture) {
				t.Errorf("got %d and %d bytes", a.status, len(a.body))
			}
			if got := pathsAsked(h.edepot); !slices.Equal(got, test.asked) {
				t.Errorf("asked for %q, want %q", got, test.asked)
			}
			if n := h.edepot.Count(); n != len(test.asked) {
				t.Errorf("%d requests for %d spellings", n, len(test.asked))
			}
		})
	}
}

// What the archive answers becomes the texts of §6.
func TestArchiveAnswers(t *testing.T) {
	h := newHouse(t, plan{})
	h.put("1", map[string][]byte{"a.jpg": testkit.JPEG(t, 4, 4)}, "a.jpg")
	path := "/iiif/2/" + edepotID("1", 0) + imageTail
	for _, status := range []int{400, 401, 403, 410, 418, 429, 500, 502, 503} {
		h.edepot.Fail(testkit.Status(status))
		h.get(path, h.roles("BD/R")...).text(t, http.StatusBadGateway, fmt.Sprintf("We had a problem retrieving the image. We got status code %d", status))
	}
	h.edepot.Fail(testkit.Status(404))
	h.get(path, h.roles("BD/R")...).text(t, http.StatusNotFound, "No source file could be found")
	h.edepot.Heal()
	h.edepot.Down()
	h.get(path, h.roles("BD/R")...).text(t, http.StatusBadGateway,
		"The image-server cannot be reached because the following error occurred: connection refused")
	h.edepot.Up()
	h.get(path, h.roles("BD/R")...).picture(t, "jpeg", 4, 4)
	h.get(path+mailQuery(), "Cookie", "a=b", "X-Auth-Token", "secret").picture(t, "jpeg", 4, 4)
	for _, r := range h.metadata.Requests() {
		if r.Header.Get("Authorization")+r.Header.Get("Cookie")+r.Header.Get("X-Auth-Token")+r.Query != "" {
			t.Fatalf("the metadata server was sent %+v", r)
		}
	}
	for _, r := range h.edepot.Requests() {
		if r.Header.Get("Authorization") != edepotSecret || r.Header.Get("Cookie") != "" || r.Query != "" {
			t.Fatalf("the archive was sent %+v", r)
		}
	}
}

// A file without a path, and one whose path leads out of the archive, has no original.
func TestPathsThatLeadNowhere(t *testing.T) {
	h := newHouse(t, plan{})
	h.metadata.Put(dossier("1", "PUBLIC", "PUBLIC", "N", "../a.jpg", "a/../../b.jpg", "..%2fa.jpg", `..\a.jpg`, "http://example.org/a.jpg"))
	for file := range 5 {
		h.get("/iiif/2/"+edepotID("1", file)+imageTail, h.roles("BD/X")...).text(t, http.StatusNotFound, "No source file could be found")
	}
	h.metadata.PutRaw("SU", "2", []byte(`{"access":"PUBLIC","documenten":[{"barcode":"D","access":"PUBLIC","copyright":"N","bestanden":[{},{"file_pad":null},{"file_pad":""}]}]}`))
	for file := range 3 {
		h.get("/iiif/2/"+edepotID("2", file)+imageTail, h.roles("BD/X")...).text(t, http.StatusNotFound, "No source file could be found")
	}
	for _, r := range h.edepot.Requests() {
		if !strings.HasPrefix(r.Path, "/") || strings.Contains(r.Path, "..") {
			t.Errorf("the archive was asked for %q", r.Path)
		}
	}
}

func zipOf(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	f, err := w.Create("readme.txt")
	if err == nil {
		_, err = f.Write([]byte("hello"))
	}
	if err != nil || w.Close() != nil {
		t.Fatal("no zip")
	}
	return out.Bytes()
}

// otherFiles are originals that are no pictures, with the media type they are handed out by.
func otherFiles(t *testing.T) map[string]struct {
	content     []byte
	contentType string
} {
	return map[string]struct {
		content     []byte
		contentType string
	}{
		"note.txt":  {[]byte("Beste lezer,\nhierbij de tekening.\n"), plainText},
		"sheet.xls": {append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 2000)...), "application/vnd.ms-excel"},
		"all.zip":   {zipOf(t), "application/zip"},
		"page.txt":  {[]byte("<!doctype html><script>alert(1)</script>"), plainText},
		"draw.svg":  {[]byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>`), "application/octet-stream"},
		"blob.bin":  {[]byte{0, 1, 2, 3, 250, 251}, "application/octet-stream"},
	}
}

// What is no picture is shown as one that names the kind of file, in any size, and handed out untouched.
func TestFilesThatAreNoPictures(t *testing.T) {
	h := newHouse(t, plan{})
	for name, file := range otherFiles(t) {
		t.Run(name, func(t *testing.T) {
			number := strings.Map(func(r rune) rune {
				if r == '.' {
					return -1
				}
				return r
			}, name)
			// What the archive claims of it does not count.
			h.edepot.Put(name, "image/jpeg", file.content)
			h.metadata.Put(dossier(number, "PUBLIC", "PUBLIC", "N", name))
			base := "/iiif/2/" + edepotID(number, 0)
			size := h.get(base+"/info.json", h.roles("BD/R")...).info(t)
			if size.Width < 1 || size.Height < 1 {
				t.Fatalf("info.json tells %+v", size)
			}
			h.get(base+imageTail, h.roles("BD/R")...).picture(t, "jpeg", size.Width, size.Height)
			h.get(base+"/full/full/0/default.jpg", h.roles("BD/R")...).picture(t, "jpeg", size.Width, size.Height)
			h.get(base+"/full/37,19/0/default.png", h.roles("BD/R")...).picture(t, "png", 37, 19)
			h.get(base+"/0,0,10,10/20,/90/gray.jpg", h.roles("BD/R")...).picture(t, "jpeg", 20, 20)
			h.get(strings.Replace(base, "/2/", "/3/", 1)+"/full/^1000,/0/default.jpg", h.roles("BD/R")...).is(t, http.StatusOK)

			for _, path := range []string{base + "?source_file=true", base + imageTail + "?source_file=true", base + "/info.json?source_file=true"} {
				a := h.get(path, h.roles("BD/R")...)
				if !a.is(t, http.StatusOK) || !bytes.Equal(a.body, file.content) {
					t.Errorf("%s gave %d bytes, want %d", path, len(a.body), len(file.content))
				}
				a.headers(t, "Content-Type", file.contentType, "X-Content-Type-Options", "nosniff",
					"Content-Security-Policy", "default-src 'none'; sandbox", "Content-Disposition", `attachment; filename="`+name+`"`,
					"Cache-Control", keep36Hours, "Accept-Ranges", "bytes")
			}
		})
	}
}

// Pictures and PDF are handed out to be looked at; all else, and what is asked for as a download, to be saved.
func TestOriginalsAreInlineWhenTheyCanBeShown(t *testing.T) {
	h := newHouse(t, plan{})
	files := map[string][]byte{
		"a b.jpg": testkit.JPEG(t, 40, 30), "scan.tif": testkit.MultiPageTIFF(t, 60, 40, 3),
		"doc.pdf": pictures.PDF(pictures.PDFPage{Width: 72, Height: 72}), "wrong.jpg": testkit.PNG(t, 8, 8),
	}
	h.put("1", files, "a b.jpg", "scan.tif", "doc.pdf", "wrong.jpg")
	for file, test := range []struct{ name, contentType string }{
		{"a b.jpg", "image/jpeg"}, {"scan.tif", "image/tiff"}, {"doc.pdf", "application/pdf"}, {"wrong.jpg", "image/png"},
	} {
		path := "/iiif/2/" + edepotID("1", file) + "?source_file=true"
		a := h.get(path, h.roles("BD/R")...)
		a.headers(t, "Content-Type", test.contentType, "Content-Disposition", `inline; filename="`+test.name+`"`, "X-Content-Type-Options", "nosniff")
		if !bytes.Equal(a.body, files[test.name]) {
			t.Errorf("%s is not untouched", test.name)
		}
		h.get(path+"&download=1", h.roles("BD/R")...).headers(t, "Content-Disposition", `attachment; filename="`+test.name+`"`)
	}
	// Only the exact word asks for the original.
	for _, query := range []string{"?source_file=1", "?source_file=True", "?source_file=", "?source_files=true"} {
		h.get("/iiif/2/"+edepotID("1", 0)+imageTail+query, h.roles("BD/R")...).picture(t, "jpeg", 40, 30)
	}
}

func TestRangesOfOriginals(t *testing.T) {
	h := newHouse(t, plan{})
	content := bytes.Repeat([]byte("0123456789"), 10_000)
	h.put("1", map[string][]byte{"long.txt": content}, "long.txt")
	h.edepot.Put("secret.txt", "", content)
	h.metadata.Put(dossier("2", "RESTRICTED", "PUBLIC", "N", "secret.txt"))
	path := "/iiif/2/" + edepotID("1", 0) + "?source_file=true"
	ask := func(path string, lines ...string) answer { return h.get(path, append(h.roles("BD/X"), lines...)...) }
	for requested, want := range map[string]struct{ from, to int }{
		"bytes=0-0": {0, 1}, "bytes=5-14": {5, 15}, "bytes=99990-": {99_990, 100_000}, "bytes=-7": {99_993, 100_000}, "bytes=99999-200000": {99_999, 100_000},
	} {
		a := ask(path, "Range", requested)
		if !a.is(t, http.StatusPartialContent) || !bytes.Equal(a.body, content[want.from:want.to]) {
			t.Errorf("%s gave %d bytes", requested, len(a.body))
		}
		a.headers(t, "Content-Range", fmt.Sprintf("bytes %d-%d/100000", want.from, want.to-1), "Cache-Control", keep36Hours, "Content-Type", plainText)
	}
	a := ask(path, "Range", "bytes=100000-")
	a.is(t, http.StatusRequestedRangeNotSatisfiable)
	a.headers(t, "Content-Range", "bytes */100000", "Cache-Control", noStore)

	etag := ask(path).header.Get("ETag")
	ask(path, "If-None-Match", etag).is(t, http.StatusNotModified)
	ask(path, "Range", "bytes=0-4", "If-Range", etag).is(t, http.StatusPartialContent)
	ask(path, "Range", "bytes=0-4", "If-Range", `"another"`).is(t, http.StatusOK)

	// What must not be kept has no tag, and no condition about it can hold.
	secret := "/iiif/2/" + edepotID("2", 0) + "?source_file=true"
	a = ask(secret)
	a.headers(t, "ETag", "", "Last-Modified", "", "Cache-Control", noStore)
	ask(secret, "If-None-Match", etag).is(t, http.StatusOK)
	ask(secret, "If-None-Match", "*").is(t, http.StatusOK)
	ask(secret, "Range", "bytes=0-4").is(t, http.StatusPartialContent)
	h.get(secret, append(h.roles("BD/R"), "Range", "bytes=0-4")...).text(t, http.StatusUnauthorized, "Document access is restricted")
}

// Pages count from 1; `;p=N` and `?page=N` mean the same, and info.json's id has the first form.
func TestPages(t *testing.T) {
	h := newHouse(t, plan{})
	red, green := color.RGBA{R: 255, A: 255}, color.RGBA{G: 255, A: 255}
	h.put("1", map[string][]byte{
		"doc.pdf":  pictures.PDF(pictures.PDFPage{Width: 72, Height: 144, Color: red}, pictures.PDFPage{Width: 288, Height: 72, Color: green}),
		"scan.tif": testkit.MultiPageTIFF(t, 120, 90, 3),
	}, "doc.pdf", "scan.tif")
	for _, test := range []struct {
		file, page, width, height int
		colored                   color.RGBA
	}{
		// 72 points are an inch, and pages are told at 150 pixels an inch.
		{0, 1, 150, 300, red}, {0, 2, 600, 150, green}, {1, 1, 120, 90, color.RGBA{}}, {1, 2, 60, 45, color.RGBA{}}, {1, 3, 40, 30, color.RGBA{}},
	} {
		for _, version := range []string{"2", "3"} {
			id := "/iiif/" + version + "/" + edepotID("1", test.file)
			suffix, query := fmt.Sprintf(";p=%d", test.page), fmt.Sprintf("?page=%d", test.page)
			for _, path := range []string{id + suffix + "/info.json", id + "/info.json" + query, id + "%3Bp%3D" + fmt.Sprint(test.page) + "/info.json"} {
				h.get(path, h.roles("BD/R")...).size(t, test.width, test.height)
			}
			if got := h.get(id+"/info.json"+query, h.roles("BD/R")...).info(t); got.ID+got.ID3 != h.server.URL()+id+suffix {
				t.Errorf("the id is %q", got.ID+got.ID3)
			}
			for _, path := range []string{id + suffix + imageTail, id + imageTail + query} {
				m := h.get(path, h.roles("BD/R")...).picture(t, "jpeg", test.width, test.height)
				if test.colored.A > 0 {
					near(t, path, m, image.Pt(test.width/2, test.height/2), test.colored)
				}
			}
		}
	}
	h.get("/iiif/2/"+edepotID("1", 0)+"/info.json", h.roles("BD/R")...).size(t, 150, 300)
	for _, wrong := range []string{";p=3/info.json", "/info.json?page=3", "/info.json?page=0", "/info.json?page=x", ";p=1/info.json?page=2", ";p=0/info.json", ";p=99999999999/info.json"} {
		h.get("/iiif/2/"+edepotID("1", 0)+wrong, h.roles("BD/R")...).is(t, http.StatusBadRequest)
	}
}
