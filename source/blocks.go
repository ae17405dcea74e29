package source

import (
	"container/list"
	"sync"
)

const (
	// blockSize is the unit in which ranges are asked for and kept, in bytes.
	blockSize = 256 << 10
	// maxRun is how many blocks one request asks for at most.
	maxRun = 16
)

// blockKey names one block. The file is path and version, so that states of an original never mix.
type blockKey struct {
	file  string
	index int64
}

// blockLoad is a block on its way.
type blockLoad struct {
	done chan struct{}
	data []byte
	err  error
}

// blockCache keeps recently used blocks, up to a number of bytes, and knows which are on their way.
type blockCache struct {
	limit int64

	mu      sync.Mutex
	used    int64
	recent  *list.List // of *block, the most recently used first
	items   map[blockKey]*list.Element
	loading map[blockKey]*blockLoad
}

type block struct {
	key  blockKey
	data []byte
}

func newBlockCache(limit int64) *blockCache {
	return &blockCache{limit: limit, recent: list.New(), items: map[blockKey]*list.Element{}, loading: map[blockKey]*blockLoad{}}
}

// lookup gives a block that is there, or one on its way. When it is neither, the caller has to load the run of blocks
// whose loads it gets: the block and those after it up to last, as far as they are missing too.
func (c *blockCache) lookup(key blockKey, last int64) (data []byte, load *blockLoad, run []*blockLoad) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.items[key]; ok {
		c.recent.MoveToFront(e)
		return e.Value.(*block).data, nil, nil
	}
	if load, ok := c.loading[key]; ok {
		return nil, load, nil
	}
	for k := key; k.index <= last && len(run) < maxRun; k.index++ {
		if c.items[k] != nil || c.loading[k] != nil {
			break
		}
		load := &blockLoad{done: make(chan struct{})}
		c.loading[k] = load
		run = append(run, load)
	}
	return nil, run[0], run
}

// arrived hands a loaded block to those who wait and keeps it.
func (c *blockCache) arrived(key blockKey, load *blockLoad, data []byte) {
	c.put(key, data)
	c.end(key, load, data, nil)
}

// failed hands an error to those who wait. It is not kept: the next one tries again.
func (c *blockCache) failed(key blockKey, load *blockLoad, err error) { c.end(key, load, nil, err) }

func (c *blockCache) end(key blockKey, load *blockLoad, data []byte, err error) {
	c.mu.Lock()
	delete(c.loading, key)
	c.mu.Unlock()
	load.data, load.err = data, err
	close(load.done)
}

// put keeps a block and lets the longest unused ones go. The data must not change any more.
func (c *blockCache) put(key blockKey, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.items[key]; ok {
		c.recent.MoveToFront(e)
		return
	}
	c.items[key] = c.recent.PushFront(&block{key, data})
	c.used += int64(len(data))
	for c.used > c.limit {
		c.drop(c.recent.Back())
	}
}

func (c *blockCache) drop(e *list.Element) {
	b := c.recent.Remove(e).(*block)
	delete(c.items, b.key)
	c.used -= int64(len(b.data))
}

// clear forgets everything that is kept.
func (c *blockCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.recent.Len() > 0 {
		c.drop(c.recent.Back())
	}
}
