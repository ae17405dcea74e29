package caddymodule

import (
	"cmp"
	"path/filepath"

	"github.com/caddyserver/caddy/v2"

	"github.com/gatehouse-server/gatehouse/pyramid"
)

// pyramidsKey identifies the pyramids by all of their settings.
type pyramidsKey struct{ config pyramid.Config }

// sharedPyramids ends its work with its last holder. The zero value is for a server without pyramids.
type sharedPyramids struct {
	*pyramid.Store
	policy pyramid.Policy
}

// Destruct implements caddy.Destructor.
func (s sharedPyramids) Destruct() error { return s.Close() }

// purge forgets what is kept.
func (s sharedPyramids) purge(collection, identifier string) error {
	if s.Store == nil {
		return nil
	}
	return s.Purge(collection, identifier)
}

// provisionPyramids finds or makes the store; the disk is not touched.
func (a *App) provisionPyramids() error {
	c := a.Pyramids
	if err := c.validate(); err != nil || c.off() {
		return err
	}
	if c == nil {
		c = new(PyramidsConfig)
	}
	folder, err := folderOf("pyramids", c.Folder)
	if err != nil {
		return err
	}
	if folder == "" {
		if folder, err = filepath.Abs(caddy.AppDataDir()); err != nil {
			return err
		}
	}
	// In a folder of its own, since what is in it is removed when it is too much.
	config := pyramid.Config{Folder: filepath.Join(folder, "gatehouse-pyramids"), Bytes: cmp.Or(int64(c.Size), defaultPyramidBytes)}
	a.pyramids, err = share(&a.pooled, pyramidsKey{config}, func() (sharedPyramids, error) {
		return sharedPyramids{Store: pyramid.New(config, poolLogger("gatehouse.pyramids"))}, nil
	})
	a.pyramids.policy = pyramid.Policy{Pixels: cmp.Or(int64(c.From), defaultPyramidFrom)}
	return err
}
