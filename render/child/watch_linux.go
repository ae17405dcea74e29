package child

import (
	"sync/atomic"
	"time"
)

// watchEvery is how often children at work are looked at.
const watchEvery = 50 * time.Millisecond

// watchIdle is after how many looks at nobody the watcher sleeps until the next call.
const watchIdle = 20

// watcher kills children that take too much.
type watcher struct {
	awake atomic.Bool
	calls chan struct{}
	stop  chan struct{}
	ended chan struct{}
}

func (w *watcher) begin(p *Pool) {
	w.calls, w.stop, w.ended = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(w.ended)
		for {
			select {
			case <-w.calls:
			case <-w.stop:
				return
			}
			w.watch(p)
		}
	}()
}

// wake is called with each call, and costs one of them in a while something.
func (w *watcher) wake() {
	if w.awake.Load() || w.awake.Swap(true) {
		return
	}
	select {
	case w.calls <- struct{}{}:
	default:
	}
}

func (w *watcher) end() {
	close(w.stop)
	<-w.ended
}

// watch looks until nobody works.
func (w *watcher) watch(p *Pool) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for idle := 0; idle < watchIdle; idle++ {
		select {
		case <-ticker.C:
		case <-w.stop:
			return
		}
		if p.inspect() {
			idle = 0
		}
	}
	w.awake.Store(false)
	// Who called just before that saw it awake.
	if p.inspect() {
		w.wake()
	}
}

// inspect looks at each child that works, and tells whether there is any.
func (p *Pool) inspect() bool {
	p.mu.Lock()
	type job struct {
		child  *process
		number int
	}
	var jobs []job
	for i := range p.lanes {
		for _, c := range p.lanes[i].all {
			if c.busy > 0 {
				jobs = append(jobs, job{c, c.done})
			}
		}
	}
	p.mu.Unlock()
	for _, j := range jobs {
		j.child.inspect(j.number)
	}
	return len(jobs) > 0
}

// inspect looks at the child during its call of a number. Only the watcher calls it.
func (c *process) inspect(number int) {
	resident, cpu, ok := c.usage()
	if !ok {
		return
	}
	c.peak.Store(max(c.peak.Load(), resident))
	if resident > c.pool.conf.Memory {
		c.killDuring(number, ReasonMemory)
		return
	}
	if resident > c.pool.conf.Memory/heavyPart {
		c.heavy.Store(true)
	}
	if c.watched != number+1 {
		c.watched, c.cpu = number+1, cpu
	}
	// Calls that share a child share its time, and end by their deadlines.
	limit := c.pool.conf.CPU
	if c.lane.kind == Background {
		limit *= backgroundCPU
	}
	if c.lane.kind != Head && cpu-c.cpu > limit {
		c.killDuring(number, ReasonCPU)
	}
}

// killDuring kills the child unless it has gone on to another call meanwhile, which is not to blame.
func (c *process) killDuring(number int, reason string) {
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	if c.busy > 0 && (c.done == number || c.lane.kind == Head) {
		c.kill(reason)
	}
}

// backgroundCPU is how many times the processor time of others a call in the background may have.
const backgroundCPU = 10

// heavyPart is which part of the memory that a child may have, one has kept after its work that is not given more.
const heavyPart = 4

// tooHeavy tells whether a child that needed much has kept it.
func (c *process) tooHeavy() bool {
	c.heavy.Store(false)
	resident, _, ok := c.usage()
	return ok && resident > c.pool.conf.Memory/heavyPart
}

// full tells that the child has been given as many shared bytes as it may keep.
func (c *process) full() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.shared) >= maxShared
}
