package child

import (
	"runtime"
	"sync/atomic"
)

// starter starts children from one thread of its own, which lives as long as they do: Linux sends a child the signal of
// its parent's death when the thread that made it ends, and what the thread may not open, its children may not either.
type starter struct {
	work     chan func()
	ended    chan struct{}
	confined atomic.Bool
}

func (s *starter) begin() {
	s.work, s.ended = make(chan func()), make(chan struct{})
	go func() {
		defer close(s.ended)
		// Never unlocked: the thread ends with the goroutine, and nobody else gets it.
		runtime.LockOSThread()
		s.confined.Store(confine() == nil)
		for work := range s.work {
			work()
		}
	}()
}

func (s *starter) start(p *Pool, l *lane) (c *process, err error) {
	done := make(chan struct{})
	s.work <- func() {
		defer close(done)
		c, err = p.launch(l)
	}
	<-done
	return c, err
}

// end is for when no child is left, and none will be started.
func (s *starter) end() {
	close(s.work)
	<-s.ended
}
