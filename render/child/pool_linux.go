package child

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/lru"
)

// Pool keeps children ready and hands calls to them. It is safe for concurrent use.
type Pool struct {
	conf Config
	ids  atomic.Uint64
	// culprits are the keys of calls that crashed their children, and until when they are refused.
	culprits *lru.Cache[string, time.Time]
	starter  starter
	watcher  watcher
	group    sync.WaitGroup

	mu     sync.Mutex
	lanes  [lanes]lane
	closed bool
	// up is closed when the first child is: hello is what it said.
	up       chan struct{}
	hello    []byte
	replaced map[string]int64
}

// lane is the children of one kind. Its fields are under the pool's mu.
type lane struct {
	kind Lane
	// size is how many children there should be, capacity how many calls each does at once. onDemand tells that they are
	// there only while there is work.
	size, capacity int
	onDemand       bool
	// all are those that live; free those that take another call, the last used at the end; fresh is how many of them are
	// to stay; starting, how many are on their way.
	all, free       []*process
	fresh, starting int
	waiting         []*waiter
	// failures counts starts that failed, one after the other; pause tells that the next one is put off.
	failures int
	failure  error
	pause    bool
}

// waiter waits for a child.
type waiter struct{ given chan given }

type given struct {
	child *process
	err   error
}

const (
	// headCapacity is how many calls the head child does at once.
	headCapacity = 32
	// culpritTime is how long a call that crashes its children is refused without trying.
	culpritTime = 5 * time.Minute
	maxCulprits = 4096
)

// New makes a Pool and begins to start its children. It does not wait for them.
func New(c Config) (*Pool, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if len(c.Args) == 0 {
		return nil, errors.New("children need to be told what they are")
	}
	p := &Pool{
		conf: c.withDefaults(), culprits: lru.New[string, time.Time](maxCulprits), up: make(chan struct{}), replaced: map[string]int64{},
	}
	p.lanes = [lanes]lane{
		Work: {kind: Work, size: p.conf.Children, capacity: 1}, Head: {kind: Head, size: 1, capacity: headCapacity},
		Background: {kind: Background, size: p.conf.Background, capacity: 1, onDemand: true},
	}
	p.starter.begin()
	p.watcher.begin(p)
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.lanes {
		p.fill(&p.lanes[i])
	}
	return p, nil
}

// Hello is what the Handler of the first child gave at its start. Where no child comes up, it is that error.
func (p *Pool) Hello(ctx context.Context) ([]byte, error) {
	for range 2 {
		select {
		case <-p.up:
			return p.hello, nil
		default:
		}
		c, err := p.take(ctx, Work)
		if err != nil {
			return nil, err
		}
		p.give(c, false)
	}
	return nil, ErrClosed
}

// Call has a child do a call, and gives its answer.
func (p *Pool) Call(ctx context.Context, call *Call) (Answer, error) {
	if len(call.Ask) > MaxAsk {
		return Answer{}, fmt.Errorf("an ask of %d bytes", len(call.Ask))
	}
	if call.Key != "" {
		if until, known := p.culprits.Get(call.Key); known && time.Now().Before(until) {
			return Answer{}, ErrCrashed
		}
	}
	ready, err := pack(ctx, call)
	if err != nil {
		return Answer{ReadError: ready.readError}, err
	}
	defer ready.close()
	answer, err := p.attempt(ctx, call, ready, call.Lane)
	// Who shares a child with others is not to blame for what becomes of it.
	shared := call.Lane == Head && (errors.Is(err, ErrMemory) || errors.Is(err, ErrCPU))
	if !errors.Is(err, errDied) && !shared {
		return answer, err
	}
	again := Work
	if call.Lane == Background {
		again = Background
	}
	answer, err = p.attempt(ctx, call, ready, again)
	if errors.Is(err, errDied) {
		if call.Key != "" {
			p.culprits.Put(call.Key, time.Now().Add(culpritTime), 1)
		}
		return Answer{}, ErrCrashed
	}
	return answer, err
}

func (p *Pool) attempt(ctx context.Context, call *Call, ready *packed, l Lane) (Answer, error) {
	c, err := p.take(ctx, l)
	if err != nil {
		return Answer{}, err
	}
	defer p.give(c, true)
	return c.do(ctx, call, ready)
}

// take waits for a child that can do one more call.
func (p *Pool) take(ctx context.Context, kind Lane) (*process, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l := &p.lanes[kind]
	p.mu.Lock()
	for len(l.free) > 0 && l.free[len(l.free)-1].doomed.Load() {
		l.free = l.free[:len(l.free)-1]
	}
	switch {
	case p.closed:
		p.mu.Unlock()
		return nil, ErrClosed
	case len(l.free) > 0:
		c := l.free[len(l.free)-1]
		l.lend(c)
		p.mu.Unlock()
		p.watcher.wake()
		return c, nil
	case l.pause && len(l.all) == 0:
		err := l.failure
		p.mu.Unlock()
		return nil, fmt.Errorf("%w: %w", ErrNoChild, err)
	}
	w := &waiter{given: make(chan given, 1)}
	l.waiting = append(l.waiting, w)
	if l.onDemand {
		p.fill(l)
	}
	p.mu.Unlock()
	select {
	case got := <-w.given:
		p.watcher.wake()
		return got.child, got.err
	case <-ctx.Done():
	}
	p.mu.Lock()
	if i := slices.Index(l.waiting, w); i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
		p.mu.Unlock()
		return nil, ctx.Err()
	}
	p.mu.Unlock()
	if got := <-w.given; got.err == nil {
		p.give(got.child, false)
	}
	return nil, ctx.Err()
}

// lend takes one call's place in a child that is free.
func (l *lane) lend(c *process) {
	c.busy++
	if c.busy >= l.capacity {
		l.unlist(c)
	}
}

func (l *lane) unlist(c *process) {
	if i := slices.Index(l.free, c); i >= 0 {
		l.free = slices.Delete(l.free, i, i+1)
	}
}

// give gives a call's place back; worked tells that the call was done.
func (p *Pool) give(c *process, worked bool) {
	heavy := worked && c.heavy.Load() && c.tooHeavy()
	p.mu.Lock()
	defer p.mu.Unlock()
	c.busy--
	if worked {
		c.done++
	}
	l := c.lane
	p.spare(c)
	if !c.old && (c.done >= p.conf.Recycle || heavy || c.full()) {
		// The next one comes up before this one goes.
		c.old = true
		l.fresh--
		p.fill(l)
	}
	if c.gone {
		if c.busy == 0 {
			c.dismiss()
		}
		return
	}
	p.offer(c)
}

// spare lets a child go for which there is no more work.
func (p *Pool) spare(c *process) {
	if l := c.lane; l.onDemand && !c.old && c.busy == 0 && len(l.waiting) == 0 {
		c.old, c.gone = true, true
		l.fresh--
		l.unlist(c)
	}
}

// offer hands a child's free places to those who wait, or lists it as free.
func (p *Pool) offer(c *process) {
	l := c.lane
	if c.dead || c.doomed.Load() || p.closed {
		return
	}
	for len(l.waiting) > 0 && c.busy < l.capacity {
		w := l.waiting[0]
		l.waiting = slices.Delete(l.waiting, 0, 1)
		c.busy++
		w.given <- given{child: c}
	}
	l.unlist(c)
	if c.busy < l.capacity {
		l.free = append(l.free, c)
	}
}

// Stats tells how the children are.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	s := Stats{Replaced: make(map[string]int64, len(p.replaced)), Confined: p.starter.confined.Load()}
	var all []*process
	for i := range p.lanes {
		for _, c := range p.lanes[i].all {
			all = append(all, c)
			if c.busy > 0 {
				s.Busy++
			}
		}
	}
	for reason, n := range p.replaced {
		s.Replaced[reason] = n
	}
	p.mu.Unlock()
	for _, c := range all {
		resident, _, ok := c.usage()
		if !ok {
			continue
		}
		s.Alive++
		s.PIDs = append(s.PIDs, c.pid)
		s.Resident += resident
	}
	slices.Sort(s.PIDs)
	return s
}
