package viewers_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// request is what became of one request of the page.
type request struct {
	method, url string
	status      int64
	failure     string
	done        bool
}

func (r request) String() string {
	return fmt.Sprintf("%s %s: %d %s", r.method, r.url, r.status, r.failure)
}

// traffic is what the page asked for, and what it had to complain of.
type traffic struct {
	mu         sync.Mutex
	requests   map[network.RequestID]*request
	all        []*request
	complaints []string
}

func newTraffic() *traffic {
	return &traffic{requests: map[network.RequestID]*request{}}
}

// hear takes an event of the browser in.
func (l *traffic) hear(event any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if before := l.requests[e.RequestID]; before != nil && e.RedirectResponse != nil {
			before.status, before.done = e.RedirectResponse.Status, true
		}
		r := &request{method: e.Request.Method, url: e.Request.URL}
		l.requests[e.RequestID] = r
		l.all = append(l.all, r)
	case *network.EventResponseReceived:
		if r := l.requests[e.RequestID]; r != nil {
			r.status = e.Response.Status
		}
	case *network.EventLoadingFinished:
		if r := l.requests[e.RequestID]; r != nil {
			r.done = true
		}
	case *network.EventLoadingFailed:
		if r := l.requests[e.RequestID]; r != nil {
			r.failure, r.done = e.ErrorText, true
		}
	case *runtime.EventExceptionThrown:
		l.complaints = append(l.complaints, "exception: "+exceptionText(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			l.complaints = append(l.complaints, "console: "+consoleText(e.Args))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			l.complaints = append(l.complaints, "browser: "+e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

func exceptionText(details *runtime.ExceptionDetails) string {
	if details.Exception != nil && details.Exception.Description != "" {
		return details.Exception.Description
	}
	return details.Text
}

func consoleText(arguments []*runtime.RemoteObject) string {
	words := make([]string, len(arguments))
	for i, argument := range arguments {
		words[i] = argument.Description
		if text := ""; json.Unmarshal(argument.Value, &text) == nil {
			words[i] = text
		}
	}
	return strings.Join(words, " ")
}

// take waits until no request is under way, and gives those since it was last called.
func (l *traffic) take(t *testing.T) []request {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if requests, ok := l.tryTake(); ok {
			return requests
		}
		if time.Now().After(deadline) {
			t.Fatalf("requests are still under way:\n%s", l.summary())
		}
	}
}

func (l *traffic) tryTake() ([]request, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	requests := make([]request, len(l.all))
	for i, r := range l.all {
		// What is part of the page comes and goes without the network.
		if !r.done && strings.HasPrefix(r.url, "http") {
			return nil, false
		}
		requests[i] = *r
	}
	l.all = nil
	return requests, true
}

// complained gives what the page complained of since the last call.
func (l *traffic) complained() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	complaints := slices.DeleteFunc(l.complaints, isKnown)
	l.complaints = nil
	return complaints
}

// isKnown tells of faults that viewers have wherever their images come from.
func isKnown(complaint string) bool {
	for _, known := range []string{
		// A library in Mirador 4.0.0 is behind the React in it.
		"Accessing element.ref was removed in React 19",
		pixelForButtons,
	} {
		if strings.Contains(complaint, known) {
			return true
		}
	}
	return false
}

// pixelForButtons is what Universal Viewer 4.4.0 gives its buttons as their picture. It means the data: URL, but has
// "/images/" put before it, and so asks its own site.
const pixelForButtons = "/images/data:image/gif;base64,"

// summary is for a test that failed.
func (l *traffic) summary() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := slices.Clone(l.complaints)
	for _, r := range l.all {
		if strings.HasPrefix(r.url, "http") {
			lines = append(lines, r.String())
		}
	}
	return strings.Join(lines, "\n")
}

// checkRequests holds that every request stayed at these origins and went well.
func checkRequests(t *testing.T, requests []request, origins ...string) {
	t.Helper()
	for _, r := range requests {
		u, err := url.Parse(r.url)
		if err != nil {
			t.Errorf("a request of no URL: %v", err)
			continue
		}
		switch u.Scheme {
		case "data", "blob", "about":
			continue
		}
		if !slices.Contains(origins, u.Scheme+"://"+u.Host) {
			t.Errorf("a request left the machine: %v", r)
		}
		if strings.HasPrefix(u.Path, pixelForButtons) {
			continue
		}
		if r.failure != "" || r.status != 200 && r.status != 304 && (r.method != "OPTIONS" || r.status != 204) {
			t.Errorf("a request failed: %v", r)
		}
	}
}

var imageRequest = regexp.MustCompile(`^/([^/]+)/([^/]+)/\d[\d.]*/[a-z]+\.[a-z]+$`)

// fullDetail tells whether a request is for a part of an image with all its pixels. id is that of the image.
func (r request) fullDetail(id string, width, height int) bool {
	tail, ok := strings.CutPrefix(r.url, id)
	if !ok || r.status != 200 && r.status != 304 {
		return false
	}
	parts := imageRequest.FindStringSubmatch(tail)
	if parts == nil {
		return false
	}
	region, size := parts[1], parts[2]
	x, y, w, h := 0, 0, width, height
	if region != "full" {
		if _, err := fmt.Sscanf(region, "%d,%d,%d,%d", &x, &y, &w, &h); err != nil {
			return false
		}
	}
	w, h = min(w, width-x), min(h, height-y)
	return slices.Contains([]string{"max", "full", fmt.Sprintf("%d,", w), fmt.Sprintf("%d,%d", w, h), fmt.Sprintf(",%d", h)}, size)
}
