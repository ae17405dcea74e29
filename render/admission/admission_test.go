package admission

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func wantFull(t *testing.T, err error) *problem.Error {
	t.Helper()
	var known *problem.Error
	if !errors.As(err, &known) || known.Status != http.StatusServiceUnavailable || known.Code != "queue_full" || known.RetryAfter < soonest {
		t.Fatalf("err = %v", err)
	}
	return known
}

// state is running and waiting.
func state(q *Queue) string {
	s := q.Stats()
	return fmt.Sprintf("%d running, %d waiting", s.Running, s.Queued())
}

func wantState(t *testing.T, q *Queue, want string) {
	t.Helper()
	if got := state(q); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestAdmission(t *testing.T) {
	for _, shadow := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			q := New(Config{Workers: 2, Queue: 1, Memory: 100, Patience: time.Minute, Shadow: shadow})
			ctx := context.Background()
			// A job larger than the budget runs, but alone.
			leave := must(q.Enter(ctx, Work{Bytes: 1000}))
			entered := make(chan func(), 1)
			go func() { entered <- must(q.Enter(ctx, Work{Bytes: 1})) }()
			synctest.Wait()
			wantState(t, q, "1 running, 1 waiting")
			leave()
			leave() // Once is enough.
			second := <-entered
			second()
			// Who waits longer than a render may take is turned away, as is who leaves.
			one, two := must(q.Enter(ctx, Work{Bytes: 1})), must(q.Enter(ctx, Work{Bytes: 1}))
			start := time.Now()
			_, err := q.Enter(ctx, Work{Bytes: 1})
			_ = wantFull(t, err)
			if d := time.Since(start); d != time.Minute {
				t.Errorf("turned away after %v", d)
			}
			leaving, cancel := context.WithCancel(ctx)
			cancel()
			if _, err := q.Enter(leaving, Work{Bytes: 1}); !errors.Is(err, context.Canceled) {
				t.Errorf("err = %v", err)
			}
			one()
			two()
			// Nothing is lost on the way.
			three, four := must(q.Enter(ctx, Work{Bytes: 50})), must(q.Enter(ctx, Work{Bytes: 12}))
			three()
			four()
			wantState(t, q, "0 running, 0 waiting")
		})
	}
}

// line has work arrive one after the other at a Queue of one worker that is taken, and gives the order in which it is let
// in, each for its cost.
func line(t *testing.T, c Config, works ...Work) string {
	t.Helper()
	var mu sync.Mutex
	var order []string
	synctest.Test(t, func(t *testing.T) {
		c.Workers, c.Memory, c.Patience = 1, 1<<30, time.Hour
		if c.Queue == 0 {
			c.Queue = 1000
		}
		q := New(c)
		first := must(q.Enter(context.Background(), Work{Caller: "first"}))
		var group sync.WaitGroup
		for _, work := range works {
			group.Go(func() {
				leave, err := q.Enter(context.Background(), work)
				mu.Lock()
				if name := work.Caller; err != nil {
					order = append(order, name+"!")
				} else {
					order = append(order, name)
				}
				mu.Unlock()
				if err == nil {
					time.Sleep(work.Cost)
					leave()
				}
			})
			synctest.Wait()
		}
		first()
		group.Wait()
		wantState(t, q, "0 running, 0 waiting")
	})
	return strings.Join(order, " ")
}

func tile(caller string) Work {
	return Work{Bytes: 8 << 20, Cost: 2 * time.Millisecond, Caller: caller}
}
func whole(caller string) Work {
	return Work{Bytes: 200 << 20, Cost: 400 * time.Millisecond, Caller: caller}
}
func heavy(caller string) Work { return Work{Bytes: 800 << 20, Cost: 5 * time.Second, Caller: caller} }

func TestTilesGoFirst(t *testing.T) {
	if got := line(t, Config{}, heavy("h"), whole("w"), tile("t")); got != "t w h" {
		t.Error(got)
	}
}

// A caller with one tile does not wait for all those of another.
func TestCallersTakeTurns(t *testing.T) {
	works := slices.Repeat([]Work{tile("a")}, 5)
	if got := line(t, Config{}, append(works, tile("b"), tile("b"))...); got != "a b a b a a a" {
		t.Error(got)
	}
	// By time, not by number.
	long := tile("long")
	long.Cost = 20 * time.Millisecond
	works = []Work{long, long, long}
	for range 12 {
		works = append(works, tile("short"))
	}
	got := line(t, Config{}, works...)
	if before := strings.Count(got[:strings.LastIndex(got, "long")], "short"); before < 12 {
		t.Errorf("%d of 12 tiles come before the third long one: %s", before, got)
	}
}

// While tiles wait without end, images come too: about one part in five of the time.
func TestImagesDoNotStarve(t *testing.T) {
	var works []Work
	for range 3 {
		works = append(works, whole("w"))
	}
	for range 2000 {
		works = append(works, tile("t"))
	}
	got := strings.Fields(line(t, Config{Queue: 5000}, works...))
	// Each costs 400 ms, so that 1.6 s of tiles go before.
	if first := slices.Index(got, "w"); first < 100 || first > 1000 {
		t.Errorf("the first image comes after %d tiles", first)
	}
	var heavies []Work
	for range 5000 {
		heavies = append(heavies, tile("t"))
	}
	got = strings.Fields(line(t, Config{Queue: 10000}, append([]Work{heavy("h")}, heavies...)...))
	if at := slices.Index(got, "h"); at < 100 || at > 4500 {
		t.Errorf("what is heavy comes after %d tiles", at)
	}
}

// What needs memory that others never leave free gets it in the end, be that a part of it or all.
func TestMemoryIsGatheredForWhoIsDue(t *testing.T) {
	for _, big := range []Work{{Bytes: 600, Cost: 2 * time.Second}, {Bytes: 5000, Cost: 2 * time.Second}} {
		for _, small := range []Work{{Bytes: 200, Cost: 400 * time.Millisecond}, {Bytes: 10, Cost: 20 * time.Millisecond}} {
			m := &machine{q: New(Config{Workers: 3, Memory: 800, Queue: 100, Patience: time.Hour})}
			enter := func(w Work) *ticket {
				one := m.q.ticket(w)
				m.tickets = append(m.tickets, one)
				m.q.arrive(one)
				return one
			}
			for range 10 {
				enter(small)
			}
			one := enter(big)
			served := 0
			for ; one.state == waiting && served < 2000; served++ {
				next := m.in(admitted)[0]
				next.state = gone
				m.q.leave(next, 0)
				enter(small)
			}
			if one.state != admitted || served < 10 {
				t.Errorf("%d bytes beside many of %d: state %d after %d", big.Bytes, small.Bytes, one.state, served)
			}
		}
	}
}

// A full queue makes room for who has less in it than others.
func TestFullQueueIsShared(t *testing.T) {
	got := line(t, Config{Queue: 3}, tile("a"), whole("a"), tile("a"), tile("b"), tile("a"))
	if got != "a! a! a b a" && got != "a! a! a a b" && got != "a! a! b a a" {
		t.Error(got)
	}
}

// What is heavy leaves a worker to others.
func TestHeavyWorkLeavesAWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Config{Workers: 2, Memory: 1 << 40, Queue: 10, Patience: time.Hour})
		one := must(q.Enter(context.Background(), heavy("a")))
		done := make(chan struct{})
		go func() {
			must(q.Enter(context.Background(), heavy("b")))()
			close(done)
		}()
		synctest.Wait()
		wantState(t, q, "1 running, 1 waiting")
		must(q.Enter(context.Background(), tile("c")))()
		one()
		<-done
	})
}

// Tiles have memory of their own.
func TestTilesDoNotWaitForMemory(t *testing.T) {
	q := New(Config{Workers: 3, Memory: 1 << 30, Queue: 10, Patience: time.Hour})
	one := must(q.Enter(context.Background(), heavy("a")))
	must(q.Enter(context.Background(), tile("b")))()
	one()
}

func TestRetryAfterTellsOfTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Config{Workers: 1, Memory: 1 << 30, Queue: 2, Patience: time.Hour})
		leave := must(q.Enter(context.Background(), heavy("a")))
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() { must(q.Enter(context.Background(), heavy("a")))() })
		}
		synctest.Wait()
		_, err := q.Enter(context.Background(), tile("a"))
		if got := wantFull(t, err).RetryAfter; got < 10*time.Second || got > 16*time.Second {
			t.Errorf("come back in %v, with 10 s of work waiting", got)
		}
		s := q.Stats()
		if s.Shed[Tile] != 1 || s.Waiting[Heavy] != 2 {
			t.Errorf("%+v", s)
		}
		leave()
		group.Wait()
	})
}

// In shadow mode the order is that of asking, and what the lanes would do is counted.
func TestShadow(t *testing.T) {
	counts := map[string]int{}
	var mu sync.Mutex
	c := Config{Shadow: true, Observer: func(event Event, lane Lane) {
		mu.Lock()
		defer mu.Unlock()
		counts[string(event)+" "+lane.String()]++
	}}
	if got := line(t, c, heavy("h"), whole("w"), tile("t")); got != "h w t" {
		t.Error(got)
	}
	if counts["would_overtake tile"] != 1 || counts["would_overtake image"] != 0 || counts["shed tile"] != 0 {
		t.Errorf("%v", counts)
	}
	c.Queue = 3
	if got := line(t, c, tile("a"), whole("a"), tile("a"), tile("b")); got != "b! a a a" {
		t.Error(got)
	}
	if counts["would_make_room image"] != 1 || counts["shed tile"] != 1 {
		t.Errorf("%v", counts)
	}
}

// Many at once, some of whom leave: nobody is forgotten, and nothing is over the bounds.
func TestNobodyIsForgotten(t *testing.T) {
	q := New(Config{Workers: 3, Memory: 1 << 30, Queue: 40, Patience: time.Minute})
	var mu sync.Mutex
	running, most := 0, 0
	var group sync.WaitGroup
	for i := range 24 {
		group.Go(func() {
			for k := range 150 {
				work := []Work{tile("t"), whole("w"), heavy("h"), {Bytes: 2 << 30, Cost: time.Second}}[(i+k*k)%4]
				work.Caller = fmt.Sprint(i % 5)
				ctx, cancel := context.WithCancel(context.Background())
				if k%3 == 0 {
					time.AfterFunc(time.Duration(k)*time.Microsecond, cancel)
				}
				leave, err := q.Enter(ctx, work)
				if err == nil {
					mu.Lock()
					running++
					most = max(most, running)
					mu.Unlock()
					if k%7 == 0 {
						time.Sleep(50 * time.Microsecond)
					}
					mu.Lock()
					running--
					mu.Unlock()
					leave()
				} else if ctx.Err() == nil {
					t.Errorf("%v", err)
				}
				cancel()
			}
		})
	}
	group.Wait()
	if most > 3 {
		t.Errorf("%d at once", most)
	}
	wantState(t, q, "0 running, 0 waiting")
}

func BenchmarkEnter(b *testing.B) {
	q := New(Config{Workers: 2, Memory: 1 << 30, Queue: 64, Patience: time.Minute})
	b.ReportAllocs()
	for b.Loop() {
		leave, err := q.Enter(context.Background(), tile("a"))
		if err != nil {
			b.Fatal(err)
		}
		leave()
	}
}

// What is heavy leaves a worker to others, unless nobody has asked for anything light for a while, and it is soon over.
func TestHeavyWorkTakesAllWorkersWhereItIsQuiet(t *testing.T) {
	q := New(Config{Workers: 2, Memory: 1 << 30, Queue: 8, Patience: 50 * time.Millisecond})
	enter := func(cost time.Duration) (func(), bool) {
		leave, err := q.Enter(context.Background(), Work{Cost: cost})
		return leave, err == nil
	}
	both := func(cost time.Duration) bool {
		t.Helper()
		first, ok := enter(cost)
		if !ok {
			t.Fatal("a free worker takes no work")
		}
		defer first()
		second, ok := enter(cost)
		if ok {
			second()
		}
		return ok
	}
	if !both(1500 * time.Millisecond) {
		t.Error("a worker stays idle where nobody else asks")
	}
	if both(10 * time.Second) {
		t.Error("what takes long has all workers")
	}
	if leave, ok := enter(time.Millisecond); ok {
		leave()
	}
	if both(1500 * time.Millisecond) {
		t.Error("there is no worker for those who ask for little")
	}
}
