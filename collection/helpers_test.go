package collection_test

import (
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/collection"
	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/internal/testkit"
	"github.com/gatehouse-server/gatehouse/source"
)

// fakeSource has every original but those whose path begins with "missing", and remembers what was opened.
type fakeSource struct {
	mu     sync.Mutex
	opened []string
}

func (s *fakeSource) Open(_ context.Context, path string) (source.Original, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened = append(s.opened, path)
	switch {
	case strings.HasPrefix(path, "missing"):
		return nil, source.ErrNotFound
	case strings.HasPrefix(path, "down"):
		return nil, problem.New(502, "source_unreachable", "The image-server cannot be reached because the following error occurred: timeout")
	}
	return fakeOriginal(path), nil
}

func (s *fakeSource) Close() error { return nil }

type fakeOriginal string

func (o fakeOriginal) Info() source.Info { return source.Info{Name: string(o)} }

func (o fakeOriginal) ReadAt(context.Context, []byte, int64) (int, error) { return 0, io.EOF }

func (o fakeOriginal) File() *os.File { return nil }

func (o fakeOriginal) Close() error { return nil }

// place is a folder-like place of a new fake source.
func place() collection.Place {
	return collection.Place{Source: &fakeSource{}, Kind: source.KindFolder}
}

// bouwdossiers is a collection by the preset, in front of a metadata server.
func bouwdossiers(url string) collection.Config {
	return collection.Config{
		Name:     "bouwdossiers",
		Preset:   "bouwdossier",
		Metadata: &collection.MetadataConfig{URL: url},
		Places:   map[string]collection.Place{"edepot": place(), "wabo": place()},
	}
}

func newCollection(t testing.TB, c collection.Config, d collection.Deps) *collection.Collection {
	t.Helper()
	made, err := collection.New(c, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(made.Close)
	return made
}

// policyOf compiles a collection's policy as the server does.
func policyOf(t testing.TB, c *collection.Collection) *authz.Policy {
	t.Helper()
	p, found := c.Policy()
	if !found {
		t.Fatal("the collection is public")
	}
	config := authz.Config{
		Collection: c.Name(), Restricted: p.Restricted, Settings: p.Settings, Groups: p.Groups,
		Metadata: p.Metadata, Document: p.Document, DenyStatus: p.DenyStatus,
	}
	for _, r := range p.Rules {
		config.Rules = append(config.Rules, authz.RuleSpec{
			Outcome: authz.Outcome(r.Outcome), MaxSide: r.MaxSide, Reason: r.Reason, Status: r.Status, Code: r.Code, Expr: r.Expr, Name: r.Name,
		})
	}
	for _, r := range p.Cache {
		config.Cache = append(config.Cache, authz.CacheSpec{For: r.For, Expr: r.Expr})
	}
	policy, err := authz.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

// is checks that err is the answer that a contract wants.
func is(t testing.TB, err error, status int, code, detail string) {
	t.Helper()
	e := problem.From(err)
	if err == nil || e.Status != status || e.Code != code || e.Detail != detail {
		t.Errorf("got %v, want %d %s %q", err, status, code, detail)
	}
}

// simple is a dossier ST 00015 with one document of two files.
func simple(access, documentAccess, copyright any) testkit.Dossier {
	return testkit.Dossier{District: "ST", Number: "00015", Access: access, Documents: []testkit.Document{
		{Barcode: nil, Access: "PUBLIC", Copyright: "N"},
		{Barcode: "ST00000126", Access: documentAccess, Copyright: copyright, Files: []string{"ST/00015/a_00001.jpg", "ST/00015/a_00002.tif"}},
	}}
}

const simpleIdentifier = "edepot:ST_00015~ST00000126_0"
