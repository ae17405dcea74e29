// Package flight lets callers who want the same thing at the same time share one piece of work.
package flight

import (
	"context"
	"sync"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// Group runs one piece of work per key for all who want its result at the same time. The work does not belong to the
// first who asked: it goes on while anybody waits, and is cancelled when nobody does. Results are not kept. The zero
// value is ready; a Group is safe for concurrent use and must not be copied.
type Group[V any] struct {
	mu      sync.Mutex
	running map[string]*flight[V]
	// active counts the work that has not returned yet, given up or not.
	active int
	idle   func()
}

type flight[V any] struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiting int
	value   V
	err     error
}

// Do gives the result of work(key), or ctx's error when that ends first. The context of the work descends from life
// and not from ctx, which ends with one caller only. Work that panics ends in a *problem.Error of 500.
func (g *Group[V]) Do(ctx, life context.Context, key string, work func(context.Context) (V, error)) (V, error) {
	g.mu.Lock()
	one, found := g.running[key]
	if !found {
		one = g.start(life, key, work)
	}
	one.waiting++
	g.mu.Unlock()

	select {
	case <-one.done:
		return one.value, one.err
	case <-ctx.Done():
		g.leave(key, one)
		var none V
		return none, ctx.Err()
	}
}

// start begins the work. The caller holds mu.
func (g *Group[V]) start(life context.Context, key string, work func(context.Context) (V, error)) *flight[V] {
	ctx, cancel := context.WithCancel(life)
	one := &flight[V]{done: make(chan struct{}), cancel: cancel}
	if g.running == nil {
		g.running = map[string]*flight[V]{}
	}
	g.running[key] = one
	g.active++
	go func() {
		defer close(one.done)
		defer cancel()
		defer g.end(key, one)
		defer func() {
			if p := recover(); p != nil {
				one.err = problem.Panicked(p)
			}
		}()
		one.value, one.err = work(ctx)
	}()
	return one
}

// leave takes one caller away, and with the last one the work.
func (g *Group[V]) leave(key string, one *flight[V]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	one.waiting--
	if one.waiting == 0 {
		one.cancel()
		// Who asks from now on must not join work that is being given up.
		g.forget(key, one)
	}
}

func (g *Group[V]) end(key string, one *flight[V]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(key, one)
	g.active--
	if g.active == 0 && g.idle != nil {
		g.idle()
	}
}

// forget lets the next one start anew. The caller holds mu.
func (g *Group[V]) forget(key string, one *flight[V]) {
	if g.running[key] == one {
		delete(g.running, key)
	}
}

// WhenIdle calls idle whenever no work runs any more: at once if that is so, and each time that the last work ends.
// It must not use the Group.
func (g *Group[V]) WhenIdle(idle func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.idle = idle
	if g.active == 0 {
		idle()
	}
}
