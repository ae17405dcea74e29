package caddymodule

import (
	"context"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/iiif"
	"github.com/gatehouse-server/gatehouse/render/admission"
)

const okay = "ok"

// health tells of each part whether it works, and whether this node can do its work.
func (a *App) health() (parts map[string]string, ready bool) {
	parts = map[string]string{"state": okay, "renderer": okay}
	ready = true
	if release, err := a.engine.Acquire(); err != nil {
		parts["state"], ready = "the state cannot be opened", false
	} else {
		release()
	}
	if renderer, err := a.renderer.get(); err != nil {
		parts["renderer"], ready = "libvips cannot be started", false
	} else if renderer.children != nil && renderer.children.Stats().Alive == 0 {
		parts["renderer"], ready = "no rendering process is up", false
	}
	for _, issuer := range a.issuers {
		part := "issuer " + issuer.Name()
		parts[part] = okay
		// Without keys, callers of this issuer are answered 503, and all others as ever: the node stays in service.
		if !issuer.Status().Ready {
			parts[part] = "no keys yet"
		}
	}
	return parts, ready
}

// status is the whole picture for operators.
func (a *App) status() Status {
	s := Status{
		Version: version(), Go: runtime.Version(), SpoolBytes: a.spool.Used(),
		Issuers: []IssuerStatus{}, Collections: []CollectionStatus{},
	}
	s.Caddy, _ = caddy.Version()
	s.Parts, s.Ready = a.health()
	if renderer, err := a.renderer.get(); err == nil {
		can, stats := renderer.Capabilities(), renderer.library.Stats()
		s.Images = ImagesStatus{Version: can.Version, Loaders: can.Loaders, Queued: int(stats.Queued), Running: int(stats.Running)}
		for _, format := range can.Formats {
			s.Images.Formats = append(s.Images.Formats, string(format))
		}
		s.Images.Isolation = renderer.isolationStatus()
	}
	kept := a.cache.Stats()
	s.Cache = CacheStatus{
		Pictures: kept.Pictures, MemoryBytes: kept.MemoryBytes, FolderBytes: kept.FolderBytes, MemoryHits: kept.MemoryHits,
		FolderHits: kept.FolderHits, Misses: kept.Misses, Joined: kept.Joined, Evicted: kept.Evicted,
	}
	if a.pyramids.Store != nil {
		p := a.pyramids.Stats()
		s.Pyramids = PyramidsStatus{
			On: true, Bytes: p.Bytes, Waiting: p.Waiting, Made: p.Made, Failed: p.Failed, Skipped: p.Skipped, Removed: p.Removed,
		}
	}
	for _, issuer := range a.issuers {
		keys := issuer.Status()
		age, _ := issuer.Age(time.Now())
		s.Issuers = append(s.Issuers, IssuerStatus{Name: issuer.Name(), Keys: len(keys.KeyIDs), AgeSeconds: age.Seconds(), Error: keys.LastError})
	}
	for _, c := range a.collections {
		s.Collections = append(s.Collections, CollectionStatus{Name: c.name, Prefix: c.prefix, Public: c.public(), Sources: c.sources})
	}
	slices.SortFunc(s.Collections, func(x, y CollectionStatus) int { return strings.Compare(x.Name, y.Name) })
	return s
}

// isolationStatus tells of the processes that libvips runs in.
func (r *renderer) isolationStatus() IsolationStatus {
	if r.children == nil {
		return IsolationStatus{Mode: isolationNone}
	}
	s := r.children.Stats()
	return IsolationStatus{
		Mode: isolationProcess, Processes: s.Alive, PIDs: s.PIDs, ResidentBytes: s.Resident, Confined: s.Confined, Replaced: s.Replaced,
	}
}

// version of this module in the binary.
func version() string {
	const path = "github.com/gatehouse-server/gatehouse"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, module := range append(info.Deps, &info.Main) {
		if module.Path == path && module.Version != "" {
			return module.Version
		}
	}
	return "unknown"
}

// explain decides as for a request, and tells how.
func (a *App) explain(ctx context.Context, name, identifier string, who *principal.Principal) (authz.Explanation, error) {
	c, err := a.collectionByName(name)
	if err != nil {
		return authz.Explanation{}, err
	}
	request := iiif.Request{Version: 3, Kind: iiif.Info, RawIdentifier: identifier}
	found := c.lookup(request)
	if c.policy == nil {
		return authz.Explanation{
			Collection: name, Identifier: identifier, Outcome: authz.Allow, Status: 200, Code: "public",
			Summary: "Allowed: the collection has no policy, so that anybody may see it.", CacheSeconds: int64(c.maxAge / time.Second),
			Caller: authz.CallerSummary{Kind: who.Kind, Scopes: append([]string{}, who.Scopes...)}, Rules: []authz.RuleTrace{}, Fetched: []authz.FetchTrace{},
		}, nil
	}
	// What stopped the decision stands in the explanation.
	explanation, _ := c.policy.Explain(ctx, who, requestInfo(request), found)
	return explanation, nil
}

// explainedCaller is a caller with these scopes, by a bearer token or a login link.
func explainedCaller(scopes []string, mail bool) *principal.Principal {
	who := &principal.Principal{Kind: principal.Bearer, Scopes: slices.Compact(slices.Sorted(slices.Values(scopes)))}
	if mail {
		who.Kind = principal.MailLogin
	}
	return who
}

// Collect implements prometheus.Collector for the app that runs now.
func (*liveCollector) Collect(out chan<- prometheus.Metric) {
	a, err := running()
	if err != nil || !a.acquire() {
		return
	}
	defer a.release()
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	counter := func(desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, value, labels...)
	}
	if renderer, err := a.renderer.get(); err == nil {
		stats := renderer.library.Stats()
		gauge(descQueue, float64(stats.Queued))
		gauge(descRunning, float64(stats.Running))
		gauge(descStrays, float64(stats.Strays))
		for lane, n := range stats.Queue.Waiting {
			gauge(descWaiting, float64(n), admission.Lane(lane).String())
		}
		if renderer.children != nil {
			children := renderer.children.Stats()
			gauge(descChildren, float64(children.Alive))
			gauge(descResident, float64(children.Resident))
		}
		if renderer.tiles != nil {
			tiles := renderer.tiles.Stats()
			counter(descTiles, float64(tiles.Stored), "stored")
			counter(descTiles, float64(tiles.Joined), "joined")
			counter(descTiles, float64(tiles.Cut), "cut")
			counter(descTiles, float64(tiles.Passed), "rendered")
			gauge(descTileIndex, float64(tiles.IndexBytes))
		}
	}
	kept := a.cache.Stats()
	for outcome, n := range map[string]int64{"memory": kept.MemoryHits, "folder": kept.FolderHits, "joined": kept.Joined, "miss": kept.Misses} {
		counter(descCache, float64(n), outcome)
	}
	counter(descEvicted, float64(kept.Evicted))
	gauge(descKept, float64(kept.MemoryBytes), "memory")
	gauge(descKept, float64(kept.FolderBytes), "folder")
	gauge(descSpool, float64(a.spool.Used()))
	if a.pyramids.Store != nil {
		p := a.pyramids.Stats()
		for outcome, n := range map[string]int64{"made": p.Made, "failed": p.Failed, "skipped": p.Skipped, "removed": p.Removed} {
			counter(descPyramids, float64(n), outcome)
		}
		gauge(descPyramidsWaiting, float64(p.Waiting))
		gauge(descPyramidsBytes, float64(p.Bytes))
	}
	for _, issuer := range a.issuers {
		status := issuer.Status()
		gauge(descJWKSKeys, float64(len(status.KeyIDs)), issuer.Name())
		if age, known := issuer.Age(time.Now()); known {
			gauge(descJWKSAge, age.Seconds(), issuer.Name())
		}
	}
}
