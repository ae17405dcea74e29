package caddymodule

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestUseCounterClosesAfterTheLastUser(t *testing.T) {
	var closedTimes int
	c := useCounter{onLast: func() { closedTimes++ }}
	for range 2 {
		if !c.acquire() {
			t.Fatal("a new counter is not to be had")
		}
	}
	c.release()
	c.retire()
	c.retire()
	if closedTimes != 0 {
		t.Fatal("closed while in use")
	}
	if !c.acquire() {
		t.Error("a request that came over an old connection was refused while the configuration was still open")
	}
	c.release()
	c.release()
	if closedTimes != 1 || c.acquire() {
		t.Errorf("closed %d times, want once and for good", closedTimes)
	}
	c.retire()
	if closedTimes != 1 {
		t.Error("closed again")
	}
}

func TestUseCounterUnderRace(t *testing.T) {
	for range 200 {
		var closedTimes, users atomic.Int32
		c := useCounter{}
		c.onLast = func() {
			closedTimes.Add(1)
			if users.Load() != 0 {
				t.Error("closed while in use")
			}
		}
		var done sync.WaitGroup
		for i := range 8 {
			done.Go(func() {
				if i == 4 {
					c.retire()
					return
				}
				if c.acquire() {
					users.Add(1)
					users.Add(-1)
					c.release()
				}
			})
		}
		done.Wait()
		if closedTimes.Load() != 1 {
			t.Fatalf("closed %d times", closedTimes.Load())
		}
	}
}
