package vips

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// spareStrays is how many pages of PDFs may go on without a worker before that costs other PDFs anything.
const spareStrays = 2

// strays lets pages of PDFs be drawn, and bounds those that nobody waits for any more. Nothing stops Poppler within a
// page, and a file of a kilobyte can have it draw for years: such a page loses its worker, but not its pass.
type strays struct {
	passes *semaphore.Weighted
	count  atomic.Int64
}

func newStrays(workers int) strays {
	return strays{passes: semaphore.NewWeighted(int64(workers) + spareStrays)}
}

// errPDFBusy refuses a page while too many strays take processors away from everybody.
func errPDFBusy() error {
	e := problem.New(http.StatusServiceUnavailable, "pdf_busy", "Pages of PDFs cannot be drawn at the moment: try again later")
	e.RetryAfter = 30 * time.Second
	return e
}

// slot is the worker that a call holds until it is back, or loses before.
type slot struct {
	// leave gives the worker back.
	leave func()
	// strays, when set, has given the slot a pass.
	strays *strays

	mu          sync.Mutex
	timer       *time.Timer
	ended, lost bool
}

// pass gets the slot a pass, and takes its worker away once the limit is over. It fails when all passes are with strays.
func (s *slot) pass(of *strays, limit time.Duration) error {
	// Only strays hold passes without a worker, so those who have one never wait for another.
	if !of.passes.TryAcquire(1) {
		return errPDFBusy()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strays = of
	s.timer = time.AfterFunc(limit, s.lose)
	return nil
}

// lose gives the worker back although the call goes on.
func (s *slot) lose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.lost {
		return
	}
	s.lost = true
	s.strays.count.Add(1)
	s.leave()
}

// end is for when the call is back.
func (s *slot) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	if s.strays != nil {
		s.timer.Stop()
		s.strays.passes.Release(1)
	}
	if s.lost {
		s.strays.count.Add(-1)
		return
	}
	s.leave()
}
