package bolt

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/gatehouse-server/gatehouse/authn"
)

// keysRecord is how a key set lies in bucketKeys, under the issuer's name.
type keysRecord struct {
	Source   string    `json:"source"`
	Fetched  time.Time `json:"fetched"`
	Document []byte    `json:"document"`
}

// LoadKeys implements authn.KeyCache.
func (e *Engine) LoadKeys(ctx context.Context, issuer string) (authn.CachedKeys, error) {
	if err := ctx.Err(); err != nil {
		return authn.CachedKeys{}, fmt.Errorf("load keys: %w", err)
	}
	var record keysRecord
	err := e.view(func(tx *bbolt.Tx) error {
		value := tx.Bucket([]byte(bucketKeys)).Get([]byte(issuer))
		if value == nil {
			return authn.ErrNoCachedKeys
		}
		return json.Unmarshal(value, &record)
	})
	if err != nil {
		return authn.CachedKeys{}, fmt.Errorf("load keys: %w", err)
	}
	return authn.CachedKeys{Source: record.Source, Fetched: record.Fetched, Document: record.Document}, nil
}

// SaveKeys implements authn.KeyCache. The set is on the disk when it returns nil.
func (e *Engine) SaveKeys(ctx context.Context, issuer string, keys authn.CachedKeys) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("save keys: %w", err)
	}
	value, err := json.Marshal(keysRecord{Source: keys.Source, Fetched: keys.Fetched, Document: keys.Document})
	if err != nil {
		return fmt.Errorf("save keys: %w", err)
	}
	err = e.update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucketKeys)).Put([]byte(issuer), value)
	})
	if err != nil {
		return fmt.Errorf("save keys: %w", err)
	}
	return nil
}

var _ authn.KeyCache = (*Engine)(nil)
