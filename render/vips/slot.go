package vips

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// maxStrays is how many pages of PDFs may be drawn at the same time that nobody waits for any more. Nothing stops
// Poppler within a page, and a file of a kilobyte can have it draw for years.
const maxStrays = 2

// strays counts calls that were told to stop, did not, and lost their workers.
type strays struct{ count atomic.Int64 }

// full refuses further PDFs while too many strays take processors away from everybody.
func (s *strays) full() error {
	if s.count.Load() < maxStrays {
		return nil
	}
	e := problem.New(http.StatusServiceUnavailable, "pdf_busy", "Pages of PDFs cannot be drawn at the moment: try again later")
	e.RetryAfter = 30 * time.Second
	return e
}

// slot is the worker that a call holds until it is back, or loses before.
type slot struct {
	// leave gives the worker back.
	leave func()
	// strays, when set, lets the worker go when the call does not stop.
	strays *strays

	mu          sync.Mutex
	ended, lost bool
}

// lose gives the worker back although the call goes on.
func (s *slot) lose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.strays == nil || s.ended || s.lost {
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
	if s.lost {
		s.strays.count.Add(-1)
		return
	}
	s.leave()
}
