package vips

// headerKey names a page of one state of an original. The version alone does not: it may be no more than a size and a
// time, which two originals can share, and then the first bytes tell them apart.
type headerKey struct {
	version, name string
	size          int64
	head          uint64
	page          int
}

// cost is about how many bytes of memory the key takes in the cache.
func (k headerKey) cost() int64 { return int64(len(k.version) + len(k.name)) }
