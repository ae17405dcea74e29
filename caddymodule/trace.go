package caddymodule

import (
	"cmp"
	"context"
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/gatehouse-server/gatehouse/authn/principal"
	"github.com/gatehouse-server/gatehouse/authz"
	"github.com/gatehouse-server/gatehouse/collection"
	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/render"
	"github.com/gatehouse-server/gatehouse/source"
)

// trace collects what the access log and the metrics tell of one request. The first handler of ours begins it, and
// ends it when everything behind it is done.
type trace struct {
	name    string // of the collection
	kind    principal.Kind
	outcome string
	code    string
	// How long the request waited for others.
	metadata *collection.Timer
	source   *source.Timer
	render   *render.Timer
}

type traceKey struct{}

// withTrace gives the request's trace. The returned function ends it, when it was begun here.
func withTrace(r *http.Request) (*http.Request, *trace, func()) {
	if t := traceFrom(r.Context()); t != nil {
		return r, t, func() {}
	}
	t := &trace{kind: principal.Anonymous}
	ctx := context.WithValue(r.Context(), traceKey{}, t)
	ctx, t.metadata = collection.WithTimer(ctx)
	ctx, t.source = source.WithTimer(ctx)
	ctx, t.render = render.WithTimer(ctx)
	r = r.WithContext(ctx)
	return r, t, func() { t.end(r) }
}

func traceFrom(ctx context.Context) *trace {
	t, _ := ctx.Value(traceKey{}).(*trace)
	return t
}

// decided notes a decision.
func (t *trace) decided(d authz.Decision) {
	t.outcome, t.code = string(d.Outcome), d.Code
}

// failed notes what stopped the request.
func (t *trace) failed(err error) {
	e := problem.From(err)
	t.outcome, t.code = "error", e.Code
	if e.Denial {
		t.outcome = string(authz.Deny)
	}
}

func (t *trace) end(r *http.Request) {
	if t.outcome == "" {
		return
	}
	metrics.requests.WithLabelValues(cmp.Or(t.name, "none"), t.outcome, t.code).Inc()
	fields, ok := r.Context().Value(caddyhttp.ExtraLogFieldsCtxKey).(*caddyhttp.ExtraLogFields)
	if !ok {
		return
	}
	fields.Add(zap.Object("gatehouse", t))
}
