package statetest

import (
	"context"
	"errors"
	"testing"

	"github.com/gatehouse-server/gatehouse/authn"
)

func endedContext(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func keysEndedContext(t *testing.T, open func() authn.KeyCache) {
	cache := open()
	if err := cache.SaveKeys(endedContext(t), "city", sample(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("save: got %v, want context.Canceled", err)
	}
	if _, err := cache.LoadKeys(endedContext(t), "city"); !errors.Is(err, context.Canceled) {
		t.Errorf("load: got %v, want context.Canceled", err)
	}
}

func keysEndedContextKeeps(t *testing.T, open func() authn.KeyCache) {
	cache := open()
	save(t, cache, "city", sample(1))
	if err := cache.SaveKeys(endedContext(t), "city", sample(2)); err == nil {
		t.Error("save: got no error")
	}
	wantKeys(t, cache, "city", sample(1))
}
