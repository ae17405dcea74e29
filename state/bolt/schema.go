package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
)

// ErrNewerSchema means that the file was written by a newer version, which may have put things in it that this one would
// spoil.
var ErrNewerSchema = errors.New("the state file is of a newer version of Gatehouse")

// The top-level buckets. A bucket whose content changes its form gets a new name with a higher number, and a migration
// that fills it.
const (
	bucketMeta = "meta"
	bucketKeys = "keys.v1"
)

// keySchema is the key in bucketMeta under which the schema number stands, eight bytes in big-endian order.
const keySchema = "schema"

// migrations lead from each schema number to the next: the first makes number 1 of an empty file. They are only ever
// added to.
func migrations() []func(*bbolt.Tx) error {
	return []func(*bbolt.Tx) error{
		createBuckets(bucketKeys),
		createBuckets(bucketJobs, bucketJobsWaiting, bucketJobsReady, bucketJobsRunning, bucketJobsEnded, bucketJobsKeys,
			bucketJobsLimits, bucketJobsSweeps),
	}
}

func createBuckets(names ...string) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		for _, name := range names {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return fmt.Errorf("create bucket %s: %w", name, err)
			}
		}
		return nil
	}
}

// migrate brings the file to the latest schema, in one transaction: a crash leaves the old one.
func migrate(db *bbolt.DB, steps []func(*bbolt.Tx) error) error {
	latest := uint64(len(steps))
	var current uint64
	err := db.View(func(tx *bbolt.Tx) error {
		var err error
		current, err = schemaOf(tx)
		return err
	})
	switch {
	case err != nil:
		return err
	case current > latest:
		return fmt.Errorf("%w: its schema is %d, this one knows %d", ErrNewerSchema, current, latest)
	case current == latest:
		return nil
	}
	return db.Update(func(tx *bbolt.Tx) error {
		for _, step := range steps[current:] {
			if err := step(tx); err != nil {
				return err
			}
		}
		meta, err := tx.CreateBucketIfNotExists([]byte(bucketMeta))
		if err != nil {
			return fmt.Errorf("create bucket %s: %w", bucketMeta, err)
		}
		return meta.Put([]byte(keySchema), binary.BigEndian.AppendUint64(nil, latest))
	})
}

// schemaOf is 0 for an empty file. A file with something else in it is not ours.
func schemaOf(tx *bbolt.Tx) (uint64, error) {
	meta := tx.Bucket([]byte(bucketMeta))
	if meta == nil {
		if name, _ := tx.Cursor().First(); name != nil {
			return 0, errors.New("the file is a bbolt file of something else")
		}
		return 0, nil
	}
	value := meta.Get([]byte(keySchema))
	if len(value) != 8 {
		return 0, errors.New("the schema number is damaged")
	}
	return binary.BigEndian.Uint64(value), nil
}
