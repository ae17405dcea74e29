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
	// Pyramids tells of the tiled pyramids of originals.
	Pyramids PyramidsStatus `json:"pyramids"`
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

// PyramidsStatus tells of the tiled pyramids of originals, and of what became of them since the start.
type PyramidsStatus struct {
	On      bool  `json:"on"`
	Bytes   int64 `json:"bytes"`
	Waiting int   `json:"waiting"`
	Made    int64 `json:"made"`
	Failed  int64 `json:"failed"`
	// Skipped for lack of room, and Removed to make some.
	Skipped int64 `json:"skipped"`
	Removed int64 `json:"removed"`
}

// ImagesStatus tells of the renderer.
type ImagesStatus struct {
	Version string   `json:"version"`
	Loaders []string `json:"loaders"`
	Formats []string `json:"formats"`
	Queued  int      `json:"queued"`
	Running int      `json:"running"`
	// Isolation tells where libvips runs.
	Isolation IsolationStatus `json:"isolation"`
}

// IsolationStatus tells of the processes that libvips runs in.
type IsolationStatus struct {
	// Mode is "process" or "none".
	Mode string `json:"mode"`
	// Processes that are up, by their identifiers, and the memory that they have.
	Processes     int   `json:"processes"`
	PIDs          []int `json:"pids,omitempty"`
	ResidentBytes int64 `json:"resident_bytes"`
	// Confined tells that the kernel keeps them from all files but the system's, and from the network.
	Confined bool `json:"confined"`
	// Replaced counts those that ended, by reason.
	Replaced map[string]int64 `json:"replaced,omitempty"`
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
