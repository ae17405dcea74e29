package lru_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatehouse-server/gatehouse/internal/lru"
)

// The cache does what a list that is searched from front to back does.
func TestCacheAgainstAModel(t *testing.T) {
	type kept struct {
		key, value int
		cost       int64
	}
	rapid.Check(t, func(t *rapid.T) {
		budget := rapid.Int64Range(0, 50).Draw(t, "budget")
		c := lru.New[int, int](budget)
		var model []kept
		drop := func(key int) { model = slices.DeleteFunc(model, func(k kept) bool { return k.key == key }) }
		used := func() (n int64) {
			for _, k := range model {
				n += k.cost
			}
			return n
		}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				k := kept{rapid.IntRange(0, 9).Draw(t, "key"), rapid.Int().Draw(t, "value"), rapid.Int64Range(0, 30).Draw(t, "cost")}
				c.Put(k.key, k.value, k.cost)
				drop(k.key)
				if k.cost <= budget {
					model = append([]kept{k}, model...)
				}
				for used() > budget {
					model = model[:len(model)-1]
				}
			},
			"get": func(t *rapid.T) {
				key := rapid.IntRange(0, 9).Draw(t, "key")
				value, ok := c.Get(key)
				i := slices.IndexFunc(model, func(k kept) bool { return k.key == key })
				if ok != (i >= 0) || ok && value != model[i].value {
					t.Fatalf("%d gives %d, %t", key, value, ok)
				}
				if ok {
					k := model[i]
					drop(key)
					model = append([]kept{k}, model...)
				}
			},
			"drop": func(t *rapid.T) {
				key := rapid.IntRange(0, 9).Draw(t, "key")
				c.Drop(key)
				drop(key)
			},
			"clear": func(*rapid.T) { c.Clear(); model = nil },
			"": func(t *rapid.T) {
				if c.Used() != used() {
					t.Fatalf("%d used, want %d", c.Used(), used())
				}
			},
		})
	})
}
