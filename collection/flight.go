package collection

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// flights makes one fetch serve everybody who asks for the same at the same time. A fetch lives as long as its budget
// and as somebody waits for it: a caller that leaves takes it along only when it was the last.
type flights struct {
	mu      sync.Mutex
	running map[string]*flight
	// idle, once set, is called whenever the last fetch has ended.
	idle   func()
	active int
}

type flight struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiting int
	value   any
	err     error
}

// do gives the result of fetch for key. The error is ctx's cause when the caller leaves before there is one.
func (f *flights) do(ctx context.Context, key string, budget time.Duration, fetch func(context.Context) (any, error)) (any, error) {
	f.mu.Lock()
	if f.running == nil {
		f.running = map[string]*flight{}
	}
	one, found := f.running[key]
	if !found {
		one = &flight{done: make(chan struct{})}
		f.running[key] = one
		fetching, cancel := context.WithTimeout(context.WithoutCancel(ctx), budget)
		one.cancel = cancel
		f.active++
		go f.run(fetching, key, one, fetch)
	}
	one.waiting++
	f.mu.Unlock()

	select {
	case <-one.done:
		return one.value, one.err
	case <-ctx.Done():
		f.leave(key, one)
		return nil, context.Cause(ctx)
	}
}

func (f *flights) run(ctx context.Context, key string, one *flight, fetch func(context.Context) (any, error)) {
	defer func() {
		if r := recover(); r != nil {
			one.value, one.err = nil, fmt.Errorf("panic while fetching: %v", r)
		}
		f.end(key, one)
		one.cancel()
		close(one.done)
	}()
	one.value, one.err = fetch(ctx)
}

func (f *flights) leave(key string, one *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	one.waiting--
	if one.waiting == 0 {
		one.cancel()
		// Who asks from now on must not join a fetch that is being given up.
		if f.running[key] == one {
			delete(f.running, key)
		}
	}
}

func (f *flights) end(key string, one *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running[key] == one {
		delete(f.running, key)
	}
	f.active--
	if f.active == 0 && f.idle != nil {
		f.idle()
	}
}

// whenIdle calls idle whenever no fetch runs, at once if so.
func (f *flights) whenIdle(idle func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.idle = idle
	if f.active == 0 {
		idle()
	}
}
