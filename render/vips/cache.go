package vips

import (
	"container/list"
	"sync"
)

// headerKey names a page of one state of an original. The version alone does not: it may be no more than a size and a
// time, which two originals can share, and then the first bytes tell them apart.
type headerKey struct {
	version, name string
	size          int64
	head          uint64
	page          int
}

// headerCache keeps the headers that were used last, within a budget of bytes.
type headerCache struct {
	budget int64

	mu      sync.Mutex
	used    int64
	entries map[headerKey]*list.Element
	order   list.List // of *headerEntry, the latest in front
}

type headerEntry struct {
	key    headerKey
	header *header
	cost   int64
}

func newHeaderCache(budget int64) *headerCache {
	return &headerCache{budget: budget, entries: make(map[headerKey]*list.Element)}
}

func (c *headerCache) get(key headerKey) (*header, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.entries[key]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(element)
	return element.Value.(*headerEntry).header, true
}

func (c *headerCache) put(key headerKey, h *header) {
	entry := &headerEntry{key: key, header: h, cost: h.cost() + int64(len(key.version)+len(key.name))}
	if entry.cost > c.budget {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.entries[key]; ok {
		c.remove(old)
	}
	c.entries[key] = c.order.PushFront(entry)
	c.used += entry.cost
	for c.used > c.budget {
		c.remove(c.order.Back())
	}
}

func (c *headerCache) drop(key headerKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.entries[key]; ok {
		c.remove(element)
	}
}

func (c *headerCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.entries)
	c.order.Init()
	c.used = 0
}

// remove needs the lock.
func (c *headerCache) remove(element *list.Element) {
	entry := c.order.Remove(element).(*headerEntry)
	delete(c.entries, entry.key)
	c.used -= entry.cost
}
