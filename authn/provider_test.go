package authn

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// provider is an identity provider in memory: no sockets, so that it lives in a synctest bubble, whose time jumps ahead
// whenever everybody waits.
type provider struct {
	mu       sync.Mutex
	document []byte
	fail     func(*http.Request) (*http.Response, error)
	requests int
}

func (p *provider) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	p.requests++
	doc, fail := p.document, p.fail
	p.mu.Unlock()
	if fail != nil {
		return fail(r)
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(doc)), Request: r}, nil
}

func (p *provider) publish(keys ...object) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.document, p.fail = document(keys...), nil
}

func (p *provider) failWith(fail func(*http.Request) (*http.Response, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = fail
}

func (p *provider) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests
}

// refused is a provider that is down.
func refused(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }

// silent takes the request and never answers.
func silent(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// beSlow makes it answer as usual, later.
func (p *provider) beSlow(d time.Duration) {
	p.failWith(func(r *http.Request) (*http.Response, error) {
		select {
		case <-time.After(d):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(p.document)), Request: r}, nil
	})
}

// newIssuer makes one of the provider, which the test starts.
func (p *provider) newIssuer(t *testing.T, cache KeyCache, log *logWatch) *Issuer {
	t.Helper()
	deps := Dependencies{Client: &http.Client{Transport: p}, Cache: cache}
	if log != nil {
		deps.Logger = log.logger()
	}
	issuer, err := NewIssuer(IssuerConfig{Name: "city", JWKSURI: "https://login.example.org/certs"}, deps)
	if err != nil {
		t.Fatal(err)
	}
	return issuer
}

// inBubble runs a test in a bubble with a provider and one issuer, started.
func inBubble(t *testing.T, prepare func(*provider), test func(*testing.T, *provider, *Issuer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &provider{}
		prepare(p)
		issuer := p.newIssuer(t, nil, nil)
		start(t, issuer)
		synctest.Wait()
		test(t, p, issuer)
	})
}

// nowClaims are for the bubble's clock.
func nowClaims() object {
	return object{"sub": "u-1", "exp": time.Now().Add(24 * 365 * time.Hour).Unix()}
}

func wantFine(t *testing.T, issuer *Issuer, key signer) {
	t.Helper()
	if _, err := issuer.Verify(t.Context(), key.token(nowClaims())); err != nil {
		t.Errorf("after %d keys: %v", len(issuer.Status().KeyIDs), err)
	}
}

func wantRefused(t *testing.T, issuer *Issuer, key signer, code string) {
	t.Helper()
	_, err := issuer.Verify(t.Context(), key.token(nowClaims()))
	wantCode(t, err, code)
}
