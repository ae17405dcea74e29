package caddymodule

// Status is what `caddy gatehouse status` and GET /gatehouse/status of the admin endpoint tell.
type Status struct {
	Version string            `json:"version"`
	Caddy   string            `json:"caddy"`
	Go      string            `json:"go"`
	Ready   bool              `json:"ready"`
	Parts   map[string]string `json:"parts"`
	Images  ImagesStatus      `json:"images"`
	Issuers []IssuerStatus    `json:"issuers"`
	// Collections by name.
	Collections []CollectionStatus `json:"collections"`
	// Cache tells of the pictures that are kept.
	Cache CacheStatus `json:"cache"`
	// SpoolBytes is how much of the spool is used.
	SpoolBytes int64 `json:"spool_bytes"`
}

// CacheStatus tells of the pictures that are kept, and of requests since the start.
type CacheStatus struct {
	Pictures    int   `json:"pictures"`
	MemoryBytes int64 `json:"memory_bytes"`
	FolderBytes int64 `json:"folder_bytes"`
	MemoryHits  int64 `json:"memory_hits"`
	FolderHits  int64 `json:"folder_hits"`
	Misses      int64 `json:"misses"`
	Joined      int64 `json:"joined"`
	Evicted     int64 `json:"evicted"`
}

// ImagesStatus tells of the renderer.
type ImagesStatus struct {
	Version string   `json:"version"`
	Loaders []string `json:"loaders"`
	Formats []string `json:"formats"`
	Queued  int      `json:"queued"`
	Running int      `json:"running"`
}

// IssuerStatus tells of an issuer's keys.
type IssuerStatus struct {
	Name       string  `json:"name"`
	Keys       int     `json:"keys"`
	AgeSeconds float64 `json:"age_seconds"`
	Error      string  `json:"error,omitempty"`
}

// CollectionStatus tells of a collection.
type CollectionStatus struct {
	Name    string   `json:"name"`
	Prefix  string   `json:"prefix"`
	Public  bool     `json:"public"`
	Sources []string `json:"sources"`
}
