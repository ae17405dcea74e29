package e2e_test

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// table is the product of everything that a decision may depend on. The number of a combination is the number of the
// dossier that it is asked of, so that nothing that one combination causes can serve another.
type table struct {
	access, copyright []any
	callers           []caller
	sources           []string
	endpoints         []endpoint
}

func newTable(h *house) *table {
	return &table{
		access:    []any{"PUBLIC", "RESTRICTED", nil, testkit.Missing{}, "public", 7},
		copyright: []any{"N", "Y", "J", nil, testkit.Missing{}, "n", []string{"N"}},
		callers:   h.callers(),
		sources:   []string{"edepot", "wabo", "elsewhere"},
		endpoints: endpoints(),
	}
}

func (x *table) size() int {
	return len(x.access) * len(x.access) * len(x.copyright) * len(x.callers) * len(x.sources) * len(x.endpoints)
}

// question is the n-th combination.
func (x *table) question(n int) question {
	digit := func(base int) int {
		d := n % base
		n /= base
		return d
	}
	return question{
		endpoint:       x.endpoints[digit(len(x.endpoints))],
		source:         x.sources[digit(len(x.sources))],
		caller:         x.callers[digit(len(x.callers))],
		copyright:      x.copyright[digit(len(x.copyright))],
		documentAccess: x.access[digit(len(x.access))],
		dossierAccess:  x.access[digit(len(x.access))],
	}
}

func (q question) String() string {
	return fmt.Sprintf("dossier %#v, document %#v, copyright %#v, %s, %s, %s", q.dossierAccess, q.documentAccess, q.copyright,
		q.caller.name, q.source, q.endpoint.name)
}

// asked counts, by the number of a combination, the requests that reached a server behind.
type asked []atomic.Int32

// numbered finds the number of a combination between two parts of a path.
func (a asked) numbered(path, before, after string) (int, bool) {
	rest, found := strings.CutPrefix(path, before)
	digits, found2 := strings.CutSuffix(rest, after)
	n, err := strconv.Atoi(digits)
	return n, found && found2 && err == nil && n >= 0 && n < len(a)
}

// dossiers answers for the metadata of every combination.
func (x *table) dossiers(count asked) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n, ok := count.numbered(r.URL.EscapedPath(), "/iiif-metadata/bouwdossier/SU_", "/")
		if !ok {
			http.NotFound(w, r)
			return
		}
		count[n].Add(1)
		q := x.question(n)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(dossier(strconv.Itoa(n), q.dossierAccess, q.documentAccess, q.copyright, fmt.Sprintf("f/%d.jpg", n)).JSON())
	}
}

// originals answers with the same picture for every combination.
func originals(count asked, picture []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n, ok := count.numbered(r.URL.EscapedPath(), "/f/", ".jpg")
		if !ok {
			http.NotFound(w, r)
			return
		}
		count[n].Add(1)
		w.Header().Set("ETag", `"1"`)
		http.ServeContent(w, r, "", time.Date(2020, 2, 2, 20, 20, 20, 0, time.UTC), bytes.NewReader(picture))
	}
}

const tablePictureWidth, tablePictureHeight = 8, 6

// Every combination of access, copyright, credential, source and endpoint is asked three times: of a server that knows
// nothing of the dossier, again while it remembers, and on the condition that the answer has changed.
func TestDecisionTable(t *testing.T) {
	picture := testkit.JPEG(t, tablePictureWidth, tablePictureHeight)
	var x *table
	var metadata, archive asked
	h := newHouse(t, plan{before: func(h *house) {
		x = newTable(h)
		metadata, archive = make(asked, x.size()), make(asked, x.size())
		h.metadata.Fail(instead(x.dossiers(metadata)))
		h.edepot.Fail(instead(originals(archive, picture)))
		h.wabo.Fail(instead(originals(archive, picture)))
	}})
	h.waitForKeys()

	// A short run, as under the race detector, takes every seventh: all values, not all combinations of them.
	step := int64(1)
	if testing.Short() {
		step = 7
	}
	var next, failed, requests atomic.Int64
	var workers sync.WaitGroup
	for range 4 * runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			c := &tableCaller{wire: wire{address: h.address()}, metadata: metadata, archive: archive, picture: picture}
			defer c.close()
			for n := int(next.Add(step) - step); n < x.size() && failed.Load() < 20; n = int(next.Add(step) - step) {
				for _, complaint := range c.examine(n, x.question(n)) {
					failed.Add(1)
					t.Errorf("%v: %s", x.question(n), complaint)
				}
				if n%2000 == 0 {
					h.metadata.Forget()
				}
			}
			requests.Add(c.requests)
		})
	}
	workers.Wait()
	t.Logf("every %d of %d combinations, %d requests", step, x.size(), requests.Load())
	h.calm()
}

// instead makes a handler of the test's own take a stand-in's place.
func instead(handler http.HandlerFunc) testkit.Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler, _ <-chan struct{}) { handler(w, r) }
}

// tableCaller asks and compares.
type tableCaller struct {
	wire
	metadata, archive asked
	picture           []byte
	requests          int64
}

// examine asks for one combination in all states of the caches and tells what is not as the model says.
func (c *tableCaller) examine(n int, q question) (complaints []string) {
	want := judge(q)
	complain := func(state, format string, args ...any) {
		complaints = append(complaints, state+": "+fmt.Sprintf(format, args...))
	}
	etag, archiveAfterFirst := "", int32(0)
	for _, state := range []string{"cold", "warm", "conditional"} {
		condition := ""
		if state == "conditional" {
			condition = "If-None-Match: *"
			if etag != "" {
				condition = "If-None-Match: " + etag
			}
		}
		a, err := c.ask(http.MethodGet, q.head(n, c.address, condition))
		c.requests++
		if err != nil {
			complain(state, "%v", err)
			return complaints
		}
		for _, text := range c.compare(n, q, want, a, state == "conditional") {
			complain(state, "%s", text)
		}
		if state == "cold" {
			etag, archiveAfterFirst = a.header.Get("ETag"), c.archive[n].Load()
		}
	}
	switch asked := c.metadata[n].Load(); {
	case !want.metadata && asked > 0:
		complain("after all", "%d requests for metadata that the refusal did not need", asked)
	case want.metadata && want.status != http.StatusBadGateway && asked != 1:
		complain("after all", "%d requests for metadata, want 1", asked)
	}
	switch asked := c.archive[n].Load(); {
	case !want.archive && asked > 0:
		complain("after all", "%d requests to the archive for what is not shown", asked)
	case want.archive && (asked == 0 || asked != archiveAfterFirst):
		complain("after all", "%d requests to the archive, %d of them for the first answer", asked, archiveAfterFirst)
	}
	return complaints
}

// head is the request of a combination.
func (q question) head(n int, host string, lines ...string) string {
	target := fmt.Sprintf("/iiif/%s/%s:SU_%d~D_0%s", q.endpoint.version, q.source, n, q.endpoint.tail)
	mark := "?"
	if q.endpoint.query != "" {
		target += mark + q.endpoint.query
		mark = "&"
	}
	if q.caller.query != "" {
		target += mark + "auth=" + q.caller.query
	}
	head := lines[:0]
	for _, line := range lines {
		if line != "" {
			head = append(head, line)
		}
	}
	if q.caller.token != "" {
		head = append(head, "Authorization: Bearer "+q.caller.token)
	}
	return getHead(target, host, head...)
}
