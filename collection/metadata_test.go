package collection_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-server/gatehouse/collection"
	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/internal/testkit"
)

// outcomes collects what an Observer is told.
type outcomes struct {
	mu  sync.Mutex
	all []string
}

func (o *outcomes) observe(_ float64, outcome string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, outcome)
}

func (o *outcomes) is(t *testing.T, want ...string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if !slices.Equal(o.all, want) {
		t.Errorf("observed %v, want %v", o.all, want)
	}
}

// knows tells what a new request learns of the dossier's access: a value, or the code of an error.
func knows(t *testing.T, c *collection.Collection) string {
	t.Helper()
	metadata, err := c.Lookup(simpleIdentifier).Metadata(context.Background())
	if err != nil {
		return problem.From(err).Code
	}
	access, _ := metadata.(map[string]any)["access"].(string)
	return access
}

func TestMetadataIsFreshForItsTimeOnly(t *testing.T) {
	server := testkit.NewMetadataServer(t, simple("PUBLIC", "PUBLIC", "N"))
	now := testkit.NewFakeClock(time.Unix(1_000_000_000, 0))
	var seen outcomes
	c := newCollection(t, bouwdossiers(server.URL()), collection.Deps{Clock: now, Observe: seen.observe})
	steps := []struct {
		before func()
		want   string
	}{
		{func() {}, "PUBLIC"},
		{func() { server.Put(simple("RESTRICTED", "PUBLIC", "N")); now.Advance(59 * time.Second) }, "PUBLIC"},
		{func() { now.Advance(time.Second) }, "RESTRICTED"},
		{func() { server.Down(); now.Advance(59 * time.Second) }, "RESTRICTED"},
		{func() { now.Advance(time.Second) }, "metadata_unreachable"},
		{func() {}, "metadata_unreachable"},
		{func() { server.Up(); server.Remove("ST", "00015") }, "metadata_not_found"},
		{func() { server.Put(simple("PUBLIC", "PUBLIC", "N")); now.Advance(4 * time.Second) }, "metadata_not_found"},
		{func() { now.Advance(time.Second) }, "PUBLIC"},
	}
	for i, step := range steps {
		step.before()
		if got := knows(t, c); got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
	}
	seen.is(t, "ok", "cached", "ok", "cached", "unreachable", "unreachable", "not_found", "cached", "ok")
}

func TestMetadataIsNeverKeptWhenSoConfigured(t *testing.T) {
	server := testkit.NewMetadataServer(t, simple("PUBLIC", "PUBLIC", "N"))
	config := bouwdossiers(server.URL())
	config.Metadata.Fresh = -1
	c := newCollection(t, config, collection.Deps{})
	first := knows(t, c)
	server.Remove("ST", "00015")
	second := knows(t, c)
	server.Put(simple("RESTRICTED", "PUBLIC", "N"))
	third := knows(t, c)
	if first != "PUBLIC" || second != "metadata_not_found" || third != "RESTRICTED" {
		t.Errorf("%s, %s, %s", first, second, third)
	}
}

func TestAbsenceIsNotKeptWhenSoConfigured(t *testing.T) {
	server := testkit.NewMetadataServer(t)
	config := bouwdossiers(server.URL())
	config.Metadata.Absent = -1
	c := newCollection(t, config, collection.Deps{})
	first := knows(t, c)
	server.Put(simple("PUBLIC", "PUBLIC", "N"))
	if second := knows(t, c); first != "metadata_not_found" || second != "PUBLIC" {
		t.Errorf("%s, %s", first, second)
	}
}

func TestMetadataRequest(t *testing.T) {
	server := testkit.NewMetadataServer(t, simple("PUBLIC", "PUBLIC", "N"))
	config := bouwdossiers(server.URL())
	config.Metadata.Header = http.Header{"X-Api-Key": {"hunter2"}}
	if got := knows(t, newCollection(t, config, collection.Deps{})); got != "PUBLIC" {
		t.Fatal(got)
	}
	r := server.Requests()[0]
	if r.Method != http.MethodGet || r.Path != "/iiif-metadata/bouwdossier/ST_00015/" || r.Query != "" || r.Header.Get("X-Api-Key") != "hunter2" || r.Header.Get("Accept") != "application/json" {
		t.Errorf("%+v", r)
	}
}

func TestMetadataURLs(t *testing.T) {
	for template, want := range map[string]string{
		"/{fonds}/{item}.json":         "/f/i%20%28%25%29.json",
		"/deep/a%20b/{item}":           "/deep/a%20b/i%20%28%25%29",
		"/{fonds}-{item}/":             "/f-i%20%28%25%29/",
		"/constant/{item}/{item}/more": "/constant/i%20%28%25%29/i%20%28%25%29/more",
	} {
		server := testkit.NewStandIn(t, nil)
		server.Fail(testkit.Answer("application/json", `{}`))
		c := newCollection(t, own(t, server.URL()+template), collection.Deps{})
		if _, err := c.Lookup("f:i%20(%25)").Metadata(context.Background()); err != nil {
			t.Errorf("%s: %v", template, err)
			continue
		}
		if got := server.Requests()[0].Path; got != want {
			t.Errorf("%s: %s, want %s", template, got, want)
		}
	}
}

func TestMetadataOfPaths(t *testing.T) {
	server := testkit.NewStandIn(t, nil)
	server.Fail(testkit.Answer("application/json", `[]`))
	config := collection.Config{
		Name: "mine", Places: map[string]collection.Place{"main": place()}, Rules: []collection.Rule{{Outcome: "allow", Expr: "true"}},
		Metadata: &collection.MetadataConfig{URL: server.URL() + "/meta/{path...}.json"},
	}
	c := newCollection(t, config, collection.Deps{})
	if _, err := c.Lookup("a%2Fb%23c.tif").Metadata(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got, want := server.Requests()[0].Path, "/meta/a/b%23c.tif.json"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestMetadataOverTLS(t *testing.T) {
	server := testkit.NewTLSStandIn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) }))
	config := own(t, server.URL()+"/{item}")
	metadata := func() error {
		_, err := newCollection(t, config, collection.Deps{}).Lookup("f:i").Metadata(context.Background())
		return err
	}
	is(t, metadata(), 502, "metadata_unreachable", "The iiif-metadata-server cannot be reached")
	config.Metadata.CAFile = server.CAFile()
	if err := metadata(); err != nil {
		t.Error(err)
	}
	config.Metadata.CAFile, config.Metadata.InsecureSkipVerify = "", true
	if err := metadata(); err != nil {
		t.Error(err)
	}
}

func TestSimultaneousRequestsFetchOnce(t *testing.T) {
	server := testkit.NewMetadataServer(t, simple("PUBLIC", "PUBLIC", "N"))
	release := make(chan struct{})
	server.Fail(testkit.Hold(release))
	config := bouwdossiers(server.URL())
	config.Metadata.Fresh = -1
	c := newCollection(t, config, collection.Deps{})
	const callers = 20
	answers := make(chan string, callers)
	ask := func() { answers <- knows(t, c) }
	go ask()
	server.WaitFor(1)
	var started sync.WaitGroup
	for range callers - 1 {
		started.Add(1)
		go func() { started.Done(); ask() }()
	}
	started.Wait()
	close(release)
	for range callers {
		if got := <-answers; got != "PUBLIC" {
			t.Error(got)
		}
	}
	// A caller that came after the answer asks anew; most came before.
	if n := server.Count(); n >= callers {
		t.Errorf("%d requests for %d callers", n, callers)
	}
}

func TestTimer(t *testing.T) {
	server := testkit.NewMetadataServer(t, simple("PUBLIC", "PUBLIC", "N"))
	c := newCollection(t, bouwdossiers(server.URL()), collection.Deps{})
	ctx, timer := collection.WithTimer(context.Background())
	if timer.Total() != 0 {
		t.Error("time before anything happened")
	}
	if _, err := c.Lookup(simpleIdentifier).Metadata(ctx); err != nil || timer.Total() <= 0 {
		t.Errorf("%s, %v", timer.Total(), err)
	}
}

func TestRequestsInFlightOutliveClose(t *testing.T) {
	server := testkit.NewMetadataServer(t, simple("PUBLIC", "PUBLIC", "N"))
	release := make(chan struct{})
	server.Fail(testkit.Hold(release))
	c := newCollection(t, bouwdossiers(server.URL()), collection.Deps{})
	answer := make(chan string)
	go func() { answer <- knows(t, c) }()
	server.WaitFor(1)
	c.Close()
	close(release)
	if got := <-answer; got != "PUBLIC" {
		t.Error(got)
	}
	c.Close()
}
