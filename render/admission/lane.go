package admission

import (
	"container/heap"
	"container/list"
	"errors"
	"time"
)

// errPatience says that work has waited too long.
var errPatience = errors.New("waited too long")

// What becomes of a ticket.
const (
	waiting = iota
	admitted
	refused
)

// ticket is work that wants to begin.
type ticket struct {
	work  Work
	lane  Lane
	alone bool
	// number is the order of asking; start the virtual time at which the caller's turn comes; index its place in the lane.
	number uint64
	start  time.Duration
	index  int
	caller *caller
	// place is its place in the order of asking; noted tells that it was counted as one that would overtake.
	place *list.Element
	noted bool

	state   int
	refusal error
	// told is closed when the state has changed.
	told chan struct{}
}

// caller is who has work in a lane.
type caller struct {
	key string
	// until is the virtual time up to which the caller has had, or is waiting for, its share; waiting counts its tickets.
	until   time.Duration
	waiting int
}

// lane is work that waits, those in front whose callers have had least: start-time fair queueing. Each ticket gets the
// virtual time at which its caller's turn comes; the lane's own time is that of the last one that was let in.
type lane struct {
	waiting tickets
	now     time.Duration
	callers map[string]*caller
	// debt is what the lane is owed for work that went before it.
	debt time.Duration
}

// maxCallers is how many callers without waiting work a lane remembers.
const maxCallers = 1024

// stamp gives a ticket its time.
func (l *lane) stamp(t *ticket) {
	c := l.callers[t.work.Caller]
	if c == nil {
		l.forget()
		c = &caller{key: t.work.Caller}
		l.callers[c.key] = c
	}
	t.caller = c
	t.start = max(l.now, c.until)
	c.until = t.start + t.work.Cost
}

// forget drops callers that have no claim and no debt; where there are too many, also those that have had more than
// others.
func (l *lane) forget() {
	if len(l.callers) < maxCallers {
		return
	}
	for _, all := range []bool{false, true} {
		for key, c := range l.callers {
			if c.waiting == 0 && (all || c.until <= l.now) {
				delete(l.callers, key)
			}
		}
		if len(l.callers) < maxCallers {
			return
		}
	}
}

func (l *lane) add(t *ticket) {
	t.caller.waiting++
	heap.Push(&l.waiting, t)
}

func (l *lane) remove(t *ticket) {
	t.caller.waiting--
	heap.Remove(&l.waiting, t.index)
	if len(l.waiting) == 0 {
		l.debt = 0
	}
}

// withdraw gives back what a ticket would have cost its caller.
func (l *lane) withdraw(t *ticket) {
	t.caller.until = max(t.caller.until-t.work.Cost, l.now)
}

// head is the ticket whose turn it is, or nil.
func (l *lane) head() *ticket {
	if len(l.waiting) == 0 {
		return nil
	}
	return l.waiting[0]
}

// tickets is a heap by start.
type tickets []*ticket

func (h tickets) Len() int { return len(h) }

func (h tickets) Less(i, j int) bool {
	if h[i].start != h[j].start {
		return h[i].start < h[j].start
	}
	return h[i].number < h[j].number
}

func (h tickets) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *tickets) Push(x any) {
	t := x.(*ticket)
	t.index = len(*h)
	*h = append(*h, t)
}

// Pop implements heap.Interface.
func (h *tickets) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return t
}
