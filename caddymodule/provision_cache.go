package caddymodule

import (
	"path/filepath"
	"slices"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/derivative"
)

// cacheKey identifies a cache by all of its settings: a reload that changes none keeps what is in memory.
type cacheKey struct{ config derivative.Config }

// sharedCache is emptied of what is in memory with its last holder.
type sharedCache struct{ *derivative.Cache }

// Destruct implements caddy.Destructor.
func (c sharedCache) Destruct() error { return c.Close() }

// provisionCache finds or makes the cache; the disk is not touched.
func (a *App) provisionCache() error {
	if err := a.Cache.validate(); err != nil {
		return err
	}
	config := derivative.Config{Memory: defaultCacheMemory}
	if a.Cache != nil && a.Cache.Memory != nil {
		config.Memory = int64(*a.Cache.Memory)
	}
	if a.Cache != nil && a.Cache.Folder != nil {
		folder, err := folderOf("cache", a.Cache.Folder.Path)
		if err != nil {
			return err
		}
		// In a folder of its own, since what is in it is removed when it is too much.
		config.Folder, config.FolderBytes = filepath.Join(folder, "gatehouse-pictures"), int64(a.Cache.Folder.Size)
	}
	var err error
	a.cache, err = share(&a.pooled, cacheKey{config}, func() (sharedCache, error) {
		cache, err := derivative.New(config, poolLogger("gatehouse.cache"))
		return sharedCache{cache}, err
	})
	return err
}

// mayBypass tells whether a caller may have pictures made anew.
func (a *App) mayBypass(who *principal.Principal) bool {
	return a.Cache != nil && who != nil && slices.ContainsFunc(a.Cache.BypassScope, func(scope string) bool {
		return slices.Contains(who.Scopes, scope)
	})
}
