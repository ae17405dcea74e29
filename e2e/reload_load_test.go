package e2e_test

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// load asks from several clients over kept connections until it is stopped; every answer must be the right one.
type load struct {
	h       *house
	stop    chan struct{}
	done    sync.WaitGroup
	reasons sync.Map // of denials
	clients []*loadClient
}

// loadClient keeps a connection, and asks again on a new one where the server closed the kept one, as HTTP has it
// (RFC 9112 §9.3.1). A connection that is being made while a server stops to listen may be lost: the system resets it, or
// net/http closes it. That is not about kept connections, so such a client asks again as well.
type loadClient struct {
	*http.Client
	answered, again atomic.Int64
}

// traced is a test with another context.
type traced struct {
	testing.TB
	ctx context.Context
}

// Context replaces the test's own.
func (t traced) Context() context.Context { return t.ctx }

// ask is an exchange; fresh tells that it needed a new connection.
func (c *loadClient) ask(h *house, path string, headers []string) (a answer, fresh bool, err error) {
	// The client looks for a connection again when the kept one was closed; each time it may end up with a new one.
	ctx := httptrace.WithClientTrace(h.t.Context(), &httptrace.ClientTrace{
		GetConn: func(string) { fresh = true },
		GotConn: func(got httptrace.GotConnInfo) { fresh = !got.Reused },
	})
	a, err = exchange(traced{h.t, ctx}, c.Client, http.MethodGet, h.server.URL()+path, headers...)
	return a, fresh, err
}

// startLoad returns when every client has its connection.
func (h *house) startLoad(clients int) *load {
	l := &load{h: h, stop: make(chan struct{})}
	for range clients {
		client := &loadClient{Client: newClient()}
		l.clients = append(l.clients, client)
		l.done.Add(1)
		go l.run(client)
	}
	l.after(3)
	return l
}

func (l *load) run(client *loadClient) {
	defer l.done.Done()
	bearer := func(roles ...string) []string { return l.h.roles(roles...) }
	civil, special := bearer("BD/R", "staff"), bearer("BD/X")
	id := "/iiif/2/" + edepotID("1", 0)
	steps := []struct {
		path, want string // want begins the body, or the content type
		status     int
		headers    []string
	}{
		{id + imageTail, "image/jpeg", 200, civil},
		{"/iiif/3/" + edepotID("1", 0) + "/info.json", `{"@context"`, 200, civil},
		{id + "/0,0,20,20/10,/90/gray.png" + mailQuery(), "image/png", 200, nil},
		{"/iiif/2/" + edepotID("3", 0) + imageTail, "Document access is restricted", 401, civil},
		{"/iiif/2/" + edepotID("3", 0) + imageTail, "image/jpeg", 200, special},
		{id + "?source_file=true", "image/jpeg", 200, civil},
		{"/mine/2/b.jpg" + imageTail, "image/jpeg", 200, civil},
		{"/mine/2/b.jpg" + imageTail, "", 403, special},
		{"/status/health", "Connectivity OK", 200, nil},
	}
	for i := 0; ; i++ {
		select {
		case <-l.stop:
			return
		default:
		}
		step := steps[i%len(steps)]
		a, fresh, err := client.ask(l.h, step.path, step.headers)
		if err != nil && fresh && client.again.Add(1) < 20 {
			i--
			continue
		}
		if err != nil {
			l.h.t.Errorf("%s: %v (a new connection: %t)", step.path, err, fresh)
			return
		}
		if right := strings.HasPrefix(string(a.body), step.want) || strings.HasPrefix(a.header.Get("Content-Type"), step.want); a.status != step.status || !right {
			l.h.t.Errorf("%s: %d %.100q, want %d %s", step.path, a.status, a.body, step.status, step.want)
			return
		}
		if step.status == http.StatusForbidden {
			l.reasons.Store(string(a.body), true)
		}
		client.answered.Add(1)
	}
}

// end stops the load and closes its connections.
func (l *load) end() {
	close(l.stop)
	l.done.Wait()
	for _, client := range l.clients {
		client.CloseIdleConnections()
	}
}

// after waits until every client got n more answers.
func (l *load) after(n int64) {
	l.h.t.Helper()
	for _, client := range l.clients {
		until := client.answered.Load() + n
		eventually(l.h.t, "answers", func() bool { return client.answered.Load() >= until || l.h.t.Failed() })
	}
}

func (l *load) asked() (sum int64) {
	for _, client := range l.clients {
		sum += client.answered.Load()
	}
	return sum
}
