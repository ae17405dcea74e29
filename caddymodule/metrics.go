package caddymodule

import (
	"errors"

	"github.com/caddyserver/caddy/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// The collectors live as long as the process, so that counters survive a reload; each configuration registers them
// anew on its own registry.
var metrics = newCollectors()

type collectors struct {
	requests        *prometheus.CounterVec
	renderSeconds   *prometheus.HistogramVec
	sourceSeconds   *prometheus.HistogramVec
	sourceBytes     *prometheus.CounterVec
	metadataSeconds *prometheus.HistogramVec
	childEnds       *prometheus.CounterVec
	shed            *prometheus.CounterVec
	shadow          *prometheus.CounterVec
	live            liveCollector
}

func newCollectors() *collectors {
	seconds := []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 25}
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "gatehouse", Name: name, Help: help, Buckets: seconds,
		}, labels)
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "gatehouse", Name: name, Help: help}, labels)
	}
	return &collectors{
		requests: counter("requests_total",
			"Image requests by collection, outcome (allow, tier, deny, error) and reason code.", "collection", "outcome", "code"),
		renderSeconds: histogram("render_seconds",
			"Time that rendering took, without waiting for a worker.", "outcome"),
		sourceSeconds: histogram("source_seconds",
			"Time that one request to a source of originals took.", "kind", "outcome"),
		sourceBytes: counter("source_bytes_total",
			"Bytes of originals that were read from sources.", "kind"),
		metadataSeconds: histogram("metadata_seconds",
			"Time that one request to a metadata server took.", "outcome"),
		childEnds: counter("render_child_ends_total",
			"Rendering processes that were replaced, by reason.", "reason"),
		shed: counter("render_shed_total",
			"Pictures that were refused because too many waited, or waited too long, by lane.", "lane"),
		shadow: counter("render_shadow_total",
			"What lanes would have done and, in shadow mode, did not: would_overtake, would_make_room.", "event", "lane"),
	}
}

func (c *collectors) all() []prometheus.Collector {
	return []prometheus.Collector{c.requests, c.renderSeconds, c.sourceSeconds, c.sourceBytes, c.metadataSeconds, c.childEnds, c.shed, c.shadow, &c.live}
}

// register puts every collector on the registry of the configuration that is being provisioned.
func (c *collectors) register(ctx caddy.Context) error {
	registry := ctx.GetMetricsRegistry()
	for _, collector := range c.all() {
		var already prometheus.AlreadyRegisteredError
		if err := registry.Register(collector); err != nil && !errors.As(err, &already) {
			return err
		}
	}
	return nil
}

// liveCollector tells gauges of the app that runs now, whichever that is after reloads.
type liveCollector struct{}

var (
	descQueue           = prometheus.NewDesc("gatehouse_render_queue", "Requests that wait for a rendering worker.", nil, nil)
	descRunning         = prometheus.NewDesc("gatehouse_render_running", "Pictures that are being rendered.", nil, nil)
	descStrays          = prometheus.NewDesc("gatehouse_render_strays", "Pages of PDFs that are drawn although nobody waits for them.", nil, nil)
	descWaiting         = prometheus.NewDesc("gatehouse_render_waiting", "Requests that wait for a rendering worker, by lane.", []string{"lane"}, nil)
	descChildren        = prometheus.NewDesc("gatehouse_render_children", "Rendering processes that are up.", nil, nil)
	descResident        = prometheus.NewDesc("gatehouse_render_children_resident_bytes", "Memory that rendering processes have.", nil, nil)
	descTiles           = prometheus.NewDesc("gatehouse_stored_tiles_total", "Pictures by the way they came about: stored tiles as they lie, parts of them joined, rendered of tiles that were cut out, or rendered of the original.", []string{"way"}, nil)
	descTileIndex       = prometheus.NewDesc("gatehouse_stored_tiles_index_bytes", "What is remembered of where tiles lie in their files.", nil, nil)
	descJWKSAge         = prometheus.NewDesc("gatehouse_jwks_age_seconds", "Seconds since the keys of an issuer were last fetched.", []string{"issuer"}, nil)
	descJWKSKeys        = prometheus.NewDesc("gatehouse_jwks_keys", "Usable keys of an issuer.", []string{"issuer"}, nil)
	descCache           = prometheus.NewDesc("gatehouse_cache_requests_total", "Pictures by where they were found: memory, folder, joined (made for somebody else at that time), or a miss.", []string{"outcome"}, nil)
	descEvicted         = prometheus.NewDesc("gatehouse_cache_evicted_total", "Pictures that made room for others.", nil, nil)
	descKept            = prometheus.NewDesc("gatehouse_cache_bytes", "Bytes of pictures that are kept.", []string{"tier"}, nil)
	descPyramids        = prometheus.NewDesc("gatehouse_pyramids_total", "Tiled pyramids by what became of them: made, failed, skipped for lack of room, or removed to make some.", []string{"outcome"}, nil)
	descPyramidsWaiting = prometheus.NewDesc("gatehouse_pyramids_waiting", "Pyramids that are to be made.", nil, nil)
	descPyramidsBytes   = prometheus.NewDesc("gatehouse_pyramids_bytes", "Bytes of pyramids that are kept.", nil, nil)
	descSpool           = prometheus.NewDesc("gatehouse_spool_bytes", "Bytes of originals that are kept on disk.", nil, nil)
)

// Describe implements prometheus.Collector.
func (*liveCollector) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{descQueue, descRunning, descStrays, descWaiting, descChildren, descResident, descTiles, descTileIndex, descJWKSAge, descJWKSKeys, descCache, descEvicted, descKept, descPyramids, descPyramidsWaiting, descPyramidsBytes, descSpool} {
		out <- desc
	}
}
