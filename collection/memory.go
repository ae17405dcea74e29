package collection

import (
	"container/list"
	"sync"
	"time"
)

// memory keeps answers of the metadata server for as long as they are fresh, the least recently used going first when
// it is full.
type memory struct {
	mu         sync.Mutex
	maxBytes   int64
	maxEntries int
	bytes      int64
	order      *list.List // of *kept, the most recently used in front
	entries    map[string]*list.Element
}

// kept is one answer: a document, or the error that there is none.
type kept struct {
	key string
	revised
	err     error
	size    int64
	expires time.Time
}

func newMemory(maxBytes int64, maxEntries int) *memory {
	return &memory{maxBytes: maxBytes, maxEntries: maxEntries, order: list.New(), entries: map[string]*list.Element{}}
}

// get gives an answer that is still fresh at now.
func (m *memory) get(key string, now time.Time) (*kept, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	element, found := m.entries[key]
	if !found {
		return nil, false
	}
	entry := element.Value.(*kept)
	if !now.Before(entry.expires) {
		m.remove(element)
		return nil, false
	}
	m.order.MoveToFront(element)
	return entry, true
}

// put keeps an answer, unless it alone is larger than all that may be kept.
func (m *memory) put(entry *kept) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if element, found := m.entries[entry.key]; found {
		m.remove(element)
	}
	if entry.size > m.maxBytes {
		return
	}
	m.entries[entry.key] = m.order.PushFront(entry)
	m.bytes += entry.size
	for m.bytes > m.maxBytes || m.order.Len() > m.maxEntries {
		m.remove(m.order.Back())
	}
}

func (m *memory) remove(element *list.Element) {
	entry := m.order.Remove(element).(*kept)
	delete(m.entries, entry.key)
	m.bytes -= entry.size
}
