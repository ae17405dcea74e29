package derivative_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/gatehouse-server/gatehouse/derivative"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newCache(t testing.TB, c derivative.Config) *derivative.Cache {
	t.Helper()
	cache, err := derivative.New(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	return cache
}

func key(collection, identifier string, parts ...string) derivative.Key {
	return derivative.Key{Collection: collection, Identifier: identifier, Parts: parts}
}

// get asks for a picture and tells whether it was made.
func get(t testing.TB, c *derivative.Cache, k derivative.Key, content string) (data []byte, made bool) {
	t.Helper()
	data, err := c.Get(context.Background(), k, false, func(context.Context) ([]byte, error) {
		made = true
		return []byte(content), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return data, made
}

// The ways to keep pictures.
func tiers(t *testing.T, test func(t *testing.T, open func() *derivative.Cache)) {
	for name, config := range map[string]derivative.Config{
		"memory": {Memory: 8 << 20},
		"folder": {Folder: "yes", FolderBytes: 64 << 20},
		"both":   {Memory: 8 << 20, Folder: "yes", FolderBytes: 64 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			if config.Folder != "" {
				config.Folder = filepath.Join(t.TempDir(), "cache")
			}
			test(t, func() *derivative.Cache { return newCache(t, config) })
		})
	}
}

func TestWhatIsKeptIsNotMadeAgain(t *testing.T) {
	tiers(t, func(t *testing.T, open func() *derivative.Cache) {
		c := open()
		k := key("prints", "a.tif", "v1", "full")
		for i := range 3 {
			data, made := get(t, c, k, "picture")
			if string(data) != "picture" || made != (i == 0) {
				t.Errorf("%d: %q, made: %t", i, data, made)
			}
		}
	})
}

func TestOtherKeysAreOtherPictures(t *testing.T) {
	tiers(t, func(t *testing.T, open func() *derivative.Cache) {
		c := open()
		keys := []derivative.Key{
			key("a", "b", "c"), key("a", "bc"), key("ab", "", "c"), key("a", "b", "c", ""), key("a", "b", "", "c"), key("", "ab", "c"), key("a", "", "b", "c"),
		}
		for i, k := range keys {
			if _, made := get(t, c, k, fmt.Sprint(i)); !made {
				t.Errorf("%v was taken for another", k)
			}
		}
		for i, k := range keys {
			if data, _ := get(t, c, k, "?"); string(data) != fmt.Sprint(i) {
				t.Errorf("%v gives %q", k, data)
			}
		}
	})
}

func TestErrorsAreNotKept(t *testing.T) {
	tiers(t, func(t *testing.T, open func() *derivative.Cache) {
		c, broken := open(), errors.New("broken")
		_, err := c.Get(context.Background(), key("a", "b"), false, func(context.Context) ([]byte, error) { return nil, broken })
		if !errors.Is(err, broken) {
			t.Errorf("err = %v", err)
		}
		if _, made := get(t, c, key("a", "b"), "picture"); !made {
			t.Error("an error was kept")
		}
	})
}

func TestFreshIsMadeAndKept(t *testing.T) {
	tiers(t, func(t *testing.T, open func() *derivative.Cache) {
		c := open()
		get(t, c, key("a", "b"), "old")
		data, err := c.Get(context.Background(), key("a", "b"), true, func(context.Context) ([]byte, error) { return []byte("new"), nil })
		if err != nil || string(data) != "new" {
			t.Errorf("%q, %v", data, err)
		}
		if data, made := get(t, c, key("a", "b"), "?"); made || string(data) != "new" {
			t.Errorf("%q, made: %t", data, made)
		}
	})
}

func TestPurge(t *testing.T) {
	tiers(t, func(t *testing.T, open func() *derivative.Cache) {
		all := []derivative.Key{key("a", "1", "x"), key("a", "1", "y"), key("a", "2", "x"), key("b", "1", "x")}
		for _, test := range []struct {
			collection, identifier string
			gone                   string
		}{{"a", "1", "1100"}, {"a", "", "1110"}, {"", "", "1111"}, {"b", "1", "0001"}, {"c", "", "0000"}, {"a", "3", "0000"}} {
			c := open()
			for _, k := range all {
				get(t, c, k, "picture")
			}
			if err := c.Purge(test.collection, test.identifier); err != nil {
				t.Fatal(err)
			}
			for i, k := range all {
				if _, made := get(t, c, k, "picture"); made != (test.gone[i] == '1') {
					t.Errorf("purge of %q, %q: %v made: %t", test.collection, test.identifier, k, made)
				}
			}
		}
		if err := open().Purge("", "1"); err == nil {
			t.Error("an identifier without a collection was purged")
		}
	})
}

// What was begun before a purge is neither kept after it nor given to who asks after it.
func TestPurgeWhileMaking(t *testing.T) {
	tiers(t, func(t *testing.T, open func() *derivative.Cache) {
		c := open()
		begun, goOn, first := toldOnce(), toldOnce(), toldOnce()
		go func() {
			defer close(first)
			_, _ = c.Get(context.Background(), key("a", "1"), false, func(context.Context) ([]byte, error) {
				close(begun)
				<-goOn
				return []byte("old"), nil
			})
		}()
		<-begun
		if err := c.Purge("a", "1"); err != nil {
			t.Fatal(err)
		}
		if data, _ := get(t, c, key("a", "1"), "new"); string(data) != "new" {
			t.Errorf("after the purge: %q", data)
		}
		close(goOn)
		<-first
		if data, _ := get(t, c, key("a", "1"), "new"); string(data) != "new" {
			t.Errorf("after the end of what was begun: %q", data)
		}
	})
}

func toldOnce() chan struct{} { return make(chan struct{}) }

// A hundred who ask at once have one picture made; one who leaves takes it from nobody.
func TestOneIsMadeForAll(t *testing.T) {
	tiers(t, func(t *testing.T, open func() *derivative.Cache) {
		c := open()
		var made atomic.Int32
		goOn := toldOnce()
		produce := func(ctx context.Context) ([]byte, error) {
			made.Add(1)
			<-goOn
			return []byte("picture"), ctx.Err()
		}
		leaving, leave := context.WithCancel(context.Background())
		var all sync.WaitGroup
		for i := range 100 {
			all.Add(1)
			go func() {
				defer all.Done()
				ctx := context.Background()
				if i%2 == 0 {
					ctx = leaving
				}
				data, err := c.Get(ctx, key("a", "1"), false, produce)
				if i%2 == 1 && (err != nil || string(data) != "picture") {
					t.Errorf("%q, %v", data, err)
				}
			}()
		}
		for made.Load() == 0 {
		}
		leave()
		close(goOn)
		all.Wait()
		// Who comes when it is done finds it kept, or has it made once more.
		if n := made.Load(); n > 2 {
			t.Errorf("made %d times", n)
		}
	})
}

func TestFolderOutlivesTheProcess(t *testing.T) {
	config := derivative.Config{Folder: filepath.Join(t.TempDir(), "cache"), FolderBytes: 64 << 20}
	c := newCache(t, config)
	get(t, c, key("a", "1"), "picture")
	get(t, c, key("a", "2"), "picture")
	if err := c.Purge("a", "2"); err != nil {
		t.Fatal(err)
	}
	again := newCache(t, config)
	if data, made := get(t, again, key("a", "1"), "?"); made || string(data) != "picture" {
		t.Errorf("%q, made: %t", data, made)
	}
	if _, made := get(t, again, key("a", "2"), "?"); !made {
		t.Error("what was purged came back")
	}
}

// files are those in a folder.
func files(t testing.TB, root string) (paths []string, bytes int64) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			info, err := entry.Info()
			if err != nil {
				return err
			}
			paths, bytes = append(paths, path), bytes+info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths, bytes
}

// Whatever a crash or a disk does to a file, it is made anew and never answered.
func TestBrokenFiles(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	config := derivative.Config{Folder: filepath.Join(t.TempDir(), "cache"), FolderBytes: 64 << 20}
	for range 200 {
		c := newCache(t, config)
		get(t, c, key("a", "1"), strings.Repeat("picture", 100))
		paths, _ := files(t, filepath.Join(config.Folder, "kept"))
		if len(paths) != 1 {
			t.Fatalf("%d files", len(paths))
		}
		content, err := os.ReadFile(paths[0])
		if err != nil {
			t.Fatal(err)
		}
		switch r.IntN(3) {
		case 0:
			content = content[:r.IntN(len(content))]
		case 1:
			content[r.IntN(len(content))] ^= byte(1 + r.IntN(255))
		case 2:
			content = append(content, 0)
		}
		if err := os.WriteFile(paths[0], content, 0o600); err != nil {
			t.Fatal(err)
		}
		if data, made := get(t, c, key("a", "1"), strings.Repeat("picture", 100)); !made || !bytes.Equal(data, bytes.Repeat([]byte("picture"), 100)) {
			t.Fatalf("a broken file was answered: made: %t", made)
		}
	}
}

// A file that stands where another should is not taken for it.
func TestExchangedFiles(t *testing.T) {
	config := derivative.Config{Folder: filepath.Join(t.TempDir(), "cache"), FolderBytes: 64 << 20}
	c := newCache(t, config)
	get(t, c, key("a", "1"), "public")
	get(t, c, key("a", "2"), "secret")
	paths, _ := files(t, filepath.Join(config.Folder, "kept"))
	one, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(paths[1], one, 0o600); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{"1": "public", "2": "secret"} {
		if data, _ := get(t, c, key("a", id), want); string(data) != want {
			t.Errorf("%s is %q", id, data)
		}
	}
}

func TestFolderThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := newCache(t, derivative.Config{Folder: filepath.Join(file, "cache"), FolderBytes: 64 << 20})
	if data, made := get(t, c, key("a", "1"), "picture"); !made || string(data) != "picture" {
		t.Errorf("%q, made: %t", data, made)
	}
	if err := c.Purge("", ""); err != nil {
		t.Error(err)
	}
}

// Both tiers keep to their bounds, whatever is put in.
func TestBounds(t *testing.T) {
	const memory, disk = 1 << 20, 4 << 20
	config := derivative.Config{Memory: memory, Folder: filepath.Join(t.TempDir(), "cache"), FolderBytes: disk}
	c := newCache(t, config)
	for i := range 2000 {
		get(t, c, key("a", fmt.Sprint(i)), strings.Repeat("x", 500+i%20000))
	}
	if s := c.Stats(); s.MemoryBytes > memory+memory/8 {
		t.Errorf("%+v", s)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, n := files(t, config.Folder); n > disk+disk/8 || n < disk/4 {
		t.Errorf("%d bytes in the folder", n)
	}
}

// A crawler that asks for everything once does not push out what people ask for. Between two requests for the same
// picture it asks for three times as many as there is room for: kept by the time of their last use, all would be gone.
func TestCrawler(t *testing.T) {
	c := newCache(t, derivative.Config{Memory: 4 << 20})
	tile := strings.Repeat("x", 20<<10)
	for range 20 {
		for i := range 60 {
			get(t, c, key("hot", fmt.Sprint(i)), tile)
		}
	}
	again := 0
	for i := range 600 {
		for k := range 10 {
			get(t, c, key("crawled", fmt.Sprint(i, k)), tile)
		}
		if _, made := get(t, c, key("hot", fmt.Sprint(i%60)), tile); made {
			again++
		}
	}
	if again > 300 {
		t.Errorf("%d of 600 had to be made again", again)
	}
}

// The cache answers what a plain map would, or has it made.
func TestAgainstAModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		config := derivative.Config{Memory: 2 << 20}
		if rapid.Bool().Draw(rt, "folder") {
			dir, err := os.MkdirTemp(t.TempDir(), "")
			if err != nil {
				rt.Fatal(err)
			}
			config.Folder, config.FolderBytes = dir, 8<<20
		}
		c, err := derivative.New(config, nil)
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		// state counts purges by item: what was made before the last one must not be seen.
		state := map[string]int{}
		draw := func(rt *rapid.T) (string, string) {
			return rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "collection"), rapid.SampledFrom([]string{"1", "2", "3"}).Draw(rt, "identifier")
		}
		rt.Repeat(map[string]func(*rapid.T){
			"get": func(rt *rapid.T) {
				collection, identifier := draw(rt)
				part := rapid.SampledFrom([]string{"full", "tile"}).Draw(rt, "part")
				want := fmt.Sprint(collection, identifier, part, state[collection+identifier])
				data, err := c.Get(context.Background(), key(collection, identifier, part), rapid.Bool().Draw(rt, "fresh"), func(context.Context) ([]byte, error) {
					return []byte(want), nil
				})
				if err != nil || string(data) != want {
					rt.Fatalf("%q, %v; want %q", data, err, want)
				}
			},
			"purge": func(rt *rapid.T) {
				collection, identifier := draw(rt)
				level := rapid.IntRange(0, 2).Draw(rt, "level")
				if level > 0 {
					identifier = ""
				}
				if level > 1 {
					collection = ""
				}
				if err := c.Purge(collection, identifier); err != nil {
					rt.Fatal(err)
				}
				for _, co := range []string{"a", "b"} {
					for _, id := range []string{"1", "2", "3"} {
						if (collection == "" || co == collection) && (identifier == "" || id == identifier) {
							state[co+id]++
						}
					}
				}
			},
		})
	})
}

func BenchmarkHit(b *testing.B) {
	tile := strings.Repeat("x", 20<<10)
	for name, config := range map[string]derivative.Config{
		"memory": {Memory: 64 << 20}, "folder": {Folder: b.TempDir(), FolderBytes: 64 << 20},
	} {
		b.Run(name, func(b *testing.B) {
			c := newCache(b, config)
			k := key("collection", "identifier.tif", "main", "path/to/identifier.tif", "version", "1", "0,0,512,512", "512,512")
			get(b, c, k, tile)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = c.Get(context.Background(), k, false, func(context.Context) ([]byte, error) { panic("made again") })
			}
		})
	}
}
