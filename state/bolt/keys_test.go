package bolt

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/gatehouse-server/gatehouse/authn"
	"github.com/gatehouse-server/gatehouse/state/statetest"
)

// opener hands out engines on one directory for each test.
func opener(prepare func(*testing.T, *Engine)) func(*testing.T) authn.KeyCache {
	var directories sync.Map
	return func(t *testing.T) authn.KeyCache {
		dir, _ := directories.LoadOrStore(t, t.TempDir())
		engine := newEngine(t, dir.(string))
		prepare(t, engine)
		return engine
	}
}

func TestKeyCacheWithoutALease(t *testing.T) {
	statetest.RunKeyCache(t, opener(func(*testing.T, *Engine) {}))
}

func TestKeyCacheOfAnOpenEngine(t *testing.T) {
	statetest.RunKeyCache(t, opener(func(t *testing.T, engine *Engine) {
		if err := engine.Open(); err != nil {
			t.Fatal(err)
		}
	}))
}

func TestDamagedKeysAreAnErrorAndCanBeReplaced(t *testing.T) {
	engine := newEngine(t, t.TempDir())
	err := engine.update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucketKeys)).Put([]byte("city"), []byte("{"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.LoadKeys(t.Context(), "city"); err == nil || !strings.Contains(err.Error(), "load keys") {
		t.Errorf("load: got %v", err)
	}
	want := authn.CachedKeys{Source: "s", Document: []byte("{}"), Fetched: time.Unix(1, 0)}
	if err := engine.SaveKeys(t.Context(), "city", want); err != nil {
		t.Fatal(err)
	}
	if got, err := engine.LoadKeys(t.Context(), "city"); err != nil || got.Source != "s" {
		t.Errorf("load: got %v, %v", got, err)
	}
}

// The form on the disk is a contract with later versions.
func TestKeysRecordForm(t *testing.T) {
	engine := newEngine(t, t.TempDir())
	keys := authn.CachedKeys{Source: "https://a", Document: []byte("{}"), Fetched: time.Unix(0, 0).UTC()}
	if err := engine.SaveKeys(t.Context(), "city", keys); err != nil {
		t.Fatal(err)
	}
	err := engine.view(func(tx *bbolt.Tx) error {
		var fields map[string]any
		if err := json.Unmarshal(tx.Bucket([]byte("keys.v1")).Get([]byte("city")), &fields); err != nil {
			return err
		}
		if fields["source"] != "https://a" || fields["fetched"] != "1970-01-01T00:00:00Z" || fields["document"] != "e30=" {
			t.Errorf("got %v", fields)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestKeysThatCannotBeStored(t *testing.T) {
	engine := newEngine(t, t.TempDir())
	if err := engine.SaveKeys(t.Context(), "", authn.CachedKeys{}); err == nil {
		t.Error("an empty name was stored")
	}
	late := authn.CachedKeys{Fetched: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}
	if err := engine.SaveKeys(t.Context(), "city", late); err == nil {
		t.Error("a time that has no JSON form was stored")
	}
}
