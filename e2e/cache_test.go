package e2e_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cacheStatus is what the status command tells of the cache.
type cacheStatus struct {
	Pictures    int
	MemoryBytes int64 `json:"memory_bytes"`
	FolderBytes int64 `json:"folder_bytes"`
	MemoryHits  int   `json:"memory_hits"`
	FolderHits  int   `json:"folder_hits"`
	Misses      int
}

func (h *house) cache() cacheStatus {
	h.t.Helper()
	var status struct{ Cache cacheStatus }
	h.commandJSON(&status, "status")
	return status.Cache
}

const cachedPicture = "/open/3/q.jpg/full/200,/0/default.jpg"

func cacheSite(t *testing.T, cache string) *house {
	t.Helper()
	h := site(t, "cache {\n"+cache+"\n}\ncollection open {\nprefix /open\nsource main folder {$DIR}/images\n}",
		"handle /open/* {\ngatehouse_iiif open\n}")
	writeFile(t, filepath.Join(h.server.Dir(), "images/q.jpg"), quadrants(t, 400, 200))
	return h
}

// What was made is answered again: the same bytes under the same tag, over a reload, and from a folder over a restart.
func TestPicturesAreKept(t *testing.T) {
	h := cacheSite(t, "memory 64MiB\nfolder {$DIR}/cache 64MiB")
	first := h.get(cachedPicture)
	first.is(t, http.StatusOK)
	same := func(when string) {
		t.Helper()
		again := h.get(cachedPicture)
		if again.is(t, http.StatusOK) && (!bytes.Equal(again.body, first.body) || again.header.Get("ETag") != first.header.Get("ETag")) {
			t.Errorf("%s it is another picture", when)
		}
	}
	same("at once")
	if s := h.cache(); s.Misses != 1 || s.MemoryHits != 1 || s.Pictures != 1 || s.MemoryBytes == 0 {
		t.Errorf("%+v", s)
	}
	if err := h.server.Reload(strings.Replace(h.caddyfile, "collection open {", "collection open {\nupscaling off", 1)); err != nil {
		t.Fatal(err)
	}
	same("after a reload")
	if s := h.cache(); s.Misses != 1 || s.MemoryHits != 2 {
		t.Errorf("after a reload: %+v", s)
	}
	if err := h.server.Reload(strings.Replace(h.caddyfile, "memory 64MiB", "memory off", 1)); err != nil {
		t.Fatal(err)
	}
	same("from the folder")
	if s := h.cache(); s.Misses != 0 || s.FolderHits != 1 || s.MemoryBytes != 0 || s.FolderBytes == 0 {
		t.Errorf("without memory: %+v", s)
	}
	if samples := h.metrics(); samples[`gatehouse_cache_requests_total{outcome="folder"}`] != 1 || samples[`gatehouse_cache_bytes{tier="folder"}`] == 0 {
		t.Error("the metrics do not tell of the folder")
	}
}

// A changed original is another picture, at once.
func TestKeptPicturesFollowTheOriginal(t *testing.T) {
	h := cacheSite(t, "memory 64MiB\nfolder {$DIR}/cache 64MiB")
	first := h.get(cachedPicture)
	writeFile(t, filepath.Join(h.server.Dir(), "images/q.jpg"), quadrants(t, 800, 400))
	second := h.get(cachedPicture)
	if second.is(t, http.StatusOK) && second.header.Get("ETag") == first.header.Get("ETag") {
		t.Error("the tag did not change")
	}
	if s := h.cache(); s.Misses != 2 {
		t.Errorf("%+v", s)
	}
	if err := os.Remove(filepath.Join(h.server.Dir(), "images/q.jpg")); err != nil {
		t.Fatal(err)
	}
	h.get(cachedPicture).is(t, http.StatusNotFound)
}

func TestCachePurgeAndWarm(t *testing.T) {
	h := cacheSite(t, "memory 64MiB\nfolder {$DIR}/cache 64MiB")
	h.get(cachedPicture).is(t, http.StatusOK)
	misses := func() int { return h.cache().Misses }
	for _, arguments := range [][]string{
		{"--collection", "open", "--identifier", "%71.jpg"}, {"--collection", "open"}, {},
	} {
		before := misses()
		h.command(append([]string{"cache", "purge"}, arguments...)...)
		h.get(cachedPicture).is(t, http.StatusOK)
		if after := misses(); after != before+1 {
			t.Errorf("purge %q: %d made after %d", arguments, after, before)
		}
	}
	before := misses()
	h.command("cache", "purge", "--collection", "open", "--identifier", "another.jpg")
	h.get(cachedPicture).is(t, http.StatusOK)
	if after := misses(); after != before {
		t.Error("the purge of one identifier was that of another")
	}
	for name, arguments := range map[string][]string{
		"a collection that is not": {"cache", "purge", "--collection", "closed"},
		"no collection":            {"cache", "purge", "--identifier", "q.jpg"},
		"an image that is not":     {"cache", "warm", "--collection", "open", "--identifier", "nothing.jpg"},
		"nothing to warm":          {"cache", "warm", "--collection", "open"},
	} {
		if _, err := h.server.Command(append([]string{"gatehouse"}, arguments...)...); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if status, _, err := h.server.Admin(http.MethodGet, "/gatehouse/cache/purge", "", nil); err != nil || status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d, %v", status, err)
	}
	if status, _, err := h.server.Admin(http.MethodPost, "/gatehouse/cache/purge", "application/json", []byte(`{"colection": "open"}`)); err != nil || status != http.StatusBadRequest {
		t.Errorf("a misspelt body: %d, %v", status, err)
	}

	h.command("cache", "purge")
	var warmed struct{ Pictures, Bytes int }
	h.commandJSON(&warmed, "cache", "warm", "--collection", "open", "--identifier", "q.jpg", "--tiles")
	if warmed.Pictures < 2 || warmed.Bytes == 0 {
		t.Errorf("%+v", warmed)
	}
	before = misses()
	h.get("/open/3/q.jpg/0,0,400,200/400,200/0/default.jpg").is(t, http.StatusOK)
	if after := misses(); after != before {
		t.Error("a tile that was warmed was made again")
	}
}

// Nobody sees more for being kept for others: who is denied stays so, and a smaller or marked image is another picture.
func TestKeptPicturesStayBehindTheDecision(t *testing.T) {
	h := newHouse(t, plan{gatehouse: "cache {\nbypass_scope staff\n}\n" + ownRules("closed"), site: "handle /mine/* {\ngatehouse_auth bearer\ngatehouse_authorize mine\ngatehouse_iiif mine\n}"})
	writeFile(t, filepath.Join(h.server.Dir(), "pictures/q.jpg"), quadrants(t, 400, 200))
	const picture = "/mine/3/q.jpg/full/200,/0/default.jpg"
	staff := h.roles("staff")
	h.get(picture, staff...).is(t, http.StatusOK)
	h.get(picture, staff...).is(t, http.StatusOK)
	if s := h.cache(); s.MemoryHits != 1 {
		t.Errorf("%+v", s)
	}
	h.get(picture, h.roles("other")...).is(t, http.StatusForbidden)
	h.get(picture).is(t, http.StatusForbidden)

	// Who may have it made anew, and who may not.
	misses := h.cache().Misses
	h.get(picture+"?cache=bypass", staff...).is(t, http.StatusOK)
	if s := h.cache(); s.Misses != misses+1 {
		t.Errorf("the bypass: %+v", s)
	}
	h.get(picture+"?cache=bypass", h.roles("other")...).is(t, http.StatusForbidden)
	h.get(picture+"?cache=other", staff...).is(t, http.StatusOK)
	if s := h.cache(); s.Misses != misses+1 {
		t.Errorf("what is no bypass: %+v", s)
	}
}

// A caller whose scopes let nobody bypass the cache gets what is kept.
func TestBypassIsForOperators(t *testing.T) {
	h := cacheSite(t, "memory 64MiB")
	h.get(cachedPicture).is(t, http.StatusOK)
	h.get(cachedPicture+"?cache=bypass").is(t, http.StatusOK)
	if s := h.cache(); s.Misses != 1 || s.MemoryHits != 1 {
		t.Errorf("%+v", s)
	}
}
