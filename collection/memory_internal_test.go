package collection

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestMemoryForgetsWhatWasUsedLongestAgo(t *testing.T) {
	now := time.Unix(0, 0)
	m := newMemory(100, 3)
	put := func(key string, size int64) {
		m.put(&kept{key: key, revised: revised{value: key}, size: size, expires: now.Add(time.Second)})
	}
	has := func(key string) bool { _, found := m.get(key, now); return found }
	put("a", 30)
	put("b", 30)
	put("c", 30)
	if !has("a") || !has("b") || !has("c") {
		t.Fatal("three of 30 bytes do not fit")
	}
	has("a")
	put("d", 30) // over the number of entries: b goes
	if has("b") || !has("a") || !has("c") || !has("d") {
		t.Error("not the oldest went")
	}
	put("e", 90) // over the bytes: all others go
	if !has("e") || has("a") || has("d") {
		t.Error("too much is kept")
	}
	put("f", 101)
	if has("f") || !has("e") {
		t.Error("what is larger than the memory is kept, or drives out the rest")
	}
	put("e", 1)
	if m.bytes != 1 || m.order.Len() != 1 {
		t.Errorf("%d bytes in %d entries", m.bytes, m.order.Len())
	}
}

func TestMemoryForgetsAtTheMoment(t *testing.T) {
	now := time.Unix(0, 0)
	m := newMemory(100, 10)
	m.put(&kept{key: "a", size: 1, expires: now.Add(time.Second)})
	if _, found := m.get("a", now.Add(time.Second-1)); !found {
		t.Error("forgotten too early")
	}
	if _, found := m.get("a", now.Add(time.Second)); found || len(m.entries) != 0 {
		t.Error("kept too long")
	}
}

// TestMemoryStaysWithinItsBounds: whatever is put in, and its book-keeping is right.
func TestMemoryStaysWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMemory(50, 5)
		now := time.Unix(0, 0)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			key := fmt.Sprint(rapid.IntRange(0, 9).Draw(t, "key"))
			if rapid.Bool().Draw(t, "get") {
				entry, found := m.get(key, now)
				if found && (entry.key != key || !now.Before(entry.expires)) {
					t.Fatalf("%s gives %+v at %s", key, entry, now)
				}
			} else {
				m.put(&kept{key: key, size: rapid.Int64Range(0, 60).Draw(t, "size"), expires: now.Add(time.Duration(rapid.IntRange(0, 9).Draw(t, "age")))})
			}
			now = now.Add(1)
			var bytes int64
			for e := m.order.Front(); e != nil; e = e.Next() {
				bytes += e.Value.(*kept).size
			}
			if bytes != m.bytes || m.bytes > 50 || m.order.Len() > 5 || m.order.Len() != len(m.entries) {
				t.Fatalf("%d bytes (noted %d), %d entries (noted %d)", bytes, m.bytes, m.order.Len(), len(m.entries))
			}
		}
	})
}
