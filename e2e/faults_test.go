package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

const (
	metadataBudget = 600 * time.Millisecond
	archiveBudget  = 800 * time.Millisecond
	// grace is what a busy machine may add to a budget.
	grace = 3 * time.Second
)

const (
	metadataUnreachable = "The iiif-metadata-server cannot be reached"
	archiveUnreachable  = "The image-server cannot be reached because the following error occurred: "
)

// impatient is a house with short budgets that keeps no metadata.
func impatient(t *testing.T) *house {
	t.Helper()
	return newHouse(t, plan{
		metadata: fmt.Sprintf("fresh 0\ntimeout %s", metadataBudget),
		source:   fmt.Sprintf("timeout %s", archiveBudget),
	})
}

// within checks that an answer came within a budget.
func (a answer) within(t testing.TB, budget time.Duration) {
	t.Helper()
	if a.took > budget+grace {
		t.Errorf("it took %s of a budget of %s", a.took, budget)
	}
}

// Whatever the metadata server does, the caller is told so in time, nothing is guessed, and all is well when it is.
func TestMetadataServerFails(t *testing.T) {
	h := impatient(t)
	h.put("1", map[string][]byte{"a.jpg": testkit.JPEG(t, 4, 4)}, "a.jpg")
	elsewhere := testkit.NewStandIn(t, http.NotFoundHandler())
	path := "/iiif/2/" + edepotID("1", 0) + "/info.json"
	for name, test := range map[string]struct {
		fault testkit.Fault
		texts []string
	}{
		"hangs":                {testkit.Hang(), []string{metadataUnreachable}},
		"slow":                 {testkit.Slow(time.Minute), []string{metadataUnreachable}},
		"trickles":             {testkit.Trickle(20 * time.Millisecond), []string{metadataUnreachable}},
		"endless":              {testkit.Endless(), []string{metadataUnreachable, malformedMetadata}},
		"resets":               {testkit.Reset(), []string{metadataUnreachable}},
		"tells another length": {testkit.WrongLength(), []string{metadataUnreachable}},
		"cuts its JSON off":    {testkit.WrongJSON(), []string{malformedMetadata}},
		"shows a page":         {testkit.Answer("text/html", "<p>Log in</p>"), []string{malformedMetadata}},
		"fails":                {testkit.Status(500), []string{"We had a problem retrieving the metadata. We got status code 500"}},
		"leads elsewhere":      {testkit.Redirect(elsewhere.URL() + "/"), []string{"We had a problem retrieving the metadata. We got status code 302"}},
		"leads round":          {testkit.Redirect("/again"), []string{"We had a problem retrieving the metadata. We got status code 302"}},
	} {
		t.Run(name, func(t *testing.T) {
			h.metadata.Fail(test.fault)
			a := h.get(path, h.roles("BD/X")...)
			a.within(t, metadataBudget)
			if !slices.Contains(test.texts, string(a.body)) {
				t.Errorf("got %q", a.body)
			}
			a.text(t, http.StatusBadGateway, string(a.body))
			if strings.Contains(string(a.body), "127.0.0.1") {
				t.Errorf("%q tells an address", a.body)
			}
			h.metadata.Heal()
			h.get(path, h.roles("BD/X")...).size(t, 4, 4)
		})
	}
	if n := elsewhere.Count(); n > 0 {
		t.Errorf("%d requests followed a redirect to another server", n)
	}
	h.metadata.Fail(testkit.Slow(50 * time.Millisecond))
	h.get(path, h.roles("BD/X")...).size(t, 4, 4)
	h.calm()
}

// lie answers with a header of the test's own choice and then as many bytes as length says.
func lie(status int, length int, header ...string) testkit.Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler, _ <-chan struct{}) {
		for pair := range slices.Chunk(header, 2) {
			w.Header().Set(pair[0], pair[1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, strings.Repeat("x", length))
	}
}

// Whatever the archive does, the caller is told its kind in time, and all is well when it is.
func TestArchiveFails(t *testing.T) {
	h := impatient(t)
	elsewhere := testkit.NewStandIn(t, http.NotFoundHandler())
	unreachable := func(kind string) []string { return []string{archiveUnreachable + kind} }
	i := 0
	for name, test := range map[string]struct {
		fault testkit.Fault
		texts []string
	}{
		"hangs":                {testkit.Hang(), unreachable("timeout")},
		"slow":                 {testkit.Slow(time.Minute), unreachable("timeout")},
		"trickles":             {testkit.Trickle(20 * time.Millisecond), unreachable("timeout")},
		"resets":               {testkit.Reset(), unreachable("connection reset")},
		"tells another length": {testkit.WrongLength(), unreachable("connection reset")},
		"sends another part":   {lie(206, 100, "Content-Range", "bytes 100-199/200", "ETag", `"1"`), unreachable("protocol")},
		"sends a longer part":  {lie(206, 300_000, "Content-Range", "bytes 0-299999/300000", "ETag", `"1"`), unreachable("protocol")},
		"sends a part of less": {lie(206, 100, "Content-Range", "bytes 0-99/50", "ETag", `"1"`), unreachable("protocol")},
		"tells no part":        {lie(206, 100, "ETag", `"1"`), unreachable("protocol")},
		"tells nonsense":       {lie(206, 100, "Content-Range", "bytes eleven", "ETag", `"1"`), unreachable("protocol")},
		"compresses":           {lie(200, 100, "Content-Encoding", "gzip"), unreachable("protocol")},
		"fails":                {testkit.Status(500), []string{"We had a problem retrieving the image. We got status code 500"}},
		"leads elsewhere":      {testkit.Redirect(elsewhere.URL() + "/"), []string{"We had a problem retrieving the image. We got status code 302"}},
		"leads round":          {testkit.Redirect("/again"), []string{"We had a problem retrieving the image. We got status code 302"}},
	} {
		i++
		file := fmt.Sprintf("%d.jpg", i)
		t.Run(name, func(t *testing.T) {
			h.put("1", map[string][]byte{file: testkit.JPEG(t, 4, 4)}, file)
			for _, tail := range []string{"/info.json", imageTail, "?source_file=true"} {
				path := "/iiif/2/" + edepotID("1", 0) + tail
				h.edepot.Fail(test.fault)
				a := h.get(path, h.roles("BD/X")...)
				a.within(t, archiveBudget)
				if !slices.Contains(test.texts, string(a.body)) {
					t.Errorf("%s: got %.200q", tail, a.body)
				}
				a.text(t, http.StatusBadGateway, string(a.body))
			}
			h.edepot.Heal()
			h.get("/iiif/2/"+edepotID("1", 0)+imageTail, h.roles("BD/X")...).picture(t, "jpeg", 4, 4)
		})
	}
	if n := elsewhere.Count(); n > 0 {
		t.Errorf("%d requests followed a redirect to another server", n)
	}
	h.calm()
}

// An original without an end is not fetched for ever, nor does it fill the disk beyond the spool's bound.
func TestEndlessOriginal(t *testing.T) {
	h := impatient(t)
	h.put("1", map[string][]byte{"a.jpg": testkit.JPEG(t, 4, 4)}, "a.jpg")
	h.edepot.Fail(testkit.Endless())
	path := "/iiif/2/" + edepotID("1", 0) + imageTail
	a := h.get(path, h.roles("BD/X")...)
	if a.status != http.StatusServiceUnavailable && a.status != http.StatusRequestEntityTooLarge && a.status != http.StatusBadGateway {
		t.Errorf("got %d %.200q", a.status, a.body)
	}
	a.within(t, 20*time.Second)
	h.edepot.Heal()
	h.get(path, h.roles("BD/X")...).picture(t, "jpeg", 4, 4)
	h.calm()
}

// All spellings of a name together have one budget.
func TestOneBudgetForAllSpellings(t *testing.T) {
	h := impatient(t)
	h.metadata.Put(dossier("1", "PUBLIC", "PUBLIC", "N", "AbC.jpg"))
	h.edepot.Fail(testkit.Slow(archiveBudget / 2))
	a := h.get("/iiif/2/"+edepotID("1", 0)+imageTail, h.roles("BD/X")...)
	a.text(t, http.StatusBadGateway, archiveUnreachable+"timeout")
	a.within(t, archiveBudget)
	h.edepot.Fail(testkit.Slow(archiveBudget / 8))
	h.get("/iiif/2/"+edepotID("1", 0)+imageTail, h.roles("BD/X")...).text(t, http.StatusNotFound, "No source file could be found")
}

// While servers behind hang, whoever does not need them is answered as ever, and simultaneous callers share one wait.
func TestHangingServersHoldNobodyElseUp(t *testing.T) {
	h := newHouse(t, plan{metadata: "timeout 2s"})
	h.put("1", map[string][]byte{"a.jpg": testkit.JPEG(t, 4, 4)}, "a.jpg")
	path := "/iiif/2/" + edepotID("1", 0) + "/info.json"
	h.get(path, h.roles("BD/X")...).size(t, 4, 4)
	h.metadata.Forget()
	h.metadata.Fail(testkit.Hang())
	var waiting sync.WaitGroup
	token := "Bearer " + h.idp.RoleToken("BD/X")
	const callers = 30
	for range callers {
		waiting.Go(func() {
			a, err := exchange(t, h.client, http.MethodGet, h.server.URL()+"/iiif/2/"+edepotID("2", 0)+"/info.json", "Authorization", token)
			if err != nil || a.status != http.StatusBadGateway || string(a.body) != metadataUnreachable {
				t.Errorf("got %d %q, %v", a.status, a.body, err)
			}
		})
	}
	h.metadata.WaitFor(1)
	for _, quick := range []answer{h.get(path, h.roles("BD/R")...), h.get("/status/health"), h.get(path)} {
		if quick.took > time.Second {
			t.Errorf("%d took %s", quick.status, quick.took)
		}
	}
	waiting.Wait()
	if n := h.metadata.Count(); n > callers/3 {
		t.Errorf("%d requests for %d simultaneous callers of one dossier", n, callers)
	}
}

// A metadata server that comes back is asked again at once, and what it said before it left is used while it is fresh
// and not a moment longer.
func TestMetadataIsNotUsedLongerThanFresh(t *testing.T) {
	h := newHouse(t, plan{metadata: "fresh 1s"})
	h.put("1", map[string][]byte{"a.jpg": testkit.JPEG(t, 4, 4)}, "a.jpg")
	path := "/iiif/2/" + edepotID("1", 0) + "/info.json"
	h.get(path, h.roles("BD/R")...).size(t, 4, 4)
	asked := time.Now()
	h.metadata.Down()
	eventually(t, "the metadata to be too old", func() bool {
		a := h.get(path, h.roles("BD/R")...)
		if a.status != http.StatusOK {
			a.text(t, http.StatusBadGateway, metadataUnreachable)
		}
		return a.status != http.StatusOK
	})
	if age := time.Since(asked); age > time.Second+grace {
		t.Errorf("the metadata was used for %s", age)
	}
	h.metadata.Put(dossier("1", "RESTRICTED", "PUBLIC", "N", "a.jpg"))
	h.metadata.Up()
	h.get(path, h.roles("BD/R")...).text(t, http.StatusUnauthorized, "Document access is restricted")
}
