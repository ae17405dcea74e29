package collection

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/gatehouse-server/gatehouse/internal/clock"
	"github.com/gatehouse-server/gatehouse/internal/flight"
	"github.com/gatehouse-server/gatehouse/internal/httpx"
	"github.com/gatehouse-server/gatehouse/internal/problem"
	"github.com/gatehouse-server/gatehouse/source"
)

// Observer is told of each look-up of metadata, so that metrics can be attached: how long it took in seconds and the
// outcome, one of the Outcome constants. It must not block.
type Observer func(seconds float64, outcome string)

// What becomes of a look-up.
const (
	OutcomeOK          = "ok"
	OutcomeCached      = "cached"
	OutcomeNotFound    = "not_found"
	OutcomeStatus      = "status"
	OutcomeUnreachable = "unreachable"
	OutcomeMalformed   = "malformed"
)

// maxRedirects within the metadata server's origin: a server that adds a slash, or moved a path.
const maxRedirects = 3

// metadataClient fetches metadata documents and keeps them while they are fresh. A document is never used longer,
// whether the server can be reached or not: a guess could show what was withdrawn.
type metadataClient struct {
	config  MetadataConfig
	base    *url.URL
	path    *source.Template
	client  *httpx.Client
	clock   clock.Clock
	observe Observer
	check   func(any) error
	memory  *memory
	flights flight.Group[revised]
	// fetched numbers the documents.
	fetched atomic.Uint64
}

// revised is a metadata document, and the number by which it differs from every other one that was fetched.
type revised struct {
	value    any
	revision uint64
}

func newMetadataClient(c MetadataConfig, presetPath string, check func(any) error, d Deps) (*metadataClient, error) {
	base, path, err := c.target(presetPath)
	if err != nil {
		return nil, err
	}
	client, err := httpx.NewClient(httpx.Options{
		Base:               base,
		Header:             c.Header,
		CAFile:             c.CAFile,
		InsecureSkipVerify: c.InsecureSkipVerify,
		MaxRedirects:       maxRedirects,
	})
	if err != nil {
		return nil, err
	}
	return &metadataClient{
		config: c, base: client.Base(), path: path, client: client, clock: d.Clock, observe: d.Observe, check: check,
		memory: newMemory(c.CacheBytes, c.CacheEntries),
	}, nil
}

// url makes the address of an item's metadata. Values are literal, so that each stays what it is: a piece of text within
// its path segment, or a path where the template says so.
func (m *metadataClient) url(groups map[string]string) (*url.URL, error) {
	rest, err := m.path.Expand(func(name string) (string, bool) {
		v, found := groups[name]
		return literal(v), found
	})
	if err != nil {
		return nil, err
	}
	return httpx.JoinPath(m.base, rest)
}

// get gives the metadata of an item. Errors are *problem.Error with the texts of the dossier contract.
func (m *metadataClient) get(ctx context.Context, u *url.URL) (revised, error) {
	defer timed(ctx)()
	key := u.String()
	if entry, found := m.memory.get(key, m.clock.Now()); found {
		m.observe(0, OutcomeCached)
		return entry.revised, entry.err
	}
	fetched, err := m.flights.Do(ctx, context.WithoutCancel(ctx), key, func(ctx context.Context) (revised, error) {
		ctx, cancel := context.WithTimeout(ctx, m.config.Timeout)
		defer cancel()
		return m.fetch(ctx, key)
	})
	var known *problem.Error
	switch {
	case err == nil, errors.As(err, &known):
		return fetched, err
	case errors.Is(err, context.Canceled):
		return revised{}, problem.Wrap(err, problem.StatusClientClosedRequest, "client_closed_request", "The request was cancelled")
	}
	// The caller's own deadline.
	return revised{}, unreachable(err)
}

// fetch asks the server and keeps what may be kept. Its age counts from before the question.
func (m *metadataClient) fetch(ctx context.Context, key string) (revised, error) {
	asked, begin := m.clock.Now(), time.Now()
	value, size, outcome, err := m.ask(ctx, key)
	m.observe(time.Since(begin).Seconds(), outcome)
	fetched := revised{value, m.fetched.Add(1)}
	lifetime := map[string]time.Duration{OutcomeOK: m.config.Fresh, OutcomeNotFound: m.config.Absent}[outcome]
	if lifetime > 0 && m.config.Fresh > 0 {
		m.memory.put(&kept{key: key, revised: fetched, err: err, size: size, expires: asked.Add(lifetime)})
	}
	return fetched, err
}

func (m *metadataClient) ask(ctx context.Context, address string) (value any, size int64, outcome string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, 0, OutcomeUnreachable, unreachable(err)
	}
	request.Header.Set("Accept", "application/json")
	response, err := m.client.Do(request)
	if err != nil {
		return nil, 0, OutcomeUnreachable, unreachable(err)
	}
	defer func() { _ = response.Body.Close() }()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, int64(len(address)) + valueSize, OutcomeNotFound, problem.New(http.StatusNotFound, "metadata_not_found", "No metadata could be found for this dossier")
	default:
		text := fmt.Sprintf("We had a problem retrieving the metadata. We got status code %d", response.StatusCode)
		return nil, 0, OutcomeStatus, problem.New(http.StatusBadGateway, "metadata_status", text)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, m.config.MaxBody+1))
	if err != nil {
		return nil, 0, OutcomeUnreachable, unreachable(err)
	}
	if int64(len(body)) > m.config.MaxBody {
		return nil, 0, OutcomeMalformed, malformed(fmt.Errorf("it has more than %d bytes", m.config.MaxBody))
	}
	value, size, err = decodeDocument(body)
	if err == nil {
		err = m.check(value)
	}
	if err != nil {
		return nil, 0, OutcomeMalformed, malformed(err)
	}
	return value, size + int64(len(address)), OutcomeOK, nil
}

func unreachable(err error) error {
	return problem.Wrap(err, http.StatusBadGateway, "metadata_unreachable", "The iiif-metadata-server cannot be reached")
}

// malformed keeps the field and the reason for the log: they may quote the document.
func malformed(err error) error {
	return problem.Wrap(fmt.Errorf("metadata: %w", err), http.StatusBadGateway, "metadata_malformed", "The iiif-metadata-server gave an answer that is not of the expected form")
}

// checkAnyShape is for collections without a preset: their rules read an object or a list.
func checkAnyShape(metadata any) error {
	switch metadata.(type) {
	case map[string]any, []any:
		return nil
	}
	return fmt.Errorf("the document is %s, not an object or a list", kindOf(metadata))
}

// close frees idle connections, now and when the last fetch that still runs has ended.
func (m *metadataClient) close() {
	m.flights.WhenIdle(m.client.CloseIdleConnections)
}
