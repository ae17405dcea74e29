package child

import (
	"fmt"
	"slices"
	"time"
)

// fill starts as many children as the lane lacks. The caller holds mu.
func (p *Pool) fill(l *lane) {
	size := l.size
	if l.onDemand {
		size = min(size, l.fresh+len(l.waiting))
	}
	for !p.closed && !l.pause && l.fresh+l.starting < size {
		l.starting++
		p.group.Go(func() { p.start(l) })
	}
}

// start brings one child up.
func (p *Pool) start(l *lane) {
	c, err := p.starter.start(p, l)
	var hello []byte
	if err == nil {
		hello, err = c.greet()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	l.starting--
	switch {
	case p.closed:
		if err == nil {
			c.kill(ReasonRecycled)
		}
		return
	case err != nil:
		p.failed(l, err)
		return
	case c.dead:
		p.failed(l, errDied)
		return
	}
	l.failures = 0
	select {
	case <-p.up:
	default:
		p.hello = hello
		close(p.up)
	}
	l.fresh++
	l.all = append(l.all, c)
	p.offer(c)
	if p.spare(c); c.gone {
		c.dismiss()
		return
	}
	for _, old := range l.all {
		if old.old && !old.gone {
			old.gone = true
			l.unlist(old)
			if old.busy == 0 {
				old.dismiss()
			}
			break
		}
	}
}

const (
	leastPause = 100 * time.Millisecond
	mostPause  = 5 * time.Second
)

// failed puts the next start off, and lets those who wait for nothing go. The caller holds mu.
func (p *Pool) failed(l *lane, err error) {
	l.failures++
	l.failure, l.pause = err, true
	p.replaced[ReasonStart]++
	p.conf.Observer(ReasonStart)
	p.conf.Logger.Error("a rendering process cannot be started", "error", err)
	time.AfterFunc(min(leastPause<<min(l.failures, 10), mostPause), func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		l.pause = false
		p.fill(l)
	})
	if len(l.all) > 0 {
		return
	}
	for _, w := range l.waiting {
		w.given <- given{err: fmt.Errorf("%w: %w", ErrNoChild, err)}
	}
	l.waiting = nil
}

// bury takes a child that has ended out of its lane.
func (p *Pool) bury(c *process, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.dead = true
	l := c.lane
	i := slices.Index(l.all, c)
	if i < 0 || p.closed {
		return
	}
	l.all = slices.Delete(l.all, i, i+1)
	l.unlist(c)
	if !c.old {
		l.fresh--
	}
	p.replaced[reason]++
	p.conf.Observer(reason)
	if reason != ReasonRecycled {
		p.conf.Logger.Warn("a rendering process has ended", "reason", reason, "pid", c.pid, "how", c.epitaph())
	}
	p.fill(l)
}

// Close ends all children and gives every call that is under way an error. It returns once they are gone.
func (p *Pool) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	var all []*process
	for i := range p.lanes {
		l := &p.lanes[i]
		all = append(all, l.all...)
		for _, w := range l.waiting {
			w.given <- given{err: ErrClosed}
		}
		l.waiting, l.free = nil, nil
	}
	p.mu.Unlock()
	for _, c := range all {
		c.kill(ReasonRecycled)
	}
	for _, c := range all {
		<-c.ended
	}
	p.group.Wait()
	p.watcher.end()
	p.starter.end()
	return nil
}
