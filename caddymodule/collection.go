package caddymodule

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/collection"
	"github.com/gatehouse-server/gatehouse/iiif"
)

// lookup is what is being found out about one item, for one request.
type lookup = *collection.Lookup

// collectionRuntime is a configured collection: what it holds, who may see it, and the protocol it speaks.
type collectionRuntime struct {
	name   string
	prefix string
	maxAge time.Duration
	items  *collection.Collection
	policy *authz.Policy // nil: public
	// describer is nil where nothing is added to info.json.
	describer *describer
	handler   *iiif.Handler
	sources   []string
	closers   []func() error
}

// public tells whether anybody may see the collection.
func (c *collectionRuntime) public() bool { return c.policy == nil }

// parse reads the address as the client sent it.
func (c *collectionRuntime) parse(r *http.Request) (iiif.Request, bool, error) {
	return iiif.ParsePath(c.prefix, iiif.RawPath(r.URL), r.URL.RawQuery)
}

// lookup begins to find out about the item of a request.
func (c *collectionRuntime) lookup(request iiif.Request) lookup {
	return c.items.Lookup(request.RawIdentifier)
}

// decide asks the policy.
func (c *collectionRuntime) decide(ctx context.Context, who *principal.Principal, request iiif.Request, facts authz.Facts) (authz.Decision, error) {
	if c.policy == nil {
		return authz.Public(c.name, request.RawIdentifier, c.maxAge), nil
	}
	return c.policy.Decide(ctx, who, requestInfo(request), facts)
}

func requestInfo(request iiif.Request) authz.RequestInfo {
	return authz.RequestInfo{
		Identifier: request.RawIdentifier,
		Version:    versionText(request.Version),
		Endpoint:   endpoint(request.Kind),
	}
}

func versionText(version int) string {
	if version == 3 {
		return "3"
	}
	return "2"
}

// endpoint is what rules and logs call a kind of request. The redirect to info.json is judged as info.json is.
func endpoint(kind iiif.Kind) string {
	switch kind {
	case iiif.ImageRequest:
		return "image"
	case iiif.SourceFile:
		return "source_file"
	}
	return "info"
}

func (c *collectionRuntime) close() error {
	var errs []error
	for _, closer := range c.closers {
		errs = append(errs, closer())
	}
	return errors.Join(errs...)
}

type lookupKey struct{}

func withLookup(ctx context.Context, found lookup) context.Context {
	return context.WithValue(ctx, lookupKey{}, found)
}

func lookupFrom(ctx context.Context) lookup {
	found, _ := ctx.Value(lookupKey{}).(lookup)
	return found
}
