package pyramid

import (
	"time"

	"github.com/gatehouse-server/gatehouse/internal/diskcache"
)

// wish is a pyramid that somebody could use.
type wish struct {
	name   diskcache.Name
	make   Make
	urgent bool
	begun  bool
}

// Want has a pyramid made once the ones before it are. Urgent ones, which are looked at in tiles, come first; others are
// made only as long as there is room for them.
func (s *Store) Want(name diskcache.Name, urgent bool, build Make) {
	if until, ok := s.failed.Get(name); ok && time.Now().Before(until) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if w := s.wanted[name]; w != nil {
		if urgent && !w.urgent && !w.begun && len(s.urgent) < maxWishes {
			w.urgent = true
			s.urgent = append(s.urgent, w)
		}
		return
	}
	queue := &s.idle
	if urgent {
		queue = &s.urgent
	}
	if len(*queue) >= maxWishes {
		s.skipped.Add(1)
		return
	}
	w := &wish{name: name, make: build, urgent: urgent}
	s.wanted[name] = w
	*queue = append(*queue, w)
	if !s.working {
		s.working = true
		s.done.Add(1)
		go s.work()
	}
}

// next takes the next wish, or ends the work.
func (s *Store) next() *wish {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, queue := range []*[]*wish{&s.urgent, &s.idle} {
		for len(*queue) > 0 && !s.closed {
			w := (*queue)[0]
			*queue = (*queue)[1:]
			// One that became urgent stands in both.
			if w.begun {
				continue
			}
			w.begun = true
			return w
		}
	}
	s.working = false
	return nil
}

func (s *Store) work() {
	defer s.done.Done()
	for w := s.next(); w != nil; w = s.next() {
		s.fulfil(w)
		s.mu.Lock()
		delete(s.wanted, w.name)
		s.mu.Unlock()
	}
}
