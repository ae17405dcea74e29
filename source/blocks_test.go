package source

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestBlockCacheGivesOneLoadToAll(t *testing.T) {
	c := newBlockCache(10)
	key := blockKey{"a", 3}
	data, load, run := c.lookup(key, 5)
	if data != nil || len(run) != 3 || run[0] != load {
		t.Fatalf("first look-up: data %v, a run of %d", data, len(run))
	}
	for i := range int64(3) {
		_, other, again := c.lookup(blockKey{"a", 3 + i}, 5)
		if again != nil || other != run[i] {
			t.Errorf("block %d would be loaded twice", 3+i)
		}
	}
	c.arrived(key, load, []byte("abc"))
	<-load.done
	if data, _, _ := c.lookup(key, 3); string(data) != "abc" {
		t.Errorf("kept %q", data)
	}
	c.failed(blockKey{"a", 4}, run[1], errLie)
	<-run[1].done
	if !errors.Is(run[1].err, errLie) {
		t.Errorf("waiters hear %v", run[1].err)
	}
	if _, again, run := c.lookup(blockKey{"a", 4}, 4); run == nil || again.err != nil {
		t.Error("a failure was kept")
	}
}

func TestBlockCacheRunsEndAtWhatIsThere(t *testing.T) {
	c := newBlockCache(1 << 20)
	c.put(blockKey{"a", 4}, []byte("x"))
	if _, _, run := c.lookup(blockKey{"a", 2}, 10); len(run) != 2 {
		t.Errorf("a run of %d up to a kept block", len(run))
	}
	if _, _, run := c.lookup(blockKey{"b", 0}, 1000); len(run) != maxRun {
		t.Errorf("a run of %d blocks", len(run))
	}
	if _, _, run := c.lookup(blockKey{"a", 1}, 10); len(run) != 1 {
		t.Errorf("a run of %d up to a block on its way", len(run))
	}
}

// The cache against a plain list of the most recently used keys.
func TestBlockCacheKeepsTheRecentlyUsed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const room = 5
		c := newBlockCache(room * 4)
		var model []blockKey
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			key := blockKey{rapid.SampledFrom([]string{"a", "b"}).Draw(t, "file"), rapid.Int64Range(0, 5).Draw(t, "index")}
			at := slices.Index(model, key)
			data, load, _ := c.lookup(key, key.index)
			if (data != nil) != (at >= 0) {
				t.Fatalf("%v is there: %v, want %v", key, data != nil, at >= 0)
			}
			want := fmt.Sprintf("%s%03d", key.file, key.index)
			if data == nil {
				c.arrived(key, load, []byte(want))
			} else if string(data) != want {
				t.Fatalf("%v holds %q", key, data)
			}
			if at >= 0 {
				model = slices.Delete(model, at, at+1)
			}
			model = append([]blockKey{key}, model...)
			model = model[:min(len(model), room)]
			if c.used != int64(4*len(model)) || c.used > c.limit {
				t.Fatalf("%d bytes counted for %d blocks", c.used, len(model))
			}
		}
		c.clear()
		if c.used != 0 || len(c.items) != 0 {
			t.Fatal("something is left after clear")
		}
	})
}
