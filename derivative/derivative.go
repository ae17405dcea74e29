// Package derivative keeps pictures that were made: in memory, and in a folder that outlives the process. One that is
// not there is made once, however many ask for it at the same time.
//
// It is asked after authorization, and knows nothing of callers.
package derivative

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"

	"github.com/maypok86/otter/v2"

	"github.com/gatehouse-server/gatehouse/internal/diskcache"
	"github.com/gatehouse-server/gatehouse/internal/flight"
)

// Key names a picture. Two pictures with any byte in difference have different keys.
type Key struct {
	// Collection and Identifier are what can be purged by.
	Collection, Identifier string
	// Parts are all that else makes the picture what it is: the original and its version, what is asked for, the settings of
	// encoders.
	Parts []string
}

// hash of the whole key.
func (k *Key) hash() diskcache.Sum {
	var room [16]string
	return diskcache.SumOf(append(append(room[:0], k.Collection, k.Identifier), k.Parts...)...)
}

// Name is where a file for the key is kept.
func (k *Key) Name() diskcache.Name { return k.name(k.hash()) }

func (k *Key) name(hashed diskcache.Sum) diskcache.Name {
	return diskcache.Name{Collection: diskcache.SumOf(k.Collection), Item: diskcache.SumOf(k.Collection, k.Identifier), Key: hashed}
}

// Config is the settings of a Cache.
type Config struct {
	// Memory in bytes bounds what is kept in memory; 0: nothing.
	Memory int64
	// Folder, unless empty, is an absolute path below which pictures are kept; FolderBytes bounds them.
	Folder      string
	FolderBytes int64
}

// Cache keeps pictures. It is safe for concurrent use. The bytes it gives are shared and must not be changed.
type Cache struct {
	memory *otter.Cache[diskcache.Sum, *picture]
	folder *folder // nil: none
	making flight.Group[[]byte]
	// purges counts purges: what was begun before one must not come in after it.
	purges atomic.Uint64

	memoryHits, folderHits, misses, joined, evicted atomic.Int64
}

// picture is one that is kept in memory.
type picture struct {
	data []byte
	name diskcache.Name
}

// overhead is what a picture costs in memory besides its bytes.
const overhead = 512

// usual is about how many bytes a tile has.
const usual = 16 << 10

// largest is the share of the memory that a single picture may take: larger ones would push out many that are asked
// for more often.
const largest = 32

// New makes a Cache. The folder is touched when it is first used.
func New(c Config, logger *slog.Logger) (*Cache, error) {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	out := new(Cache)
	if c.Memory > 0 {
		memory, err := otter.New(&otter.Options[diskcache.Sum, *picture]{
			MaximumWeight: uint64(c.Memory),
			// Without it the frequencies of use are only counted once the memory is half full.
			InitialCapacity: int(c.Memory / usual),
			Weigher: func(_ diskcache.Sum, p *picture) uint32 {
				return uint32(min(len(p.data)+overhead, 1<<32-1)) //nolint:gosec // bounded just now
			},
			OnDeletion: func(e otter.DeletionEvent[diskcache.Sum, *picture]) {
				if e.WasEvicted() {
					out.evicted.Add(1)
				}
			},
		})
		if err != nil {
			return nil, fmt.Errorf("cache in memory: %w", err)
		}
		out.memory = memory
	}
	if c.Folder != "" {
		out.folder = &folder{diskcache.New(c.Folder, c.FolderBytes, largest, logger), logger}
	}
	return out, nil
}

// Get gives a picture that is kept, or has it made. produce's context goes on while anybody waits for the picture, and has
// the values of ctx; its errors are not kept. fresh says that nothing that is kept will do.
func (c *Cache) Get(ctx context.Context, key Key, fresh bool, produce func(context.Context) ([]byte, error)) ([]byte, error) {
	hashed := key.hash()
	if !fresh {
		if data, ok := c.fromMemory(hashed); ok {
			return data, nil
		}
	}
	s := key.name(hashed)
	// Who asks after a purge must not get what was begun before.
	name := strconv.AppendUint(hashed[:], c.purges.Load(), 10)
	name = strconv.AppendBool(append(name, '/'), fresh)
	led := false
	data, err := c.making.Do(ctx, context.WithoutCancel(ctx), string(name), func(ctx context.Context) ([]byte, error) {
		led = true
		return c.find(ctx, s, fresh, produce)
	})
	if err == nil && !led {
		c.joined.Add(1)
	}
	return data, err
}

func (c *Cache) fromMemory(key diskcache.Sum) ([]byte, bool) {
	if c.memory == nil {
		return nil, false
	}
	p, ok := c.memory.GetIfPresent(key)
	if !ok {
		return nil, false
	}
	c.memoryHits.Add(1)
	return p.data, true
}

// find looks in the folder, and makes what is not there.
func (c *Cache) find(ctx context.Context, s diskcache.Name, fresh bool, produce func(context.Context) ([]byte, error)) ([]byte, error) {
	purges := c.purges.Load()
	if !fresh {
		// It may have come since.
		if data, ok := c.fromMemory(s.Key); ok {
			return data, nil
		}
		if c.folder != nil {
			if data, ok := c.folder.get(s); ok {
				c.folderHits.Add(1)
				c.keep(s, data, purges, false)
				return data, nil
			}
		}
	}
	c.misses.Add(1)
	data, err := produce(ctx)
	if err != nil {
		return nil, err
	}
	c.keep(s, data, purges, true)
	return data, nil
}

// keep puts a picture in, unless a purge came between.
func (c *Cache) keep(s diskcache.Name, data []byte, purges uint64, disk bool) {
	if c.purges.Load() != purges {
		return
	}
	if c.memory != nil && uint64(len(data)) <= c.memory.GetMaximum()/largest {
		c.memory.Set(s.Key, &picture{data, s})
	}
	if disk && c.folder != nil {
		c.folder.put(s, data)
	}
	if c.purges.Load() != purges {
		// It may have been for this one, and have looked before it was in.
		if c.memory != nil {
			c.memory.Invalidate(s.Key)
		}
		if c.folder != nil {
			c.folder.Remove(s)
		}
	}
}

// Purge forgets the pictures of one identifier, of a collection where that is empty, or all where both are. When it
// returns, none of them is answered any more, also none that was being made.
func (c *Cache) Purge(collection, identifier string) error {
	if collection == "" && identifier != "" {
		return errors.New("an identifier is one of a collection, which must be named")
	}
	c.purges.Add(1)
	whole, item := diskcache.SumOf(collection), diskcache.SumOf(collection, identifier)
	if c.memory != nil {
		for key, p := range c.memory.All() {
			switch {
			case collection == "", identifier == "" && p.name.Collection == whole, identifier != "" && p.name.Item == item:
				c.memory.Invalidate(key)
			}
		}
	}
	if c.folder == nil {
		return nil
	}
	switch {
	case collection == "":
		return c.folder.Purge(nil, nil)
	case identifier == "":
		return c.folder.Purge(&whole, nil)
	}
	return c.folder.Purge(&whole, &item)
}

// Stats are counts for metrics.
type Stats struct {
	// MemoryHits, FolderHits, Misses and Joined (who waited for a picture that was being made for somebody else) since the
	// start, and Evicted from memory and folder.
	MemoryHits, FolderHits, Misses, Joined, Evicted int64
	// Pictures in memory, and the bytes that they and those in the folder take.
	Pictures                 int
	MemoryBytes, FolderBytes int64
}

// Stats counts what was done.
func (c *Cache) Stats() Stats {
	s := Stats{
		MemoryHits: c.memoryHits.Load(), FolderHits: c.folderHits.Load(), Misses: c.misses.Load(), Joined: c.joined.Load(),
		Evicted: c.evicted.Load(),
	}
	if c.memory != nil {
		s.Pictures, s.MemoryBytes = c.memory.EstimatedSize(), int64(c.memory.WeightedSize()) //nolint:gosec // below MaximumWeight
	}
	if c.folder != nil {
		s.FolderBytes, s.Evicted = c.folder.Used(), s.Evicted+c.folder.Removed()
	}
	return s
}

// Close ends what goes on in the background. What is kept in the folder stays.
func (c *Cache) Close() error {
	if c.memory != nil {
		c.memory.InvalidateAll()
		c.memory.StopAllGoroutines()
	}
	if c.folder != nil {
		c.folder.Close()
	}
	return nil
}
