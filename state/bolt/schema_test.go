package bolt

import (
	"encoding/binary"
	"errors"
	"testing"

	"go.etcd.io/bbolt"
)

// openRaw opens the file under an engine's feet.
func openRaw(t *testing.T, path string) *bbolt.DB {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: newEngine(t, t.TempDir()).config.LockTimeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func put(t *testing.T, path, bucket, key string, value []byte) {
	t.Helper()
	db := openRaw(t, path)
	err := db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte(bucket))
		if err != nil {
			return err
		}
		return b.Put([]byte(key), value)
	})
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestSchemaNumbers(t *testing.T) {
	number := func(n int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }
	latest := len(migrations())
	for name, test := range map[string]struct {
		value []byte
		newer bool
		fine  bool
	}{
		"the latest":   {value: number(latest), fine: true},
		"the next":     {value: number(latest + 1), newer: true},
		"a far one":    {value: number(1 << 40), newer: true},
		"a short one":  {value: []byte{1}},
		"an empty one": {value: []byte{}},
	} {
		t.Run(name, func(t *testing.T) {
			engine := newEngine(t, t.TempDir())
			if err := errors.Join(engine.Open(), engine.Close()); err != nil {
				t.Fatal(err)
			}
			put(t, engine.Path(), bucketMeta, keySchema, test.value)
			err := engine.Open()
			if (err == nil) != test.fine || errors.Is(err, ErrNewerSchema) != test.newer {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAFileOfSomethingElseIsLeftAlone(t *testing.T) {
	engine := newEngine(t, t.TempDir())
	put(t, engine.Path(), "theirs", "k", []byte("v"))
	if err := engine.Open(); err == nil {
		t.Fatal("no error")
	}
	err := openRaw(t, engine.Path()).View(func(tx *bbolt.Tx) error {
		if tx.Bucket([]byte(bucketKeys)) != nil || tx.Bucket([]byte(bucketMeta)) != nil {
			t.Error("buckets of ours were made in it")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestMigrationsRunOnceInOrder(t *testing.T) {
	engine := newEngine(t, t.TempDir())
	db := openRaw(t, engine.Path()+".x")
	var ran []int
	step := func(n int) func(*bbolt.Tx) error {
		return func(*bbolt.Tx) error { ran = append(ran, n); return nil }
	}
	for _, steps := range [][]func(*bbolt.Tx) error{{step(1)}, {step(1)}, {step(1), step(2), step(3)}} {
		if err := migrate(db, steps); err != nil {
			t.Fatal(err)
		}
	}
	if len(ran) != 3 || ran[0] != 1 || ran[1] != 2 || ran[2] != 3 {
		t.Errorf("ran %v, want 1 2 3", ran)
	}
}

func TestAFailedMigrationChangesNothing(t *testing.T) {
	db := openRaw(t, newEngine(t, t.TempDir()).config.Directory+".db")
	broken := errors.New("broken")
	steps := []func(*bbolt.Tx) error{createBuckets("a"), func(*bbolt.Tx) error { return broken }}
	if err := migrate(db, steps); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	err := db.View(func(tx *bbolt.Tx) error {
		current, err := schemaOf(tx)
		if current != 0 || tx.Bucket([]byte("a")) != nil {
			t.Errorf("half a migration is left: schema %d", current)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
