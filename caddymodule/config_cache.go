package caddymodule

import (
	"errors"
	"fmt"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// CacheConfig bounds what is kept of pictures that were made.
type CacheConfig struct {
	// How many bytes of pictures are kept in memory; 0 keeps none. Default: 256MiB.
	Memory *ByteSize `json:"memory,omitempty"`
	// A folder that pictures are kept in besides, over restarts. Default: none.
	Folder *CacheFolderConfig `json:"folder,omitempty"`
	// Callers with one of these scopes may have a picture made anew by the query `cache=bypass`. Default: nobody may.
	BypassScope []string `json:"bypass_scope,omitempty"`
}

// CacheFolderConfig is a folder of pictures.
type CacheFolderConfig struct {
	// The folder. It is created when missing.
	Path string `json:"path,omitempty"`
	// How many bytes it may hold.
	Size ByteSize `json:"size,omitempty"`
}

// UnmarshalCaddyfile reads the block `cache`.
func (c *CacheConfig) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	if d.NextArg() {
		return d.ArgErr()
	}
	return block{
		"memory": once(func(d *caddyfile.Dispenser) error {
			var size string
			if err := oneArg(d, &size); err != nil {
				return err
			}
			c.Memory = new(ByteSize)
			if size == choiceOff {
				return nil
			}
			if err := c.Memory.parseText(size); err != nil {
				return d.Errf("memory: %v; or %s", err, choiceOff)
			}
			return nil
		}),
		"folder": once(func(d *caddyfile.Dispenser) error {
			c.Folder = new(CacheFolderConfig)
			var size string
			if !d.AllArgs(&c.Folder.Path, &size) {
				return d.Err("folder takes a path and a size: folder /var/cache/gatehouse 20GiB")
			}
			if err := c.Folder.Size.parseText(size); err != nil {
				return d.Errf("folder: %v", err)
			}
			return nil
		}),
		"bypass_scope": texts(&c.BypassScope),
	}.parse(d, "cache")
}

// Bounds of the cache.
const (
	defaultCacheMemory = 256 << 20
	// leastCacheMemory and leastCacheFolder hold a few pictures at least.
	leastCacheMemory = 1 << 20
	leastCacheFolder = 16 << 20
)

// validateCache finds values that cannot be.
func (c *CacheConfig) validate() error {
	if c == nil {
		return nil
	}
	if c.Memory != nil && *c.Memory != 0 && *c.Memory < leastCacheMemory {
		return fmt.Errorf("cache: memory is %d bytes: it must be at least 1MiB, or off", *c.Memory)
	}
	if c.Folder == nil {
		return nil
	}
	if c.Folder.Path == "" {
		return errors.New("cache: the folder needs a path")
	}
	if c.Folder.Size < leastCacheFolder {
		return fmt.Errorf("cache: the folder may hold %d bytes: it must be at least 16MiB", c.Folder.Size)
	}
	return nil
}
