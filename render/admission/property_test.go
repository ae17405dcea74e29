package admission

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// machine drives a Queue step by step, without goroutines and clocks.
type machine struct {
	q       *Queue
	tickets []*ticket
}

func (m *machine) in(state int) (out []*ticket) {
	for _, t := range m.tickets {
		if t.state == state {
			out = append(out, t)
		}
	}
	return out
}

// gone marks tickets that have left.
const gone = -1

func newMachine(t *rapid.T) *machine {
	return &machine{q: New(Config{
		Workers: rapid.IntRange(1, 5).Draw(t, "workers"), Memory: rapid.Int64Range(1, 1000).Draw(t, "memory"),
		Queue: rapid.IntRange(0, 12).Draw(t, "queue"), Patience: time.Minute, Shadow: rapid.Bool().Draw(t, "shadow"),
	})}
}

func (m *machine) arrive(t *rapid.T) {
	one := m.q.ticket(Work{
		Bytes: rapid.Int64Range(0, 1500).Draw(t, "bytes"), Cost: time.Duration(rapid.IntRange(0, 3000).Draw(t, "cost")) * time.Millisecond,
		Caller: rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "caller"),
	})
	m.tickets = append(m.tickets, one)
	m.q.arrive(one)
}

func (m *machine) leave(t *rapid.T) {
	running := m.in(admitted)
	if len(running) == 0 {
		return
	}
	one := rapid.SampledFrom(running).Draw(t, "leaves")
	one.state = gone
	m.q.leave(one, one.work.Cost)
}

func (m *machine) cancel(t *rapid.T) {
	all := m.in(waiting)
	if len(all) == 0 {
		return
	}
	one := rapid.SampledFrom(all).Draw(t, "cancelled")
	one.state = gone
	m.q.remove(one)
	m.q.lanes[one.lane].withdraw(one)
	m.q.dispatch()
}

// check holds the bounds, and that nobody waits who could be let in.
func (m *machine) check(t *rapid.T) {
	c := m.q.config
	running, all := m.in(admitted), m.in(waiting)
	alone, heavies := false, 0
	var bytes int64
	for _, one := range running {
		alone = alone || one.alone
		bytes += min(one.work.Bytes, c.Memory)
		if one.lane == Heavy {
			heavies++
		}
	}
	switch {
	case len(running) > c.Workers:
		t.Fatalf("%d of %d workers", len(running), c.Workers)
	case len(all) > c.Queue:
		t.Fatalf("%d wait, and %d may", len(all), c.Queue)
	case alone && len(running) > 1:
		t.Fatal("what needs all the memory is not alone")
	case !alone && bytes > c.Memory:
		// What is clipped to its part of the memory counts as that.
		var used int64
		for _, one := range running {
			used += m.q.bytes(one)
		}
		if used > c.Memory {
			t.Fatalf("%d bytes of %d", used, c.Memory)
		}
	case len(running) != m.q.running || len(all) != m.q.waiting() || heavies != m.q.heavy || alone != m.q.alone:
		t.Fatalf("%d run, %d wait, and the queue counts %d and %d", len(running), len(all), m.q.running, m.q.waiting())
	case len(running) == 0 && len(all) > 0:
		t.Fatalf("%d wait for nobody", len(all))
	case !c.Shadow && heavies > max(1, c.Workers-1):
		t.Fatalf("%d heavy", heavies)
	}
	var owed time.Duration
	for _, one := range all {
		owed += one.work.Cost
	}
	if owed != m.q.owed {
		t.Fatalf("%v is owed, and the queue counts %v", owed, m.q.owed)
	}
}

func TestBoundsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		t.Repeat(map[string]func(*rapid.T){"arrive": m.arrive, "leave": m.leave, "cancel": m.cancel, "": m.check})
		// All that waits is served, once what runs ends.
		for steps := 0; len(m.in(waiting))+len(m.in(admitted)) > 0; steps++ {
			if steps > 2*len(m.tickets) {
				t.Fatalf("%d still wait", len(m.in(waiting)))
			}
			one := m.in(admitted)[0]
			one.state = gone
			m.q.leave(one, 0)
			m.check(t)
		}
		if m.q.used != [2]int64{} {
			t.Fatalf("memory %v is lost", m.q.used)
		}
	})
}

// Whatever others ask for without end, one that waits is let in after no more than a bounded number of them.
func TestNobodyStarves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{q: New(Config{Workers: rapid.IntRange(1, 3).Draw(t, "workers"), Memory: 800, Queue: 200, Patience: time.Hour})}
		draw := func(what string) Work {
			return Work{
				Bytes: rapid.SampledFrom([]int64{10, 50, 100, 400, 700, 900}).Draw(t, what+" bytes"), Caller: what,
				Cost: rapid.SampledFrom([]time.Duration{5, 50, 400, 900, 2500}).Draw(t, what+" cost") * time.Millisecond,
			}
		}
		others := []Work{draw("b"), draw("c"), draw("d")}
		enter := func(w Work) *ticket {
			one := m.q.ticket(w)
			m.tickets = append(m.tickets, one)
			m.q.arrive(one)
			return one
		}
		for i := range 30 {
			enter(others[i%len(others)])
		}
		one := enter(draw("a"))
		for served := 0; one.state == waiting; served++ {
			if served > 5000 {
				t.Fatalf("it still waits after %d others: %+v beside %+v", served, one.work, others)
			}
			running := m.in(admitted)
			next := running[served%len(running)]
			next.state = gone
			m.q.leave(next, next.work.Cost)
			enter(others[served%len(others)])
			m.tickets = append(m.in(admitted), m.in(waiting)...)
		}
		if one.state != admitted {
			t.Fatalf("it is refused")
		}
	})
}

// Callers with work without end get equal parts of the time, whatever the cost of each piece of theirs.
func TestCallersGetEqualParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := New(Config{Workers: 1, Memory: 1000, Queue: 100, Patience: time.Hour})
		costs := rapid.SliceOfN(rapid.IntRange(1, 90), 2, 5).Draw(t, "costs")
		got := make([]time.Duration, len(costs))
		waits := make([]*ticket, len(costs))
		var now *ticket
		enter := func(i int) {
			waits[i] = q.ticket(Work{Bytes: 1, Cost: time.Duration(costs[i]) * time.Millisecond, Caller: fmt.Sprint(i)})
			q.arrive(waits[i])
		}
		for i := range costs {
			enter(i)
		}
		for range 3000 {
			for i, one := range waits {
				if one.state == admitted {
					now = one
					got[i] += one.work.Cost
					enter(i)
				}
			}
			q.leave(now, 0)
		}
		for i := range got {
			if d := (got[i] - got[0]).Abs(); d > 400*time.Millisecond {
				t.Fatalf("costs %v get %v", costs, got)
			}
		}
	})
}
