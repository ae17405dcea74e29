package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// soaked is a site as it is by default, with little memory for pictures: most of them are made.
var soaked = variant{label: ", soaked", options: "cache {\nmemory 64MiB\n}\npyramids {\nfolder {$DIR}/pyramids 1GiB\n}"}

const (
	// soakClients ask for what viewers ask for; hostileClients for files that are damaged.
	soakClients    = 8
	hostileClients = 4
)

// soak asks for everything at once for a long time, and tells each minute what came of it.
func soak(t testing.TB, o options) string {
	t.Helper()
	say("Making pictures …")
	r := compileRaw(t)
	a := openAlbum(t, r, o)
	hostile, err := damaged(t, r, a.dir)
	if err != nil {
		t.Fatal(err)
	}
	s := startSite(t, a, soaked)
	ctx, cancel := context.WithTimeout(context.Background(), o.soak)
	defer cancel()
	w := &watch{answers: map[int]int{}}
	var group sync.WaitGroup
	for range soakClients {
		group.Go(func() { w.ask(ctx, s.protected, func() (string, bool) { return anything(a) }) })
	}
	for range hostileClients {
		group.Go(func() { w.ask(ctx, s.open, func() (string, bool) { return hostile[rand.IntN(len(hostile))], false }) })
	}
	var out strings.Builder
	out.WriteString("| minute | requests/s | tile p50 ms | tile p99 ms | answers | peak MB |\n|---|---|---|---|---|---|\n")
	for minute := 1; ctx.Err() == nil; minute++ {
		most := s.open.process.watchMemory()
		begun := time.Now()
		select {
		case <-ctx.Done():
		case <-time.After(min(time.Minute, o.soak)):
		}
		peak, err := most()
		if err != nil {
			t.Fatalf("the server is gone: %v", err)
		}
		row := fmt.Sprintf("| %d | %s | %d |\n", minute, w.row(time.Since(begun)), peak/1e6)
		say("%s", strings.TrimSpace(row))
		out.WriteString(row)
	}
	group.Wait()
	if w.failed != nil {
		t.Fatalf("a request was not answered: %v", w.failed)
	}
	return out.String()
}

// anything is a request as viewers make them: mostly tiles. It tells whether it is one.
func anything(a *album) (path string, tile bool) {
	p := a.pictures[rand.IntN(len(a.pictures))]
	copied := rand.IntN(20)
	pick := func(jobs []job) string { return jobs[rand.IntN(len(jobs))].path }
	switch n := rand.IntN(100); {
	case n < 80:
		if jobs := p.zoomTiles(512)(copied); len(jobs) > 0 {
			return pick(jobs), true
		}
		return pick(p.thumbnails(copied)), false
	case n < 90:
		return pick(p.thumbnails(copied)), false
	case n < 99 || p.width*p.height > mostPixels:
		return pick(p.descriptions(copied)), false
	}
	return pick(p.whole([]string{"jpg", "webp"}[rand.IntN(2)])(copied)), false
}

// watch counts answers.
type watch struct {
	mu      sync.Mutex
	answers map[int]int
	tiles   []float64
	failed  error
}

// ask asks until ctx ends.
func (w *watch) ask(ctx context.Context, s *service, next func() (path string, tile bool)) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	name, value, _ := strings.Cut(strings.TrimSpace(s.client.header), ": ")
	for ctx.Err() == nil {
		path, tile := next()
		request, err := http.NewRequest(http.MethodGet, "http://"+s.client.address+s.prefix+path, nil)
		if err != nil {
			w.fail(err)
			return
		}
		if name != "" {
			request.Header.Set(name, value)
		}
		begun := time.Now()
		response, err := client.Do(request)
		if err == nil {
			_, err = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
		if err != nil {
			w.fail(err)
			return
		}
		w.mu.Lock()
		w.answers[response.StatusCode]++
		if tile && response.StatusCode == http.StatusOK {
			w.tiles = append(w.tiles, time.Since(begun).Seconds())
		}
		w.mu.Unlock()
	}
}

func (w *watch) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed == nil {
		w.failed = err
	}
}

// row tells of the answers since the last one.
func (w *watch) row(took time.Duration) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	total := 0
	var statuses []int
	for status, n := range w.answers {
		total += n
		statuses = append(statuses, status)
	}
	slices.Sort(statuses)
	var answers []string
	for _, status := range statuses {
		answers = append(answers, fmt.Sprintf("%d: %d", status, w.answers[status]))
	}
	p50, p99 := 0.0, 0.0
	if len(w.tiles) > 0 {
		p50, p99 = 1000*quantile(w.tiles, 0.5), 1000*quantile(w.tiles, 0.99)
	}
	w.answers, w.tiles = map[int]int{}, nil
	return fmt.Sprintf("%s | %s | %s | %s", figure(float64(total)/took.Seconds()), figure(p50), figure(p99), strings.Join(answers, ", "))
}

// damaged writes pictures that are cut off or have other bytes in places, and gives requests for them.
func damaged(t testing.TB, r *raw, dir string) ([]string, error) {
	t.Helper()
	var paths []string
	for _, kind := range []string{"a.jpg", "b.png", "c.tif[tile,pyramid,compression=jpeg]", "d.tif[compression=lzw]", "e.jp2", "f.webp", "g.gif"} {
		whole := filepath.Join(t.TempDir(), kind)
		if err := r.make(700, 500, whole); err != nil {
			return nil, err
		}
		whole, _, _ = strings.Cut(whole, "[")
		data, err := os.ReadFile(whole)
		if err != nil {
			return nil, err
		}
		for i := range 30 {
			bad := slices.Clone(data)
			if i%3 == 0 {
				bad = bad[:rand.IntN(len(bad))]
			}
			for range 1 + rand.IntN(20) {
				if len(bad) > 0 {
					bad[rand.IntN(len(bad))] = byte(rand.Uint32())
				}
			}
			name := fmt.Sprintf("hostile%d-%s", i, filepath.Base(whole))
			if err := os.WriteFile(filepath.Join(dir, name), bad, 0o600); err != nil {
				return nil, err
			}
			paths = append(paths, name+"/info.json", name+"/full/max/0/default.jpg", name+"/0,0,256,256/256,256/0/default.jpg", name+"/full/!200,200/22.5/gray.png")
		}
	}
	return paths, nil
}
