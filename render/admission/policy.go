package admission

import "time"

// Shares of the lanes behind while the ones in front are full.
const (
	// share is how much work goes before a lane for each of its own, by cost.
	share = 4
	// mostOwed bounds the cost that counts for that, so that what is heaviest need not wait for ever.
	mostOwed = 2 * time.Second
	// leastCost is what any work counts.
	leastCost = time.Millisecond
)

// ticket makes a ticket of work.
func (q *Queue) ticket(work Work) *ticket {
	work.Cost = max(work.Cost, leastCost)
	work.Bytes = max(work.Bytes, 0)
	t := &ticket{work: work, lane: Image, told: make(chan struct{})}
	switch {
	case work.Bytes > q.config.Memory:
		t.lane, t.alone = Heavy, true
	case work.Cost >= heavyCost:
		t.lane = Heavy
	case work.Cost <= tileCost && work.Bytes <= q.config.Memory/tilePart:
		t.lane = Tile
	}
	return t
}

// arrive lets a ticket in, lets it wait or refuses it.
func (q *Queue) arrive(t *ticket) {
	q.next++
	t.number = q.next
	l := &q.lanes[t.lane]
	if t.lane != Heavy {
		q.light = time.Now()
	}
	if q.idle() {
		// Nobody is owed anything.
		for i := range q.lanes {
			q.lanes[i].now, q.lanes[i].debt = 0, 0
			clear(q.lanes[i].callers)
		}
	}
	l.stamp(t)
	q.add(t)
	q.dispatch()
	if t.state != waiting || q.waiting() <= q.config.Queue {
		return
	}
	out := q.greediest(t)
	if out != t && q.config.Shadow {
		q.config.Observer(WouldMakeRoom, out.lane)
		out = t
	}
	q.remove(out)
	q.refuse(out)
}

func (q *Queue) add(t *ticket) {
	q.lanes[t.lane].add(t)
	t.place = q.order.PushBack(t)
	q.owed += t.work.Cost
}

func (q *Queue) remove(t *ticket) {
	q.lanes[t.lane].remove(t)
	q.order.Remove(t.place)
	q.owed -= t.work.Cost
}

func (q *Queue) idle() bool { return q.running == 0 && q.waiting() == 0 }

func (q *Queue) waiting() int { return q.order.Len() }

// longQueue is how many may wait at most for it to be looked through.
const longQueue = 4096

// greediest is whose ticket goes where one has to: the heaviest and last of the caller that has most waiting, or where
// nobody has more than who arrives, that one.
func (q *Queue) greediest(arrived *ticket) *ticket {
	if q.waiting() > longQueue {
		return arrived
	}
	total := map[string]int{}
	for i := range q.lanes {
		for _, t := range q.lanes[i].waiting {
			total[t.work.Caller]++
		}
	}
	out, most := arrived, total[arrived.work.Caller]
	for i := range q.lanes {
		for _, t := range q.lanes[i].waiting {
			switch n := total[t.work.Caller]; {
			case n > most, n == most && out != arrived && later(t, out):
				out, most = t, n
			}
		}
	}
	return out
}

// later tells which of two tickets is to go first when one has to: the heavier, and of the same lane the younger.
func later(t, than *ticket) bool {
	if t.lane != than.lane {
		return t.lane > than.lane
	}
	return t.number > than.number
}

// refuse turns away a ticket that waits no longer.
func (q *Queue) refuse(t *ticket) {
	q.lanes[t.lane].withdraw(t)
	t.state, t.refusal = refused, errFull(q.soon())
	q.shed[t.lane]++
	q.config.Observer(Shed, t.lane)
	close(t.told)
}

// Bounds of what is said about when to come back.
const (
	soonest = 2 * time.Second
	latest  = time.Minute
)

// soon is about when those who wait will have been served.
func (q *Queue) soon() time.Duration {
	after := time.Duration(float64(q.owed) * q.drift / float64(q.config.Workers))
	return min(max(after, soonest), latest)
}

// dispatch lets in whoever can be.
func (q *Queue) dispatch() {
	for q.running < q.config.Workers {
		t := q.choose()
		if q.config.Shadow {
			first := q.first()
			if first != nil && !q.fits(first) {
				first = nil
			}
			if t != nil && t != first && !t.noted {
				t.noted = true
				q.config.Observer(WouldOvertake, t.lane)
			}
			t = first
		}
		if t == nil {
			return
		}
		q.admit(t)
	}
}

// first is the ticket that came first, or nil.
func (q *Queue) first() *ticket {
	if front := q.order.Front(); front != nil {
		return front.Value.(*ticket)
	}
	return nil
}

// choose picks whose turn it is, or nobody.
func (q *Queue) choose() *ticket {
	// claimed tells that somebody is due and waits for memory: none but tiles, which have their own, go before.
	claimed := false
	for l := laneCount - 1; l > Tile; l-- {
		t := q.lanes[l].head()
		switch {
		case t == nil || !q.due(t):
		case q.fits(t):
			return t
		case t.alone:
			// Nobody begins until all have ended.
			return nil
		case l != Heavy || q.heavy < q.mostHeavy():
			claimed = true
		}
	}
	for l := range laneCount {
		t := q.lanes[l].head()
		switch {
		case t == nil:
		case q.fits(t):
			return t
		case l == Image:
			// What is heavy would take the memory that it waits for.
			return nil
		}
		if l == Tile && claimed {
			return nil
		}
	}
	return nil
}

// due tells whether enough has gone before a ticket.
func (q *Queue) due(t *ticket) bool {
	return q.lanes[t.lane].debt >= min(t.work.Cost, mostOwed)
}

// fits tells whether a ticket can be let in now.
func (q *Queue) fits(t *ticket) bool {
	switch {
	case q.running >= q.config.Workers, q.alone:
		return false
	case t.alone:
		return q.running == 0
	case t.lane == Heavy && q.heavy >= q.mostHeavy() && !q.config.Shadow && !q.quietFor(t):
		return false
	}
	part, most := q.part(t)
	return q.used[part]+q.bytes(t) <= most
}

// mostHeavy is how much heavy work runs at once: others find a worker that will be free soon, where there are several.
func (q *Queue) mostHeavy() int { return max(1, q.config.Workers-1) }

const (
	// quiet is how long nobody has asked for anything light where all workers may do what is heavy.
	quiet = 2 * time.Second
	// soonOver is the most that heavy work may cost for that: somebody may come meanwhile.
	soonOver = 2 * time.Second
)

// quietFor tells whether heavy work may take the last worker, since nobody else is likely to miss it.
func (q *Queue) quietFor(t *ticket) bool {
	return t.work.Cost <= soonOver && time.Since(q.light) > quiet
}

// part is which part of the memory a ticket's is, and how much that is.
func (q *Queue) part(t *ticket) (part int, most int64) {
	tiles := q.config.Memory / tilePart
	switch {
	case q.config.Shadow:
		return 1, q.config.Memory
	case t.lane == Tile:
		return 0, tiles
	}
	return 1, q.config.Memory - tiles
}

// bytes is what a ticket takes of its part.
func (q *Queue) bytes(t *ticket) int64 {
	_, most := q.part(t)
	return min(t.work.Bytes, most)
}

// admit lets a ticket in that fits.
func (q *Queue) admit(t *ticket) {
	l := &q.lanes[t.lane]
	q.remove(t)
	l.now = max(l.now, t.start)
	l.debt = 0
	for behind := t.lane + 1; behind < laneCount; behind++ {
		if len(q.lanes[behind].waiting) > 0 {
			q.lanes[behind].debt += t.work.Cost / share
		}
	}
	q.running++
	if t.lane == Heavy {
		q.heavy++
	}
	q.alone = t.alone
	part, _ := q.part(t)
	q.used[part] += q.bytes(t)
	t.state = admitted
	close(t.told)
}

// leave gives back what a ticket has.
func (q *Queue) leave(t *ticket, took time.Duration) {
	q.running--
	if t.lane == Heavy {
		q.heavy--
	}
	if t.alone {
		q.alone = false
	}
	part, _ := q.part(t)
	q.used[part] -= q.bytes(t)
	if took > 0 {
		const weight = 0.05
		ratio := min(max(float64(took)/float64(t.work.Cost), 0.01), 100)
		q.drift += weight * (ratio - q.drift)
	}
	q.dispatch()
}
