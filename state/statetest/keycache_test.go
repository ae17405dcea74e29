package statetest_test

import (
	"sync"
	"testing"

	"github.com/gatehouse-server/gatehouse/authn"
	"github.com/gatehouse-server/gatehouse/state/statetest"
)

// The cache in memory outlives a configuration, not the process: here a restart is a reload.
func TestMemoryKeys(t *testing.T) {
	var stores sync.Map
	statetest.RunKeyCache(t, func(t *testing.T) authn.KeyCache {
		store, _ := stores.LoadOrStore(t, authn.NewMemoryKeys())
		return store.(authn.KeyCache)
	})
}
