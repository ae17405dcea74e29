package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// What a file of a format begins with, or holds close to its beginning.
var formatMarks = map[string]struct{ mediaType, mark string }{
	"jpg": {"image/jpeg", "\xff\xd8\xff"}, "tif": {"image/tiff", "II*\x00"}, "png": {"image/png", "\x89PNG"}, "gif": {"image/gif", "GIF8"},
	"jp2": {"image/jp2", "ftypjp2 "}, "pdf": {"application/pdf", "%PDF-"}, "webp": {"image/webp", "WEBP"}, "avif": {"image/avif", "ftypavif"},
	"jxl": {"image/jxl", "\xff\x0a"},
}

// Each format that info.json offers is answered, with its media type, as what it is, in every quality; and no other is.
func TestEveryFormatIsWhatItSays(t *testing.T) {
	h := publicSite(t, "source main folder {$DIR}/images")
	writeFile(t, filepath.Join(h.server.Dir(), "images/q.jpg"), quadrants(t, 400, 200))
	var offered struct {
		ExtraFormats, ExtraQualities []string
	}
	if err := json.Unmarshal(h.get("/open/3/q.jpg/info.json").body, &offered); err != nil {
		t.Fatal(err)
	}
	formats := append([]string{"jpg", "png"}, offered.ExtraFormats...)
	for _, must := range []string{"tif", "gif", "webp", "pdf"} {
		if !strings.Contains(strings.Join(formats, " "), must) {
			t.Errorf("info.json offers %q", formats)
		}
	}
	for format, is := range formatMarks {
		works := strings.Contains(" "+strings.Join(formats, " ")+" ", " "+format+" ")
		for _, quality := range append([]string{"default"}, offered.ExtraQualities...) {
			for _, rotation := range []string{"0", "!90", "30.5"} {
				path := fmt.Sprintf("q.jpg/full/200,/%s/%s.%s", rotation, quality, format)
				for _, version := range []string{"2", "3"} {
					a := h.get("/open/" + version + "/" + path)
					if !works {
						a.is(t, http.StatusBadRequest)
						continue
					}
					if !a.is(t, http.StatusOK) {
						continue
					}
					a.headers(t, "Content-Type", is.mediaType)
					if !bytes.Contains(a.body[:min(64, len(a.body))], []byte(is.mark)) {
						t.Errorf("%s begins with %.32q", path, a.body)
					}
				}
			}
		}
	}
	h.calm()
}

// Where enlarging is switched off, nothing offers it and nothing does it.
func TestUpscalingOff(t *testing.T) {
	h := publicSite(t, "source main folder {$DIR}/images\nupscaling off")
	writeFile(t, filepath.Join(h.server.Dir(), "images/q.jpg"), quadrants(t, 400, 200))
	for path, status := range map[string]int{
		"2/q.jpg/full/401,/0/default.jpg": 400, "2/q.jpg/full/,201/0/default.jpg": 400, "2/q.jpg/full/pct:101/0/default.jpg": 400,
		"2/q.jpg/full/400,/0/default.jpg": 200, "2/q.jpg/full/!900,900/0/default.jpg": 200, "2/q.jpg/0,0,10,10/11,/0/default.jpg": 400,
		"3/q.jpg/full/^401,/0/default.jpg": 501, "3/q.jpg/full/^!900,900/0/default.jpg": 501, "3/q.jpg/full/^max/0/default.jpg": 501,
		"3/q.jpg/full/401,/0/default.jpg": 400, "3/q.jpg/full/!900,900/0/default.jpg": 200, "3/q.jpg/full/^200,/0/default.jpg": 200,
	} {
		if a := h.get("/open/" + path); a.status != status {
			t.Errorf("%s: %d %.120q, want %d", path, a.status, a.body, status)
		}
	}
	for _, version := range []string{"2", "3"} {
		if body := string(h.get("/open/" + version + "/q.jpg/info.json").body); strings.Contains(body, "sizeUpscaling") || strings.Contains(body, "sizeAboveFull") {
			t.Errorf("info.json offers to enlarge: %s", body)
		}
	}
}

// Where only named sizes are enlarged, ^max is as large as the region.
func TestNamedUpscaling(t *testing.T) {
	h := publicSite(t, "source main folder {$DIR}/images\nupscaling named")
	writeFile(t, filepath.Join(h.server.Dir(), "images/q.jpg"), quadrants(t, 400, 200))
	h.get("/open/3/q.jpg/full/^max/0/default.jpg").picture(t, "jpeg", 400, 200)
	h.get("/open/3/q.jpg/full/^pct:200/0/default.jpg").picture(t, "jpeg", 800, 400)
}

// An area bounds what the sides alone would allow; info.json tells it, and max keeps to it.
func TestMaxArea(t *testing.T) {
	h := site(t, "collection open {\nprefix /open\nsource main folder {$DIR}/images\n}\nimages {\nmax_area 20000\n}", "handle /open/* {\ngatehouse_iiif open\n}")
	writeFile(t, filepath.Join(h.server.Dir(), "images/q.jpg"), quadrants(t, 400, 200))
	for _, version := range []string{"2", "3"} {
		base := "/open/" + version + "/q.jpg"
		if body := string(h.get(base + "/info.json").body); !strings.Contains(body, `"maxArea":20000`) {
			t.Errorf("info.json tells no area: %s", body)
		}
		h.get(base+"/full/max/0/default.jpg").picture(t, "jpeg", 200, 100)
		h.get(base+"/full/201,/0/default.jpg").is(t, http.StatusBadRequest)
		advertised(t, h, base, version, h.get(base+"/info.json").info(t))
	}
}

// A changed setting of a format changes the bytes of pictures, so that nobody who kept the old ones may go on with them.
// What info.json says beside the picture changes without the original, so that only its tag follows.
func TestTagsFollowSettings(t *testing.T) {
	h := publicSite(t, "source main folder {$DIR}/images")
	writeFile(t, filepath.Join(h.server.Dir(), "images/q.jpg"), quadrants(t, 400, 200))
	const picture, description = "/open/3/q.jpg/full/200,/0/default.jpg", "/open/3/q.jpg/info.json"
	kept := h.get(picture).header.Get("ETag")
	h.get(picture, "If-None-Match", kept).is(t, http.StatusNotModified)
	if modified := h.get(description).header.Get("Last-Modified"); modified == "" {
		t.Error("info.json without fields has no date")
	}
	changed := strings.Replace(h.caddyfile, "collection open {", "images {\njpeg_quality 40\n}\ncollection open {\ninfo attribution Archives", 1)
	if err := h.server.Reload(changed); err != nil {
		t.Fatal(err)
	}
	a := h.get(picture, "If-None-Match", kept)
	if a.is(t, http.StatusOK) && a.header.Get("ETag") == kept {
		t.Errorf("both have the tag %s", kept)
	}
	if modified := h.get(description).header.Get("Last-Modified"); modified != "" {
		t.Errorf("info.json with fields has the date %q", modified)
	}
}
