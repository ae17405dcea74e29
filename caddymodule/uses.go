package caddymodule

import "sync/atomic"

// useCounter lets the last user of a retired configuration close it. Its zero value counts; onLast runs once.
type useCounter struct {
	// state is twice the number of users, plus one when retired.
	state  atomic.Int64
	onLast func()
}

const retired = 1

// acquire fails once the counter is retired and nobody uses it any more.
func (c *useCounter) acquire() bool {
	for {
		state := c.state.Load()
		if state == retired || state < 0 {
			return false
		}
		if c.state.CompareAndSwap(state, state+2) {
			return true
		}
	}
}

func (c *useCounter) release() {
	if c.state.Add(-2) == retired {
		c.last()
	}
}

// retire may be called more than once.
func (c *useCounter) retire() {
	for {
		state := c.state.Load()
		if state < 0 || state&retired != 0 {
			return
		}
		if c.state.CompareAndSwap(state, state+retired) {
			if state == 0 {
				c.last()
			}
			return
		}
	}
}

// closed marks a counter whose onLast has begun.
const closed = -1 << 62

func (c *useCounter) last() {
	if c.state.CompareAndSwap(retired, closed) && c.onLast != nil {
		c.onLast()
	}
}
