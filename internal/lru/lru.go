// Package lru keeps what was used last, within a budget of bytes.
package lru

import (
	"container/list"
	"sync"
)

// Cache maps keys to values. It is safe for concurrent use; the lock is held for a few steps only.
type Cache[K comparable, V any] struct {
	budget int64

	mu      sync.Mutex
	used    int64
	entries map[K]*list.Element
	order   list.List // of *entry[K, V], the latest in front
}

type entry[K comparable, V any] struct {
	key   K
	value V
	cost  int64
}

// New makes a cache for budget bytes. With a budget below 1 it keeps nothing.
func New[K comparable, V any](budget int64) *Cache[K, V] {
	return &Cache[K, V]{budget: budget, entries: make(map[K]*list.Element)}
}

// Get gives the value of a key, and marks it as used.
func (c *Cache[K, V]) Get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.entries[key]
	if !ok {
		var none V
		return none, false
	}
	c.order.MoveToFront(element)
	return element.Value.(*entry[K, V]).value, true
}

// Put keeps a value of cost bytes, in place of what the key had. One that is larger than the budget is not kept.
func (c *Cache[K, V]) Put(key K, value V, cost int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.entries[key]; ok {
		c.remove(old)
	}
	if cost > c.budget {
		return
	}
	c.entries[key] = c.order.PushFront(&entry[K, V]{key, value, cost})
	c.used += cost
	for c.used > c.budget {
		c.remove(c.order.Back())
	}
}

// Drop forgets a key.
func (c *Cache[K, V]) Drop(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.entries[key]; ok {
		c.remove(element)
	}
}

// Clear forgets everything.
func (c *Cache[K, V]) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.entries)
	c.order.Init()
	c.used = 0
}

// Used is the bytes that are kept.
func (c *Cache[K, V]) Used() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used
}

// remove needs the lock.
func (c *Cache[K, V]) remove(element *list.Element) {
	e := c.order.Remove(element).(*entry[K, V])
	delete(c.entries, e.key)
	c.used -= e.cost
}
