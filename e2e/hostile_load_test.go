package e2e_test

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// bombers asks for bombs, so many at a time, until it is told to stop.
type bombers struct {
	stop    chan struct{}
	running sync.WaitGroup
	answers atomic.Int64
}

func (h *house) bomb(t *testing.T, files []hostile, atATime int) *bombers {
	t.Helper()
	b := &bombers{stop: make(chan struct{})}
	for i := range atATime {
		b.running.Go(func() {
			for n := i; ; n += atATime {
				select {
				case <-b.stop:
					return
				default:
				}
				file := files[n%len(files)]
				tail := []string{imageTail, "/info.json", "/full/!200,200/0/default.jpg", "/0,0,256,256/max/0/default.png"}[n/len(files)%4]
				a, err := exchange(t, h.client, http.MethodGet, h.server.URL()+"/open/3/"+file.name()+tail)
				switch {
				case err != nil:
					t.Errorf("%s: %v", file.what, err)
				case a.status >= 400:
					if fault := sentence(a); fault != "" {
						t.Errorf("%s: %s", file.what, fault)
					}
				}
				b.answers.Add(1)
			}
		})
	}
	return b
}

func (b *bombers) end() int64 {
	close(b.stop)
	b.running.Wait()
	return b.answers.Load()
}

// others asks for what nobody tampered with, and tells how long it took in the middle and at the 99th percentile.
func (h *house) others(t *testing.T, n int) (middle, late time.Duration) {
	t.Helper()
	var took []time.Duration
	tails := []string{"/open/3/seed.png/info.json", "/open/3/scan.tif/256,256,256,256/256,256/0/default.jpg", "/open/2/seed.png/full/100,/0/default.jpg"}
	for i := range n {
		a := h.get(tails[i%len(tails)])
		if a.status != http.StatusOK {
			t.Errorf("%s: got %d %.100q", tails[i%len(tails)], a.status, a.body)
		}
		took = append(took, a.took)
	}
	slices.Sort(took)
	return took[len(took)/2], took[(len(took)*99-1)/100]
}

func median(of []time.Duration) time.Duration {
	slices.Sort(of)
	return of[len(of)/2]
}

// What other requests may take in any case while bombs go off: 16 bombs and whatever else a machine does share its
// processors with them. Bombs that hold the workers make others wait longer, up to the time limit.
const (
	unnoticed = time.Second
	timesBusy = 100
)

// While files that are refused are asked for, 16 at a time, others are served as before. Files that keep a worker until
// its time is over are another matter: others wait for a worker then.
func TestOthersBesideBombs(t *testing.T) {
	h := publicSite(t, "source main folder {$DIR}/images")
	h.place(hostile{what: "seed", ext: ".png", data: testkit.PNG(t, 300, 200)})
	h.place(hostile{what: "scan", ext: ".tif", data: testkit.PyramidTIFF(t, 1024, 1024)})
	var bombs []hostile
	for _, file := range hostileFiles(t, h) {
		if file.end == refused && !file.slow {
			bombs = append(bombs, file)
			h.place(file)
		}
	}
	if len(bombs) < 120 {
		t.Fatalf("only %d kinds", len(bombs))
	}
	rounds, n := 3, 120
	if testing.Short() {
		rounds, n = 3, 40
	}
	var middles, quiet, under []time.Duration
	for range rounds {
		middle, before := h.others(t, n)
		b := h.bomb(t, bombs, 16)
		_, beside := h.others(t, n)
		middles, quiet, under = append(middles, middle), append(quiet, before), append(under, beside)
		t.Logf("middle %v, 99th percentile %v, beside bombs %v; %d bombs were answered", middle, before, beside, b.end())
	}
	if before, beside := median(quiet), median(under); beside > max(2*before, unnoticed, timesBusy*median(middles)) {
		t.Errorf("others took %v at the 99th percentile, and %v beside bombs", before, beside)
	}
	if peak := h.peakMemory(); peak > mostMemory {
		t.Errorf("the server had up to %d MB in memory", peak>>20)
	}
	h.calm()
}
