// Package admission decides which pictures are made next, and which are not: so many at once, within so much memory, and
// so many that wait.
//
// Work waits in lanes by its estimated cost: tiles before images, and images before what is heavy, so that a viewer's
// tiles do not wait for somebody's whole maps. Each lane still gets its share while those before it are full. Within a
// lane callers take turns by the time that their work takes: who asks for much waits for those who ask for little.
package admission

import (
	"container/list"
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// Lane is a class of work by its cost.
type Lane int

// The lanes, the first served first.
const (
	Tile  Lane = iota // little memory and time
	Image             // what is neither of the others
	Heavy             // much time, or more memory than all work together may have
	laneCount
)

// Lanes lists them by name.
func Lanes() []string { return []string{"tile", "image", "heavy"} }

// String is the lane's name.
func (l Lane) String() string { return Lanes()[l] }

// Work is what one picture is going to need, by estimate.
type Work struct {
	// Bytes of memory at its peak. What needs more than the budget runs alone.
	Bytes int64
	// Cost is the processor time.
	Cost time.Duration
	// Caller is who asked. Empty is a caller as any other.
	Caller string
}

// Config is the settings of a Queue. All of them are needed.
type Config struct {
	// Workers is how much runs at once.
	Workers int
	// Memory in bytes is what all that runs may need.
	Memory int64
	// Queue is how many may wait.
	Queue int
	// Patience is how long one may wait.
	Patience time.Duration
	// Shadow admits in the order of asking, and only counts what the lanes would have done instead.
	Shadow bool
	// Observer, when set, is told of each event and its lane. It must not block, and must not use the Queue.
	Observer func(event Event, lane Lane)
}

// Event is what happened to work, besides being done.
type Event string

// The events. The last two are of Config.Shadow alone.
const (
	// Shed: it was refused, at its arrival, for somebody with less, or after it had waited too long.
	Shed Event = "shed"
	// WouldOvertake: the lanes would have let it in, and somebody else's turn came by the order of asking.
	WouldOvertake Event = "would_overtake"
	// WouldMakeRoom: it was to wait on, and the lanes would have refused it for somebody with less.
	WouldMakeRoom Event = "would_make_room"
)

// What makes work a tile, and what makes it heavy.
const (
	tileCost  = 100 * time.Millisecond
	heavyCost = time.Second
	// tilePart is the part of the memory that is there for tiles alone.
	tilePart = 8
)

// Stats tell how a Queue is.
type Stats struct {
	Running int
	// Waiting and Shed by lane, the latter since the start.
	Waiting [laneCount]int
	Shed    [laneCount]int64
}

// Queued is how many wait.
func (s *Stats) Queued() (n int) {
	for _, waiting := range s.Waiting {
		n += waiting
	}
	return n
}

// Queue lets work in. It is safe for concurrent use; its lock is held for a few steps only.
type Queue struct {
	config Config

	mu    sync.Mutex
	lanes [laneCount]lane
	// order is all that wait, by the order of asking; owed is what they cost together.
	order list.List
	owed  time.Duration
	// next numbers what arrives.
	next uint64
	// running work, and the heavy among it; alone tells that one runs that needs all the memory.
	running, heavy int
	// light is when something that is not heavy arrived last.
	light time.Time
	alone bool
	// used is memory, of tiles and of the rest. In shadow mode there is but the rest's.
	used [2]int64
	// drift is how much longer work takes than its estimate, as a running mean.
	drift float64
	shed  [laneCount]int64
}

// New makes a Queue.
func New(c Config) *Queue {
	if c.Observer == nil {
		c.Observer = func(Event, Lane) {}
	}
	q := &Queue{config: c, drift: 1}
	for i := range q.lanes {
		q.lanes[i].callers = map[string]*caller{}
	}
	return q
}

// Enter waits until the work may begin; leave must be called when it is done. A full queue, or one that does not move,
// refuses with a *problem.Error of 503 that tells when to come back. When ctx ends, its error comes back.
func (q *Queue) Enter(ctx context.Context, work Work) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t := q.ticket(work)
	q.mu.Lock()
	q.arrive(t)
	done := t.state
	q.mu.Unlock()
	switch done {
	case refused:
		return nil, t.refusal
	case waiting:
		if err := q.wait(ctx, t); err != nil {
			return nil, err
		}
	}
	start := time.Now()
	var once sync.Once
	return func() {
		once.Do(func() {
			took := time.Since(start)
			q.mu.Lock()
			defer q.mu.Unlock()
			q.leave(t, took)
		})
	}, nil
}

// wait waits for a ticket's turn.
func (q *Queue) wait(ctx context.Context, t *ticket) error {
	timer := time.NewTimer(q.config.Patience)
	defer timer.Stop()
	var gone error
	select {
	case <-t.told:
	case <-ctx.Done():
		gone = ctx.Err()
	case <-timer.C:
		gone = errPatience
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case t.state == refused:
		return t.refusal
	case gone == nil:
		return nil
	case t.state == admitted && errors.Is(gone, errPatience):
		// Its turn came at the last moment.
		return nil
	case t.state == admitted:
		q.leave(t, 0)
		return gone
	}
	q.remove(t)
	if errors.Is(gone, errPatience) {
		q.refuse(t)
		gone = t.refusal
	} else {
		q.lanes[t.lane].withdraw(t)
	}
	// Those behind it may fit where it did not.
	q.dispatch()
	return gone
}

// Stats tells how the Queue is.
func (q *Queue) Stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := Stats{Running: q.running, Shed: q.shed}
	for i := range q.lanes {
		s.Waiting[i] = len(q.lanes[i].waiting)
	}
	return s
}

// errFull refuses what cannot be served soon.
func errFull(after time.Duration) *problem.Error {
	e := problem.New(http.StatusServiceUnavailable, "queue_full", "Too many images are being made at the moment: try again in a few seconds")
	e.RetryAfter = after
	return e
}
