package source

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"

	"github.com/gatehouse-server/gatehouse/internal/problem"
)

// flights runs one piece of work per key for all who want it at the same time. The work does not belong to the first
// who asked: it goes on while anybody waits, and is cancelled when nobody does.
type flights[V any] struct {
	mu      sync.Mutex
	running map[string]*flight[V]
}

type flight[V any] struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiters int
	value   V
	err     error
}

// do gives the result of work(key), or ctx's error when that ends first. The context of the work descends from life.
func (f *flights[V]) do(ctx, life context.Context, key string, work func(context.Context) (V, error)) (V, error) {
	f.mu.Lock()
	running, ok := f.running[key]
	if !ok {
		running = f.start(life, key, work)
	}
	running.waiters++
	f.mu.Unlock()

	select {
	case <-running.done:
		return running.value, running.err
	case <-ctx.Done():
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	running.waiters--
	if running.waiters == 0 {
		running.cancel()
		f.forget(key, running)
	}
	var none V
	return none, ctx.Err()
}

// start begins the work. The caller holds mu.
func (f *flights[V]) start(life context.Context, key string, work func(context.Context) (V, error)) *flight[V] {
	ctx, cancel := context.WithCancel(life)
	running := &flight[V]{done: make(chan struct{}), cancel: cancel}
	if f.running == nil {
		f.running = map[string]*flight[V]{}
	}
	f.running[key] = running
	go func() {
		defer cancel()
		defer close(running.done)
		defer func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.forget(key, running)
		}()
		defer func() {
			if p := recover(); p != nil {
				running.err = panicked(p)
			}
		}()
		running.value, running.err = work(ctx)
	}()
	return running
}

// forget lets the next one start anew. The caller holds mu.
func (f *flights[V]) forget(key string, running *flight[V]) {
	if f.running[key] == running {
		delete(f.running, key)
	}
}

// panicked is the error of work that panicked: it ends this work and not the server.
func panicked(value any) error {
	return problem.Wrap(fmt.Errorf("panic: %v\n%s", value, debug.Stack()), http.StatusInternalServerError, "internal", "An internal error occurred")
}
