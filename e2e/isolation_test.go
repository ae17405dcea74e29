//go:build linux

package e2e_test

import (
	"bytes"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// isolation is what the status command tells of rendering processes.
type isolation struct {
	Mode      string
	Processes int
	PIDs      []int
	Replaced  map[string]int
}

func (h *house) isolation() isolation {
	h.t.Helper()
	var status struct{ Images struct{ Isolation isolation } }
	h.commandJSON(&status, "status")
	return status.Images.Isolation
}

// isolationSite serves a folder, with these lines in the images block, and keeps no pictures.
func isolationSite(t testing.TB, images string) *house {
	t.Helper()
	h := site(t, "cache {\nmemory off\n}\nimages {\n"+images+"\n}\ncollection open {\nprefix /open\nsource main folder {$DIR}/images\n}",
		"handle /open/* {\ngatehouse_iiif open\n}")
	writeFile(t, filepath.Join(h.server.Dir(), "images/q.jpg"), quadrants(t, 400, 200))
	writeFile(t, filepath.Join(h.server.Dir(), "images/large.png"), quadrants(t, 3000, 3000))
	writeFile(t, filepath.Join(h.server.Dir(), "images/years.pdf"), endlessPDF())
	return h
}

const (
	isolatedPicture = "/open/3/q.jpg/100,50,200,100/100,/90/default.png"
	// slowPicture takes a second or so.
	slowPicture = "/open/3/large.png/full/max/10/default.png"
)

// It is the same picture wherever it is made, and the status tells where that is.
func TestIsolation(t *testing.T) {
	var pictures [][]byte
	for mode, lines := range map[string]string{"process": "isolation process 1", "none": "isolation none"} {
		h := isolationSite(t, lines)
		a := h.get(isolatedPicture)
		a.is(t, http.StatusOK)
		pictures = append(pictures, a.body)
		is := h.isolation()
		children := childrenOf(h.server.Pid())
		if is.Mode != mode || is.Processes != len(children) || is.Processes != map[string]int{"process": 2}[mode] {
			t.Errorf("%+v, and there are the processes %v", is, children)
		}
		slices.Sort(children)
		if len(children) > 0 && !slices.Equal(children, is.PIDs) {
			t.Errorf("%v, and there are the processes %v", is.PIDs, children)
		}
		if text := h.command("status"); mode == "process" && !strings.Contains(text, "2 processes") {
			t.Error(text)
		}
		h.calm()
	}
	if !bytes.Equal(pictures[0], pictures[1]) {
		t.Error("the pictures differ")
	}
}

// A rendering process that dies costs nobody an answer; the metrics count it.
func TestRenderingProcessDies(t *testing.T) {
	h := isolationSite(t, "isolation process 1\ntime_limit 60s")
	h.get(isolatedPicture).is(t, http.StatusOK)
	for _, signal := range []syscall.Signal{syscall.SIGSEGV, syscall.SIGKILL} {
		before := h.isolation()
		done := make(chan answer, 1)
		go func() {
			a, err := exchange(t, h.client, http.MethodGet, h.server.URL()+slowPicture)
			if err != nil {
				t.Error(err)
			}
			done <- a
		}()
		eventually(t, "a render", func() bool { return h.metrics()["gatehouse_render_running"] > 0 })
		for _, pid := range before.PIDs {
			_ = syscall.Kill(pid, signal)
		}
		if a := <-done; a.status != http.StatusOK {
			t.Errorf("%v: %d %q", signal, a.status, a.body)
		}
		eventually(t, "fresh processes", func() bool {
			is := h.isolation()
			return is.Processes == 2 && !slices.ContainsFunc(is.PIDs, func(pid int) bool { return slices.Contains(before.PIDs, pid) })
		})
	}
	if n := h.metrics()[`gatehouse_render_child_ends_total{reason="crash"}`]; n < 2 {
		t.Errorf("%v crashes are counted", n)
	}
	h.calm()
}

// A page without an end is killed with its process, and as many as come are none left over.
func TestEndlessPagesAreKilled(t *testing.T) {
	h := isolationSite(t, "isolation process 2\ntime_limit 1s")
	for range 5 {
		if a := h.get("/open/3/years.pdf" + imageTail); a.status != http.StatusServiceUnavailable || !strings.Contains(string(a.body), "took too long") {
			t.Errorf("%d %q", a.status, a.body)
		}
	}
	h.get(isolatedPicture).is(t, http.StatusOK)
	if n := h.isolation().Replaced["deadline"]; n != 5 {
		t.Errorf("%d processes are replaced for their deadline", n)
	}
	h.calm()
}

// A reload that changes nothing of it keeps the processes; one that does puts others in their place; the end of the
// server, however it comes, is theirs.
func TestRenderingProcessesOverReloads(t *testing.T) {
	h := isolationSite(t, "isolation process 1")
	h.get(isolatedPicture).is(t, http.StatusOK)
	first := h.isolation().PIDs
	if err := h.server.Reload(strings.Replace(h.caddyfile, "collection open {", "collection open {\nupscaling off", 1)); err != nil {
		t.Fatal(err)
	}
	h.get(isolatedPicture).is(t, http.StatusOK)
	if again := h.isolation().PIDs; !slices.Equal(again, first) {
		t.Errorf("processes %v after a reload of something else, and %v before", again, first)
	}
	if err := h.server.Reload(strings.Replace(h.caddyfile, "isolation process 1", "isolation process 2 {\nmemory 512MiB\nrecycle 100\ncpu 10s\n}", 1)); err != nil {
		t.Fatal(err)
	}
	h.get(isolatedPicture).is(t, http.StatusOK)
	eventually(t, "the old processes' end", func() bool {
		children := childrenOf(h.server.Pid())
		return len(children) == 3 && !slices.ContainsFunc(children, func(pid int) bool { return slices.Contains(first, pid) })
	})
	second := childrenOf(h.server.Pid())
	h.server.Kill()
	eventually(t, "their end with the server's", func() bool {
		return !slices.ContainsFunc(second, func(pid int) bool { return memoryOf(pid, "VmRSS:") > 0 })
	})
	h.server.Restart(h.caddyfile)
	h.get(isolatedPicture).is(t, http.StatusOK)
	third := childrenOf(h.server.Pid())
	h.server.Stop()
	if len(third) != 2 || slices.ContainsFunc(third, func(pid int) bool { return memoryOf(pid, "VmRSS:") > 0 }) {
		t.Errorf("of %v some are left", third)
	}
}

// The hidden command is nobody's but the server's.
func TestCommandOfRenderingProcesses(t *testing.T) {
	h := isolationSite(t, "isolation none")
	if _, err := h.server.Command("gatehouse", "render-child"); err == nil || !strings.Contains(err.Error(), "for the server itself") {
		t.Errorf("%v", err)
	}
	if out, _ := h.server.Command("gatehouse", "--help"); strings.Contains(out, "render-child") {
		t.Error("help tells of it")
	}
}
